"""The rows that the flip test looks at: a fair sample that merges in any order to the same rows.

Of a window's rows with a prediction those whose identities have the smallest hashes are kept
(bottom-k sampling): what is among the smallest of all was among the smallest of every part that
held it. A row that was captured twice is two rows. Rows without an identity are drawn by what they
hold, so that of rows that are all the same in it either all are drawn or none.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.bias.condition import UNKNOWN, Marks
from mlops_framework.drift.documents import member
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.ground_truth.id_hashes import Hashes, mixed
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Values, as_texts

_ORDER: Final = ">u8"
_HASH, _MARKS, _COLUMNS = 0, 1, 2
"""Where a row's words are: its hash, its marks, and from here on its numbers."""


@dataclass(frozen=True)
class FlipSample:
    """Rows as whole numbers of 64 bits, in ascending order.

    Attributes:
        limit: Most rows kept.
        facets: Facets that are marked.
        columns: Columns that people are compared by.
        packed: Of each row its hash, its marks and the bits of its numbers, largest byte first.
    """

    limit: int
    facets: int
    columns: int
    packed: bytes = b""

    @classmethod
    def of_rows(
        cls,
        limit: int,
        hashes: Hashes,
        good: Marks,
        inside: Sequence[Marks],
        columns: Sequence[Values | None],
    ) -> Self:
        """Sample rows.

        Args:
            limit: Most rows kept.
            hashes: Of each row by its identity; 0 for none.
            good: Which rows were predicted good; those of which it is not known are left out.
            inside: Of each facet, which rows belong to it.
            columns: What people are compared by; ``None`` for a column that was not captured.
        """
        kept = np.flatnonzero(good != UNKNOWN)
        rows = np.empty((len(kept), _COLUMNS + len(columns)), np.uint64)
        marks = good[kept].astype(np.uint64)
        for place, one in enumerate(inside):
            shifted = (one[kept].astype(np.int64) - UNKNOWN).astype(np.uint64)
            marks |= shifted << np.uint64(1 + 2 * place)
        rows[:, _MARKS] = marks
        for place, values in enumerate(columns, _COLUMNS):
            numbers = np.full(len(kept), np.nan) if values is None else numbers_in(values)[kept]
            # One spelling of what is no number, and of zero.
            rows[:, place] = np.where(np.isnan(numbers), np.nan, numbers + 0.0).view(np.uint64)
        known = hashes[kept]
        rows[:, _HASH] = np.where(known == 0, _of_contents(rows[:, _MARKS:]), known)
        empty = cls(limit, len(inside), len(columns))
        return empty._with(rows)

    def __len__(self) -> int:
        return len(self.packed) // (8 * (_COLUMNS + self.columns))

    @property
    def good(self) -> NDArray[np.bool_]:
        """Which rows were predicted good."""
        found: NDArray[np.bool_] = (self._rows[:, _MARKS] & np.uint64(1)) == 1
        return found

    def inside(self, facet: int) -> Marks:
        """Which rows belong to a facet, by its place."""
        marks = self._rows[:, _MARKS] >> np.uint64(1 + 2 * facet) & np.uint64(3)
        found: Marks = (marks.astype(np.int64) + UNKNOWN).astype(np.int8)
        return found

    def numbers(self, column: int) -> Floats:
        """A column, by its place; NaN where missing or no number."""
        return np.ascontiguousarray(self._rows[:, _COLUMNS + column]).view(np.float64)

    def merged(self, other: FlipSample) -> FlipSample:
        """The sample of the rows of both.

        Raises:
            ProfileMismatch: If they are of other facets or columns.
        """
        if (self.limit, self.facets, self.columns) != (other.limit, other.facets, other.columns):
            raise ProfileMismatch(
                "Samples for the flip test were drawn with other settings and do not add up; "
                "profile the captures again."
            )
        if not self.packed or not other.packed:
            return other if not self.packed else self
        return self._with(np.concatenate([self._rows, other._rows]))

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "limit": self.limit,
            "facets": self.facets,
            "columns": self.columns,
            "rows": base64.b64encode(self.packed).decode(),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another shape.
        """
        with member(source):
            packed = base64.b64decode(document["rows"], validate=True)
            limit, facets = int(document["limit"]), int(document["facets"])
            found = cls(limit, facets, int(document["columns"]), packed)
            width = 8 * (_COLUMNS + found.columns)
            if len(packed) % width or len(packed) > width * found.limit:
                raise ValueError(f"{len(packed)} bytes of rows of {width}")
            return found

    @property
    def _rows(self) -> Hashes:
        words = np.frombuffer(self.packed, _ORDER).astype(np.uint64)
        return words.reshape(-1, _COLUMNS + self.columns)

    def _with(self, rows: Hashes) -> Self:
        """The smallest of some rows."""
        if len(rows) > self.limit:
            last = np.partition(rows[:, _HASH], self.limit - 1)[self.limit - 1]
            rows = rows[rows[:, _HASH] <= last]
        order = np.lexsort(rows.T[::-1])[: self.limit]
        packed = rows[order].astype(_ORDER).tobytes()
        return type(self)(self.limit, self.facets, self.columns, packed)


def numbers_in(values: Values) -> Floats:
    """A column as numbers, NaN where missing or unreadable."""
    if isinstance(values, Numbers):
        return values.values
    texts = as_texts(values)
    numbers = []
    for text in texts.distinct:
        try:
            numbers.append(float(text))
        except ValueError:
            numbers.append(float("nan"))
    return np.array(numbers, np.float64)[texts.indices]


def _of_contents(words: Hashes) -> Hashes:
    """A hash of each row of words."""
    found = np.zeros(len(words), np.uint64)
    for column in words.T:
        found = mixed(found ^ column)
    return found
