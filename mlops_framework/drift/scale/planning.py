"""Which captured objects of a time are not profiled yet, cut into batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.layout import profile_key
from mlops_framework.drift.objects import (
    PLACE_DIGITS,
    CaptureKey,
    ManifestKey,
    ObjectVersion,
    StoredProfile,
    sequenced_after,
)
from mlops_framework.drift.profile_batches import job_of
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.parts import digest_of
from mlops_framework.drift.windows import Window

BATCH_BYTES: Final = 64 << 20
"""About a second of one function for CSV, some ten for nested JSON."""
BATCH_OBJECTS: Final = 100
"""A batch goes through a state's input, which is limited to 256 KB."""
LONGEST: Final = timedelta(days=366)
MOST_BATCHES: Final = 2_000
"""Planned at once; what the batches answer goes through one state, too."""


@dataclass(frozen=True)
class Plan:
    """What is to be profiled next.

    Attributes:
        batches: Object versions, as JSON, in batches.
        rest: Where to plan on from once they are done; ``None`` if that is all.
    """

    batches: list[list[dict[str, str]]]
    rest: datetime | None = None


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

    def plan(self, since: datetime, until: datetime) -> Plan:
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
        known: Mapping[Window, Sequence[str]] = self.records.profile_keys(since, until)
        versions: dict[str, list[str]] = {}
        for key in sorted(key for keys in known.values() for key in keys):
            versions.setdefault(digest_of(key)[:PLACE_DIGITS], []).append(key)
        variants = self.listing.folders(self.config.captures)
        found: list[list[dict[str, str]]] = []
        size = 0
        for hour in hours_of(since, until):
            if len(found) >= MOST_BATCHES:
                return Plan(found, hour)
            wanted = [
                (source.version, length)
                for source, length in self._captured(hour, variants)
                if since <= source.time < until and not self._done(source, versions)
            ]
            sequencers = self._sequencers([version for version, _ in wanted], versions)
            for version, length in wanted:
                if not found or size + length > BATCH_BYTES or len(found[-1]) >= BATCH_OBJECTS:
                    found.append([])
                    size = 0
                item = {"key": version.key, "version": version.version}
                if sequencer := sequencers.get(version.key):
                    item["sequencer"] = sequencer
                found[-1].append(item)
                size += length
        return Plan(found)

    def _captured(self, hour: datetime, variants: Sequence[str]) -> Iterator[tuple[_Captured, int]]:
        """The captures of an hour and their sizes."""
        for variant in variants:
            folder = S3Location(self.config.captures.bucket, f"{variant}{hour:%Y/%m/%d/%H}/")
            for version, size in self.listing.versions(folder):
                key = CaptureKey.parse(version.key)
                config = self.config
                if key is not None and key.is_of(config.variant_name, config.target_model):
                    yield _Captured(version, key.time), size
                job = ManifestKey.parse(version.key)
                if job is not None and job.side == "input":
                    # Counted under its key alone; a batch of its own, for what it names is large.
                    yield _Captured(job_of(version), job.time), BATCH_BYTES

    def _sequencers(
        self, found: Iterable[ObjectVersion], profiles: Mapping[str, Sequence[str]]
    ) -> Mapping[str, str]:
        """By key, what puts present versions behind those of the same object profiled before.

        A listing tells no sequencers, and without one a version would count as the oldest.
        """
        keys = [key for each in found for key in profiles.get(each.digest[:PLACE_DIGITS], ())]
        earlier: dict[str, list[str]] = {}
        for document in self.records.store.read_all(self.config.data_bucket, keys):
            source = StoredProfile.from_document(document, "a profile").source
            earlier.setdefault(source.key, []).append(source.sequencer)
        return {key: sequenced_after(known) for key, known in earlier.items()}

    def _done(self, source: _Captured, profiles: Mapping[str, Sequence[str]]) -> bool:
        """Whether the profile that is written last is there; see :mod:`..profile_objects`.

        Of a batch job, one with any answers: later ones have an event of their own.
        """
        window = Window.containing(source.time, self.config.window_minutes)
        own, digest = profile_key(self.config, window, source.version.digest), source.version.digest
        same = digest if source.version.version else digest[:PLACE_DIGITS]
        folder = own.removesuffix(f"{digest}.json")
        return any(
            key.startswith(f"{folder}{same}") for key in profiles.get(digest[:PLACE_DIGITS], ())
        )


@dataclass(frozen=True)
class _Captured:
    """A capture object and its moment."""

    version: ObjectVersion
    time: datetime


def hours_of(since: datetime, until: datetime) -> Iterator[datetime]:
    """The hours that touch a time."""
    hour = since.replace(minute=0, second=0, microsecond=0)
    while hour < until:
        yield hour
        hour += timedelta(hours=1)


def sources_of(
    config: MonitorConfig, batch: Iterable[Mapping[str, Any]], bucket: str = ""
) -> list[ObjectVersion]:
    """The object versions of a batch, of captures if no bucket is named."""
    bucket = bucket or config.captures.bucket
    return [
        ObjectVersion(bucket, each["key"], each["version"], each.get("sequencer", ""))
        for each in batch
    ]
