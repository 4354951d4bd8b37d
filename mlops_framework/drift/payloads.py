"""Payloads of many records as one text, a line each row, ready for Arrow's readers."""

from __future__ import annotations

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import pyarrow as pa

from mlops_framework.drift.decoding import Undecodable
from mlops_framework.drift.record_layout import Side
from mlops_framework.drift.scanning import Bytes, Marks, Places, Spans

_LINE_FEED: Final = 10
_QUOTE: Final = 34
_BACKSLASH: Final = 92
_SPACE: Final = 32
_MARK: Final = "\ufeff".encode()


@dataclass(frozen=True)
class Payloads:
    """Payloads of many records as one text.

    Attributes:
        text: The text: a line each row of CSV; of JSON a value each, over lines as it was sent.
        rows: Rows, or values, of each record.
        wrong: Records whose payload the real parser has to read.
        json: Whether it is JSON.
    """

    text: Any
    rows: Places
    wrong: Places
    json: bool


def payloads_of(data: Bytes, spans: Spans, side: Side, *, header: bytes = b"") -> Payloads:
    """The payloads that lie in spans, decoded as the side says.

    Args:
        data: The bytes that hold the lines.
        spans: Where the payloads are.
        side: How they are encoded.
        header: What a header line of CSV holds, if a search for it is needed; such payloads are
            for the real parser.

    Raises:
        Undecodable: If they have to be read one by one.
    """
    if side.encoding == "BASE64":
        return _base64_payloads(data, spans, side, header)
    json = side.encoding == "JSON"
    starts, ends = spans.starts, spans.ends
    trailing = _ends_in_line_feed(data, starts, ends)
    if trailing.any():
        ends = ends - 2 * trailing
    text, lengths = gathered(data, starts, ends)
    rows = np.ones(len(starts), np.int64)
    wrong = ends <= starts
    if json:
        wrong |= _begins_blank(data, starts)
    found = text.tobytes() if text.size else b""
    escapes = b"\\" in found
    if escapes or b'"' in found:
        feeds, quoted = found.count(b"\\n"), found.count(b'\\"') if json else 0
        if found.count(b"\\") != feeds + quoted or found.count(b'"') != quoted:
            wrong |= _with_other_escapes(text, lengths, json)
        if feeds:
            rows += _several(text, lengths, json)
    if not found.isascii() and _MARK in found:
        wrong |= _holding(found, _MARK, lengths)
    if header and not json and header in found:
        wrong |= _holding(found, header, lengths)
    if wrong.any():
        return Payloads(b"", rows, np.flatnonzero(wrong), json)
    if json:
        found = found.replace(b'\\"', b'"').replace(b"\\n", b"\n")
    elif escapes:
        found = found.replace(b"\\n", b"\n")
        if b"\n\n" in found:
            raise Undecodable
    return Payloads(found, rows, np.flatnonzero(wrong), json)


def _several(text: Bytes, lengths: Places, json: bool) -> Places:
    """How many more rows each payload has than one: line feeds, of JSON those between objects."""
    at = np.flatnonzero((text[:-1] == _BACKSLASH) & (text[1:] == ord("n")))
    if json:
        # The places of other line feeds are inside a value that is written over several lines.
        at = at[(at > 0) & (at + 2 < len(text))]
        at = at[(text[at - 1] == ord("}")) & (text[at + 2] == ord("{"))]
    of = np.searchsorted(np.cumsum(lengths), at, side="right")
    return np.bincount(of, minlength=len(lengths))


def _begins_blank(data: Bytes, starts: Places) -> Marks:
    """Which payloads do not begin with their value, by which values would be counted wrongly."""
    first = data[starts]
    blank: Marks = (first <= _SPACE) | (first == _BACKSLASH)
    return blank


def _holding(found: bytes, sign: bytes, lengths: Places) -> Marks:
    """Which payloads hold some bytes."""
    places = [match.start() for match in re.finditer(re.escape(sign), found)]
    marks = np.zeros(len(lengths), bool)
    marks[np.searchsorted(np.cumsum(lengths), places, side="right")] = True
    return marks


def _base64_payloads(data: Bytes, spans: Spans, side: Side, header: bytes) -> Payloads:
    text, lengths = gathered(data, spans.starts, spans.ends)
    parts = text.tobytes().split(b"\n")[:-1]
    if len(parts) != len(lengths):
        raise Undecodable
    try:
        decoded = [binascii.a2b_base64(part, strict_mode=True) for part in parts]
    except binascii.Error:
        decoded = [_decoded(part) for part in parts]
    plain = [part[:-1] if part.endswith(b"\n") else part for part in decoded]
    found = b"\n".join(plain) + b"\n"
    first = plain[0].lstrip()[:1]
    json = "json" in side.content_type or ("csv" not in side.content_type and first in (b"{", b"["))
    odd = (b'"', b"\r", header) if not json else (b"\r",)
    wrong = np.zeros(len(plain), bool)
    if any(sign and sign in found for sign in odd) or not found.isascii() or b"" in plain:
        wrong = np.array([_odd(part, odd) for part in plain])
    if json:
        rows = np.array([part.count(b"}\n{") + 1 for part in plain], np.int64)
        wrong |= np.array([part[:1].isspace() for part in plain])
        if "json" not in side.content_type:
            wrong |= np.array([part[:1] not in (b"{", b"[") for part in plain])
    else:
        rows = np.array([part.count(b"\n") + 1 for part in plain], np.int64)
        if (rows > 1).any():
            wrong |= np.array([b"\n\n" in part or part.startswith(b"\n") for part in plain])
        if "csv" not in side.content_type:
            wrong |= np.array([part.lstrip()[:1] in (b"{", b"[") for part in plain])
    return Payloads(found, rows, np.flatnonzero(wrong), json)


def _decoded(part: bytes) -> bytes:
    try:
        return binascii.a2b_base64(part, strict_mode=True)
    except binascii.Error:
        return b""


def _odd(part: bytes, signs: Sequence[bytes]) -> bool:
    if not part or any(sign and sign in part for sign in signs):
        return True
    try:
        part.decode()
    except UnicodeDecodeError:
        return True
    return part.startswith(b"\xef\xbb\xbf")


def _ends_in_line_feed(data: Bytes, starts: Places, ends: Places) -> Marks:
    feeds: Marks = (data[ends - 2] == _BACKSLASH) & (data[ends - 1] == ord("n"))
    return feeds & (ends - starts >= 2)


def gathered(data: Bytes, starts: Places, ends: Places) -> tuple[Bytes, Places]:
    """The bytes of all spans one after the other, a line feed after each, and their lengths."""
    if not len(starts):
        return np.empty(0, np.uint8), starts
    offsets = np.empty(2 * len(starts) + 1, np.int32)
    offsets[0:-1:2] = starts
    offsets[1::2] = ends + 1  # with the closing quote, which becomes the line feed
    offsets[-1] = ends[-1] + 1
    between = pa.Array.from_buffers(
        pa.binary(), 2 * len(starts) - 1, [None, pa.py_buffer(offsets), pa.py_buffer(data)]
    )
    taken = between.take(pa.array(np.arange(0, 2 * len(starts), 2, dtype=np.int32)))
    lengths = ends + 1 - starts
    last = np.cumsum(lengths) - 1
    text = np.frombuffer(taken.buffers()[2], np.uint8, count=int(last[-1]) + 1)
    text[last] = _LINE_FEED
    return text, lengths


def _with_other_escapes(text: Bytes, lengths: Places, json: bool) -> Marks:
    """Which spans hold a quote or an escape that is more than a line feed (or a quote, in JSON)."""
    ends = np.cumsum(lengths)
    escapes = np.flatnonzero(text[:-1] == _BACKSLASH)
    after = text[escapes + 1]
    plain = after == ord("n")
    if json:
        plain |= after == _QUOTE
    bad = [escapes[~plain]]
    quotes = np.flatnonzero(text == _QUOTE)
    if json:
        quotes = quotes[(quotes == 0) | (text[quotes - 1] != _BACKSLASH)]
    bad.append(quotes)
    wrong = np.zeros(len(lengths), bool)
    wrong[np.searchsorted(ends, np.concatenate(bad), side="right")] = True
    return wrong
