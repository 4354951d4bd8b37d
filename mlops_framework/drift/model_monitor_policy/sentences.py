"""Model Monitor's checks in words for people."""

from __future__ import annotations

from typing import Final

from mlops_framework.drift.findings import Aspect, Finding, number, percent
from mlops_framework.drift.model_monitor_files.violations import Check
from mlops_framework.drift.model_monitor_policy.checks import Checked
from mlops_framework.drift.policy import Judged

_ASPECTS: Final[dict[Check, Aspect]] = {
    "data_type_check": "invalid",
    "completeness_check": "missing",
    "baseline_drift_check": "values",
    "missing_column_check": "records",
    "extra_column_check": "records",
    "categorical_values_check": "unseen",
}


def judged(checked: Checked) -> Judged:
    """A check as the report has it: no test, so its p-value is 0 for a violation and 1 otherwise.

    The effect of a share is what is missing of all, against what may be missing.
    """
    effect, threshold = checked.observed, checked.threshold
    if checked.measure == "share":
        effect, threshold = 1 - effect, max(0.0, 1 - threshold)
    elif checked.measure == "p-value":
        effect, threshold = 1 - effect, 1 - threshold
    elif checked.measure == "columns":
        most = max(effect, threshold) or 1
        effect, threshold = abs(effect - threshold) / most, 0.0
    p_value = 0.0 if checked.violated else 1.0
    return Judged(
        checked.column,
        checked.check,
        checked.observed,
        p_value,
        p_value,
        min(1.0, max(0.0, effect)),
        min(1.0, threshold),
        checked.violated,
    )


def finding(checked: Checked) -> Finding:
    """A violation as a finding."""
    effect = judged(checked).effect
    return Finding(
        checked.column,
        _ASPECTS[checked.check],
        checked.check,
        effect,
        0.0,
        0.0,
        _sentence(checked),
    )


def _sentence(checked: Checked) -> str:
    name, found, needed = checked.column, checked.observed, checked.threshold
    match checked.check:
        case "data_type_check":
            kind = "whole numbers" if checked.values == "Integral" else "numbers"
            return (
                f"{name} holds {kind} in {percent(found)} of its values; its constraint asks for "
                f"{percent(needed)}."
            )
        case "completeness_check":
            return (
                f"{name} has a value in {percent(found)} of the records; its constraint asks for "
                f"{percent(needed)}."
            )
        case "categorical_values_check":
            return (
                f"{name} holds one of the known values in {percent(found)} of the records; its "
                f"constraint asks for {percent(needed)}."
            )
        case "baseline_drift_check" if checked.measure == "p-value":
            return (
                f"{name} has other shares than the training data (chi-square p = {number(found)}, "
                f"its constraint asks for at least {number(needed)})."
            )
        case "baseline_drift_check":
            return (
                f"{name} is distributed differently from the training data: distance "
                f"{number(found)}, its constraint allows {number(needed)}."
            )
        case _:
            return f"{checked.description}."
