"""Drift monitoring: profile captured traffic, judge it against the training data."""
