"""What the inference function reads from its environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class InferenceSettings(LambdaSettings):
    """Settings of ``handler:handler``."""

    endpoint_name: str
    """SageMaker endpoint in front of which the API stands."""
