"""The text of captures in blocks of whole lines, as arrays of bytes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlops_framework.drift.scanning import Bytes, Marks, Places

BLOCK: Final = 8 << 20
"""Bytes that are read at once; chunks of this size are not copied."""
_PIECE: Final = 1 << 17
_LONGEST_LINE: Final = 64 << 20
_LINE_FEED: Final = 10
_BLANK: Final = 32


@dataclass(frozen=True)
class Block:
    """Whole lines: a part of a text that is not copied.

    Attributes:
        text: The text.
        begin: Where the first line begins.
        end: Behind the line feed of the last line.
    """

    text: bytes
    begin: int
    end: int

    @property
    def data(self) -> Bytes:
        """The bytes as an array."""
        return np.frombuffer(self.text, np.uint8, self.end - self.begin, self.begin)


def blocks(chunks: Iterable[bytes]) -> Iterator[Block]:
    """The text in blocks of whole lines, each ending in a line feed, in no particular order.

    The inside of a large chunk is not copied; lines that were cut in two come in blocks of theirs.
    """
    held: list[bytes] = []
    size = 0
    for chunk in chunks:
        begin, end = chunk.find(b"\n") + 1, chunk.rfind(b"\n") + 1
        if end - begin >= BLOCK // 2:
            yield Block(chunk, begin, end)
            held += [chunk[:begin], chunk[end:]]
            size += len(chunk) - (end - begin)
        else:
            held.append(chunk)
            size += len(chunk)
        if size >= BLOCK and end:
            text = b"".join(held)
            cut = text.rfind(b"\n") + 1
            yield Block(text, 0, cut)
            held, size = [text[cut:]], len(text) - cut
        elif size > _LONGEST_LINE:
            # No record is as long; as a line of its own it is counted as unreadable.
            yield Block(b"".join([*held, b"\n"]), 0, size + 1)
            held, size = [], 0
    rest = b"".join(held)
    if rest:
        text = rest if rest.endswith(b"\n") else rest + b"\n"
        yield Block(text, 0, len(text))


def lines_of(data: Bytes) -> tuple[Places, Places, Marks]:
    """The lines of a block: first bytes, line feeds behind them, and which of them are sound.

    Empty lines are passed over. A line is sound if it is UTF-8 text without control characters,
    which JSON has to escape. The bytes are looked through once, in pieces that stay in the
    processor's cache: as signed numbers, all that is below a blank is a line feed or asks for a
    second look.
    """
    signed = data.view(np.int8)
    found = np.concatenate(
        [
            np.flatnonzero(signed[at : at + _PIECE] < _BLANK) + at
            for at in range(0, len(data), _PIECE)
        ]
    )
    signs = data[found]
    feeds = signs == _LINE_FEED
    plain = bool(feeds.all())
    ends = found if plain else found[feeds]
    starts = np.empty_like(ends)
    starts[:1] = 0
    starts[1:] = ends[:-1] + 1
    filled = ends > starts
    if not filled.all():
        starts, ends = starts[filled], ends[filled]
    sound = np.ones(len(starts), bool)
    if not plain:
        sound &= _lines_without(found[~feeds & (signs < _BLANK)], starts, ends)
        beyond = found[signs >= _BLANK]
        if len(beyond):
            try:
                str(data.data, "utf-8")
            except UnicodeDecodeError:
                sound &= _lines_without(beyond, starts, ends)
    return starts, ends, sound


def _lines_without(places: Places, starts: Places, ends: Places) -> Marks:
    same: Marks = np.searchsorted(places, starts) == np.searchsorted(places, ends)
    return same
