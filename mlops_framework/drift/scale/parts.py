"""A part: the profiles of many objects of one window, merged, with the names of what is in it."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.objects import PLACE_DIGITS, ObjectVersion
from mlops_framework.drift.profile import Profile

KIND: Final = "mlops-drift-profile-part"
VERSION: Final = 1
FAN_IN: Final = 64
"""Units that are merged into one part: some 20 MB of documents, a second of work."""


@dataclass(frozen=True)
class Part:
    """Profiles of many objects, merged.

    Attributes:
        level: Its height in the tree: 1 was made of profiles, more of parts.
        of: Names of the parts it was made of; empty at level 1.
        counted: The object versions that are in the profile.
        stale: Objects whose profiles were counted on an earlier baseline, so that they are not.
        superseded: Digests of versions that a later one of the same object takes the place of.
        profile: What was counted.
    """

    level: int
    of: tuple[str, ...]
    counted: tuple[ObjectVersion, ...]
    stale: tuple[ObjectVersion, ...]
    superseded: tuple[str, ...]
    profile: Profile

    @property
    def sources(self) -> tuple[ObjectVersion, ...]:
        """The last version of each object, counted or not."""
        return (*self.counted, *self.stale)

    @property
    def digests(self) -> frozenset[str]:
        """Digests of all object versions whose profiles this part makes unnecessary."""
        return frozenset((*(source.digest for source in self.sources), *self.superseded))

    @property
    def name(self) -> str:
        """File name: equal contents have equal names; higher levels sort last."""
        text = "\n".join([self.profile.baseline_id, *sorted(self.digests)])
        return f"{self.level:02d}-{hashlib.sha256(text.encode()).hexdigest()[:40]}.json"

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "level": self.level,
            "of": list(self.of),
            "counted": [_source_to(source) for source in self.counted],
            "stale": [_source_to(source) for source in self.stale],
            "superseded": list(self.superseded),
            "profile": self.profile.to_document(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                int(document["level"]),
                tuple(document["of"]),
                tuple(ObjectVersion(*found) for found in document["counted"]),
                tuple(ObjectVersion(*found) for found in document["stale"]),
                tuple(document["superseded"]),
                Profile.from_document(document["profile"], source),
            )


@dataclass(frozen=True)
class Cover:
    """Which units make a window up, each captured object in one of them.

    Attributes:
        parts: Parts to be used.
        keys: Keys of single profiles to be used.
    """

    parts: tuple[Part, ...] = ()
    keys: tuple[str, ...] = field(default=())

    @property
    def units(self) -> int:
        """How many documents that are."""
        return len(self.parts) + len(self.keys)


def cover(keys: Sequence[str], parts: Iterable[Part], baseline_id: str) -> Cover:
    """The fewest units that hold every profile of a window once.

    A part is of use only on the present baseline, with every profile it was made of still there,
    and if no object in it was written again since: a profile cannot be taken out of a part.

    Args:
        keys: Keys of the window's profiles.
        parts: The window's parts.
        baseline_id: The present baseline's.
    """
    rest = {digest_of(key): key for key in keys}
    chosen: list[Part] = []
    for part in sorted(parts, key=lambda each: (-each.level, each.name)):
        digests = part.digests
        if part.profile.baseline_id != baseline_id or not digests <= rest.keys():
            continue
        places = {digest[:PLACE_DIGITS] for digest in digests}
        if any(digest[:PLACE_DIGITS] in places for digest in rest.keys() - digests):
            continue
        chosen.append(part)
        for digest in digests:
            del rest[digest]
    return Cover(tuple(chosen), tuple(rest[digest] for digest in sorted(rest)))


def groups(keys: Sequence[str], fan_in: int = FAN_IN) -> tuple[tuple[str, ...], ...]:
    """Cut profiles into groups; all versions of one object are in the same group.

    Args:
        keys: Keys of profiles; the first digits of a digest are those of its object.
        fan_in: Keys a group; a group is longer only to keep an object together.
    """
    found: list[list[str]] = []
    before = ""
    for key in sorted(keys, key=digest_of):
        place = digest_of(key)[:PLACE_DIGITS]
        if not found or (len(found[-1]) >= fan_in and place != before):
            found.append([])
        found[-1].append(key)
        before = place
    return tuple(map(tuple, found))


def most_units(config: MonitorConfig) -> int:
    """So many captured objects of a window, or parts of it, one function takes by itself."""
    return max(config.distributed_above, FAN_IN)


def digest_of(key: str) -> str:
    """The digest of the object version whose profile a key names."""
    return key.rpartition("/")[2].removesuffix(".json")


def _source_to(source: ObjectVersion) -> list[str]:
    return [source.bucket, source.key, source.version, source.sequencer]
