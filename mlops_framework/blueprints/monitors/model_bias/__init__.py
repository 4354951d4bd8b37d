"""The model-bias-monitor blueprint."""
