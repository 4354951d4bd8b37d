"""The baseline: what the training data looked like, and the cells every window is counted on."""

from __future__ import annotations

import csv
import hashlib
import json
import math
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import islice
from typing import Any, Final, Self

from mlops_framework.drift.columns import ColumnCounts, ColumnSpec, Kind
from mlops_framework.drift.documents import counts_from, counts_to, expect, member
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.sums import exponent_of
from mlops_framework.drift.tally import counted_weighted
from mlops_framework.drift.values import category_of, number_of

KIND: Final = "mlops-drift-baseline"
VERSION: Final = 2
QUANTILE_CELLS: Final = 128
"""Numeric columns are counted on so many quantile cells between the baseline's minimum and maximum,
and one beyond each end; values heavier than a cell get their own."""
MOST_CODES: Final = 128
"""A numeric column of at most so many distinct values is a column of codes ..."""
ROWS_PER_CODE: Final = 10
"""... if the baseline holds so many rows per value (or there are no more than ten values)."""
MOST_CATEGORIES: Final = 1024
"""A column of more categories keeps those of at least ``HEAVY_SHARE`` and hashes the others."""
HEAVY_SHARE: Final = 0.01
BUCKETS: Final = 64
NUMERIC_SHARE: Final = 0.95
"""A column is numeric when at least this share of its values are numbers."""
MOST_DISTINCT: Final = 8_000_000
_CHUNK_ROWS: Final = 20_000


@dataclass(frozen=True)
class BaselineColumn:
    """One column of the baseline.

    Attributes:
        spec: Its cells.
        counts: What the training data counted on them.
        distinct: Distinct values in the training data.
        singletons: Values that occurred exactly once.
        doubletons: Values that occurred exactly twice.
    """

    spec: ColumnSpec
    counts: ColumnCounts
    distinct: int
    singletons: int
    doubletons: int

    @property
    def complete(self) -> bool:
        """Whether every value of the training data has a cell of its own."""
        return self.spec.kind == "codes" or self.spec.buckets == 1


@dataclass(frozen=True)
class Baseline:
    """The columns in the training data's order, with what was counted.

    Attributes:
        columns: In the order of the training data, which names headerless captures.
        rows: Rows of training data.
        source: Where the training data came from, for reports.
    """

    columns: tuple[BaselineColumn, ...]
    rows: int
    source: str

    @property
    def names(self) -> tuple[str, ...]:
        """Column names in order."""
        return tuple(column.spec.name for column in self.columns)

    @property
    def specs(self) -> tuple[ColumnSpec, ...]:
        """Column specifications in order."""
        return tuple(column.spec for column in self.columns)

    @cached_property
    def id(self) -> str:
        """Digest of the cells: profiles with the same id can be added and compared."""
        cells = [_spec_document(column.spec) for column in self.columns]
        return hashlib.sha256(json.dumps(cells, sort_keys=True).encode()).hexdigest()[:16]

    @classmethod
    def of_csv(cls, lines: Iterable[str], *, label_column: str, source: str) -> Self:
        """Build the baseline from CSV with a header line.

        Args:
            lines: Lines of text.
            label_column: Column to leave out; empty for none.
            source: Name of the data in messages and reports.

        Raises:
            BaselineInvalid: If there is no header or row, a line has another number of fields, a
                column name is empty or twice there, the label column is absent, or the data holds
                too many distinct values for one function's memory.
        """
        reader = csv.reader(lines)
        header = [name.strip().removeprefix("\ufeff") for name in next(reader, [])]
        kept = _columns_kept(header, label_column, source)
        counters: list[Counter[str]] = [Counter() for _ in kept]
        rows = 0
        for chunk in _chunks(reader, header, source):
            rows += len(chunk)
            columns = list(zip(*chunk, strict=True))
            for counter, index in zip(counters, kept, strict=True):
                counter.update(columns[index])
            if sum(map(len, counters)) > MOST_DISTINCT:
                raise BaselineInvalid(
                    f"{source} holds more than {MOST_DISTINCT:,} distinct values in its first "
                    f"{rows:,} rows; give a random sample as baseline_data (100,000 rows do)."
                )
        if not rows:
            raise BaselineInvalid(f"{source} has a header but no rows; nothing to compare with.")
        built = (
            _column(header[index], counter) for index, counter in zip(kept, counters, strict=True)
        )
        return cls(tuple(built), rows, source)

    def to_document(self) -> dict[str, Any]:
        """The baseline as its JSON document."""
        return {
            "kind": KIND,
            "version": VERSION,
            "id": self.id,
            "rows": self.rows,
            "source": self.source,
            "columns": [
                _spec_document(column.spec)
                | {
                    "distinct": column.distinct,
                    "singletons": column.singletons,
                    "doubletons": column.doubletons,
                    "counts": counts_to(column.counts),
                }
                for column in self.columns
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                tuple(_column_from(column) for column in document["columns"]),
                int(document["rows"]),
                str(document["source"]),
            )


def _columns_kept(header: Sequence[str], label_column: str, source: str) -> list[int]:
    if not header:
        raise BaselineInvalid(f"{source} is empty; expected CSV with a header line.")
    nameless = [str(position) for position, name in enumerate(header, 1) if not name]
    if nameless:
        raise BaselineInvalid(
            f"{source}: column {', '.join(nameless)} of the header has no name; name every column "
            "(a data frame's index is written without its name: leave it out)."
        )
    twice = sorted(name for name, count in Counter(header).items() if count > 1)
    if twice:
        raise BaselineInvalid(f"{source}: the header names {', '.join(twice)} more than once.")
    if label_column and label_column not in header:
        raise BaselineInvalid(
            f"{source} has no column {label_column!r} to leave out as label_column; "
            f"its columns are {', '.join(header)}."
        )
    kept = [index for index, name in enumerate(header) if name != label_column]
    if not kept:
        raise BaselineInvalid(f"{source} holds the label column {label_column!r} and nothing else.")
    return kept


def _chunks(
    reader: Iterator[list[str]], header: Sequence[str], source: str
) -> Iterator[list[list[str]]]:
    line = 1
    while chunk := list(islice(reader, _CHUNK_ROWS)):
        rows = []
        for row in chunk:
            line += 1
            if not row:
                continue
            if len(row) != len(header):
                raise BaselineInvalid(
                    f"{source}: row {line} has {len(row)} fields, the header has {len(header)}."
                )
            rows.append(row)
        if rows:
            yield rows


def _column(name: str, values: Counter[str]) -> BaselineColumn:
    numbers: Counter[float] = Counter()
    texts: Counter[str] = Counter()
    invalid = 0
    for text, count in values.items():
        texts[category_of(text)] += count
        try:
            number = number_of(text)
        except ValueError:
            invalid += count
            continue
        if number is not None:
            numbers[number] += count
    numeric = sum(numbers.values())
    if numeric and numeric >= NUMERIC_SHARE * (numeric + invalid):
        return _built(_numeric_spec(name, numbers), values, list(numbers.values()))
    del texts[""]
    ranked = sorted(texts, key=lambda text: (-texts[text], text))
    if len(ranked) <= MOST_CATEGORIES:
        spec = ColumnSpec(name, "categories", categories=tuple(ranked))
    else:
        lightest = HEAVY_SHARE * sum(texts.values())
        heavy = tuple(text for text in ranked if texts[text] >= lightest)
        spec = ColumnSpec(name, "categories", categories=heavy, buckets=BUCKETS)
    return _built(spec, values, list(texts.values()))


def _built(spec: ColumnSpec, values: Counter[str], multiplicities: list[int]) -> BaselineColumn:
    return BaselineColumn(
        spec,
        counted_weighted(spec, values),
        len(multiplicities),
        multiplicities.count(1),
        multiplicities.count(2),
    )


def _numeric_spec(name: str, numbers: Counter[float]) -> ColumnSpec:
    ordered = sorted(numbers)
    total = sum(numbers.values())
    quantiles = _quantiles(ordered, numbers, total)
    centre = quantiles[len(quantiles) // 2]
    exponent = exponent_of(max(centre - ordered[0], ordered[-1] - centre))
    few = len(ordered) <= MOST_CODES
    if few and (len(ordered) <= ROWS_PER_CODE or total >= ROWS_PER_CODE * len(ordered)):
        cells = _distinct(edge for value in ordered for edge in _around(value))
        if len(cells) == 2 * len(ordered):  # not so for neighbouring floats
            return ColumnSpec(
                name, "codes", cells, tuple(ordered), centre=centre, exponent=exponent
            )
    edges = [*quantiles, ordered[0], math.nextafter(ordered[-1], math.inf)]
    for value, count in numbers.items():
        if count * QUANTILE_CELLS > total:
            edges.extend(_around(value))
    return ColumnSpec(name, "numeric", _distinct(edges), centre=centre, exponent=exponent)


def _quantiles(
    ordered: Sequence[float], numbers: Mapping[float, int], total: int
) -> tuple[float, ...]:
    """The values at 1/128, 2/128, … of the records."""
    found: list[float] = []
    below = 0
    for value in ordered:
        below += numbers[value]
        while len(found) < QUANTILE_CELLS - 1 and below * QUANTILE_CELLS > total * (len(found) + 1):
            found.append(value)
    return tuple(found) or (ordered[-1],)


def _around(value: float) -> tuple[float, float]:
    """Edges of the cell that holds one value alone."""
    return value, math.nextafter(value, math.inf)


def _distinct(edges: Iterable[float]) -> tuple[float, ...]:
    return tuple(sorted(set(edges)))


def _spec_document(spec: ColumnSpec) -> dict[str, Any]:
    document: dict[str, Any] = {"name": spec.name, "kind": spec.kind}
    if spec.kind == "categories":
        return document | {"categories": list(spec.categories), "buckets": spec.buckets}
    document |= {"centre": spec.centre, "exponent": spec.exponent}
    # The edges of codes follow from the codes.
    key, values = ("codes", spec.codes) if spec.kind == "codes" else ("edges", spec.edges)
    return document | {key: list(values)}


def _column_from(document: Mapping[str, Any]) -> BaselineColumn:
    kind: Kind = document["kind"]
    codes = tuple(float(code) for code in document.get("codes", ()))
    edges = [float(edge) for edge in document.get("edges", ())]
    edges += [edge for code in codes for edge in _around(code)]
    spec = ColumnSpec(
        str(document["name"]),
        kind,
        _distinct(edges),
        codes,
        tuple(document.get("categories", ())),
        int(document.get("buckets", 1)),
        float(document.get("centre", 0.0)),
        int(document.get("exponent", 0)),
    )
    return BaselineColumn(
        spec,
        counts_from(document["counts"]),
        int(document["distinct"]),
        int(document["singletons"]),
        int(document["doubletons"]),
    )
