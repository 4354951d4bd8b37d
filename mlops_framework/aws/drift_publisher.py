"""The monitors' voice: EventBridge for machines, SNS for people, EMF lines for CloudWatch."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

from mlops_framework.aws.embedded_metrics import metric_line
from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.errors import PublishingRefused
from mlops_framework.orchestration.errors import ServiceRefused

SOURCE: Final = "mlops.drift"
NAMESPACE: Final = "MLOps/Drift"
_LONGEST_DIMENSION: Final = 1024


class BusAndTopic:
    """The port ``Publisher``.

    Args:
        events: An EventBridge client.
        topics: An SNS client.
        bus: Name of the event bus.
        topic_arn: The alert topic.
        source: Of the events.
    """

    def __init__(
        self, events: Any, topics: Any, *, bus: str, topic_arn: str, source: str = SOURCE
    ) -> None:
        self._events = events
        self._topics = topics
        self._bus = bus
        self._topic_arn = topic_arn
        self._source = source

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """See ``Publisher.event``."""
        entry = {
            "Source": self._source,
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
            "EventBusName": self._bus,
        }
        with refusals("EventBridge", "PutEvents"):
            answer = self._events.put_events(Entries=[entry])
        if answer.get("FailedEntryCount"):
            failed = answer["Entries"][0]
            raise ServiceRefused(
                "EventBridge",
                "PutEvents",
                failed.get("ErrorCode", "unknown"),
                failed.get("ErrorMessage", "no reason given"),
            )

    def alert(self, subject: str, text: str) -> None:
        """See ``Publisher.alert``."""
        with refusals("SNS", "Publish"):
            self._topics.publish(TopicArn=self._topic_arn, Subject=subject, Message=text)


class EmbeddedMetrics:
    """The port ``Metrics``: CloudWatch's embedded metric format.

    A line in the log becomes metrics without an API call.

    Args:
        write: Takes a line for the log; in a Lambda, ``print``.
        clock: The present, UTC.
        environment: Prefix of the environment.
        namespace: Of the metrics.
    """

    def __init__(
        self,
        write: Callable[[str], object],
        clock: Callable[[], datetime],
        environment: str,
        namespace: str = NAMESPACE,
    ) -> None:
        self._write = write
        self._clock = clock
        self._environment = environment
        self._namespace = namespace

    def record(self, monitor: str, values: Mapping[str, float], *, column: str = "") -> None:
        """See ``Metrics.record``."""
        dimensions = {"Environment": self._environment, "Monitor": monitor}
        if column:
            dimensions["Column"] = _dimension(column)
        self._write(metric_line(self._namespace, dimensions, values, self._clock()))


def _dimension(text: str) -> str:
    """CloudWatch takes printable ASCII of at most 1,024 characters as a dimension's value."""
    escaped = text.encode("unicode_escape").decode("ascii")
    return escaped[:_LONGEST_DIMENSION] if escaped.strip() else repr(escaped)


class SilentPublisher:
    """The publisher of what has nothing to say and no permission to say it."""

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Refuse: only the evaluation publishes."""
        raise PublishingRefused(f"{detail_type}: only the evaluate function publishes events.")

    def alert(self, subject: str, text: str) -> None:
        """Refuse: only the evaluation publishes."""
        raise PublishingRefused(f"{subject}: only the evaluate function publishes alerts.")
