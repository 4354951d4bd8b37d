"""What Model Monitor leaves to its user: preparing Clarify, and telling of runs."""
