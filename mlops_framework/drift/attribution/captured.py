"""Attributions that the endpoint's answers hold."""

from __future__ import annotations

import numpy as np

from mlops_framework.drift.attribution.sampled_rows import hashes_by_identity
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.attribution.sums import GROUPS, AttributionSums
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Values


def attributed(settings: AttributionSettings, rows: CapturedRows) -> AttributionSums:
    """Sums of the attributions of captured rows."""
    names = tuple(settings.outputs)
    columns = [_numbers(rows.outputs.get(name), len(rows)) for name in settings.outputs.values()]
    groups = (hashes_by_identity(rows) % np.uint64(GROUPS)).astype(np.int64)
    return AttributionSums.of_rows(names, np.column_stack(columns), groups)


def _numbers(values: Values | None, rows: int) -> Floats:
    """A column of attributions, NaN where there is none or no number."""
    if values is None:
        return np.full(rows, np.nan)
    if isinstance(values, Numbers):
        return values.values
    return np.array([_number(text) for text in values.distinct], np.float64)[values.indices]


def _number(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        return float("nan")
