"""What the peers do with two tables, each run by its own interpreter with its own packages."""
