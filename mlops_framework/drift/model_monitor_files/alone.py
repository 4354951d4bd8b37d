"""A baseline from ``constraints.json`` alone: what values may be like, and not how often.

Types, completeness, known values and the columns themselves can be checked by it, by Model
Monitor's rules. Nothing is known of distributions, so that the engine's own tests have nothing to
compare with; such a baseline has no rows.
"""

from __future__ import annotations

from typing import Final

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.columns import ColumnSpec, empty_counts
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.model_monitor_files.constraints import Constraints, FeatureConstraints
from mlops_framework.drift.sums import PRECISION
from mlops_framework.drift.values import category_of

_ZERO: Final = (0.0,)


def baseline_of_constraints(
    constraints: Constraints, *, source: str, without: str = ""
) -> Baseline:
    """The baseline that constraints allow.

    Args:
        constraints: What the columns have to be like, in the data's order.
        source: Where they lie, for reports.
        without: Column to leave out; empty for none.

    Raises:
        BaselineInvalid: If nothing is left, a column is there twice, or there is no such column.
    """
    names = [feature.name for feature in constraints.features]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise BaselineInvalid(f"{source} names {', '.join(twice)} more than once.")
    if without and without not in names:
        raise BaselineInvalid(
            f"{source} has no column {without!r} to leave out as label_column; its columns are "
            f"{', '.join(names)}."
        )
    kept = tuple(feature for feature in constraints.features if feature.name != without)
    if not kept:
        raise BaselineInvalid(f"{source} has no columns to check.")
    return Baseline(tuple(map(_column, kept)), 0, source, Constraints(kept, constraints.settings))


def constraints_alone(source: str) -> str:
    """Why such a baseline is no good for the engine's own tests, and what to do."""
    return (
        f"{source} holds constraints alone: what values may be like, and not how often each is. "
        "The engine's own tests compare distributions, so give the training data, captured "
        "traffic, or the statistics.json beside it; or have Model Monitor's rules judge (policy: "
        "model-monitor), which then check types, completeness, known values and columns, and no "
        "distributions."
    )


def _column(feature: FeatureConstraints) -> BaselineColumn:
    integral = feature.inferred_type == "Integral"
    if integral or feature.inferred_type == "Fractional":
        spec = ColumnSpec(feature.name, "numeric", _ZERO, exponent=PRECISION, whole=integral)
    else:
        known = dict.fromkeys(map(category_of, feature.domains or ()))
        categories = tuple(text for text in known if text)
        spec = ColumnSpec(feature.name, "categories", categories=categories)
    return BaselineColumn(spec, empty_counts(spec), 0, 0, 0, integral=integral)


__all__ = ["baseline_of_constraints", "constraints_alone"]
