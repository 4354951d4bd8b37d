"""What a checkout needs around the product: set-up and lock files. Not part of the wheel."""
