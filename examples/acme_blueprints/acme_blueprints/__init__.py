"""Pipelines that a company adds to the platform, from a distribution of its own."""
