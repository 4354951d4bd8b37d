"""A bounded sample of texts with their counts that merges in any order to the same sample."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Final

_LONGEST: Final = 160


@dataclass(frozen=True)
class Sample:
    """The texts with the smallest hashes, each with its exact count (bottom-k sampling).

    What is among the smallest of the whole was among the smallest of every part that held it, so
    nothing is lost by cutting early: the merge is associative and commutative, and the counts of
    what is kept are exact (Cohen & Kaplan 2007, *Summarizing data using bottom-k sketches*).
    Up to ``limit`` distinct texts it is simply all of them.

    Attributes:
        limit: Most texts kept.
        counts: Count of each text kept.
        total: Count of all texts, kept or not.
    """

    limit: int
    counts: Mapping[str, int] = field(default_factory=dict)
    total: int = 0

    def added(self, counts: Mapping[str, int]) -> Sample:
        """This sample with more texts; each is cut to 160 characters."""
        if not counts:
            return self
        merged = dict(self.counts)
        for text, count in counts.items():
            short = text[:_LONGEST]
            merged[short] = merged.get(short, 0) + count
        return Sample(self.limit, self._cut(merged), self.total + sum(counts.values()))

    def merged(self, other: Sample) -> Sample:
        """Both samples as one."""
        if not other.total:
            return self
        counts = dict(self.counts)
        for text, count in other.counts.items():
            counts[text] = counts.get(text, 0) + count
        return Sample(self.limit, self._cut(counts), self.total + other.total)

    @property
    def complete(self) -> bool:
        """Whether every text seen is in the sample."""
        return sum(self.counts.values()) == self.total

    def most_frequent(self) -> tuple[tuple[str, int], ...]:
        """What is kept, most frequent first."""
        return tuple(sorted(self.counts.items(), key=lambda item: (-item[1], item[0])))

    def _cut(self, counts: dict[str, int]) -> dict[str, int]:
        kept = sorted(counts, key=lambda text: (hash_of(text), text))[: self.limit]
        return {text: counts[text] for text in kept}


@lru_cache(maxsize=4096)
def hash_of(text: str) -> int:
    """A 64 bit hash of a text that is the same in every process."""
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "big")
