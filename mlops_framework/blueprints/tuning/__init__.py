"""The tuning blueprint: try hyperparameters, evaluate the best, gate and register it."""
