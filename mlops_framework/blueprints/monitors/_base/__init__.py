"""What the four monitors share; no seam for others, who subclass a monitor's own classes."""
