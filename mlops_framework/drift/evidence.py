"""What one window says about each column, small enough to keep for hundreds of windows.

A window of thin traffic can rarely prove a change by itself. What it says is kept as a handful of
numbers a column: by how much a mean score or a share differs from the baseline's, and from how many
values. :mod:`.slow_drift` adds windows up.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal, TypeAlias

import numpy as np

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.comparison import FEWEST_VALUES, known
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.sums import Floats

Side: TypeAlias = Literal["location", "scale", "share", "missing"]

MOST_SHARES: Final = 8
"""Of a column's categories, so many of the most frequent ones are followed."""
_EXPECTED: Final = 20.0
"""A share is normal enough from this many expected records on."""


@dataclass(frozen=True, order=True)
class Trait:
    """Something about a column that can move up or down.

    Attributes:
        column: The column.
        side: ``location`` and ``scale``: mean midrank and its spread; ``share``: of the records
            with one value; ``missing``: of those without.
        value: For ``share``, which: its number among the column's cells, the most frequent first.
    """

    column: str
    side: Side
    value: int = 0

    @property
    def key(self) -> str:
        """The trait as text, for documents; the column comes last, whatever it is called."""
        return f"{self.side}:{self.value}:{self.column}"


@dataclass(frozen=True)
class Reference:
    """What the baseline says about a trait.

    Attributes:
        mean: Its mean.
        variance: Its variance for a single record.
        records: Records of the baseline that it comes from.
        between: Variance of its mean between ordinary hours, beyond sampling.
        hours: From how many hours that was estimated; 0 for none.
        moved: How far the mean is when a share of 1 of the records has moved: a share moves by
            itself; bell-shaped values that move a share e of the records move their mean midrank by
            e / sqrt(2), and the mean squared distance of midranks from the middle by 0.38 e.
    """

    mean: float
    variance: float
    records: int
    between: float = 0.0
    hours: int = 0
    moved: float = 1.0


Evidence: TypeAlias = Mapping[str, tuple[float, int]]
"""Of each trait (by its key) the window's mean and the number of values it is taken from."""


def references(baseline: Baseline) -> Mapping[Trait, Reference]:
    """Every trait of the baseline that can be followed."""
    return {
        trait: reference
        for column in baseline.columns
        for trait, reference in _of_column(column)
        if reference.variance > 0
    }


def evidence(baseline: Baseline, profile: Profile) -> Evidence:
    """What a window says; traits that it has too few values for are left out."""
    found: dict[str, tuple[float, int]] = {}
    for column, window in zip(baseline.columns, profile.columns, strict=True):
        name = column.spec.name
        if window.records >= FEWEST_VALUES:
            share = window.missing / window.records
            found[Trait(name, "missing").key] = (_short(share), window.records)
        if window.valid < FEWEST_VALUES or not column.counts.valid:
            continue
        if column.spec.ordered:
            counts = np.array(window.cells, np.float64)
            for side, scores in _scores(column.counts).items():
                mean = float(counts @ scores) / window.valid
                found[Trait(name, side).key] = (_short(mean), window.valid)
        if column.spec.kind != "numeric":
            theirs, ours = known(column, column.counts), known(column, window)
            for value in _frequent(theirs):
                if window.valid * theirs[value] >= _EXPECTED * column.counts.valid:
                    share = ours[value] / window.valid
                    found[Trait(name, "share", value).key] = (_short(share), window.valid)
    return found


def _of_column(column: BaselineColumn) -> Iterator[tuple[Trait, Reference]]:
    counts, between, name = column.counts, column.between, column.spec.name
    hours = between.hours if between else 0
    if counts.records:
        share = (counts.missing + 0.5) / (counts.records + 1)
        yield Trait(name, "missing"), Reference(share, share * (1 - share), counts.records)
    if not counts.valid:
        return
    if column.spec.ordered:
        shares = np.array(counts.cells, np.float64) / counts.valid
        varies = {"location": between.location, "scale": between.scale} if between else {}
        for side, scores in _scores(counts).items():
            mean = float(shares @ scores)
            variance = float(shares @ scores**2) - mean**2
            moved = math.sqrt(0.5) if side == "location" else 0.38
            more = varies.get(side, 0.0)
            yield (
                Trait(name, side),
                Reference(mean, variance, counts.valid, more, hours, moved),
            )
    if column.spec.kind != "numeric":
        theirs = known(column, counts)
        for value in _frequent(theirs):
            share = theirs[value] / counts.valid
            variance = share * (1 - share)
            more = between.design * variance if between else 0.0
            yield (
                Trait(name, "share", value),
                Reference(share, variance, counts.valid, more, hours),
            )


def _scores(counts: ColumnCounts) -> Mapping[Literal["location", "scale"], Floats]:
    """Of each cell the baseline's midrank, centred, and its squared distance from the middle."""
    shares = np.array(counts.cells, np.float64) / counts.valid
    middle = np.cumsum(shares) - shares / 2 - 0.5
    return {"location": middle, "scale": middle**2}


def _frequent(counts: Sequence[int]) -> list[int]:
    """Numbers of the most frequent cells, the most frequent first."""
    found = np.asarray(counts, np.int64)
    order = np.argsort(-found, kind="stable")[:MOST_SHARES]
    return [int(cell) for cell in order if found[cell]]


def _short(value: float) -> float:
    """Nine significant digits: enough, and the document stays small."""
    return float(f"{value:.9g}")
