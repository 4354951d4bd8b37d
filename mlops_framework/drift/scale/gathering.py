"""A window's profile, from parts where there are any and from single profiles."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.layout import parts_prefix
from mlops_framework.drift.objects import ObjectVersion, StoredProfile, latest_versions
from mlops_framework.drift.ports import Store
from mlops_framework.drift.profile import Profile, merge
from mlops_framework.drift.scale.parts import Cover, Part, cover, groups, most_units
from mlops_framework.drift.windows import Task, Window

_AT_ONCE: Final = 100
"""Profiles read at once; as many documents are in memory."""


@dataclass(frozen=True)
class Gathered:
    """What was captured in a window.

    Attributes:
        profile: Everything that was counted on the present baseline.
        sources: The last version of each captured object.
        stale: Objects left out because they were counted on an earlier baseline.
    """

    profile: Profile
    sources: tuple[ObjectVersion, ...]
    stale: int = 0


@dataclass(frozen=True)
class Gathering:
    """Reads the windows of one monitor."""

    store: Store
    config: MonitorConfig
    baseline: Baseline

    def __call__(self, task: Task) -> Gathered:
        """Read and merge a window, however many units it has."""
        found = self.cover(task)
        read = self.read(found.keys, f"a profile of {task.window}")
        parts = [*found.parts, read]
        sources = sorted(
            (source for part in parts for source in part.sources),
            key=lambda source: (source.bucket, source.key),
        )
        return Gathered(
            merge(self.baseline, (part.profile for part in parts)),
            tuple(sources),
            sum(len(part.stale) for part in parts),
        )

    def cover(self, task: Task) -> Cover:
        """The units of a window; parts are looked for only where there are many profiles."""
        if len(task.keys) <= self.limit:
            return Cover(keys=task.keys)
        return cover(task.keys, self.parts(task.window), self.baseline.id)

    def parts(self, window: Window) -> Sequence[Part]:
        """The parts of a window that are not inside another one."""
        bucket = self.config.data_bucket
        prefix = parts_prefix(self.config, window)
        keys = sorted(self.store.keys(bucket, prefix), reverse=True)
        found: list[Part] = []
        inside: set[str] = set()
        for level in _by_level(keys, prefix):
            names = [key for key in level if key.removeprefix(prefix) not in inside]
            for document in self.store.read_all(bucket, names):
                part = Part.from_document(document, f"a part of {window}")
                found.append(part)
                inside.update(part.of)
        return found

    def read(self, keys: Sequence[str], what: str) -> Part:
        """Read single profiles and merge them; of an object written again, the last version.

        Args:
            keys: Their keys; all versions of an object have to be among them.
            what: What they are, for messages.
        """
        profile = Profile.empty(self.baseline)
        counted: list[ObjectVersion] = []
        stale: list[ObjectVersion] = []
        superseded: list[str] = []
        for keys_at_once in _chunks(keys):
            documents = self.store.read_all(self.config.data_bucket, keys_at_once)
            stored = [StoredProfile.from_document(document, what) for document in documents]
            latest = latest_versions(stored)
            for one in latest:
                fits = one.profile.baseline_id == self.baseline.id
                (counted if fits else stale).append(one.source)
                profile = profile.merged(one.profile) if fits else profile
            kept = {one.source.digest for one in latest}
            superseded += [s.source.digest for s in stored if s.source.digest not in kept]
        return Part(1, (), tuple(counted), tuple(stale), tuple(sorted(superseded)), profile)

    @property
    def limit(self) -> int:
        """So many units one function takes by itself."""
        return most_units(self.config)


def _by_level(keys: Iterable[str], prefix: str) -> list[list[str]]:
    """Keys of parts by their level, the highest first."""
    found: dict[str, list[str]] = {}
    for key in keys:
        found.setdefault(key.removeprefix(prefix)[:2], []).append(key)
    return [found[level] for level in sorted(found, reverse=True)]


def _chunks(keys: Sequence[str]) -> Iterable[Sequence[str]]:
    """Cut keys so that versions of one object stay together."""
    return groups(keys, _AT_ONCE)
