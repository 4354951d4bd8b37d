"""Predictions and labels of one window, row by row, each counted exactly once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import astuple, dataclass, field
from typing import Any, Self, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlops_framework.drift.ground_truth.answers import Probabilities, numbers_of
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.id_hashes import Hashes, row_hashes
from mlops_framework.drift.ground_truth.labels import Labels
from mlops_framework.drift.ground_truth.tables import FACET, LABEL, PROBABILITY, Table
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Indices, Numbers, Texts, Values, as_texts, joined

Marks: TypeAlias = NDArray[np.bool_]


@dataclass(frozen=True)
class JoinCounts:
    """What the joining met.

    Attributes:
        rows: Captured rows.
        labelled: Rows with a label.
        repeated_ids: Rows whose id occurs again later; the last record of an id gets its label.
        without_id: Rows of records without an id.
        labels_repeated: Labels that came again for the same row; the last collected counts.
        labels_conflicting: Rows whose labels were not all the same.
        labels_of_other_shape: Labels of records that have another number of rows.
    """

    rows: int = 0
    labelled: int = 0
    repeated_ids: int = 0
    without_id: int = 0
    labels_repeated: int = 0
    labels_conflicting: int = 0
    labels_of_other_shape: int = 0

    def merged(self, other: JoinCounts) -> JoinCounts:
        """Of both, where no id is in both."""
        return JoinCounts(*map(int.__add__, astuple(self), astuple(other)))


@dataclass(frozen=True)
class JoinedRows:
    """The rows of a window, in a fixed order.

    Attributes:
        predictions: Classes as text, empty where there is none; of a regression numbers, NaN where
            there is none.
        scores: Probabilities of the positive class; NaN where there is none.
        labels: As the predictions; missing where no label came yet.
        labelled: Which rows have a label.
        facets: Input columns that were kept, by name.
        counts: What the joining met.
        by_class: Of several classes the probability of each; NaN in all where a row has none.
        hashes: A number for each row by its identity, 0 where it has none; ``None`` where rows
            cannot be told apart (see :func:`~.id_hashes.row_hashes`).
    """

    predictions: Values
    scores: Floats
    labels: Values
    labelled: Marks
    facets: Mapping[str, Values] = field(default_factory=dict)
    counts: JoinCounts = JoinCounts()
    hashes: Hashes | None = None
    by_class: Mapping[str, Probabilities] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.labelled)

    @classmethod
    def of_columns(
        cls,
        predictions: Values,
        labels: Values,
        *,
        scores: Floats | None = None,
        facets: Mapping[str, Values] | None = None,
        by_class: Mapping[str, Probabilities] | None = None,
    ) -> Self:
        """Rows of a table that holds both, for example training data with predictions.

        Numbers stay numbers in ``predictions`` and ``labels``: the caller gives classes as texts
        (:func:`~.classes.classes_of`).
        """
        labelled = _present(labels)
        rows = len(labelled)
        return cls(
            predictions,
            np.full(rows, np.nan) if scores is None else scores,
            labels,
            labelled,
            facets or {},
            JoinCounts(rows, int(labelled.sum())),
            by_class=by_class or {},
        )


def join(
    tables: Sequence[Table],
    labels: Iterable[Labels],
    *,
    classes: bool,
    facets: Iterable[str] = (),
) -> JoinedRows | None:
    """Give each row its label.

    Args:
        tables: Kept predictions, one table per object, in the order of the objects' keys.
        labels: Labels in the order in which they were collected; one part is held at a time. They
            take the place of labels that the records themselves had.
        classes: Whether predictions are classes; otherwise numbers.
        facets: Columns of facets that tables of other rows of the window have; in any case those
            of these tables.

    Returns:
        ``None`` if there are no rows.
    """
    tables = [table for table in tables if len(table)]
    if not tables:
        return None
    rows = _Rows.of(tables)
    at, texts, counts = _labels_by_row(rows, labels)
    # What was collected counts more than what the record said when it was captured.
    own = as_texts(joined([_column(table, LABEL) for table in tables]))
    codes = own.indices + len(texts.distinct)
    codes[at] = texts.indices
    found = Texts(codes, (*texts.distinct, *own.distinct))
    values: Values = classes_of(found) if classes else Numbers(numbers_of(found))
    labelled = _present(values)
    # Of any object: some were profiled before a column was asked for, or after.
    names = sorted({*facets, *(name for table in tables for name in facets_of(table))})
    return JoinedRows(
        joined([table.values("prediction") for table in tables]),
        np.concatenate([table.numbers("score") for table in tables]),
        values,
        labelled,
        {
            name.removeprefix(FACET): joined([_column(table, name) for table in tables])
            for name in names
        },
        JoinCounts(rows=len(rows.keys), labelled=int(labelled.sum()), **counts),
        row_hashes(rows.ids, rows.codes, rows.places),
        _probabilities(tables),
    )


def facets_of(table: Table) -> set[str]:
    """The columns of facets that were kept of an object."""
    return {name for name in table.columns if name.startswith(FACET)}


def out_of_reach(tables: Sequence[Table]) -> Marks:
    """Rows that no label can belong to: a later record has their id, or they have none.

    Args:
        tables: Kept predictions; none of them empty.
    """
    marks: Marks = _Rows.of(tables).keys < 0
    return marks


def _probabilities(tables: Sequence[Table]) -> dict[str, Probabilities]:
    """Probabilities by class; rows of objects that were profiled before they were have none."""
    names = sorted({name for one in tables for name in one.columns if name.startswith(PROBABILITY)})
    return {
        name.removeprefix(PROBABILITY): np.concatenate(
            [
                one.numbers(name) if name in one.columns else np.full(len(one), np.nan, np.float32)
                for one in tables
            ]
        )
        for name in names
    }


@dataclass(frozen=True)
class _Rows:
    """The rows of all tables.

    Attributes:
        ids: The distinct ids, an Arrow array.
        codes: Of each row, which of them it has.
        places: Of each row, its number in its record.
        keys: Of each row a number for its id and its place in the record; -1 where a later record
            has the same id, or the record has none.
        sizes: Of each id, how many rows its last record has (the highest place, and one).
        stride: Keys are ``code * stride + place``.
        repeated: Rows whose id occurs again later.
        nameless: Rows without an id.
    """

    ids: Any
    codes: Indices
    places: Indices
    keys: Indices
    sizes: Indices
    stride: int
    repeated: int
    nameless: int

    @classmethod
    def of(cls, tables: Sequence[Table]) -> Self:
        encoded = pa.concat_arrays([table.columns["id"] for table in tables]).dictionary_encode()
        codes = encoded.indices.to_numpy().astype(np.int64)
        places = np.concatenate([table.numbers("row") for table in tables]).astype(np.int64)
        sizes_of = [int(table.numbers("record").max()) + 1 for table in tables]
        offsets = np.cumsum([0, *sizes_of[:-1]])
        records = np.concatenate(
            [
                table.numbers("record").astype(np.int64) + offset
                for table, offset in zip(tables, offsets.tolist(), strict=True)
            ]
        )
        minutes = np.concatenate([table.numbers("minute") for table in tables])
        # Of several records with an id the last one invoked; of one minute the last one written.
        order = np.lexsort((records, minutes))
        last = np.full(len(encoded.dictionary), -1, np.int64)
        last[codes[order]] = records[order]
        good = records == last[codes]
        nothing = encoded.dictionary.index("").as_py()  # -1: no row is without an id
        nameless = codes == nothing
        stride = int(places.max()) + 1
        keys = np.where(good & ~nameless, codes * stride + places, -1)
        sizes = np.zeros(len(last), np.int64)
        np.maximum.at(sizes, codes[good], places[good] + 1)
        repeated = int((~good & ~nameless).sum())
        nameless_rows = int(nameless.sum())
        return cls(encoded.dictionary, codes, places, keys, sizes, stride, repeated, nameless_rows)


def _labels_by_row(
    rows: _Rows, labels: Iterable[Labels]
) -> tuple[Indices, Texts, Mapping[str, int]]:
    """Rows that have a label, ascending, their labels, and what was met."""
    import pyarrow.compute as pc  # 40 ms that only those wait for who have labels

    keys: list[Indices] = []
    codes: list[Indices] = []
    distinct: dict[str, int] = {}
    other_shape = 0
    for part in labels:
        found = pc.index_in(part.ids, value_set=rows.ids)
        whose = found.fill_null(-1).to_numpy().astype(np.int64)
        known = whose >= 0
        fits = known & (rows.sizes[whose] == part.of)
        other_shape += int((known & ~fits).sum())
        keys.append(whose[fits] * rows.stride + part.rows[fits])
        written = part.texts.filter(pa.array(fits)).dictionary_encode()
        new = [distinct.setdefault(text, len(distinct)) for text in written.dictionary.to_pylist()]
        codes.append(np.array(new, np.int64)[written.indices.to_numpy().astype(np.int64)])
    key = np.concatenate([*keys, np.empty(0, np.int64)])
    code = np.concatenate([*codes, np.empty(0, np.int64)])
    # Row by key: only rows that are the last of their id have one.
    order = np.argsort(rows.keys, kind="stable")
    ascending = rows.keys[order]
    place = np.searchsorted(ascending, key)
    place = np.minimum(place, len(ascending) - 1)
    there = ascending[place] == key
    row, code = order[place[there]], code[there]
    by_row = np.argsort(row, kind="stable")
    row, code = row[by_row], code[by_row]
    starts = np.flatnonzero(np.diff(row, prepend=-1))
    ends = np.append(starts[1:], len(row)) - 1 if len(row) else starts
    differs = np.zeros(len(starts), bool)
    if len(row):
        differs = np.minimum.reduceat(code, starts) != np.maximum.reduceat(code, starts)
    counts = {
        "repeated_ids": rows.repeated,
        "without_id": rows.nameless,
        "labels_repeated": len(row) - len(starts),
        "labels_conflicting": int(differs.sum()),
        "labels_of_other_shape": other_shape,
    }
    return row[starts], Texts(code[ends], tuple(distinct)), counts


def _present(values: Values) -> Marks:
    if isinstance(values, Numbers):
        return ~np.isnan(values.values)
    filled = np.array([bool(text) for text in values.distinct], bool)
    present: Marks = filled[values.indices] if len(filled) else np.zeros(len(values), bool)
    return present


def _column(table: Table, name: str) -> Values:
    """A kept column; missing where it was not asked for, or not there."""
    if name in table.columns:
        return table.values(name)
    return Texts(np.zeros(len(table), np.int64), ("",))
