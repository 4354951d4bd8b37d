"""In-memory stand-ins for the ports of drift monitoring, and capture lines as SageMaker writes."""

from __future__ import annotations

import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, BinaryIO

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import MonitorUnknown, ObjectMissing, StateConflict
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.windows import instant, moment

MONITOR = MonitorConfig(
    environment="mlops-test",
    data_bucket="mlops-test-data",
    model_name="employment",
    endpoint_name="employment-dev",
    baseline_data="s3://mlops-test-data/datasets/employment/train.csv",
)
"""A monitor with every default."""


@dataclass
class InMemoryMonitors:
    """Configurations in a dictionary."""

    configs: dict[str, MonitorConfig] = field(default_factory=lambda: {MONITOR.name: MONITOR})

    def get(self, monitor: str) -> MonitorConfig:
        """The configuration, or :class:`MonitorUnknown`."""
        if monitor not in self.configs:
            raise MonitorUnknown(monitor, f"the parameter of {monitor!r}")
        return self.configs[monitor]


@dataclass
class InMemoryBucket:
    """Objects in a dictionary; serves as ``Sources`` and as ``Store`` of any bucket.

    Attributes:
        objects: Text by ``(bucket, key)``.
        files: What is no text, likewise.
        writes: Every key written, in order.
        interfere: Called before each conditional write; a test changes the state with it.
    """

    objects: dict[tuple[str, str], str] = field(default_factory=dict)
    files: dict[tuple[str, str], bytes] = field(default_factory=dict)
    writes: list[str] = field(default_factory=list)
    interfere: list[Any] = field(default_factory=list)

    def captured(self, source: ObjectVersion) -> Iterator[bytes]:
        """The text of a capture object."""
        if (source.bucket, source.key) in self.files:
            yield self.files[source.bucket, source.key]
            return
        yield self._text(source.bucket, source.key).encode("utf-8", "surrogatepass")

    def opened(self, location: S3Location) -> BinaryIO:
        """An object as a file."""
        return io.BytesIO(b"".join(self.captured(ObjectVersion(location.bucket, location.key))))

    def table_lines(self, location: S3Location) -> Iterator[str]:
        """Lines of a text object, ends kept."""
        return iter(self._text(location.bucket, location.key).splitlines(keepends=True))

    def read(self, bucket: str, key: str) -> Mapping[str, Any] | None:
        """A document, or ``None``."""
        text = self.objects.get((bucket, key))
        document: Mapping[str, Any] | None = None if text is None else json.loads(text)
        return document

    def read_all(self, bucket: str, keys: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Documents that exist."""
        return [found for key in keys if (found := self.read(bucket, key)) is not None]

    def write(self, bucket: str, key: str, text: str, media_type: str) -> None:
        """Write an object."""
        self.objects[bucket, key] = text
        self.writes.append(key)

    def read_bytes(self, bucket: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Objects that exist."""
        return {key: self.files[bucket, key] for key in keys if (bucket, key) in self.files}

    def write_bytes(self, bucket: str, key: str, data: bytes, media_type: str) -> None:
        """Write an object."""
        self.files[bucket, key] = data
        self.writes.append(key)

    def keys(self, bucket: str, prefix: str) -> Iterable[str]:
        """Keys below a prefix."""
        both = [*self.objects, *self.files]
        return sorted(k for b, k in both if b == bucket and k.startswith(prefix))

    def read_state(self, bucket: str, key: str) -> tuple[Mapping[str, Any] | None, str]:
        """A document and its text as tag."""
        return self.read(bucket, key), self.objects.get((bucket, key), "")

    def write_state(self, bucket: str, key: str, text: str, tag: str) -> str:
        """Write if unchanged."""
        if self.interfere:
            self.interfere.pop(0)()
        if self.objects.get((bucket, key), "") != tag:
            raise StateConflict(f"{key} changed")
        self.write(bucket, key, text, "application/json")
        return text

    def _text(self, bucket: str, key: str) -> str:
        if (bucket, key) not in self.objects:
            raise ObjectMissing(f"s3://{bucket}/{key} does not exist")
        return self.objects[bucket, key]


@dataclass
class RecordingPublisher:
    """Keeps what was published; ``broken`` makes it fail, as a network does."""

    events: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    alerts: list[tuple[str, str]] = field(default_factory=list)
    broken: bool = False

    def event(self, detail_type: str, detail: Mapping[str, Any]) -> None:
        """Keep an event."""
        if self.broken:
            raise ConnectionError("the bus cannot be reached")
        self.events.append((detail_type, detail))

    def alert(self, subject: str, text: str) -> None:
        """Keep an alert."""
        if self.broken:
            raise ConnectionError("the topic cannot be reached")
        self.alerts.append((subject, text))

    def types(self) -> list[str]:
        """Detail types published so far."""
        return [detail_type for detail_type, _ in self.events]


@dataclass
class RecordingMetrics:
    """Keeps metrics by monitor, and by column."""

    values: list[tuple[str, Mapping[str, float]]] = field(default_factory=list)
    columns: list[tuple[str, str, Mapping[str, float]]] = field(default_factory=list)

    def record(self, monitor: str, values: Mapping[str, float], *, column: str = "") -> None:
        """Keep metrics, those of columns with the column."""
        if column:
            self.columns.append((monitor, column, values))
        else:
            self.values.append((monitor, values))


@dataclass
class SetClock:
    """A clock that stands still until it is set."""

    now: datetime = datetime(2026, 3, 1, 15, 15, tzinfo=UTC)

    def __call__(self) -> datetime:
        """The time it was set to."""
        return self.now

    def set(self, text: str) -> None:
        """Set it to an ISO 8601 moment."""
        self.now = moment(text)


def capture_line(
    row: Sequence[object] | str,
    prediction: object = 0.5,
    *,
    time: datetime | str = "2026-03-01T14:07:31Z",
    encoding: str = "CSV",
    content_type: str = "text/csv",
    identity: str = "3f0c2a8e-0d5c-4a51-9d2f-5f3a1c2b7d10",
) -> str:
    """One captured invocation as SageMaker writes it; a text is taken as the payload itself."""
    payload = row if isinstance(row, str) else ",".join(map(str, row))
    return json.dumps(
        {
            "captureData": {
                "endpointInput": {
                    "observedContentType": content_type,
                    "mode": "INPUT",
                    "data": payload,
                    "encoding": encoding,
                },
                "endpointOutput": {
                    "observedContentType": "text/csv; charset=utf-8",
                    "mode": "OUTPUT",
                    "data": str(prediction),
                    "encoding": "CSV",
                },
            },
            "eventMetadata": {
                "eventId": identity,
                "inferenceTime": time if isinstance(time, str) else instant(time),
            },
            "eventVersion": "0",
        }
    )


def capture_key(endpoint: str, time: datetime | str, name: str = "000-a") -> str:
    """Key of a capture object in SageMaker's layout, below ``captures/``."""
    when = moment(time) if isinstance(time, str) else time
    return f"captures/{endpoint}/AllTraffic/{when:%Y/%m/%d/%H}/{when:%M-%S}-{name}.jsonl"


def label_line(identity: str, data: object) -> str:
    """One ground truth record as SageMaker's users write it; ``data`` is the label, or CSV."""
    return json.dumps(
        {
            "groundTruthData": {"data": str(data), "encoding": "CSV"},
            "eventMetadata": {"eventId": identity},
            "eventVersion": "0",
        }
    )


def label_key(location: str, hour: datetime | str, name: str = "a.jsonl") -> str:
    """Key of a ground truth object below a key prefix, by the hour of its collection."""
    when = moment(hour) if isinstance(hour, str) else hour
    return f"{location}/{when:%Y/%m/%d/%H}/{name}"
