"""What a baseline needs for Model Monitor's rules: its constraints, and whole numbers counted."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Final

from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files.constraints import Constraints
from mlops_framework.drift.model_monitor_files.counted import suggested_constraints
from mlops_framework.drift.ports import Sources

POLICY: Final = "model-monitor"
_MOST_NAMED: Final = 8


def asked(config: MonitorConfig) -> bool:
    """Whether a monitor asks for Model Monitor's verdict or files."""
    return config.policy == POLICY or config.model_monitor_files


def prepared(config: MonitorConfig, baseline: Baseline, sources: Sources) -> Baseline:
    """The baseline with the constraints its monitor goes by; the same where it asks for none.

    Raises:
        ObjectMissing: If ``constraints_location`` is not there.
        MonitorFileInvalid: If it is no ``constraints.json`` of data quality, or of other columns.
    """
    if not asked(config):
        return baseline
    if not config.constraints_location:
        return ruled(baseline, baseline.constraints)
    location = S3Location.parse(config.constraints_location)
    text = "".join(sources.table_lines(location))
    try:
        document = json.loads(text)
    except ValueError as error:
        raise MonitorFileInvalid(f"{location} is not JSON: {error}.") from error
    constraints = Constraints.from_document(document, str(location))
    return ruled(baseline, of_same_data(constraints, baseline, str(location)))


def of_same_data(constraints: Constraints, baseline: Baseline, source: str) -> Constraints:
    """The constraints, if they are about columns of the baseline.

    Args:
        constraints: What the columns have to be like.
        baseline: What is compared with.
        source: Where the constraints lie, for messages.

    Raises:
        MonitorFileInvalid: If they are about other columns.
    """
    names = [feature.name for feature in constraints.features]
    if not set(names) & set(baseline.names):
        raise MonitorFileInvalid(
            f"{source} is about {_listed(names)}; the baseline {baseline.source} has "
            f"{_listed(baseline.names)}. Give the constraints of the same data, or none."
        )
    return constraints


def ruled(baseline: Baseline, constraints: Constraints | None = None) -> Baseline:
    """The baseline with constraints, or those its training data suggests; whole numbers counted."""
    rules = constraints or suggested_constraints(baseline)
    integral = {feature.name for feature in rules.features if feature.inferred_type == "Integral"}
    columns = tuple(
        _counting_whole(column) if column.spec.ordered and column.spec.name in integral else column
        for column in baseline.columns
    )
    return replace(baseline, columns=columns, constraints=rules)


def _counting_whole(column: BaselineColumn) -> BaselineColumn:
    counts = column.counts
    if counts.untyped:  # of a baseline of an earlier release
        counts = replace(counts, whole=counts.valid if column.integral else 0)
    return replace(column, spec=replace(column.spec, whole=True), counts=counts)


def _listed(names: tuple[str, ...] | list[str]) -> str:
    shown = ", ".join(names[:_MOST_NAMED]) or "no columns"
    more = len(names) - _MOST_NAMED
    return f"{shown} and {more} more" if more > 0 else shown


__all__ = ["POLICY", "asked", "of_same_data", "prepared", "ruled"]
