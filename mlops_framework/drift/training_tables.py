"""Training data as parts of a table: CSV, JSON lines, Parquet; read as a stream."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any, BinaryIO, Final

import orjson

from mlops_framework.drift.capture import scalar
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.payload_rows import loaded
from mlops_framework.drift.record_forms import SideForm
from mlops_framework.drift.training_columns import Column, Part
from mlops_framework.drift.unreadable import Unreadable
from mlops_framework.drift.values import Numbers, category_of

HEAD: Final = 1 << 16
_ROWS: Final = 20_000
_GZIP: Final = b"\x1f\x8b"
_PARQUET: Final = b"PAR1"
_ACCEPTED: Final = "CSV with a header line, JSON lines, Parquet, or Model Monitor's statistics.json"


def parts_of(file: BinaryIO, source: str, form: SideForm | None = None) -> Iterator[Part]:
    """The rows of an open file, which tells by its beginning what it holds.

    Args:
        file: The file, at its beginning; Parquet has to be seekable.
        source: Its name in messages.
        form: Where values of JSON rows are, if they are nested.

    Raises:
        BaselineInvalid: If it holds nothing that is read.
    """
    head = file.read(HEAD)
    file.seek(0)
    if head.startswith(_PARQUET):
        yield from parquet_parts(file, source)
        return
    if head.startswith(_GZIP):
        file = gzip.GzipFile(fileobj=file)  # type: ignore[assignment]
        head = file.read(HEAD)
        file.seek(0)
    try:
        beginning = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        beginning = "\0"
    if "\0" in beginning:
        raise BaselineInvalid(f"{source} is not UTF-8 text; accepted is {_ACCEPTED}.")
    lines = io.TextIOWrapper(file, "utf-8-sig", newline="")
    try:
        if beginning.lstrip()[:1] in ("{", "["):
            yield from json_parts(lines, source, form or SideForm())
        else:
            yield from csv_parts(lines, source)
    except UnicodeDecodeError as error:
        sign = error.object[error.start : error.start + 1]
        raise BaselineInvalid(
            f"{source} is not UTF-8 text ({sign!r} is not); save it as UTF-8."
        ) from error
    finally:
        lines.detach()


def csv_parts(lines: Iterable[str], source: str) -> Iterator[Part]:
    """The rows of CSV with a header line.

    Raises:
        BaselineInvalid: If there is no header or row, a line has another number of fields, or a
            column name is empty or there twice.
    """
    reader = csv.reader(lines)
    header: list[str] = []
    try:
        while not header:
            header = [name.strip().removeprefix("\ufeff") for name in next(reader)]
    except StopIteration:
        raise BaselineInvalid(f"{source} is empty; expected CSV with a header line.") from None
    _check(header, source)
    line, rows = 1, 0
    try:
        while chunk := list(islice(reader, _ROWS)):
            kept = []
            for row in chunk:
                line += 1
                if not row:
                    continue
                if len(row) != len(header):
                    raise BaselineInvalid(
                        f"{source}: row {line} has {len(row)} fields, the header has {len(header)}."
                    )
                kept.append(row)
            if kept:
                rows += len(kept)
                yield Part(dict(zip(header, zip(*kept, strict=True), strict=True)), len(kept))
    except csv.Error as error:
        raise BaselineInvalid(f"{source} is not CSV: {error}.") from error
    if not rows:
        raise BaselineInvalid(f"{source} has a header but no rows; nothing to compare with.")


def json_parts(lines: Iterable[str], source: str, form: SideForm) -> Iterator[Part]:
    """The rows of JSON lines, an object each; nested values as the form says where they are.

    Raises:
        BaselineInvalid: If a line is no object, or a value is an object or a list.
    """
    items = _objects(lines, source)
    rows = 0
    while chunk := list(islice(items, _ROWS)):
        names = dict.fromkeys(name for number, item in chunk for name in _names(item, form))
        columns: dict[str, list[str]] = {name: [] for name in names}
        for number, item in chunk:
            for name, column in columns.items():
                path = form.columns.get(name)
                try:
                    column.append(scalar(path.find(item) if path else item.get(name)))
                except Unreadable:
                    raise BaselineInvalid(
                        f"{source}: row {number} has an object or a list in {name}; say where its "
                        f'value is with records: {{"input": {{"columns": {{"{name}": "path"}}}}}}.'
                    ) from None
        rows += len(chunk)
        yield Part(columns, len(chunk), open=True)
    if not rows:
        raise BaselineInvalid(f"{source} has no rows; nothing to compare with.")


def parquet_parts(file: BinaryIO, source: str) -> Iterator[Part]:
    """The rows of Parquet, in batches: no more than a row group is ever in memory.

    Raises:
        BaselineInvalid: If it is damaged, or has columns of lists, objects or bytes.
    """
    import pyarrow as pa
    import pyarrow.parquet

    types = pa.types
    try:
        opened = pyarrow.parquet.ParquetFile(file)
        schema = opened.schema_arrow
        unread = [
            f"{field.name} ({field.type})"
            for field in schema
            if types.is_nested(field.type)
            or types.is_binary(field.type)
            or types.is_large_binary(field.type)
        ]
        if unread:
            raise BaselineInvalid(
                f"{source}: columns of numbers, text, truth values and times are compared; these "
                f"are not: {', '.join(unread)}."
            )
        names = [str(name) for name in schema.names]
        _check(names, source)
        for batch in opened.iter_batches(_ROWS):
            columns = [_parquet_column(column) for column in batch.columns]
            yield Part(dict(zip(names, columns, strict=True)), batch.num_rows)
    except pa.ArrowException as error:
        raise BaselineInvalid(f"{source} is damaged Parquet: {error}") from error
    if not opened.metadata.num_rows:
        raise BaselineInvalid(f"{source} has no rows; nothing to compare with.")


def text_of_value(value: Any) -> str:
    """A value of a Parquet column as CSV would hold it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return category_of(repr(value))
    return value if isinstance(value, str) else str(value)


def _parquet_column(column: Any) -> Column:
    import pyarrow as pa

    number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
    if number and not pa.types.is_float16(column.type):
        return Numbers(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    return [text_of_value(value) for value in column.to_pylist()]


def _objects(lines: Iterable[str], source: str) -> Iterator[tuple[int, dict[str, Any]]]:
    """The objects of JSON lines, or of one JSON list, with their numbers."""
    number = 0
    for line in lines:
        if not line.strip():
            continue
        number += 1
        try:
            item = loaded(line)
        except (ValueError, RecursionError):
            item = _whole(line, lines, source) if number == 1 else None
        for one in item if isinstance(item, list) and number == 1 else [item]:
            if not isinstance(one, dict):
                raise BaselineInvalid(
                    f"{source}: row {number} is no JSON object; accepted is {_ACCEPTED}."
                )
            yield number, one


def _whole(first: str, rest: Iterable[str], source: str) -> Any:
    """One JSON document over several lines."""
    try:
        return orjson.loads("".join([first, *rest]))
    except orjson.JSONDecodeError as error:
        raise BaselineInvalid(f"{source} is not JSON ({error}); accepted is {_ACCEPTED}.") from None


def _names(item: Mapping[str, Any], form: SideForm) -> Iterator[str]:
    """The columns of a row: its members, and in their place those that paths lead to."""
    for name in item:
        if name in form.spoken_of and name not in form.columns:
            yield from (
                column
                for column, path in form.columns.items()
                if path.steps and getattr(path.steps[0], "name", "") == name
            )
        else:
            yield name


def _check(header: Sequence[str], source: str) -> None:
    nameless = [str(position) for position, name in enumerate(header, 1) if not name]
    if nameless:
        raise BaselineInvalid(
            f"{source}: column {', '.join(nameless)} of the header has no name; name every column "
            "(a data frame's index is written without its name: leave it out)."
        )
    other = next((sign for sign in ";\t|" if len(header) == 1 and sign in header[0]), "")
    if other:
        raise BaselineInvalid(
            f"{source}: the header is one name, {header[0][:60]!r}, with {other!r} in it; CSV is "
            "read with commas between the fields. Save it with commas, or as Parquet."
        )
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise BaselineInvalid(f"{source}: the header names {', '.join(twice)} more than once.")
