"""Finding the strings that vary in many lines at once, each line verified byte by byte.

The constant parts of all lines are compared as arrays. The line's beginning leads to the request's
payload from the left; from its end the other strings are found from the right: where a string is as
long as it was in the learnt line its place is known, otherwise its opening quote is looked for
among the bytes before it. What remains in the middle is the payload, whose length varies most and
costs nothing that way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlops_framework.drift.record_layout import RecordLayout, Role, Varying

Bytes: TypeAlias = NDArray[np.uint8]
Places: TypeAlias = NDArray[np.int64]
Marks: TypeAlias = NDArray[np.bool_]

_QUOTE: Final = 34
_BACKSLASH: Final = 92
_WINDOW: Final = 64
_WIDEST: Final = 4096


@dataclass(frozen=True)
class Spans:
    """Where a string lies in each line.

    Attributes:
        starts: First byte.
        ends: Byte after the last.
    """

    starts: Places
    ends: Places

    def at(self, rows: Places | Marks) -> Spans:
        """Those of some lines."""
        return Spans(self.starts[rows], self.ends[rows])


@dataclass(frozen=True)
class Scan:
    """Lines that have a layout.

    Attributes:
        lines: Which of the lines given have it, ascending.
        spans: Where their strings lie, by role (of several with a role the last).
    """

    lines: Places
    spans: dict[Role, Spans]


def scan(data: Bytes, starts: Places, ends: Places, layout: RecordLayout) -> Scan:
    """Which lines have a layout, and where their strings lie.

    The strings found hold no quote that is not behind a backslash, but for the request's payload,
    which the caller has to look through once it is copied out.

    Args:
        data: The bytes that hold the lines.
        starts: First byte of each line.
        ends: Byte after the last of each line.
        layout: The layout.
    """
    lines = np.arange(len(starts))
    anchor = layout.place("input")
    shortest = sum(len(v.before) for v in layout.varying) + len(layout.after)
    lines = lines[ends - starts >= shortest]
    left: list[Spans] = []
    at = starts[lines]
    for varying in layout.varying[:anchor]:
        at, lines, left, length = _forward(data, at, lines, left, ends, varying)
        left.append(Spans(at, at + length))
        at = at + length
    before = layout.varying[anchor].before
    good = _holds(data, at, before)
    lines, at, left = _kept(lines, at, left, good)
    first = at + len(before)
    right: list[Spans] = []
    stop = ends[lines] - len(layout.after)
    good = _holds(data, stop, layout.after)
    lines, stop, right = _kept(lines, stop, right, good)
    first, left = first[good], [spans.at(good) for spans in left]
    for varying in reversed(layout.varying[anchor + 1 :]):
        begin, good = _backward(data, stop, varying)
        lines, stop, right = _kept(lines, stop, right, good)
        begin, first, left = begin[good], first[good], [spans.at(good) for spans in left]
        right.append(Spans(begin, stop))
        stop = begin - len(varying.before)
    good = stop >= first
    lines, stop, right = _kept(lines, stop, right, good)
    first, left = first[good], [spans.at(good) for spans in left]
    all_spans = [*left, Spans(first, stop), *reversed(right)]
    spans = {v.role: s for v, s in zip(layout.varying, all_spans, strict=True)}
    return Scan(lines, spans)


def matrix(data: Bytes, starts: Places, width: int) -> Bytes:
    """``width`` bytes from each start on, one row each; all have to lie within the data."""
    if not width or not len(starts):
        return np.empty((len(starts), width), np.uint8)
    windows: NDArray[np.void] = np.ndarray(
        (len(data) - width + 1,), dtype=f"V{width}", buffer=data, strides=(1,)
    )
    return windows[starts].view(np.uint8).reshape(-1, width)


def _holds(data: Bytes, starts: Places, expected: bytes) -> Marks:
    """Whether each place holds the expected bytes."""
    import pyarrow.compute as pc  # 40 ms that an evaluation need not wait for

    width = len(expected)
    if not width or not len(starts):
        return np.ones(len(starts), bool)
    inside = (starts >= 0) & (starts + width <= len(data))
    if not inside.all():
        good = np.zeros(len(starts), bool)
        good[inside] = _holds(data, starts[inside], expected)
        return good
    offsets = np.empty(2 * len(starts), np.int32)
    offsets[0::2] = starts
    offsets[1::2] = starts + width
    if not (offsets[1:] >= offsets[:-1]).all():
        found = matrix(data, starts, width) == np.frombuffer(expected, np.uint8)
        same: Marks = found.all(1)
        return same
    # The places and what lies between them, as values of Arrow that are compared where they are.
    pieces = pa.Array.from_buffers(
        pa.binary(), 2 * len(starts) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    equal = pc.equal(pieces, pa.scalar(expected, pa.binary()))
    marks: Marks = equal.to_numpy(zero_copy_only=False)[::2]
    return marks


def _forward(
    data: Bytes, at: Places, lines: Places, left: list[Spans], ends: Places, varying: Varying
) -> tuple[Places, Places, list[Spans], Places]:
    """Step over the constant bytes to a string left of the request, and find its end."""
    good = _holds(data, at, varying.before)
    lines, at, left = _kept(lines, at, left, good)
    at = at + len(varying.before)
    width = min(max(_WINDOW, 2 * varying.length), _WIDEST)
    good = at + width <= len(data)
    lines, at, left = _kept(lines, at, left, good)
    quotes = _quotes(data, at, width)
    length = quotes.argmax(1)
    good = quotes.any(1) & (at + length < ends[lines])
    lines, at, left = _kept(lines, at, left, good)
    return at, lines, left, length[good]


def _backward(data: Bytes, stop: Places, varying: Varying) -> tuple[Places, Marks]:
    """Where the string that ends at ``stop`` begins, and in which lines that is known."""
    fixed = len(varying.before)
    begin = stop - varying.length
    good = _holds(data, begin - fixed, varying.before)
    if varying.length and good.any():
        good[good] = _without_quotes(data, begin[good], varying.length)
    if good.all():
        return begin, good
    width = min(max(_WINDOW, 4 * varying.length), _WIDEST)
    others = np.flatnonzero(~good & (stop > width))
    quotes = _quotes(data, stop[others] - width, width)[:, ::-1]
    begin[others] = stop[others] - quotes.argmax(1)
    good[others] = quotes.any(1) & _holds(data, begin[others] - fixed, varying.before)
    return begin, good


def _without_quotes(data: Bytes, starts: Places, width: int) -> Marks:
    """In which places there is no quote that ends a string."""
    if not (matrix(data, starts, width) == _QUOTE).any():  # as it nearly always is
        return np.ones(len(starts), bool)
    with_one: Marks = np.logical_or.reduce(_quotes(data, starts, width), axis=1)
    return ~with_one


def _quotes(data: Bytes, starts: Places, width: int) -> Marks:
    """Which of the bytes from each start on are quotes that are not behind a backslash."""
    found = matrix(data, starts - 1, width + 1)
    marks: Marks = (found[:, 1:] == _QUOTE) & (found[:, :-1] != _BACKSLASH)
    return marks


def _kept(
    lines: Places, at: Places, spans: Sequence[Spans], good: Marks
) -> tuple[Places, Places, list[Spans]]:
    if good.all():
        return lines, at, list(spans)
    return lines[good], at[good], [one.at(good) for one in spans]
