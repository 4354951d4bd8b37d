"""A baseline from ``statistics.json``, where the training data itself is not at hand."""

from __future__ import annotations

from collections.abc import Collection

import numpy as np

from mlops_framework.drift.baseline import Baseline, column_of
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.model_monitor_files.statistics import (
    MOST_ROWS,
    FeatureStatistics,
    Statistics,
    UnknownStatistics,
)
from mlops_framework.drift.values import Numbers, Values


def baseline_of(statistics: Statistics, *, source: str, without: Collection[str] = ()) -> Baseline:
    """The baseline that the statistics allow.

    Quantiles are those of the sketch (about 0.1 % of the rows off), hours are not known. A column
    without any value keeps its place, by which headerless captures are read.

    Args:
        statistics: What Model Monitor counted.
        source: Where it lies, for reports.
        without: Columns to leave out: the label, columns of the response.

    Raises:
        BaselineInvalid: If nothing is left.
    """
    kept = [feature for feature in statistics.features if feature.name not in without]
    if not kept or not statistics.rows:
        left_out = f" other than {', '.join(sorted(without))}" if without else ""
        raise BaselineInvalid(
            f"{source} has no rows or no columns{left_out}; nothing to compare with."
        )
    columns = tuple(column_of(each.name, _values(each, statistics.rows)) for each in kept)
    return Baseline(columns, statistics.rows, source)


def _values(feature: FeatureStatistics, rows: int) -> Values:
    if isinstance(feature, UnknownStatistics):
        return Numbers(np.full(min(rows, MOST_ROWS), np.nan))
    return feature.values()
