"""Tables as parts of columns: files of CSV, JSON lines and Parquet, and tables in memory.

Unlike training data, of which every row has to be right, rows of what is judged that cannot be read
are left out and counted: what arrives is what is judged.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, islice
from pathlib import Path
from typing import Any, Final

import numpy as np

from mlops_framework.drift.checking import LeaveOut
from mlops_framework.drift.errors import BaselineInvalid, FileUnusable
from mlops_framework.drift.payload_rows import loaded
from mlops_framework.drift.record_forms import SideForm
from mlops_framework.drift.training_columns import Column, Part
from mlops_framework.drift.training_tables import json_parts, text_of_value
from mlops_framework.drift.values import Numbers, Texts
from mlops_framework.drift_check.files import Told, csv_header, lines

ROWS: Final = 20_000
_QUOTED: Final = 160
_INDEX: Final = re.compile(r"__index_level_\d+__")
"""How pandas calls an index without a name, where it gives it away as a column."""


@dataclass(frozen=True)
class Table:
    """A table that is read as its rows are asked for.

    Attributes:
        names: Its columns; empty where only the rows tell (JSON lines).
        parts: Its rows; those left out are told.
    """

    names: tuple[str, ...]
    parts: Callable[[LeaveOut], Iterator[Part]]


def csv_table(path: Path, told: Told) -> Table:
    """A file of CSV with a header line.

    Raises:
        FileUnusable: If it has no header.
    """
    header = csv_header(path)

    def rows() -> Iterator[Sequence[str]]:
        reader = csv.reader(lines(path, told))
        next(row for row in reader if row)
        yield from reader

    return Table(header, lambda leave_out: parts_of_rows(header, rows(), leave_out))


def parts_of_rows(
    header: Sequence[str], rows: Iterable[Sequence[str]], leave_out: LeaveOut
) -> Iterator[Part]:
    """Rows of text; those of another width are left out."""
    width, remaining = len(header), iter(rows)
    while chunk := list(islice(remaining, ROWS)):
        kept = [row for row in chunk if len(row) == width]
        if len(kept) < len(chunk):
            for row in chunk:
                if row and len(row) != width:
                    leave_out("field-count", ",".join(row)[:_QUOTED])
        if kept:
            yield Part(dict(zip(header, zip(*kept, strict=True), strict=True)), len(kept))


def json_table(path: Path, told: Told, form: SideForm | None = None) -> Table:
    """A file of JSON lines, an object a row, or of one list of objects.

    Args:
        path: The file.
        told: Is told how far it is.
        form: Where values of rows are, if they are nested.
    """

    def parts(leave_out: LeaveOut) -> Iterator[Part]:
        source = lines(path, told)
        first = next((line for line in source if line.strip()), "")
        whole = chain([first], source)
        listed = first.lstrip()[:1] == "["
        rows = iter(whole if listed else _objects(whole, leave_out))
        begins = next(rows, None)
        if begins is None:
            return
        try:
            yield from json_parts(chain([begins], rows), str(path), form or SideForm())
        except BaselineInvalid as error:
            raise FileUnusable(str(error)) from error

    return Table((), parts)


def _objects(source: Iterable[str], leave_out: LeaveOut) -> Iterator[str]:
    """The lines that hold an object each."""
    for line in source:
        if not line.strip():
            continue
        try:
            read = isinstance(loaded(line), dict)
        except (ValueError, RecursionError):
            read = False
        if read:
            yield line
        else:
            leave_out("not-json", line[:_QUOTED])


def parquet_table(path: Path, told: Told) -> Table:
    """A file of Parquet.

    Raises:
        FileUnusable: If pyarrow is not installed, or it is damaged or holds columns that are not
            compared.
    """
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise FileUnusable(
            f"{path} is Parquet, which pyarrow reads, and pyarrow is not installed. Install it "
            "(pip install pyarrow), or give CSV."
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise FileUnusable(f"{path} is damaged Parquet: {error}") from error
    _check_types(file.schema_arrow, str(path))
    names = tuple(map(str, file.schema_arrow.names))
    total = file.metadata.num_rows or 1

    def parts(leave_out: LeaveOut) -> Iterator[Part]:
        read = 0
        try:
            for batch in file.iter_batches(ROWS):
                yield _part(names, batch)
                read += batch.num_rows
                told(read / total)
        except pyarrow.ArrowException as error:
            raise FileUnusable(f"{path} is damaged Parquet: {error}") from error

    return Table(names, parts)


def memory_table(data: Any, name: str) -> Table:
    """A table in memory: Arrow, whatever gives itself away as Arrow, or columns by name.

    Args:
        data: A ``pyarrow.Table`` or ``RecordBatch``; a data frame (pandas, Polars, DuckDB: all with
            ``__arrow_c_stream__`` or ``__dataframe__``); a mapping of column names to values; a
            list of mappings, a row each.
        name: What it is called in messages.

    Raises:
        FileUnusable: If it is none of these, or holds columns that are not compared.
    """
    import pyarrow as pa

    try:
        table = _arrow(data, pa)
    except (pa.ArrowException, TypeError, ValueError) as error:
        raise FileUnusable(f"{name} cannot be read as a table: {error}") from error
    if table is None:
        raise FileUnusable(
            f"{name} is a {type(data).__module__}.{type(data).__qualname__}; accepted are paths, "
            "Arrow tables, data frames (pandas, Polars, DuckDB), columns by name and lists of rows."
        )
    index = [column for column in table.column_names if _INDEX.fullmatch(column)]
    table = table.drop_columns(index)
    _check_types(table.schema, name)
    names = tuple(map(str, table.column_names))
    batches = table.to_batches(max_chunksize=ROWS)
    return Table(names, lambda leave_out: (_part(names, batch) for batch in batches))


def _arrow(data: Any, pa: Any) -> Any:
    if isinstance(data, pa.Table):
        return data
    if isinstance(data, pa.RecordBatch):
        return pa.Table.from_batches([data])
    if hasattr(data, "__arrow_c_stream__"):
        return pa.table(data)
    if hasattr(data, "__dataframe__"):
        from pyarrow.interchange import from_dataframe

        return from_dataframe(data)
    if isinstance(data, Mapping):
        return pa.table({str(name): pa.array(values) for name, values in data.items()})
    if isinstance(data, list | tuple) and all(isinstance(row, Mapping) for row in data):
        return pa.Table.from_pylist(list(data))
    return None


def _check_types(schema: Any, source: str) -> None:
    import pyarrow as pa

    unread = [
        f"{field.name} ({field.type})"
        for field in schema
        if pa.types.is_nested(field.type)
        or pa.types.is_binary(field.type)
        or pa.types.is_large_binary(field.type)
    ]
    if unread:
        raise FileUnusable(
            f"{source}: columns of numbers, text, truth values and times are compared; these are "
            f"not: {', '.join(unread)}."
        )


def _part(names: Sequence[str], batch: Any) -> Part:
    return Part(dict(zip(names, map(_column, batch.columns), strict=True)), batch.num_rows)


def _column(column: Any) -> Column:
    import pyarrow as pa

    kind = column.type
    if (pa.types.is_integer(kind) or pa.types.is_floating(kind)) and kind != pa.float16():
        return Numbers(column.cast(pa.float64(), safe=False).to_numpy(zero_copy_only=False))
    if not isinstance(column, pa.DictionaryArray):
        column = column.dictionary_encode()
    distinct = list(map(text_of_value, column.dictionary.to_pylist()))
    indices = column.indices.cast(pa.int64())
    if indices.null_count:
        indices = indices.fill_null(len(distinct))
        distinct.append("")
    found = indices.to_numpy(zero_copy_only=False).astype(np.int64)
    return Texts(found, tuple(distinct))


__all__ = [
    "ROWS",
    "Table",
    "csv_table",
    "json_table",
    "memory_table",
    "parquet_table",
    "parts_of_rows",
]
