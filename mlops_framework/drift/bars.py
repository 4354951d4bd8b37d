"""Bars of a column for a report: few groups, each with its share in baseline and window."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from mlops_framework.drift.baseline import BaselineColumn
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec
from mlops_framework.drift.findings import number
from mlops_framework.drift.number_cells import plain_edge
from mlops_framework.drift.ordinary import Ordinary

_MOST_BARS: Final = 12
_SINGLE_CODES: Final = 20
_UNSEEN: Final = "not in training data"
_BELOW: Final = "below "
_ABOVE: Final = "above "


@dataclass(frozen=True)
class Bar:
    """A group of values and its share of the valid records, 0..1.

    Attributes:
        label: The values.
        baseline: Its share in the training data.
        window: Its share in the window.
        ordinary: Between which shares it lay in nine of ten windows of the training data; ``None``
            where that is not known.
    """

    label: str
    baseline: float
    window: float
    ordinary: tuple[float, float] | None = None


def bars_of(
    column: BaselineColumn, window: ColumnCounts, ordinary: Ordinary | None = None
) -> tuple[Bar, ...]:
    """The bars of a column: codes or groups of them, tenths of the baseline, or categories."""
    baseline = column.counts
    if not baseline.records:  # constraints alone
        return ()
    match column.spec.kind:
        case "codes":
            groups = _code_groups(column.spec)
        case "numeric":
            groups = _numeric_groups(column.spec, baseline)
        case "categories":
            groups = _category_groups(column.spec, baseline, window)
    m, n = baseline.valid or 1, window.valid or 1
    bars = (
        Bar(
            label,
            sum(baseline.cells[cell] for cell in cells) / m,
            sum(window.cells[cell] for cell in cells) / n,
            ordinary.range_of(cells) if ordinary else None,
        )
        for label, cells in groups
    )
    hidden_when_empty = (_UNSEEN, _BELOW, _ABOVE)
    return tuple(
        bar
        for bar in bars
        if bar.baseline or bar.window or not bar.label.startswith(hidden_when_empty)
    )


_Group = tuple[str, Sequence[int]]


def _code_groups(spec: ColumnSpec) -> list[_Group]:
    codes = spec.codes
    unseen = (_UNSEEN, range(0, spec.cells, 2))
    if len(codes) <= _SINGLE_CODES:
        return [(number(code), (2 * i + 1,)) for i, code in enumerate(codes)] + [unseen]
    width = _round_width(codes[-1] - codes[0])
    members: dict[int, list[int]] = {}
    for i, code in enumerate(codes):
        members.setdefault(math.floor(code / width), []).append(i)
    return [
        (_span(codes[group[0]], codes[group[-1]]), [2 * i + 1 for i in group])
        for _, group in sorted(members.items())
    ] + [unseen]


def _numeric_groups(spec: ColumnSpec, baseline: ColumnCounts) -> list[_Group]:
    """About equally heavy groups of neighbouring cells, and what lies beyond the baseline."""
    groups: list[list[int]] = [[]]
    weight, limit = 0, baseline.valid / 10
    inner = range(1, spec.cells - 1)
    for cell in inner:
        groups[-1].append(cell)
        weight += baseline.cells[cell]
        if weight >= limit and cell != inner[-1]:
            groups.append([])
            weight = 0
    scale = max(abs(spec.edges[0]), abs(spec.edges[-1]))
    edges = [plain_edge(edge, scale) for edge in spec.edges]
    spans = [(_span(edges[group[0] - 1], edges[group[-1]]), group) for group in groups if group]
    low, high = number(baseline.minimum), number(baseline.maximum)
    return [
        (f"{_BELOW}{low}", (0,)),
        *spans,
        (f"{_ABOVE}{high}", (spec.cells - 1,)),
    ]


def _category_groups(
    spec: ColumnSpec, baseline: ColumnCounts, window: ColumnCounts
) -> list[_Group]:
    weights = [
        max(b / (baseline.valid or 1), w / (window.valid or 1))
        for b, w in zip(
            baseline.cells[: len(spec.categories)],
            window.cells[: len(spec.categories)],
            strict=True,
        )
    ]
    ranked = sorted(range(len(weights)), key=lambda cell: (-weights[cell], cell))
    top, rest = ranked[: _MOST_BARS - 2], ranked[_MOST_BARS - 2 :]
    groups: list[_Group] = [(spec.categories[cell][:24], (cell,)) for cell in top]
    if rest:
        groups.append((f"{len(rest):,} more", rest))
    last = _UNSEEN if spec.buckets == 1 else "all others"
    return [*groups, (last, range(len(spec.categories), spec.cells))]


def _round_width(spread: float) -> float:
    """The smallest of 1, 2, 5, 10, … (times a power of ten) that makes few enough groups."""
    power = 10.0 ** math.floor(math.log10(spread / _MOST_BARS))
    return next(m * power for m in (1, 2, 5, 10, 20) if spread / (m * power) <= _MOST_BARS - 1)


def _span(low: float, high: float) -> str:
    first, last = number(low), number(high)
    return first if first == last else f"{first} to {last}"
