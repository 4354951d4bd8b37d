"""From what the engine counted to ``statistics.json`` and ``constraints.json`` of data quality.

A profile counts on the cells of its baseline, not on a sketch. The sketch written here places the
rows of a cell evenly inside it (whole numbers where the column holds such), so whoever reads it
finds the same counts in the same cells, and quantiles within a cell: 1/128 of the training data.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Final

import numpy as np

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec, top_categories
from mlops_framework.drift.model_monitor_files.constraints import (
    Constraints,
    FeatureConstraints,
    MonitoringSettings,
)
from mlops_framework.drift.model_monitor_files.sketch import (
    SHRINKING,
    SIZE,
    Weights,
    added_up,
    levels_of,
    scaled,
    with_ends,
)
from mlops_framework.drift.model_monitor_files.statistics import InferredType
from mlops_framework.drift.number_cells import plain
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.sums import Floats

BUCKETS: Final = 10
"""Model Monitor's number of buckets, which cannot be configured."""
MOST_CATEGORIES: Final = 1024
MOST_DOMAINS: Final = 100
SELDOM: Final = 0.1
"""A column of texts has a closed set of values if at most this share of them occurs only once."""
_POINTS: Final = 16
"""Points that the rows of a cell are placed at."""
_ITEMS: Final = SIZE
"""Items of a sketch."""


def baseline_statistics(baseline: Baseline) -> dict[str, Any]:
    """``statistics.json`` of the training data."""
    return {
        "version": 0.0,
        "dataset": {"item_count": baseline.rows},
        "features": [
            _feature(column, column.counts, float(column.distinct)) for column in baseline.columns
        ],
    }


def window_statistics(baseline: Baseline, profile: Profile) -> dict[str, Any]:
    """``statistics.json`` of a window."""
    return {
        "version": 0.0,
        "dataset": {"item_count": profile.rows},
        "features": [
            _feature(column, counts, counts.distinct.estimate)
            for column, counts in zip(baseline.columns, profile.columns, strict=True)
        ],
    }


def suggested_constraints(
    baseline: Baseline, settings: MonitoringSettings | None = None
) -> Constraints:
    """The constraints that Model Monitor's baseline job would suggest for the training data.

    Args:
        baseline: The training data.
        settings: How strictly to check; the container's defaults if not given.
    """
    strictness = settings or MonitoringSettings()
    return Constraints(
        tuple(_suggested(column, strictness) for column in baseline.columns), strictness
    )


def inferred_type(column: BaselineColumn, counts: ColumnCounts) -> InferredType:
    """The type of what was counted of a column."""
    if not counts.valid:
        return "Unknown"
    if not column.spec.ordered:
        return "String"
    if not counts.untyped:
        return "Fractional" if counts.fractional else "Integral"
    if column.integral and (not column.spec.whole or counts.whole == counts.valid):
        return "Integral"
    return "Fractional"


def _suggested(column: BaselineColumn, settings: MonitoringSettings) -> FeatureConstraints:
    spec, counts = column.spec, column.counts
    low = counts.minimum
    closed = (
        not spec.ordered
        and column.complete
        and len(spec.categories) <= MOST_DOMAINS
        and column.singletons <= SELDOM * column.distinct
    )
    return FeatureConstraints(
        spec.name,
        inferred_type(column, counts),
        (counts.records - counts.missing) / counts.records if counts.records else None,
        low is not None and low >= 0,
        spec.categories if closed and spec.categories else None,
        settings,
    )


def _feature(column: BaselineColumn, counts: ColumnCounts, distinct: float) -> dict[str, Any]:
    kind = inferred_type(column, counts)
    feature: dict[str, Any] = {"name": column.spec.name, "inferred_type": kind}
    common = {"num_present": counts.records - counts.missing, "num_missing": counts.missing}
    if kind in ("Integral", "Fractional"):
        return feature | {
            "numerical_statistics": {"common": common} | _numbers(column.spec, counts, kind)
        }
    categories = top_categories(column.spec, counts, MOST_CATEGORIES)[0] if counts.valid else ()
    return feature | {
        "string_statistics": {
            "common": common,
            "distinct_count": distinct,
            "distribution": {
                "categorical": {"buckets": [{"value": text, "count": n} for text, n in categories]}
            },
        }
    }


def _numbers(spec: ColumnSpec, counts: ColumnCounts, kind: InferredType) -> dict[str, Any]:
    low, high = counts.minimum or 0.0, counts.maximum or 0.0
    mean = counts.mean(spec.centre) or 0.0
    values, weights = _placed(spec, counts, whole=kind == "Integral")
    return {
        "mean": mean,
        "sum": mean * counts.valid,
        "std_dev": counts.deviation() or 0.0,
        "min": low,
        "max": high,
        "distribution": {
            "kll": {
                "buckets": list(_buckets(values, weights, low, high)),
                "sketch": {
                    "parameters": {"c": SHRINKING, "k": float(SIZE)},
                    "data": levels_of(values, weights, most=_ITEMS),
                },
            }
        },
    }


def _placed(spec: ColumnSpec, counts: ColumnCounts, *, whole: bool) -> tuple[Floats, Weights]:
    """The rows of every cell at values inside it."""
    low, high = counts.minimum or 0.0, counts.maximum or 0.0
    ends, scale = (low, *spec.edges, math.nextafter(high, math.inf)), max(abs(low), abs(high))
    values, weights = [np.empty(0)], [np.empty(0, np.int64)]
    for (lower, upper), count in zip(pairwise(ends), counts.cells, strict=True):
        if not count:
            continue
        left, right = max(lower, low), min(upper, math.nextafter(high, math.inf))
        single = None if whole else plain(left, right, scale)
        found = np.array([single]) if single is not None else _inside(left, right, count, whole)
        values.append(found)
        weights.append(scaled(np.ones(len(found), np.int64), count))
    return with_ends(*added_up(np.concatenate(values), np.concatenate(weights)), low, high)


def _inside(left: float, right: float, count: int, whole: bool) -> Floats:
    """A few values of ``left <= x < right``, evenly spread."""
    number = min(count, _POINTS)
    first = math.ceil(left)
    if whole and first < right and abs(left) < 2.0**53:
        last = math.ceil(right) - 1
        if last - first < number:
            return np.arange(first, last + 1, dtype=np.float64)
        return np.rint(np.linspace(first, last, number))
    if math.nextafter(left, math.inf) >= right:
        return np.array([left])
    places = (np.arange(number) + 0.5) / number
    spread: Floats = left + places * (right - left)
    return np.clip(spread, left, math.nextafter(right, -math.inf))


def _buckets(values: Floats, weights: Weights, low: float, high: float) -> Iterator[dict[str, Any]]:
    """Ten buckets of equal width from minimum to maximum; the last holds the maximum too."""
    edges = low + (high - low) * np.arange(BUCKETS + 1) / BUCKETS
    edges[-1] = high
    places = np.clip(np.searchsorted(edges, values, side="right") - 1, 0, BUCKETS - 1)
    found = np.bincount(places, weights, minlength=BUCKETS)
    for (lower, upper), count in zip(pairwise(edges.tolist()), found.tolist(), strict=True):
        yield {"lower_bound": lower, "upper_bound": upper, "count": count}
