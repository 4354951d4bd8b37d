"""The data-quality-monitor blueprint."""
