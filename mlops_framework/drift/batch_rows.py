"""Rows of a batch job as capture records, so that batch and endpoint traffic are read alike.

Objects hold CSV or JSON lines, a row each, or one JSON document; they may be gzip. The rows of an
answer stand in the order of the rows that were asked.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Iterator
from itertools import islice, zip_longest
from typing import Any, Final, Literal, NamedTuple

import orjson

from mlops_framework.drift.payload_rows import header_places

Lines = Callable[[], Iterable[bytes]]
"""The parts of an object's text, from its beginning each time it is called."""

LARGEST_DOCUMENT: Final = 100 << 20
"""Bytes of one JSON document; batch transform sends no larger payload."""
_GZIP: Final = b"\x1f\x8b"
_MARK: Final = "\ufeff".encode()
_TOGETHER: Final = 2_000
_IDENTITY: Final = re.compile(
    rb",([0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}),(\d{4}-\d\d-\d\dT[^,]*)$"
)
_PLAIN: Final = re.compile(rb"[ !#-\[\]-~]*")
_ID, _TIME = "SageMakerInferenceId", "SageMakerInferenceTime"
_JOINED: Final = "SageMakerOutput"

Form = Literal["csv", "json-lines", "json"]


class Shape(NamedTuple):
    """What an object holds.

    Attributes:
        form: What it is.
        lines: Lines that hold anything.
        header: Whether the first of them names the columns.
    """

    form: Form
    lines: int
    header: bool


def records(
    asked: Lines, answered: Lines | None, *, columns: tuple[str, ...], time: str
) -> Iterator[bytes]:
    """The rows as capture records, in parts of whole lines.

    Args:
        asked: The object that was read.
        answered: The object that was written; ``None`` where it is not known.
        columns: The baseline's, by which a header line is known.
        time: Moment of the job, for all its rows.
    """
    question = _shape(asked, columns)
    answer = _shape(answered, ()) if answered is not None else None
    if question.form == "json":
        whole = b"".join(lines_of(asked(), LARGEST_DOCUMENT))
        reply = b"".join(lines_of(answered(), LARGEST_DOCUMENT)) if answered is not None else None
        yield _record(whole, reply, "JSON", "JSON" if reply and reply[:1] in b"[{" else "CSV", time)
        return
    rows = _rows(asked)
    count = question.lines
    names = b""
    if question.header:
        first = next(rows, b"")
        count -= 1
        if first.decode("utf-8", "replace").split(",") != list(columns):
            names = first + b"\n"  # in another order: each row goes with it
    replies: Iterator[bytes | None] = iter(())
    if answered is not None and answer is not None and answer.form != "json":
        replies = _rows(answered)
        if question.header and answer.lines == question.lines:
            next(replies, None)  # the model answered the header, too
        elif answer.lines != count:
            replies = iter(())
            # One record that says so: the answers cannot be told apart.
            yield _record(b"", b"?", "CSV", "CSV", time)
    encoding = "CSV" if question.form == "csv" else "JSON"
    kind = "CSV" if answer is None or answer.form == "csv" else "JSON"
    pairs = zip_longest(rows, replies) if count else iter(())
    while part := list(islice(pairs, _TOGETHER)):
        yield b"".join(
            _record(row or b"", reply, encoding, kind, time, names) for row, reply in part
        )


def lines_of(chunks: Iterable[bytes], largest: int = 1 << 62) -> Iterator[bytes]:
    """The lines of a text that may be packed, ends left out; empty ones are passed over.

    Args:
        chunks: Its parts.
        largest: Bytes that are read at most.
    """
    rest, read, unpack = b"", 0, None
    for number, chunk in enumerate(chunks):
        if number == 0 and chunk[:2] == _GZIP:
            unpack = zlib.decompressobj(wbits=31)
        text = unpack.decompress(chunk) if unpack else chunk
        if number == 0:
            text = text.removeprefix(_MARK)
        read += len(text)
        if read > largest:
            return
        *whole, rest = (rest + text).split(b"\n")
        yield from (line for line in (one.rstrip(b"\r") for one in whole) if line.strip())
    if rest.strip():
        yield rest.rstrip(b"\r")


def _rows(text: Lines) -> Iterator[bytes]:
    return lines_of(text())


def _shape(text: Lines, columns: tuple[str, ...]) -> Shape:
    lines = _rows(text)
    first = next(lines, b"")
    begins = first.lstrip()[:1]
    if begins not in (b"{", b"["):
        fields = first.decode("utf-8", "replace").split(",")
        header = bool(columns) and header_places(fields, columns) is not None
        return Shape("csv", bool(first) + sum(1 for _ in lines), header)
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        return Shape("json", 1, False)
    count = 1 + sum(1 for _ in lines)
    return Shape("json-lines" if count > 1 or begins == b"{" else "json", count, False)


def _record(
    asked: bytes, answered: bytes | None, encoding: str, kind: str, time: str, names: bytes = b""
) -> bytes:
    """One row as a capture record; the layout is the same for all, which makes reading quick."""
    identity = b""
    if answered is not None:
        answered, identity = _identified(answered, kind)
        if kind == "CSV" and answered.startswith(asked + b","):
            answered = answered[len(asked) + 1 :]  # joined with the input by the job
    sides = b'"endpointInput":{"mode":"INPUT","data":%s,"encoding":"%s"}' % (
        _text(names + asked),
        encoding.encode(),
    )
    if answered is not None:
        sides += b',"batchTransformOutput":{"mode":"OUTPUT","data":%s,"encoding":"%s"}' % (
            _text(answered),
            kind.encode(),
        )
    return (
        b'{"captureData":{%s},"eventMetadata":{"inferenceId":%s,"inferenceTime":"%s"},'
        b'"eventVersion":"0"}\n' % (sides, _text(identity), time.encode())
    )


def _identified(answered: bytes, kind: str) -> tuple[bytes, bytes]:
    """An answer without its id, and the id."""
    if kind == "CSV":
        match = _IDENTITY.search(answered)
        return (answered[: match.start()], match[1]) if match else (answered, b"")
    if _ID.encode() not in answered and _JOINED.encode() not in answered:
        return answered, b""
    try:
        document: Any = orjson.loads(answered)
    except orjson.JSONDecodeError:
        return answered, b""
    if not isinstance(document, dict):
        return answered, b""
    identity = document.pop(_ID, "")
    document.pop(_TIME, None)
    return orjson.dumps(document.get(_JOINED, document)), str(identity).encode()


def _text(data: bytes) -> bytes:
    """Text as a JSON string."""
    return (
        b'"%s"' % data if _PLAIN.fullmatch(data) else orjson.dumps(data.decode("utf-8", "replace"))
    )
