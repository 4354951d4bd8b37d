"""Payloads of many records as columns, by Arrow's readers of CSV and JSON.

What these readers cannot read, or would read otherwise than the real parser, raises
:class:`Undecodable`; the records are then read one by one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray
from pyarrow import csv as arrow_csv
from pyarrow import json as arrow_json

from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.values import Numbers, Texts, Values, as_numbers

NESTING: Final = frozenset(
    {"instances", "inputs", "predictions", "outputs", "rows", "features", "values"}
)
"""Members that hold a request's rows, or a row's values."""
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
        wrong: Rows (from zero, among all rows) of another width, which the columns leave out.
        unexpected: Members nobody asked for: which rows have them.
    """

    columns: tuple[Values, ...]
    wrong: tuple[int, ...] = ()
    unexpected: Mapping[str, NDArray[np.bool_]] = field(default_factory=dict)


def csv_columns(text: Any, specs: Sequence[ColumnSpec]) -> Decoded:
    """Columns of unquoted CSV, numbers where the specification has an order.

    Args:
        text: Rows, a line each (an Arrow buffer or bytes).
        specs: The columns in order.

    Raises:
        Undecodable: If it is not readable as that.
    """
    wrong: list[int] = []

    def skip(row: Any) -> str:
        wrong.append(row.number - 1)
        return "skip"

    try:
        table = _csv(text, specs, skip)
        columns = [_values(column) for column in table.columns]
    except pa.ArrowInvalid:
        # Text where numbers were: all of it as text, so that each unreadable one is known.
        wrong.clear()
        try:
            table = _csv(text, specs, skip, as_text=True)
            columns = [
                _numbers_if_all_are(_values(column)) if spec.ordered else _values(column)
                for spec, column in zip(specs, table.columns, strict=True)
            ]
        except pa.ArrowInvalid as error:
            raise Undecodable from error
    return Decoded(tuple(columns), tuple(wrong))


def json_columns(text: Any, specs: Sequence[ColumnSpec]) -> Decoded:
    """Columns of flat JSON objects, a line each.

    Raises:
        Undecodable: If they are not all flat objects of the types that the columns have.
    """
    fields = [(spec.name, pa.float64() if spec.ordered else pa.string()) for spec in specs]
    table = _json(text, pa.schema(fields))
    extra = table.column_names[len(fields) :]
    if NESTING & set(extra):
        raise Undecodable
    columns = tuple(_values(table.column(i)) for i in range(len(fields)))
    present = {name: _present(table.column(name)) for name in extra}
    return Decoded(columns, (), {name: marks for name, marks in present.items() if marks.any()})


def json_members(text: Any) -> Mapping[str, Values]:
    """All members of flat JSON objects, a line each, in the order they first come.

    Raises:
        Undecodable: If they are not all objects with the same scalar members.
    """
    table = _json(text, None)
    if not table.column_names:
        raise Undecodable
    found: dict[str, Values] = {}
    for name, column in zip(table.column_names, table.columns, strict=True):
        number = pa.types.is_integer(column.type) or pa.types.is_floating(column.type)
        if name in NESTING or column.null_count or not (number or pa.types.is_string(column.type)):
            raise Undecodable
        found[name] = _values(column.cast(pa.float64()) if number else column)
    return found


def csv_outputs(text: Any) -> Decoded:
    """All columns of unquoted CSV, as wide as its first row is; numbers where all are.

    Raises:
        Undecodable: If it is not readable as that.
    """
    first = _BEGINNING.match(text)
    width = (first.group().count(b",") if first else 0) + 1
    return csv_columns(text, [ColumnSpec(str(i), "numeric") for i in range(width)])


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


def _json(text: Any, schema: Any) -> Any:
    try:
        return arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=schema, unexpected_field_behavior="infer"
            ),
        )
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError) as error:
        raise Undecodable from error


def _values(column: Any) -> Values:
    if pa.types.is_floating(column.type):
        return Numbers(column.to_numpy())
    if not pa.types.is_dictionary(column.type):
        column = column.dictionary_encode()
    encoded = column.combine_chunks()
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.chunk(0) if encoded.num_chunks else pa.array([], _TEXT)
    texts = encoded.dictionary.to_pylist()
    indices = encoded.indices
    if indices.null_count:
        indices = indices.fill_null(len(texts))
        texts.append("")
    return Texts(indices.to_numpy().astype(np.int64), texts)


def _present(column: Any) -> NDArray[np.bool_]:
    marks: NDArray[np.bool_] = column.is_valid().to_numpy()
    return marks


def _numbers_if_all_are(values: Values) -> Values:
    numbers, invalid = as_numbers(values)
    return values if invalid else Numbers(numbers)
