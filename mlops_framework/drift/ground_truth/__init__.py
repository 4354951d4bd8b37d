"""Labels that arrive late, and the predictions they belong to."""
