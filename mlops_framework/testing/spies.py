"""Ports that only pass something on; the fakes remember what."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


class RecordedTeardowns:
    """The port ``TeardownStarter``."""

    def __init__(self) -> None:
        self.started: list[str] = []

    def start(self, pipeline_id: str) -> None:
        """See ``TeardownStarter.start``."""
        self.started.append(pipeline_id)


class RecordedContinuations:
    """The port ``ContinuationStarter``."""

    def __init__(self) -> None:
        self.started: list[tuple[str, int]] = []

    def start(self, pipeline_id: str, revision: int) -> None:
        """See ``ContinuationStarter.start``."""
        self.started.append((pipeline_id, revision))


class RecordedEvents:
    """The port ``EventPublisher``; raises ``failure`` instead, when it is set."""

    def __init__(self) -> None:
        self.published: list[tuple[str, dict[str, Any]]] = []
        self.failure: Exception | None = None

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """See ``EventPublisher.publish``."""
        if self.failure is not None:
            raise self.failure
        self.published.append((detail_type, dict(detail)))
