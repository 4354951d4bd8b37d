"""Which captured objects of a time are not profiled yet, cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.layout import profile_key
from mlops_framework.drift.objects import CaptureKey, ObjectVersion
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import Window

BATCH_BYTES: Final = 64 << 20
"""About a second of one function for CSV, some ten for nested JSON."""
BATCH_OBJECTS: Final = 100
"""A batch goes through a state's input, which is limited to 256 KB."""
LONGEST: Final = timedelta(days=366)


class Listing(Protocol):
    """Lists objects with their versions."""

    def versions(self, folder: S3Location) -> Iterable[tuple[ObjectVersion, int]]:
        """The present version of each object below a folder, and its size in bytes."""
        ...

    def folders(self, folder: S3Location) -> Sequence[str]:
        """Keys of the folders right below a folder, with a slash at the end."""
        ...


@dataclass(frozen=True)
class Planning:
    """Plans the profiling of captured objects that no event announced, or whose event was lost."""

    listing: Listing
    records: Records
    config: MonitorConfig

    def batches(self, since: datetime, until: datetime) -> list[list[dict[str, str]]]:
        """Object versions captured in a time and not profiled yet, oldest first.

        Args:
            since: First moment.
            until: Moment behind the last one; at most 366 days later.

        Raises:
            ValueError: If the time is empty or too long.
        """
        if not since < until <= since + LONGEST:
            raise ValueError(
                f"accepted is a time of more than nothing and at most {LONGEST.days} days"
            )
        found: list[list[dict[str, str]]] = []
        size = 0
        for source, length in self._missing(since, until):
            if not found or size + length > BATCH_BYTES or len(found[-1]) >= BATCH_OBJECTS:
                found.append([])
                size = 0
            found[-1].append({"key": source.key, "version": source.version})
            size += length
        return found

    def _missing(self, since: datetime, until: datetime) -> Iterator[tuple[ObjectVersion, int]]:
        known: Mapping[Window, Sequence[str]] = self.records.profile_keys(since, until)
        profiled = {key for keys in known.values() for key in keys}
        for hour in _hours(since, until):
            for variant in self._variants():
                folder = S3Location(self.config.captures.bucket, f"{variant}{hour:%Y/%m/%d/%H}/")
                for source, size in self.listing.versions(folder):
                    captured = CaptureKey.parse(source.key)
                    if captured is None or not since <= captured.time < until:
                        continue
                    # The window of an object's own time is written last; see ``profile_objects``.
                    window = Window.containing(captured.time, self.config.window_minutes)
                    if profile_key(self.config, window, source.digest) not in profiled:
                        yield source, size

    def _variants(self) -> Sequence[str]:
        """Prefixes of the endpoint's variants."""
        return self.listing.folders(self.config.captures)


def _hours(since: datetime, until: datetime) -> Iterator[datetime]:
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += timedelta(hours=1)


def sources_of(config: MonitorConfig, batch: Iterable[Mapping[str, Any]]) -> list[ObjectVersion]:
    """The object versions of a batch."""
    bucket = config.captures.bucket
    return [ObjectVersion(bucket, each["key"], each["version"]) for each in batch]
