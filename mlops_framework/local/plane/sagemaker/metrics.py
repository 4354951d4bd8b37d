"""What SageMaker tells CloudWatch about invocations: the metrics that alarms are built on.

Namespace `AWS/SageMaker`, dimensions `EndpointName` and `VariantName`. As on AWS, each invocation
gives the error metrics a 0 or a 1, so that their average is a rate.
"""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import Scope

FLUSH_SECONDS = 5.0
# CloudWatch takes at most so many different values in one datum.
_VALUES = 150


@dataclass
class _Tally:
    statuses: Counter[int] = field(default_factory=Counter)
    latencies: list[float] = field(default_factory=list)


class InvocationMetrics:
    """Collects invocations and tells CloudWatch of them every few seconds."""

    def __init__(self, host: PlaneHost) -> None:
        """Start the thread that tells.

        Args:
            host: the emulator.
        """
        self._host = host
        self._lock = threading.Lock()
        self._tallies: dict[tuple[Scope, str, str], _Tally] = {}
        host.spawn("SageMaker invocation metrics", self._work)

    def add(self, endpoint: str, variant: str, status: int, seconds: float, scope: Scope) -> None:
        """Count one invocation.

        Args:
            endpoint: the endpoint's name.
            variant: the variant that was asked.
            status: the container's HTTP status; 0 when it did not answer.
            seconds: how long it took.
            scope: account and region.
        """
        with self._lock:
            tally = self._tallies.setdefault((scope, endpoint, variant), _Tally())
            tally.statuses[status] += 1
            tally.latencies.append(seconds * 1e6)

    def count_without_capacity(self, component: str, scope: Scope) -> None:
        """Count a call that found no copy of an inference component.

        Args:
            component: its name.
            scope: account and region.
        """
        data = {
            "MetricName": "NoCapacityInvocationFailures",
            "Value": 1.0,
            "Dimensions": [{"Name": "InferenceComponentName", "Value": component}],
        }
        with contextlib.suppress(ClientError, BotoCoreError):
            self._host.client("cloudwatch", scope).put_metric_data(
                Namespace="AWS/SageMaker", MetricData=[data]
            )

    def _work(self) -> None:
        while not self._host.stopping.wait(FLUSH_SECONDS):
            with self._lock:
                tallies, self._tallies = self._tallies, {}
            for (scope, endpoint, variant), tally in tallies.items():
                # A metric that cannot be told now is not worth keeping: the next one will be.
                with contextlib.suppress(ClientError, BotoCoreError):
                    self._host.client("cloudwatch", scope).put_metric_data(
                        Namespace="AWS/SageMaker", MetricData=_data(endpoint, variant, tally)
                    )


def _data(endpoint: str, variant: str, tally: _Tally) -> list[dict[str, Any]]:
    dimensions = [
        {"Name": "EndpointName", "Value": endpoint},
        {"Name": "VariantName", "Value": variant},
    ]
    count = tally.statuses.total()
    client = sum(n for status, n in tally.statuses.items() if 400 <= status < 500)
    server = sum(n for status, n in tally.statuses.items() if status >= 500 or status == 0)
    data: list[dict[str, Any]] = [
        {"MetricName": "Invocations", "Values": [1.0], "Counts": [float(count)], "Unit": "None"}
    ]
    for name, errors in (("Invocation4XXErrors", client), ("Invocation5XXErrors", server)):
        counts = {0.0: count - errors, 1.0: errors}
        told = {value: number for value, number in counts.items() if number}
        data.append(
            {
                "MetricName": name,
                "Values": list(told),
                "Counts": [float(number) for number in told.values()],
                "Unit": "None",
            }
        )
    for start in range(0, len(tally.latencies), _VALUES):
        values = tally.latencies[start : start + _VALUES]
        data.append({"MetricName": "ModelLatency", "Values": values, "Unit": "Microseconds"})
    return [{**each, "Dimensions": dimensions} for each in data]
