"""MLOps Framework for AWS: the library that stacks, Lambdas, CLI and plugins are made of."""
