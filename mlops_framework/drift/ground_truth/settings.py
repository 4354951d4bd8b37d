"""Where predictions and labels are, and what is asked of the model's quality."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass, field, fields
from typing import Any, Final, Literal, Self, get_args

from mlops_framework.drift.ground_truth.classes import class_of
from mlops_framework.drift.ground_truth.label_data import LabelPlace

ProblemType = Literal["BinaryClassification", "MulticlassClassification", "Regression"]

MOST_HOURS: Final = 60 * 24
METRICS: Final[Mapping[ProblemType, tuple[str, ...]]] = {
    "BinaryClassification": (
        "accuracy",
        "precision",
        "recall",
        "f1",
        "f0_5",
        "f2",
        "true_positive_rate",
        "true_negative_rate",
        "false_positive_rate",
        "false_negative_rate",
        "auc",
        "pr_auc",
        "log_loss",
        "brier",
    ),
    "MulticlassClassification": (
        "accuracy",
        "weighted_precision",
        "weighted_recall",
        "weighted_f1",
        "weighted_f0_5",
        "weighted_f2",
        "weighted_auc",
        "log_loss",
    ),
    "Regression": ("mae", "mse", "rmse", "r2"),
}
"""The metrics that a threshold can be given for, by problem type."""
MOST_PROBABILITIES: Final = 20
"""Probabilities of so many classes at most are kept of every row."""
_NUMBER: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,12})?")


@dataclass(frozen=True, kw_only=True)
class GroundTruth:
    """One monitor's settings.

    Attributes:
        problem_type: What the model predicts.
        inference_attribute: Where the prediction is in a captured answer: a position (``0``), a
            member, or a path, whose last name or position counts. Empty for the whole answer, or
            where the probability gives the prediction.
        probability_attribute: Likewise the probability of the positive class; empty for none.
        probability_threshold: From which probability on a prediction counts as positive.
        positive_label: How the positive class is spelt in labels and predictions.
        probabilities: Of several classes, likewise where the probability of each of them is; the
            likeliest is the prediction where ``inference_attribute`` is empty.
        label_attribute: Where the label is in the data of a ground truth record that holds more
            than the label: a position, or in JSON a path (:class:`~.label_data.LabelPlace`).
        label_horizon_hours: How long after the end of a window labels are waited for.
        baseline_inference_attribute: Column of the baseline data that holds predictions.
        baseline_probability_attribute: Column of the baseline data that holds probabilities.
        baseline_probabilities: Columns of the baseline data that hold probabilities, by class.
        baseline_ground_truth_attribute: Column of the baseline data that holds labels.
        thresholds: Worst acceptable value by metric; given one, a metric is compared with it and
            not with what the baseline or the first windows had.
        minimum_labels: Fewer labelled rows give no verdict on quality.
        minimum_change: By how much a metric must be worse before it matters: of shares the
            difference, of errors the difference as a share of what it was.
        reference_windows: Without baseline predictions, as many first complete windows with enough
            labels are what later ones are compared with.
        pooled_windows: So many windows at most are judged together where labels are few; 1 to judge
            each by itself.
    """

    problem_type: ProblemType
    inference_attribute: str = ""
    probability_attribute: str = ""
    probability_threshold: float = 0.5
    positive_label: str = "1"
    probabilities: Mapping[str, str] = field(default_factory=dict)
    label_attribute: str = ""
    label_horizon_hours: int = 24
    baseline_inference_attribute: str = ""
    baseline_probability_attribute: str = ""
    baseline_probabilities: Mapping[str, str] = field(default_factory=dict)
    baseline_ground_truth_attribute: str = ""
    thresholds: Mapping[str, float] = field(default_factory=dict)
    minimum_labels: int = 100
    minimum_change: float = 0.05
    reference_windows: int = 4
    pooled_windows: int = 24

    @property
    def classes(self) -> bool:
        """Whether the model predicts classes."""
        return self.problem_type != "Regression"

    @property
    def binary(self) -> bool:
        """Whether there is a positive class."""
        return self.problem_type == "BinaryClassification"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Check the decoded JSON object.

        Raises:
            ValueError: What was wrong, and what is accepted.
        """
        if not isinstance(document, Mapping):
            raise ValueError("accepted is an object")
        known = {one.name for one in fields(cls)}
        unknown = sorted(document.keys() - known)
        if unknown:
            raise ValueError(f"unknown {', '.join(unknown)}; accepted: {', '.join(sorted(known))}")
        if document.get("problem_type") not in get_args(ProblemType):
            raise ValueError(f"problem_type: accepted is {' | '.join(get_args(ProblemType))}")
        values: dict[str, Any] = {}
        for name, value in document.items():
            values[name] = _READ[name](name, value) if name in _READ else _text(name, value)
        found = cls(**values)
        found._check()
        return found

    def to_document(self) -> dict[str, Any]:
        """As JSON; what is as it is without saying so is left out."""
        document: dict[str, Any] = {"problem_type": self.problem_type}
        for one in fields(self):
            value = getattr(self, one.name)
            value = dict(value) if isinstance(value, Mapping) else value
            default = {} if one.default is MISSING else one.default
            if one.name != "problem_type" and value != default:
                document[one.name] = value
        return document

    def _check(self) -> None:
        if self.binary and not (self.inference_attribute or self.probability_attribute):
            raise ValueError(
                "of a BinaryClassification give inference_attribute or probability_attribute: a "
                'position ("0") or member of the answer'
            )
        try:
            LabelPlace.parse(self.label_attribute)
        except ValueError as error:
            raise ValueError(
                f"label_attribute: accepted is a position, or a path: {error}"
            ) from error
        if self.probability_attribute and not self.binary:
            raise ValueError("probability_attribute: accepted with BinaryClassification alone")
        self._check_probabilities()
        accepted = METRICS[self.problem_type]
        wrong = sorted(self.thresholds.keys() - set(accepted))
        if wrong:
            raise ValueError(f"thresholds: no metric {wrong[0]}; accepted: {', '.join(accepted)}")
        predicted = (
            self.baseline_inference_attribute
            or self.baseline_probability_attribute
            or self.baseline_probabilities
        )
        if bool(predicted) != bool(self.baseline_ground_truth_attribute):
            raise ValueError(
                "give baseline_ground_truth_attribute together with baseline_inference_attribute, "
                "baseline_probability_attribute or baseline_probabilities, or none of them"
            )

    def _check_probabilities(self) -> None:
        for name in ("probabilities", "baseline_probabilities"):
            given = getattr(self, name)
            if given and self.problem_type != "MulticlassClassification":
                raise ValueError(f"{name}: accepted with MulticlassClassification alone")
        classes, known = self.probabilities.keys(), self.baseline_probabilities.keys()
        if known and known != classes:
            raise ValueError(
                f"baseline_probabilities: accepted are the classes of probabilities, "
                f"{', '.join(sorted(classes)) or 'which has none'}"
            )


def place_of(attribute: str) -> str:
    """The name or position that a path ends with: ``predictions[0].score`` is ``score``."""
    found = re.findall(r"[^\s.\[\]\"'*|@]+", attribute)
    return found[-1] if found else ""


def outputs_of(attribute: str, outputs: Mapping[str, Any]) -> Sequence[str]:
    """Which captured outputs an attribute may mean, the likeliest first; often none or one.

    Args:
        attribute: As in the settings.
        outputs: The captured outputs by name (``prediction``, ``prediction.0``,
            ``prediction.score``).
    """
    place = place_of(attribute)
    names = [attribute, place, f"prediction.{place}"]
    if place in ("", "0", "prediction", "predictions"):
        names.append("prediction")
    if place in ("", "prediction", "predictions"):
        names.append("prediction.0")
    return [name for name in dict.fromkeys(names) if name in outputs]


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise ValueError(f"{name}: accepted is a text of at most 256 characters")
    return value


def _number(low: float, high: float) -> Callable[[str, Any], float]:
    def read(name: str, value: Any) -> float:
        if isinstance(value, str) and _NUMBER.fullmatch(value):
            value = float(value)
        good = isinstance(value, int | float) and not isinstance(value, bool)
        if not good or not low <= value <= high:
            raise ValueError(f"{name}: accepted is a number from {low:g} to {high:g}")
        return float(value)

    return read


def _whole(low: int, high: int) -> Callable[[str, Any], int]:
    def read(name: str, value: Any) -> int:
        number = _number(low, high)(name, value)
        if number != int(number):
            raise ValueError(f"{name}: accepted is a whole number from {low} to {high}")
        return int(number)

    return read


def _thresholds(name: str, value: Any) -> Mapping[str, float]:
    if not isinstance(value, Mapping):
        raise ValueError(f"{name}: accepted is an object of metrics and numbers")
    read = _number(-1e12, 1e12)
    return {str(metric): read(f"{name}.{metric}", bound) for metric, bound in value.items()}


def _by_class(name: str, value: Any) -> Mapping[str, str]:
    if value == {}:
        return {}
    if not isinstance(value, Mapping) or not 2 <= len(value) <= MOST_PROBABILITIES:
        raise ValueError(
            f"{name}: accepted is an object of 2 to {MOST_PROBABILITIES} classes and where the "
            "probability of each is"
        )
    found = {class_of(str(key)): _text(f"{name}.{key}", place) for key, place in value.items()}
    if len(found) < len(value) or not all(found) or not all(found.values()):
        raise ValueError(f"{name}: accepted are classes with names of their own, none empty")
    return found


_READ: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "probability_threshold": _number(0, 1),
    "label_horizon_hours": _whole(0, MOST_HOURS),
    "thresholds": _thresholds,
    "probabilities": _by_class,
    "baseline_probabilities": _by_class,
    "minimum_labels": _whole(30, 100_000_000),
    "minimum_change": _number(0.001, 1),
    "reference_windows": _whole(1, 1000),
    "pooled_windows": _whole(1, 336),
}
