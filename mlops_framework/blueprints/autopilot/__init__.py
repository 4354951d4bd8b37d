"""The autopilot blueprint: let SageMaker Autopilot find a model, gate and register it."""
