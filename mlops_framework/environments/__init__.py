"""Where: what an environment file may say, and how the files are read."""
