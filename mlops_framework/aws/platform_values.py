"""What the platform publishes in SSM, by key."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_framework import naming
from mlops_framework.aws.refusals import refusals


class PlatformParameters:
    """Looks up values of one environment.

    Args:
        client: An SSM client.
        prefix: The environment's.
    """

    def __init__(self, client: Any, prefix: str) -> None:
        self._client = client
        self._prefix = prefix

    def __call__(self, keys: Sequence[naming.PlatformKey]) -> Mapping[str, str]:
        """Values by key; a key that the platform has not published is left out."""
        if not keys:
            return {}
        names = {naming.platform_parameter(self._prefix, key): key for key in keys}
        with refusals("SSM", "GetParameters"):
            answer = self._client.get_parameters(Names=list(names))
        return {names[found["Name"]]: found["Value"] for found in answer["Parameters"]}
