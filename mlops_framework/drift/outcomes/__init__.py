"""What became of captured rows, as sums: quality, bias, attributions, in the profile itself."""
