"""Counting the values of one column, chunk by chunk, in bounded memory.

Every chunk of numbers is sorted once (numpy sorts in vector registers, faster than any search of
unsorted values): the counts on the baseline's edges, smallest, largest and distinct values follow
from the sorted chunk.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mlops_framework.drift.columns import UNSEEN_LIMIT, ColumnCounts, ColumnSpec
from mlops_framework.drift.distinct import DistinctCounter, hashes_of
from mlops_framework.drift.sample import Sample, hash_of
from mlops_framework.drift.sums import Floats, square_exponent, whole_sum
from mlops_framework.drift.values import (
    LARGEST_MAGNITUDE,
    MISSING_NUMBER,
    Indices,
    Texts,
    Values,
    as_numbers,
    as_texts,
    category_of,
    number_of,
    text_of,
)

_REMEMBERED: Final = 100_000
_WHOLE, _FRACTIONAL, _BOOLEAN, _TEXTUAL = range(4)
_BEGIN_NUMBERS: Final = frozenset("0123456789+-.")
_TRUTHS: Final[Mapping[str, float]] = {"false": 0.0, "true": 1.0}


class Tally:
    """The counts of one column so far.

    Args:
        spec: How it is counted.
    """

    def __init__(self, spec: ColumnSpec) -> None:
        self._spec = spec
        self._records = self._missing = self._invalid = 0
        self._cells = np.zeros(spec.cells, np.int64)
        self._total = self._squares = 0
        self._types = np.zeros(4, np.int64)
        self._minimum: float | None = None
        self._maximum: float | None = None
        self._unseen = Sample(UNSEEN_LIMIT)
        self._distinct = DistinctCounter()
        self._known: dict[str, int] = {}
        self._cell_of = np.empty(0, np.int64)
        self._hash_of = np.empty(0, np.uint64)
        self._type_of = np.empty(0, np.int64)

    def add(self, values: Values) -> None:
        """Count further rows."""
        self._records += len(values)
        if self._spec.ordered:
            self._add_numbers(values)
        else:
            self._add_categories(values)

    def counts(self) -> ColumnCounts:
        """What was counted so far."""
        return ColumnCounts(
            self._records,
            self._missing,
            self._invalid,
            tuple(self._cells.tolist()),
            self._total,
            self._squares,
            self._minimum,
            self._maximum,
            self._unseen,
            self._spec.exponent,
            self._distinct.result(),
            *self._types.tolist(),
        )

    def _add_numbers(self, values: Values) -> None:
        numbers, invalid = as_numbers(values)
        if invalid and self._spec.flag:
            numbers = self._with_truths(numbers, invalid)
        if invalid:
            self._invalid += sum(invalid.values())
            self._unseen = self._unseen.added(invalid)
            for text, count in invalid.items():
                self._types[_type(category_of(text))] += count
        ordered = np.sort(numbers)
        first, last = ordered.searchsorted(
            [-LARGEST_MAGNITUDE, np.nextafter(LARGEST_MAGNITUDE, np.inf)]
        )
        present = int(ordered.searchsorted(np.nan))  # NaN sorts last
        self._missing += len(ordered) - present
        if first or last < present:
            self._add_too_large(np.concatenate([ordered[:first], ordered[last:present]]))
        ordered = ordered[first:last]
        ordered += 0.0  # -0.0 becomes 0.0
        valid = len(ordered)
        if not valid:
            return
        low, high = float(ordered[0]), float(ordered[-1])
        self._minimum = low if self._minimum is None else min(self._minimum, low)
        self._maximum = high if self._maximum is None else max(self._maximum, high)
        below = ordered.searchsorted(self._spec.edge_array)
        self._cells[:-1] += below
        self._cells[1:] -= below
        self._cells[-1] += valid
        new = np.empty(valid, bool)
        new[0] = True
        np.not_equal(ordered[1:], ordered[:-1], out=new[1:])
        self._distinct.add(hashes_of(ordered[new]))
        whole = np.count_nonzero(np.rint(ordered) == ordered)
        self._types[_WHOLE] += whole
        self._types[_FRACTIONAL] += valid - whole
        exponent = self._spec.exponent
        ordered -= self._spec.centre
        largest = max(-float(ordered[0]), float(ordered[-1]))
        self._total += whole_sum(ordered, exponent, largest)
        ordered *= ordered
        self._squares += whole_sum(ordered, square_exponent(exponent), largest * largest)

    def _with_truths(self, numbers: Floats, invalid: dict[str, int]) -> Floats:
        """The numbers and, of a flag, the truth values among the texts, which are taken out."""
        for text in [text for text in invalid if category_of(text) in _TRUTHS]:
            count = invalid.pop(text)
            numbers = np.append(numbers, np.full(count, _TRUTHS[category_of(text)]))
            self._types[_BOOLEAN] += count
            self._types[_WHOLE] -= count  # as which they will be counted
        return numbers

    def _add_too_large(self, numbers: Floats) -> None:
        texts = Counter(map(text_of, numbers.tolist()))
        self._invalid += len(numbers)
        self._types[_TEXTUAL] += len(numbers)
        self._unseen = self._unseen.added(texts)

    def _add_categories(self, values: Values) -> None:
        texts = as_texts(values)
        counts = texts.counts()
        index = self._indices(texts.distinct)
        cells = self._cell_of[index]
        present = (cells >= 0) & (counts > 0)
        self._missing += int(counts[cells < 0].sum())
        weights = counts[present].astype(np.float64)
        found = np.bincount(cells[present], weights, minlength=len(self._cells))
        self._cells += found.astype(np.int64)
        index = index[present]
        types = np.bincount(self._type_of[index], weights, minlength=len(self._types))
        self._types += types.astype(np.int64)
        self._distinct.add(self._hash_of[index])
        if self._spec.buckets == 1:
            places = np.flatnonzero(present & (cells == len(self._spec.categories)))
            if len(places):
                unseen: Counter[str] = Counter()
                for place in places.tolist():
                    unseen[category_of(texts.distinct[place])] += int(counts[place])
                self._unseen = self._unseen.added(unseen)

    def _indices(self, distinct: Sequence[str]) -> Indices:
        """Where cell and hash of each text stand; cell -1 is for missing ones."""
        if len(self._known) > _REMEMBERED:
            self._known.clear()
        index = [self._known.get(text, -1) for text in distinct]
        if -1 in index:
            spec = self._spec
            columns = (self._cell_of, self._hash_of, self._type_of)
            known = list(zip(*(column.tolist() for column in columns), strict=True))
            del known[len(self._known) :]
            for place, text in enumerate(distinct):
                if index[place] < 0:
                    index[place] = self._known[text] = len(known)
                    known.append(_category(spec, text))
            cells, hashes, types = zip(*known, strict=True)
            self._cell_of = np.array(cells, np.int64)
            self._hash_of = np.array(hashes, np.uint64)
            self._type_of = np.array(types, np.int64)
        return np.array(index, np.int64)


def _type(category: str) -> int:
    """Which of the four types a text is of, by what it says rather than how: 3.0 is whole."""
    if category in ("true", "false"):
        return _BOOLEAN
    if category[:1] not in _BEGIN_NUMBERS:
        return _TEXTUAL
    number = _number(category)
    if math.isnan(number):
        return _TEXTUAL
    return _WHOLE if number.is_integer() else _FRACTIONAL


def _category(spec: ColumnSpec, text: str) -> tuple[int, int, int]:
    """Cell, hash and type of a text; cell -1 if it is a missing one.

    What spells a missing number (``NaN``, which Python writes for a text that is missing, ``null``,
    ``NA``) is missing, unless it is a category of the training data.
    """
    written = category = category_of(text)
    cell = spec.places.get(category, -1)
    if cell < 0 and spec.flag:
        number = _number(category)
        category = next((name for name, of in _TRUTHS.items() if of == number), category)
        cell = spec.places.get(category, -1)
    digest = hash_of(category)
    if cell < 0 and category.lower() not in MISSING_NUMBER:
        cell = len(spec.categories) + digest % spec.buckets
    return cell, digest, _type(written)


def cells_of(spec: ColumnSpec, values: Values) -> Indices:
    """The cell that each row is counted in; -1 where it is missing or invalid."""
    if spec.ordered:
        if isinstance(values, Texts):
            of_texts = [_number(text, truths=spec.flag) for text in values.distinct]
            return _cells_of_numbers(spec, np.array(of_texts, np.float64))[values.indices]
        return _cells_of_numbers(spec, values.values)
    texts = as_texts(values)
    cells = np.array([_category(spec, text)[0] for text in texts.distinct], np.int64)
    return cells[texts.indices]


def _cells_of_numbers(spec: ColumnSpec, numbers: Floats) -> Indices:
    cells = spec.edge_array.searchsorted(numbers, side="right")
    found: Indices = np.where(np.abs(numbers) <= LARGEST_MAGNITUDE, cells, -1)
    return found


def _number(text: str, *, truths: bool = False) -> float:
    """The number that a text stands for; NaN if it is missing or none."""
    try:
        number = number_of(text)
    except ValueError:
        number = _TRUTHS.get(category_of(text)) if truths else None
    return math.nan if number is None else number


def counted(spec: ColumnSpec, values: Values) -> ColumnCounts:
    """Count the values of a column."""
    tally = Tally(spec)
    tally.add(values)
    return tally.counts()
