"""How good a model's predictions are, by the labels that came, and by its own probabilities."""
