"""The model-explainability-monitor blueprint."""
