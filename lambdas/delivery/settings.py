"""What the delivery function reads from its environment."""

from __future__ import annotations

from mlops_framework.settings import LambdaSettings


class DeliverySettings(LambdaSettings):
    """Settings of ``verify:handler``."""

    environment_prefix: str
    """Prefix of the environment; tags what is made here."""

    image_key_arn: str = ""
    """Key that image repositories made here are encrypted with."""

    baseline_function_name: str = ""
    """The drift service's baseline function; empty when the platform has no drift service."""
