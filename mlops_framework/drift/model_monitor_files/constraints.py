"""``constraints.json`` of data quality: what a column has to be like, and how strictly.

Source: SageMaker developer guide, "Schema for Constraints (constraints.json file)"; files of the
SageMaker SDK. Older spellings are read: ``enable_comparisons``, ``min_domain_mass``,
``comparion_method``, ``monitoringConfigOverrides``, overrides inside the constraints of a type.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Literal, Self

from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files.members import Members
from mlops_framework.drift.model_monitor_files.statistics import InferredType, type_of

Method = Literal["Robust", "Simple"]
CategoricalMethod = Literal["LInfinity", "ChiSquared"]

_OVERRIDES: Final = ("monitoring_config_overrides", "monitoringConfigOverrides")
_METHODS: Final[dict[str, Method]] = {
    "robust": "Robust",
    "linf_robust": "Robust",
    "simple": "Simple",
    "linf_simple": "Simple",
}
_CATEGORICAL: Final[dict[str, CategoricalMethod]] = {
    "linfinity": "LInfinity",
    "chisquared": "ChiSquared",
}


@dataclass(frozen=True)
class MonitoringSettings:
    """How strictly a file or one of its columns is checked; the defaults are the container's.

    Attributes:
        evaluate: Whether anything is checked.
        emit_metrics: Whether CloudWatch gets metrics.
        datatype_threshold: Share of the values that must be of the inferred type.
        domain_threshold: Share of the values that must be among the known ones.
        compare: Whether distributions are compared.
        threshold: Largest distance of numbers.
        method: Distance of numbers: as it is, or less what chance explains.
        categorical_threshold: Largest distance of texts, or smallest p-value.
        categorical_method: Distance of texts.
    """

    evaluate: bool = True
    emit_metrics: bool = True
    datatype_threshold: float = 1.0
    domain_threshold: float = 1.0
    compare: bool = True
    threshold: float = 0.1
    method: Method = "Robust"
    categorical_threshold: float = 0.1
    categorical_method: CategoricalMethod = "LInfinity"

    def to_document(self) -> dict[str, Any]:
        """The settings as the file has them."""
        return {
            "evaluate_constraints": _switch(self.evaluate),
            "emit_metrics": _switch(self.emit_metrics),
            "datatype_check_threshold": self.datatype_threshold,
            "domain_content_threshold": self.domain_threshold,
            "distribution_constraints": {
                "perform_comparison": _switch(self.compare),
                "comparison_threshold": self.threshold,
                "comparison_method": self.method,
                "categorical_comparison_threshold": self.categorical_threshold,
                "categorical_drift_method": self.categorical_method,
            },
        }

    def with_members(self, members: Members | None) -> Self:
        """These settings, changed by what a part of the file says."""
        if members is None:
            return self
        comparison = members.part("distribution_constraints") or Members({}, members.place)
        found = {
            "evaluate": members.switch("evaluate_constraints"),
            "emit_metrics": members.switch("emit_metrics"),
            "datatype_threshold": members.number("datatype_check_threshold"),
            "domain_threshold": _first(
                members.number("domain_content_threshold", "min_domain_mass"),
                comparison.number("domain_content_threshold", "min_domain_mass"),
            ),
            "compare": comparison.switch("perform_comparison", "enable_comparisons"),
            "threshold": comparison.number("comparison_threshold"),
            "method": _named(comparison, _METHODS, "comparison_method", "comparion_method"),
            "categorical_threshold": comparison.number("categorical_comparison_threshold"),
            "categorical_method": _named(comparison, _CATEGORICAL, "categorical_drift_method"),
        }
        return replace(self, **{name: value for name, value in found.items() if value is not None})


@dataclass(frozen=True)
class FeatureConstraints:
    """What one column has to be like.

    Attributes:
        name: The column.
        inferred_type: Of its values.
        completeness: Smallest share of rows with a value; ``None`` where nothing is said.
        non_negative: Whether negative numbers are against it; the container says so and does not
            check it.
        domains: The only texts it may hold; ``None`` where any is allowed.
        settings: How strictly it is checked.
    """

    name: str
    inferred_type: InferredType
    completeness: float | None = None
    non_negative: bool = False
    domains: tuple[str, ...] | None = None
    settings: MonitoringSettings = field(default_factory=MonitoringSettings)

    def to_document(self, whole: MonitoringSettings) -> dict[str, Any]:
        """The column as the file has it; settings other than the whole file's are overrides."""
        document: dict[str, Any] = {"name": self.name, "inferred_type": self.inferred_type}
        if self.completeness is not None:
            document["completeness"] = self.completeness
        if self.inferred_type in ("Integral", "Fractional"):
            document["num_constraints"] = {"is_non_negative": self.non_negative}
        if self.domains is not None:
            document["string_constraints"] = {"domains": list(self.domains)}
        if self.settings != whole:
            document["monitoring_config_overrides"] = self.settings.to_document()
        return document


@dataclass(frozen=True)
class Constraints:
    """The constraints of a dataset.

    Attributes:
        features: Its columns, in order.
        settings: How strictly they are checked.
    """

    features: tuple[FeatureConstraints, ...]
    settings: MonitoringSettings = field(default_factory=MonitoringSettings)

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read the decoded file.

        Args:
            document: What the JSON says.
            source: Where it was read, for messages.

        Raises:
            MonitorFileInvalid: If it is not as its schema says.
        """
        whole = Members.of(document, source)
        if "features" not in whole.document:
            raise MonitorFileInvalid(f"{source} {_no_constraints(whole.document)}")
        settings = MonitoringSettings().with_members(whole.part("monitoring_config"))
        return cls(
            tuple(_feature(feature, settings) for feature in whole.parts("features")), settings
        )

    def to_document(self) -> dict[str, Any]:
        """The constraints as the file has them."""
        return {
            "version": 0.0,
            "features": [feature.to_document(self.settings) for feature in self.features],
            "monitoring_config": self.settings.to_document(),
        }


def is_constraints(document: Any) -> bool:
    """Whether a decoded JSON document is a ``constraints.json``, of whatever kind.

    Statistics have features, too: ask for them first.
    """
    if not isinstance(document, Mapping) or "kind" in document:
        return False
    features = document.get("features")
    listed = isinstance(features, list) and all(
        isinstance(feature, Mapping) and "name" in feature and "inferred_type" in feature
        for feature in features
    )
    return listed or any(str(name).endswith("_constraints") for name in document)


def _no_constraints(document: Any) -> str:
    of_models = [name for name in document if name.endswith("_constraints")]
    if of_models:
        return (
            f"holds {of_models[0]}: it is of model quality. Constraints of data quality have "
            "features."
        )
    return "has no features; accepted is a constraints.json of data quality."


def _feature(feature: Members, settings: MonitoringSettings) -> FeatureConstraints:
    numbers, texts = feature.part("num_constraints"), feature.part("string_constraints")
    for holder in (feature, numbers, texts):
        settings = settings.with_members(holder.part(*_OVERRIDES) if holder else None)
    domains = None
    if texts is not None and texts.has("domains"):
        domains = tuple(str(value) for value in texts.items("domains"))
    return FeatureConstraints(
        feature.text("name"),
        type_of(feature),
        feature.number("completeness"),
        bool(numbers and numbers.switch("is_non_negative")),
        domains,
        settings,
    )


def _named(members: Members, known: dict[str, Any], *names: str) -> Any:
    value = members.get(*names)
    if value is None:
        return None
    found = known.get(value.strip().lower()) if isinstance(value, str) else None
    if found is None:
        members.refuse(names[0], value, " or ".join(dict.fromkeys(known.values())))
    return found


def _first(*values: float | None) -> float | None:
    return next((value for value in values if value is not None), None)


def _switch(on: bool) -> str:
    return "Enabled" if on else "Disabled"
