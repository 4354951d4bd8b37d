"""The four monitors that deploy Amazon SageMaker Model Monitor, over one private base."""
