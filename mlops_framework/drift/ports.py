"""What drift monitoring needs from outside, as small as it can be (adapters: ``aws.drift_*``)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, BinaryIO, Protocol

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.objects import ObjectVersion

Document = Mapping[str, Any]


class Clock(Protocol):
    """The present, in UTC."""

    def __call__(self) -> datetime:
        """Now."""
        ...


class Monitors(Protocol):
    """The configured monitors."""

    def get(self, monitor: str) -> MonitorConfig:
        """The configuration of a monitor.

        Raises:
            MonitorUnknown: If there is none.
            MonitorInvalid: If it cannot be used.
        """
        ...


class Sources(Protocol):
    """Where captures and training data are read."""

    def captured(self, source: ObjectVersion) -> Iterator[bytes]:
        """The text of a capture object in parts, cut anywhere.

        Raises:
            ObjectMissing: If it does not exist.
        """
        ...

    def opened(self, location: S3Location) -> BinaryIO:
        """An object as a file that can be read from any place; only what is asked for is fetched.

        Raises:
            ObjectMissing: If it does not exist.
        """
        ...

    def table_lines(self, location: S3Location) -> Iterator[str]:
        """The lines of a text file, line ends kept, as a stream.

        Raises:
            ObjectMissing: If it does not exist.
        """
        ...


class Store(Protocol):
    """A monitor's documents. ``bucket`` is the monitor's data bucket."""

    def read(self, bucket: str, key: str) -> Document | None:
        """A JSON document; ``None`` if it does not exist."""
        ...

    def read_all(self, bucket: str, keys: Sequence[str]) -> Sequence[Document]:
        """Documents that exist, in the order of ``keys``; those that vanished are left out."""
        ...

    def write(self, bucket: str, key: str, text: str, media_type: str) -> None:
        """Write an object, replacing what is there."""
        ...

    def read_bytes(self, bucket: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Objects that exist, by key."""
        ...

    def write_bytes(self, bucket: str, key: str, data: bytes, media_type: str) -> None:
        """Write an object that is no text, replacing what is there."""
        ...

    def keys(self, bucket: str, prefix: str) -> Iterable[str]:
        """Keys below a prefix."""
        ...

    def read_state(self, bucket: str, key: str) -> tuple[Document | None, str]:
        """A document and a tag of this reading of it."""
        ...

    def write_state(self, bucket: str, key: str, text: str, tag: str) -> str:
        """Replace a document if it still is what was read with ``tag``; returns the new tag.

        Raises:
            StateConflict: If it changed since.
        """
        ...


class Publisher(Protocol):
    """Tells others; both may be delivered twice, never not at all."""

    def event(self, detail_type: str, detail: Document) -> None:
        """Put an event of source ``mlops.drift`` on the bus."""
        ...

    def alert(self, subject: str, text: str) -> None:
        """Tell the people who are subscribed."""
        ...


class Distribution(Protocol):
    """Has work done by many functions side by side."""

    def start(self, monitor: str, since: datetime, until: datetime, *, name: str) -> None:
        """Profile what is not, merge, and evaluate; returns at once.

        Args:
            monitor: The monitor.
            since: First moment.
            until: Moment behind the last one.
            name: Of the run; a run of this name that was started already is this one.
        """
        ...


class Metrics(Protocol):
    """Counts what happened."""

    def record(self, monitor: str, values: Mapping[str, float], *, column: str = "") -> None:
        """Publish metrics of a monitor, or of one of its columns."""
        ...
