"""What the drift functions read from their environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class ProfileSettings(LambdaSettings):
    """Settings of ``profile:handler``."""

    environment_prefix: str
    """Prefix of the environment, for example ``mlops-prod``."""
    log_level: str = "INFO"


class EvaluateSettings(LambdaSettings):
    """Settings of ``evaluate:handler``."""

    environment_prefix: str
    """Prefix of the environment, for example ``mlops-prod``."""
    alert_topic_arn: str
    """Topic that tells people."""
    scale_machine_arn: str
    """State machine that merges what is too large for one function."""
    event_bus_name: str = "default"
    log_level: str = "INFO"


class BaselineSettings(LambdaSettings):
    """Settings of ``baseline:handler``."""

    environment_prefix: str
    """Prefix of the environment, for example ``mlops-prod``."""
    log_level: str = "INFO"
