"""Sums of absolute attributions: exact, mergeable, and enough to say how sure they are.

Every row belongs to one of 64 groups by a hash of its identity, and each group has sums of its own.
The groups are random parts of the traffic, so how much they differ says how much chance there is in
the total (Wolter 2007, *Introduction to Variance Estimation*, ch. 2: random groups); no row has to
be kept, and any split and order of the rows give the same sums.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from mlops_framework.drift.documents import member
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.sample import hash_of
from mlops_framework.drift.sums import Floats, whole_sum
from mlops_framework.drift.values import Indices

GROUPS: Final = 64
EXPONENT: Final = 40
"""Attributions are whole numbers of 2**-40: twelve decimals."""


@dataclass(frozen=True)
class AttributionSums:
    """Attributions of many rows; adding two is associative, commutative and exact.

    Attributes:
        features: Names, in order.
        rows: Rows of each group.
        totals: Of each group, the sum of absolute attributions by feature, in units.
        left_out: Rows of which some attribution was missing or no number.
    """

    features: tuple[str, ...]
    rows: tuple[int, ...] = (0,) * GROUPS
    totals: tuple[tuple[int, ...], ...] = ()
    left_out: int = 0

    @classmethod
    def empty(cls, features: Sequence[str]) -> Self:
        """Sums of no rows: the neutral element of merging."""
        return cls(tuple(features), totals=((0,) * len(features),) * GROUPS)

    @classmethod
    def of_rows(cls, features: Sequence[str], values: Floats, groups: Indices) -> Self:
        """Count rows.

        Args:
            features: Names of the columns.
            values: Shape (rows, features); attributions with their signs.
            groups: Group of each row, see :func:`groups_of`.
        """
        usable = np.isfinite(values).all(1)
        sizes, kept = np.abs(values[usable]), groups[usable]
        order = np.argsort(kept, kind="stable")
        sizes, kept = sizes[order], kept[order]
        ends = np.searchsorted(kept, np.arange(GROUPS + 1))
        totals = []
        for group in range(GROUPS):
            part = sizes[ends[group] : ends[group + 1]]
            totals.append(
                tuple(
                    whole_sum(column, EXPONENT, float(column.max())) if len(column) else 0
                    for column in part.T
                )
            )
        return cls(
            tuple(features),
            tuple(np.diff(ends).tolist()),
            tuple(totals),
            int(len(values) - usable.sum()),
        )

    @property
    def count(self) -> int:
        """Rows counted."""
        return sum(self.rows)

    def means(self) -> Floats:
        """Mean absolute attribution of each feature; zeros without rows."""
        whole = [sum(column) for column in zip(*self.totals, strict=True)]
        return np.array(whole, np.float64) * 2.0**-EXPONENT / max(1, self.count)

    def group_sums(self) -> tuple[Floats, Floats]:
        """Rows of each group that has any, and their sums, shape (groups, features)."""
        rows = np.array(self.rows, np.float64)
        table = np.array(self.totals, np.float64).reshape(GROUPS, -1) * 2.0**-EXPONENT
        return rows[rows > 0], table[rows > 0]

    def merged(self, other: AttributionSums) -> AttributionSums:
        """Both as one.

        Raises:
            ProfileMismatch: If they are of other features.
        """
        if self.features != other.features:
            raise ProfileMismatch(
                f"Attributions of {len(self.features)} features cannot be added to those of "
                f"{len(other.features)} others; profile the captures again."
            )
        return AttributionSums(
            self.features,
            tuple(map(int.__add__, self.rows, other.rows)),
            tuple(
                tuple(map(int.__add__, mine, theirs))
                for mine, theirs in zip(self.totals, other.totals, strict=True)
            ),
            self.left_out + other.left_out,
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON; large whole numbers as text."""
        return {
            "features": list(self.features),
            "rows": list(self.rows),
            "totals": [list(map(str, group)) for group in self.totals],
            "left_out": self.left_out,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another shape.
        """
        with member(source):
            features = tuple(map(str, document["features"]))
            rows = tuple(map(int, document["rows"]))
            totals = tuple(tuple(map(int, group)) for group in document["totals"])
            if len(rows) != GROUPS or [len(group) for group in totals] != [len(features)] * GROUPS:
                raise ValueError(f"sums of {len(rows)} groups where {GROUPS} belong")
            return cls(features, rows, totals, int(document["left_out"]))


def groups_of(identities: Sequence[str]) -> Indices:
    """The group of each row, by a hash of its identity."""
    return np.array([hash_of(identity) % GROUPS for identity in identities], np.int64)
