"""Payloads of many records as columns, by Arrow's reader of CSV (of JSON: ``json_decoding``).

What it cannot read, or would read otherwise than the real parser, raises
:class:`Undecodable`; the records are then read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv

from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.values import Numbers, Texts, Values, as_numbers

_MISSING: Final = [
    spelling
    for word in ("nan", "null", "none", "na", "n/a", "-nan", "+nan")
    for spelling in sorted({word, word.upper(), word.capitalize(), "NaN", "-NaN", "+NaN", "N/a"})
]
_TEXT: Final = pa.dictionary(pa.int32(), pa.string())
_BEGINNING: Final = re.compile(rb"[^\n]*")


class Undecodable(Exception):
    """Arrow does not read these payloads as the real parser would."""


@dataclass(frozen=True)
class Decoded:
    """Columns of many payloads.

    Attributes:
        columns: One per column asked for.
        wrong: Lines (from zero) that are not like the others; the columns leave them out.
        unexpected: Members nobody asked for: which rows have them.
        rows: Rows of each line; ``None`` if each is one.
    """

    columns: tuple[Values, ...]
    wrong: tuple[int, ...] = ()
    unexpected: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)
    rows: NDArray[np.int64] | None = None


def csv_columns(text: Any, specs: Sequence[ColumnSpec], *, header: bytes = b"") -> Decoded:
    """Columns of unquoted CSV, numbers where the specification has an order.

    Args:
        text: Rows, a line each (an Arrow buffer or bytes).
        specs: The columns in order.
        header: What header lines hold; where text is in the place of numbers, such lines are wrong.

    Raises:
        Undecodable: If it is not readable as that.
    """
    wrong: list[int] = []

    def skip(row: Any) -> str:
        wrong.append(row.number - 1)
        return "skip"

    try:
        table = _csv(text, specs, skip)
        columns = [arrow_values(column) for column in table.columns]
    except pa.ArrowInvalid:
        # Text where numbers were: all of it as text, so that each unreadable one is known.
        if header and header in text:
            lines = text.split(b"\n")
            return Decoded((), tuple(place for place, line in enumerate(lines) if header in line))
        wrong.clear()
        try:
            table = _csv(text, specs, skip, as_text=True)
            columns = [
                _numbers_if_all_are(arrow_values(column)) if spec.ordered else arrow_values(column)
                for spec, column in zip(specs, table.columns, strict=True)
            ]
        except pa.ArrowInvalid as error:
            raise Undecodable from error
    return Decoded(tuple(columns), tuple(wrong))


def csv_outputs(text: Any) -> Decoded:
    """All columns of unquoted CSV, as wide as its first row is; numbers where all are.

    Raises:
        Undecodable: If it is not readable as that.
    """
    first = _BEGINNING.match(text)
    width = (first.group().count(b",") if first else 0) + 1
    found = csv_columns(text, [ColumnSpec(str(i), "numeric") for i in range(width)])
    return replace(found, columns=tuple(map(_trimmed, found.columns)))


def _trimmed(values: Values) -> Values:
    if isinstance(values, Numbers):
        return values
    return Texts(values.indices, [text.strip() for text in values.distinct])


def _csv(text: Any, specs: Sequence[ColumnSpec], skip: Any, *, as_text: bool = False) -> Any:
    types = {spec.name: _TEXT if as_text or not spec.ordered else pa.float64() for spec in specs}
    return arrow_csv.read_csv(
        pa.BufferReader(text),
        read_options=arrow_csv.ReadOptions(
            use_threads=False, column_names=list(types), block_size=len(text) + 1
        ),
        parse_options=arrow_csv.ParseOptions(quote_char=False, invalid_row_handler=skip),
        convert_options=arrow_csv.ConvertOptions(
            column_types=types, null_values=["", *_MISSING], strings_can_be_null=False
        ),
    )


def arrow_values(column: Any) -> Values:
    """A column of Arrow: floats as numbers, all else as texts."""
    if isinstance(column, pa.ChunkedArray):
        column = column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()
    if pa.types.is_floating(column.type):
        return Numbers(column.to_numpy(zero_copy_only=False))
    encoded = column if pa.types.is_dictionary(column.type) else column.dictionary_encode()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], _TEXT)
    texts = encoded.dictionary.to_pylist()
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(texts))
        texts.append("")
    return Texts(indices.to_numpy().astype(np.int64), texts)


def _numbers_if_all_are(values: Values) -> Values:
    numbers, invalid = as_numbers(values)
    return values if invalid else Numbers(numbers)
