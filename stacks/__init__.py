"""What gets deployed: one file per stack, composition and grants only."""
