"""Ids as 64 bit numbers, a million in some ten milliseconds.

They only tell which labels *may* belong to which window, and which rows are sampled. A collision
(one in 10^6 among a million ids and 24 million labels) lets a window be looked at again for
nothing; rows are joined by the ids themselves.
"""

from __future__ import annotations

from typing import Any, Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlops_framework.drift.values import Indices

Hashes: TypeAlias = NDArray[np.uint64]

_MULTIPLIER: Final = np.uint64(0x9E3779B97F4A7C15)
_SHIFT: Final = np.uint64(32)
_CHUNK: Final = 1 << 17
_LONGEST: Final = 512


def hashes_of(ids: Any) -> Hashes:
    """A number for each text of an Arrow array; equal texts have equal numbers."""
    if not len(ids):
        return np.empty(0, np.uint64)
    chunks = (ids.slice(begin, _CHUNK) for begin in range(0, len(ids), _CHUNK))
    return np.concatenate([_hashed(chunk) for chunk in chunks])


def row_hashes(ids: Any, records: Indices, places: Indices) -> Hashes:
    """A number for each row, as good as drawn by lot and the same everywhere.

    Args:
        ids: The ids of the records (an Arrow array).
        records: Of each row, which of the ids its record has.
        places: Of each row, its number in its record.

    Returns:
        By id and place; 0 for rows of records without an id.
    """
    found = hashes_of(ids)[records]  # 0 of the empty text alone
    return np.where(found == 0, np.uint64(0), mixed(found ^ mixed(places.astype(np.uint64))))


def mixed(words: Hashes) -> Hashes:
    """Numbers whose every bit depends on every bit (the finalizer of Stafford's mix 13)."""
    found: Hashes = words + _MULTIPLIER
    found ^= found >> np.uint64(30)
    found *= np.uint64(0xBF58476D1CE4E5B9)
    found ^= found >> np.uint64(27)
    found *= np.uint64(0x94D049BB133111EB)
    found ^= found >> np.uint64(31)
    return found


def _hashed(ids: Any) -> Hashes:
    ids = ids.fill_null("") if ids.null_count else ids
    _, offsets, data = pa.concat_arrays([ids]).buffers()
    ends = np.frombuffer(offsets, np.int32)[ids.offset if data is None else 0 :][: len(ids) + 1]
    lengths = np.diff(ends).astype(np.uint64)
    longest = int(lengths.max())
    width = min(_LONGEST, max(8, -(-longest // 8) * 8))
    letters = np.zeros((len(ids), width), np.uint8)
    if data is not None and longest:
        read = np.frombuffer(data, np.uint8)
        if int(lengths.min()) == longest:  # as ids have that programs make up
            table = read[ends[0] : ends[-1]].reshape(len(ids), longest)
            letters[:, : min(longest, width)] = table[:, :width]
        else:
            taken = np.minimum(lengths, width).astype(np.int64)
            rows = np.repeat(np.arange(len(ids)), taken)
            places = np.arange(int(taken.sum())) - np.repeat(np.cumsum(taken) - taken, taken)
            letters[rows, places] = read[ends[:-1][rows] + places]
    words = letters.view(np.uint64)
    found: Hashes = lengths * _MULTIPLIER
    for place in range(words.shape[1]):
        mixed = (found ^ words[:, place]) * _MULTIPLIER
        mixed ^= mixed >> _SHIFT
        # Words behind the end of a text must not count: they depend on the longest text around.
        found = np.where(lengths > place * 8, mixed, found)
    return found
