"""Many small counts as a short text: numbers of seven bits a byte, runs of zeros as one number.

A table of counts is read from left to right. An even number is twice a count; an odd one, 2r - 1,
says that r cells without rows come next; zeros at the end are left out. Each number is written as
LEB128, low bits first, and the bytes in base64: a count below 64 takes a byte.
"""

from __future__ import annotations

import base64
from typing import Final

import numpy as np
from numpy.typing import NDArray

Counts = NDArray[np.int64]

_BITS: Final = 7
_MOST_BYTES: Final = 9
"""Bytes of a number: 63 bits."""


def packed(counts: Counts) -> str:
    """Counts as text.

    Args:
        counts: Of any shape, none negative, each below 2**62.
    """
    flat = counts.ravel()
    places = np.flatnonzero(flat)
    gaps = np.diff(places, prepend=-1) - 1
    tokens = np.stack([2 * gaps - 1, 2 * flat[places]], axis=1).ravel()
    return base64.b64encode(_bytes_of(tokens[tokens > 0])).decode()


def unpacked(text: str, number: int) -> Counts:
    """Read what :func:`packed` wrote.

    Args:
        text: The text.
        number: How many counts there are.

    Raises:
        ValueError: If it is damaged, or holds more.
    """
    tokens = _numbers_of(base64.b64decode(text, validate=True))
    odd = tokens % 2 == 1
    ends = np.cumsum(np.where(odd, (tokens + 1) // 2, 1))
    if len(ends) and (ends[-1] > number or (tokens < 1).any()):
        raise ValueError(f"{ends[-1]} packed counts where there are {number}")
    counts = np.zeros(number, np.int64)
    counts[ends[~odd] - 1] = tokens[~odd] // 2
    return counts


def _bytes_of(numbers: Counts) -> bytes:
    lengths = np.ones(len(numbers), np.int64)
    for more in range(1, _MOST_BYTES):
        lengths += numbers >> (_BITS * more) > 0
    starts = np.cumsum(lengths) - lengths
    found = np.empty(int(lengths.sum()), np.uint8)
    for place in range(int(lengths.max(initial=0))):
        own = lengths > place
        last = lengths[own] == place + 1
        bits = numbers[own] >> (_BITS * place) & 0x7F
        found[starts[own] + place] = np.where(last, bits, bits | 0x80)
    return found.tobytes()


def _numbers_of(data: bytes) -> Counts:
    found = np.frombuffer(data, np.uint8).astype(np.int64)
    if not len(found):
        return found
    last = found < 0x80
    starts = np.flatnonzero(np.concatenate([[True], last[:-1]]))
    lengths = np.diff(starts, append=len(found))
    if not last[-1] or lengths.max() > _MOST_BYTES:
        raise ValueError("packed counts that end in the midst of a number")
    places = np.arange(len(found)) - np.repeat(starts, lengths)
    numbers: Counts = np.add.reduceat((found & 0x7F) << (_BITS * places), starts)
    return numbers
