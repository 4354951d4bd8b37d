"""What an evaluation has decided to say, said: by one channel after the other."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_framework.drift.layout import latest_key
from mlops_framework.drift.ports import Metrics, Publisher
from mlops_framework.drift.records import Records

Message = Mapping[str, Any]
"""``latest``, ``metrics``, ``event`` or ``alert``, with what belongs to it."""


@dataclass(frozen=True)
class Outbox:
    """The channels of one monitor.

    Attributes:
        records: Where the newest verdict is kept.
        metrics: Metrics.
        publisher: Events and alerts.
    """

    records: Records
    metrics: Metrics
    publisher: Publisher

    def send(self, messages: Sequence[Message]) -> tuple[tuple[Message, ...], Exception | None]:
        """Send messages, in their order.

        What fails stops its own channel and no other, so that a topic that is gone neither holds
        events back nor has them sent again and again, each of which may start a retraining.

        Returns:
            What has to be sent again, and the first fault.
        """
        left: list[Message] = []
        failed: set[str] = set()
        first: Exception | None = None
        for message in messages:
            channel = next(iter(message.keys() & {"latest", "metrics", "event", "alert"}))
            try:
                if channel not in failed:
                    self._send(message)
            except Exception as fault:
                first = first or fault
                failed.add(channel)
            if channel in failed:
                left.append(message)
        return tuple(left), first

    def _send(self, message: Message) -> None:
        name = self.records.config.name
        if "latest" in message:
            self.records.write(latest_key(self.records.config), message["latest"])
        elif "metrics" in message:
            self.metrics.record(name, message["metrics"], column=message.get("column", ""))
        elif "event" in message:
            self.publisher.event(message["event"], message["detail"])
        else:
            self.publisher.alert(message["alert"], message["text"])
