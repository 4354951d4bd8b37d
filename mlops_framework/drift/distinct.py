"""How many distinct values there were: the smallest hashes of all of them (KMV).

The k-th smallest of the hashes of D distinct values, as a share of the range of hashes, is about
k/D, so (k - 1)/share estimates D with a relative standard error of 1/sqrt(k - 2) (Bar-Yossef et al.
2002; Beyer et al. 2007, *On synopses for distinct-value estimation*). What is among the smallest of
the whole was among the smallest of every part that held it, so merging in any order gives the same
hashes. Below k distinct values the number is exact.
"""

from __future__ import annotations

import base64
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

Hashes = NDArray[np.uint64]

KEPT: Final = 128
ERROR: Final = (KEPT - 2) ** -0.5
"""Relative standard error of an estimate."""
_RANGE: Final = 2.0**64
_ORDER: Final = ">u8"


@dataclass(frozen=True)
class Distinct:
    """The smallest hashes of the values seen.

    Attributes:
        packed: Ascending, as 8 bytes each, largest byte first.
    """

    packed: bytes = b""

    @classmethod
    def of(cls, hashes: Hashes) -> Distinct:
        """Of any hashes, repeated ones and in any order."""
        return cls(_smallest(hashes).astype(_ORDER).tobytes())

    @property
    def hashes(self) -> Hashes:
        """The hashes, ascending."""
        return np.frombuffer(self.packed, _ORDER).astype(np.uint64)

    @property
    def estimate(self) -> float:
        """How many distinct values there were; exact below ``KEPT``."""
        kept = len(self.packed) // 8
        if kept < KEPT:
            return float(kept)
        largest = int.from_bytes(self.packed[-8:], "big") + 1
        return (KEPT - 1) * _RANGE / largest

    def merged(self, other: Distinct) -> Distinct:
        """Of both."""
        if not self.packed or not other.packed:
            return other if not self.packed else self
        if self.packed == other.packed:
            return self
        return Distinct.of(np.concatenate([self.hashes, other.hashes]))

    def to_text(self) -> str:
        """For a JSON document."""
        return base64.b64encode(self.packed).decode()

    @classmethod
    def from_text(cls, text: str) -> Distinct:
        """Read what :meth:`to_text` wrote.

        Raises:
            ValueError: If it is damaged.
        """
        packed = base64.b64decode(text, validate=True)
        if len(packed) % 8 or len(packed) > 8 * KEPT:
            raise ValueError(f"{len(packed)} bytes of hashes")
        return cls(packed)


class DistinctCounter:
    """Collects hashes in bounded memory, cheaply once the smallest are known."""

    def __init__(self) -> None:
        self._kept: Hashes = np.empty(0, np.uint64)
        self._last = self._kept

    def add(self, hashes: Hashes) -> None:
        """Add hashes in any order."""
        if self._kept.size == KEPT:
            hashes = hashes[hashes < self._kept[-1]]
        elif np.array_equal(hashes, self._last):
            return  # a column of few values has the same ones in every chunk
        else:
            self._last = hashes
        if hashes.size:
            self._kept = _smallest(np.concatenate([self._kept, hashes]))

    def result(self) -> Distinct:
        """What was seen so far."""
        return Distinct(self._kept.astype(_ORDER).tobytes())


def hashes_of(values: Floats) -> Hashes:
    """A hash of each number that is the same everywhere (finalizer of Stafford's mix 13).

    -0.0 and 0.0 have to be the same bits already.
    """
    h = values.view(np.uint64) ^ np.uint64(0x9E3779B97F4A7C15)
    h ^= h >> np.uint64(30)
    h *= np.uint64(0xBF58476D1CE4E5B9)
    h ^= h >> np.uint64(27)
    h *= np.uint64(0x94D049BB133111EB)
    h ^= h >> np.uint64(31)
    return h


def _smallest(hashes: Hashes) -> Hashes:
    if hashes.size > 4 * KEPT:
        # Repeated values make it necessary to look at all of them if too few are left.
        nearest = np.unique(np.partition(hashes, 2 * KEPT)[: 2 * KEPT])
        if nearest.size >= KEPT:
            return nearest[:KEPT]
    found: Hashes = np.unique(hashes)[:KEPT]
    return found
