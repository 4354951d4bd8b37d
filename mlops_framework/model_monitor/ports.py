"""What the room needs of the world, as Protocols."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

from mlops_framework.model_monitor.runs import Job


class Files(Protocol):
    """Objects in S3, by URI."""

    def read(self, uri: str) -> str | None:
        """The text of an object, or nothing when there is none."""

    def beginning(self, uri: str, size: int) -> str:
        """The first bytes of an object, or of the first object below a prefix, as text."""

    def write(self, uri: str, text: str) -> None:
        """Write a JSON document."""


class Jobs(Protocol):
    """Processing jobs and endpoints of SageMaker."""

    def look(self, job: str) -> Job:
        """A processing job."""

    def model_of(self, endpoint: str) -> str:
        """Name of the model that an endpoint's first variant serves."""


class Publisher(Protocol):
    """Machines and people who want to know."""

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Put an event on the bus."""

    def alert(self, subject: str, text: str) -> None:
        """Tell the people who watch the environment."""


class Metrics(Protocol):
    """Numbers for CloudWatch."""

    def record(self, monitor: str, values: Mapping[str, float]) -> None:
        """Values of now."""
