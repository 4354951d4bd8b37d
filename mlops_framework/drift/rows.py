"""Captured rows one by one, for what has to know which row is whose: labels are joined by id.

A profile only counts. Where rows have to be told apart, they are handed on as arrays, many records
at a time, whichever way they were read; nothing of this is built where nobody asks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from mlops_framework.drift.batches import Batch
from mlops_framework.drift.capture import Invocation, Truth
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.scanning import Places
from mlops_framework.drift.tally import cells_of
from mlops_framework.drift.values import (
    MISSING_NUMBER,
    Indices,
    Numbers,
    Texts,
    Values,
    text_of,
    values_of,
)
from mlops_framework.drift.windows import Window


@dataclass(frozen=True)
class CapturedRows:
    """Rows of many records of one window; all rows of a record come together.

    Attributes:
        ids: Of each record: ``inferenceId`` if the caller gave one, else ``eventId``, else empty.
        records: Of each row: the place of its record in ``ids``; ascending.
        places: Of each row: its number in the record's payload, from 0. Rows that were left out
            keep their numbers.
        minutes: Of each row: minute of the invocation as ``yyyymmddHHMM`` (UTC);
            ``batches.NO_TIME`` where the record has none.
        inputs: The baseline's columns in its order, as long as the rows.
        outputs: Columns of the responses by name, as long as the rows; missing where the row's
            record has no such output, or has another number of them than of rows.
        truths: Of each record: the labels that it has itself; empty where no record has any.
    """

    ids: Sequence[str]
    records: Places
    places: Places
    minutes: Places
    inputs: tuple[Values, ...]
    outputs: Mapping[str, Values]
    truths: Sequence[Truth | None] = ()

    def __len__(self) -> int:
        return len(self.records)


RowsOf = Callable[[Window, CapturedRows], None]
"""Is given the rows of a window, part by part, in no particular order."""


def rows_of_batch(
    batch: Batch, ids: Sequence[str], truths: Sequence[Truth | None] = ()
) -> CapturedRows:
    """The rows of a batch or of a part of one.

    Args:
        batch: The batch.
        ids: Of the whole batch's records.
        truths: Likewise.
    """
    first = np.searchsorted(batch.records, batch.records)
    places = np.arange(len(batch), dtype=np.int64) - first
    return CapturedRows(
        ids, batch.records, places, batch.minutes, batch.columns, batch.outputs, truths
    )


def rows_of_invocations(
    specs: Sequence[ColumnSpec], read: Iterable[tuple[Invocation, int]]
) -> CapturedRows:
    """The rows of invocations that were read one by one, each with its minute.

    Where a request was not captured its response's rows come with all inputs missing.
    """
    ids: list[str] = []
    truths: list[Truth | None] = []
    counts: list[int] = []
    minutes: list[int] = []
    places: list[int] = []
    rows: list[Sequence[str]] = []
    outputs: dict[str, tuple[list[int], list[str]]] = {}
    nothing = ("",) * len(specs)
    for invocation, minute in read:
        answered = max(map(len, invocation.outputs.values()), default=0)
        captured = "no-input" not in invocation.faults
        here = invocation.places if captured else range(answered)
        if answered == (invocation.payload_rows if captured else answered):
            for name, column in invocation.outputs.items():
                at, texts = outputs.setdefault(name, ([], []))
                at.extend(range(len(rows), len(rows) + len(here)))
                texts.extend(column[place] for place in here)
        rows.extend(invocation.inputs if captured else [nothing] * answered)
        places.extend(here)
        ids.append(invocation.identity)
        truths.append(invocation.truth)
        minutes.append(minute)
        counts.append(len(here))
    total = len(rows)
    records = np.repeat(np.arange(len(ids)), counts)
    columns = zip(*rows, strict=True) if rows else [()] * len(specs)
    return CapturedRows(
        ids,
        records,
        np.array(places, np.int64),
        np.array(minutes, np.int64)[records],
        tuple(
            values_of(column, ordered=spec.ordered)
            for spec, column in zip(specs, columns, strict=True)
        ),
        {
            name: _spread(values_of(texts, ordered=True), np.array(at, np.int64), total)
            for name, (at, texts) in outputs.items()
        },
        truths if any(truths) else (),
    )


def spelt_alike(values: Values, spec: ColumnSpec) -> Values:
    """A column as it is spelt wherever it was read, and empty where its value is missing.

    A column of numbers comes as texts where one of them is none; the others have to be spelt as
    they are where all are numbers, or what is counted would depend on who came together.
    """
    if isinstance(values, Numbers):
        return values
    if spec.ordered:
        return Texts(values.indices, [_spelt(text) for text in values.distinct])
    cells = cells_of(spec, Texts(np.arange(len(values.distinct)), values.distinct)).tolist()
    found = zip(values.distinct, cells, strict=True)
    return Texts(values.indices, ["" if cell < 0 else text for text, cell in found])


def _spelt(text: str) -> str:
    if text.strip().lower() in MISSING_NUMBER:
        return ""
    try:
        return text if "_" in text else text_of(float(text) + 0.0)
    except ValueError:
        return text


def _spread(values: Values, at: Indices, total: int) -> Values:
    """Values in some of the rows, missing in the others."""
    if len(at) == total:
        return values
    if isinstance(values, Numbers):
        numbers = np.full(total, np.nan)
        numbers[at] = values.values
        return Numbers(numbers)
    indices = np.full(total, len(values.distinct), np.int64)
    indices[at] = values.indices
    return Texts(indices, (*values.distinct, ""))
