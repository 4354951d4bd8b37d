"""``constraint_violations.json`` of every kind of monitor: what was found, one entry each.

Sources: SageMaker developer guide, "Schema for Violations (constraint_violations.json file)", "Bias
Drift Violations", "Violations" of feature attribution; for model quality, files in the wild. The
documentation spells the file's name ``constraints_violations.json`` in one place; what the service
writes, and the SDK reads, is ``constraint_violations.json``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, TypeAlias

from mlops_framework.drift.model_monitor_files.members import Members

NAME: Final = "constraint_violations.json"

Check: TypeAlias = Literal[
    "data_type_check",
    "completeness_check",
    "baseline_drift_check",
    "missing_column_check",
    "extra_column_check",
    "categorical_values_check",
]
"""What data quality checks."""
Comparison: TypeAlias = Literal["LessThanThreshold", "GreaterThanThreshold"]
"""What model quality checks."""

BIAS: Final = "bias_drift_check"
ATTRIBUTION: Final = "feature_attribution_drift_check"
_CLARIFY_VERSION: Final = "1.0"


@dataclass(frozen=True)
class Violation:
    """One entry, of any kind of monitor.

    Attributes:
        check: Which check.
        description: What was found, in the analyzer's words.
        feature: The column (data quality).
        metric: The metric (model quality, bias, attribution).
        facet: The facet (bias).
        facet_value: Its value or threshold (bias).
        label: The label (attribution).
    """

    check: str
    description: str
    feature: str = ""
    metric: str = ""
    facet: str = ""
    facet_value: str = ""
    label: str = ""

    @property
    def subject(self) -> str:
        """What it is about, for people and for comparing two verdicts."""
        if self.facet:
            return f"{self.facet}={self.facet_value} {self.metric}"
        return self.feature or self.label or self.metric

    def to_document(self) -> dict[str, Any]:
        """The entry as its kind of monitor writes it."""
        said = {"constraint_check_type": self.check, "description": self.description}
        if self.check == BIAS:
            facet = {"facet": self.facet, "facet_value": self.facet_value}
            return facet | {"metric_name": self.metric} | said
        if self.check == ATTRIBUTION:
            return {"label": self.label, "metric_name": self.metric} | said
        if self.metric:
            return said | {"metric_name": self.metric}
        return {"feature_name": self.feature} | said


def violations_document(
    violations: Sequence[Violation], *, clarify: bool = False
) -> dict[str, Any]:
    """The file; Clarify's kinds (bias, attribution) carry a version, the analyzer's do not.

    Args:
        violations: What was found.
        clarify: Whether it is of a kind of Clarify's, which violations say if there are any.
    """
    entries = [violation.to_document() for violation in violations]
    if clarify or any(violation.check in (BIAS, ATTRIBUTION) for violation in violations):
        return {"version": _CLARIFY_VERSION, "violations": entries}
    return {"violations": entries}


def read_violations(document: Any, source: str) -> tuple[Violation, ...]:
    """Read the decoded file, of whichever kind of monitor.

    Raises:
        MonitorFileInvalid: If it is not as its schema says.
    """
    entries = Members.of(document, source).parts("violations")
    return tuple(
        Violation(
            check=_text(entry, "constraint_check_type") or "unknown",
            description=_text(entry, "description"),
            feature=_text(entry, "feature_name"),
            metric=_text(entry, "metric_name"),
            facet=_text(entry, "facet"),
            facet_value=_text(entry, "facet_value"),
            label=_text(entry, "label"),
        )
        for entry in entries
    )


def _text(entry: Members, name: str) -> str:
    value = entry.get(name)
    return "" if value is None else str(value)
