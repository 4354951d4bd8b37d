"""Drift monitors' configurations in SSM Parameter Store."""

from __future__ import annotations

from typing import Any

from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import MonitorUnknown
from mlops_framework.naming import monitor_parameter


class ParameterMonitors:
    """The port ``Monitors``: one parameter per monitor, written by the drift-monitor blueprint.

    Args:
        client: An SSM client.
        environment: Prefix of the environment, for example ``mlops-prod``.
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def get(self, monitor: str) -> MonitorConfig:
        """See ``Monitors.get``."""
        name = monitor_parameter(self._environment, monitor)
        place = f"the SSM parameter {name}"

        def unknown(_: str) -> MonitorUnknown:
            return MonitorUnknown(monitor, place)

        # A name that SSM refuses to look up names no monitor either.
        conditions = {"ParameterNotFound": unknown, "ValidationException": unknown}
        with refusals("SSM", "GetParameter", conditions):
            answer = self._client.get_parameter(Name=name)
        return MonitorConfig.parse(answer["Parameter"]["Value"], f"The SSM parameter {name}")
