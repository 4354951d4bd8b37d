"""Bias counts: mergeable, exact, and all that the metrics need."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, Self

import numpy as np

from mlops_framework.drift.bias.condition import UNKNOWN, Condition, Marks, plain
from mlops_framework.drift.documents import member
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.values import Texts, Values, as_texts

MOST_GROUPS: Final = 256
"""Groups to condition on; more are no groups but a feature, and would make the counts large."""

_OBSERVED: Final = 3  # bad, good, not known
_CELLS: Final = 2 * _OBSERVED * 2


class Outcomes(NamedTuple):
    """What became of the members of one group; counts of rows.

    Attributes:
        tp: Observed good, predicted good.
        fp: Observed bad, predicted good.
        fn: Observed good, predicted bad.
        tn: Observed bad, predicted bad.
        good: Predicted good, no label known.
        bad: Predicted bad, no label known.
    """

    tp: int
    fp: int
    fn: int
    tn: int
    good: int = 0
    bad: int = 0

    @property
    def labelled(self) -> int:
        """Rows with a known label."""
        return self.tp + self.fp + self.fn + self.tn

    @property
    def predicted_good(self) -> int:
        """Rows predicted good, with a label or without."""
        return self.tp + self.fp + self.good

    @property
    def rows(self) -> int:
        """All rows."""
        return self.labelled + self.good + self.bad


class Quad(NamedTuple):
    """Rows of one group to condition on: outside and inside the facet, by prediction."""

    rest_bad: int
    rest_good: int
    facet_bad: int
    facet_good: int


@dataclass(frozen=True)
class FacetCounts:
    """Counts of one facet.

    Attributes:
        cells: Rows by (inside the facet, observed, predicted); observed is bad, good, not known.
        unknown: Rows whose facet column is missing or unreadable.
        groups: Rows by value of the group column; empty without one.
        too_many_groups: Whether there were more than ``MOST_GROUPS``; then none is kept.
    """

    cells: tuple[int, ...] = (0,) * _CELLS
    unknown: int = 0
    groups: Mapping[str, Quad] = field(default_factory=dict)
    too_many_groups: bool = False

    def outcomes(self, *, facet: bool) -> Outcomes:
        """Of the facet, or of all others."""
        bad_bad, bad_good, good_bad, good_good, unknown_bad, unknown_good = self.cells[
            6 * facet : 6 * facet + 6
        ]
        return Outcomes(good_good, bad_good, good_bad, bad_bad, unknown_good, unknown_bad)

    def merged(self, other: FacetCounts) -> FacetCounts:
        """Both as one: groups beyond the limit drop all groups, in whatever order they came."""
        groups = dict(self.groups)
        for name, quad in other.groups.items():
            groups[name] = Quad(*map(int.__add__, groups.get(name, _NONE), quad))
        return _limited(
            tuple(map(int.__add__, self.cells, other.cells)),
            self.unknown + other.unknown,
            groups,
            self.too_many_groups or other.too_many_groups,
        )


_NONE: Final = Quad(0, 0, 0, 0)


@dataclass(frozen=True)
class Counting:
    """What is counted: the part of a monitor's bias settings that the counts depend on.

    Attributes:
        facets: Column and members of each group.
        prediction: Which predictions are good.
        label: Which observed labels are good.
        group: Column to condition on; empty for none.
    """

    facets: tuple[tuple[str, Condition], ...]
    prediction: Condition
    label: Condition
    group: str = ""

    @property
    def id(self) -> str:
        """Digest: counts of other settings do not add up."""
        document = {
            "facets": [[column, condition.to_document()] for column, condition in self.facets],
            "prediction": self.prediction.to_document(),
            "label": self.label.to_document(),
            "group": self.group,
        }
        return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:16]


@dataclass(frozen=True)
class BiasCounts:
    """Counts of all facets of one window; adding two is associative, commutative and exact.

    Attributes:
        counting: Digest of what was counted.
        facets: One per facet, in the settings' order.
        overall: Rows by (observed, predicted), whatever their group.
        unpredicted: Rows without a usable prediction; they are in no other count.
    """

    counting: str
    facets: tuple[FacetCounts, ...]
    overall: tuple[int, ...] = (0,) * (_OBSERVED * 2)
    unpredicted: int = 0

    @classmethod
    def empty(cls, counting: Counting) -> Self:
        """Counts of no rows: the neutral element of merging."""
        return cls(counting.id, tuple(FacetCounts() for _ in counting.facets))

    @property
    def outcomes(self) -> Outcomes:
        """Of everybody."""
        bad_bad, bad_good, good_bad, good_good, unknown_bad, unknown_good = self.overall
        return Outcomes(good_good, bad_good, good_bad, bad_bad, unknown_good, unknown_bad)

    def merged(self, other: BiasCounts) -> BiasCounts:
        """Both as one.

        Raises:
            ProfileMismatch: If something else was counted.
        """
        if self.counting != other.counting:
            raise ProfileMismatch(
                f"Bias counts of the settings {self.counting} cannot be added to those of "
                f"{other.counting}; profile the captures again with the present settings."
            )
        return BiasCounts(
            self.counting,
            tuple(map(FacetCounts.merged, self.facets, other.facets)),
            tuple(map(int.__add__, self.overall, other.overall)),
            self.unpredicted + other.unpredicted,
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON, keys in a fixed order; what is empty is left out."""
        return {
            "counting": self.counting,
            "facets": [_facet_to(facet) for facet in self.facets],
            "overall": list(self.overall),
            "unpredicted": self.unpredicted,
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another shape.
        """
        with member(source):
            return cls(
                str(document["counting"]),
                tuple(_facet_from(facet) for facet in document["facets"]),
                _exactly(document["overall"], _OBSERVED * 2),
                int(document["unpredicted"]),
            )


def count_rows(
    counting: Counting,
    columns: Mapping[str, Values],
    predictions: Values,
    labels: Values | None = None,
) -> BiasCounts:
    """Count rows.

    Args:
        counting: What to count.
        columns: The facets' columns and the group's, by name, as long as the predictions; a
            column that is not there is unknown in every row.
        predictions: The prediction of each row.
        labels: The observed label of each row, empty where it is not known; ``None`` for none.
    """
    predicted = counting.prediction.marks(predictions)
    usable = predicted != UNKNOWN
    good = predicted[usable].astype(np.int64)
    observed = np.full(len(good), 2, np.int64)
    if labels is not None:
        found = counting.label.marks(labels)[usable]
        observed = np.where(found == UNKNOWN, 2, found).astype(np.int64)
    outcome = observed * 2 + good
    groups = _groups(columns.get(counting.group)) if counting.group else None
    facets = []
    for column, condition in counting.facets:
        values = columns.get(column)
        if values is None:
            facets.append(FacetCounts(unknown=len(good)))
            continue
        inside = condition.marks(values)[usable]
        facets.append(_facet(inside, outcome, good, groups, usable))
    overall = np.bincount(outcome, minlength=_OBSERVED * 2)
    return BiasCounts(
        counting.id, tuple(facets), tuple(overall.tolist()), int(len(predicted) - len(good))
    )


def _facet(
    inside: Marks,
    outcome: np.ndarray[Any, np.dtype[np.int64]],
    good: np.ndarray[Any, np.dtype[np.int64]],
    groups: Texts | None,
    usable: np.ndarray[Any, np.dtype[np.bool_]],
) -> FacetCounts:
    known = inside != UNKNOWN
    member_of = inside[known].astype(np.int64)
    cells = np.bincount(member_of * 6 + outcome[known], minlength=_CELLS)
    by_group: dict[str, Quad] = {}
    if groups is not None:
        places = groups.indices[usable][known] * 4 + member_of * 2 + good[known]
        table = np.bincount(places, minlength=4 * len(groups.distinct)).reshape(-1, 4)
        for name, row in zip(groups.distinct, table.tolist(), strict=True):
            if name and any(row):
                by_group[name] = Quad(*map(int.__add__, by_group.get(name, _NONE), row))
    return _limited(tuple(cells.tolist()), int(len(inside) - known.sum()), by_group, False)


def _groups(values: Values | None) -> Texts | None:
    if values is None:
        return None
    texts = as_texts(values)
    return Texts(texts.indices, [plain(text) for text in texts.distinct])


def _limited(
    cells: tuple[int, ...], unknown: int, groups: Mapping[str, Quad], too_many: bool
) -> FacetCounts:
    if too_many or len(groups) > MOST_GROUPS:
        return FacetCounts(cells, unknown, {}, True)
    return FacetCounts(cells, unknown, groups)


def _facet_to(facet: FacetCounts) -> dict[str, Any]:
    document: dict[str, Any] = {"cells": list(facet.cells), "unknown": facet.unknown}
    if facet.groups:
        document["groups"] = {name: list(quad) for name, quad in sorted(facet.groups.items())}
    if facet.too_many_groups:
        document["too_many_groups"] = True
    return document


def _facet_from(document: Mapping[str, Any]) -> FacetCounts:
    groups = document.get("groups", {})
    return FacetCounts(
        _exactly(document["cells"], _CELLS),
        int(document["unknown"]),
        {name: Quad(*_exactly(quad, 4)) for name, quad in groups.items()},
        bool(document.get("too_many_groups", False)),
    )


def _exactly(numbers: Sequence[Any], count: int) -> tuple[int, ...]:
    read = tuple(map(int, numbers))
    if len(read) != count:
        raise ValueError(f"{len(read)} counts where {count} belong")
    return read
