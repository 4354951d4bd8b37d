"""``POST /inference`` in front of one SageMaker endpoint."""
