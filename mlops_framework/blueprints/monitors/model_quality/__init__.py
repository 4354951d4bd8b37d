"""The model-quality-monitor blueprint."""
