"""What the functions of a monitor read from their environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class PrepareSettings(LambdaSettings):
    """Settings of ``prepare:handler``."""

    log_level: str = "INFO"


class ReportSettings(LambdaSettings):
    """Settings of ``report:handler``."""

    environment_prefix: str
    """Prefix of the environment, for example ``mlops-prod``."""
    pipeline_id: str
    monitoring_type: str
    """SageMaker's name of the kind of monitor."""
    model_name: str
    endpoint_name: str
    """What is watched; empty for batch transforms."""
    alert_topic_arn: str
    """Topic that tells people."""
    log_level: str = "INFO"
