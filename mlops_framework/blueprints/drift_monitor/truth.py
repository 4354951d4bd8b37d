"""What a drift-monitor request may say of labels and of the model's quality."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal, TypeVar

from pydantic import Field

from mlops_framework.blueprints.drift_monitor.traffic import PATH, PATH_WORDS
from mlops_framework.contracts.base import Document
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import Accepts, ColumnName
from mlops_framework.errors import Fault

METRICS: Final[Mapping[str, tuple[str, ...]]] = {
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
"""As the engine has them (a test compares them): requests are checked where it is not."""

MOST_LABELLED_WINDOWS: Final = 4_000
"""As the engine has it."""

Attribute = Annotated[
    str,
    Field(pattern="^[^ \\t\\r\\n]{0,256}$"),
    Accepts("a position (0), a name, or a path whose last name or position counts; or empty"),
]
LabelAttribute = Annotated[
    str,
    Field(pattern=f"^([0-9]{{1,3}}|{PATH})?$", max_length=256),
    Accepts(f"a position from 0, {PATH_WORDS} (in JSON), or empty for the first"),
]
_Place = TypeVar("_Place")
ByClass = Annotated[
    dict[Annotated[str, Field(pattern="^[^\\r\\n]{1,64}$")], _Place], Field(max_length=20)
]
ClassPlace = Annotated[
    str,
    Field(pattern="^[^ \\t\\r\\n]{1,256}$"),
    Accepts("a position (0), a name, or a path whose last name or position counts"),
]
ClassColumn = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_. -]+$", max_length=128),
    Accepts("a column's name of letters, digits, blanks and _ . -"),
]
LabelLocation = Annotated[
    str,
    Field(
        pattern="^(s3://[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]/[A-Za-z0-9!_.*'()=+@:/-]+)?$",
        max_length=1024,
    ),
    Accepts("an S3 prefix, s3://bucket/prefix, or empty"),
]


class GroundTruth(Document):
    """Where predictions and labels are, and what is asked of the model's quality."""

    problem_type: Literal["BinaryClassification", "MulticlassClassification", "Regression"] = Field(
        description="What the model predicts."
    )
    inference_attribute: Attribute = Field(
        default="",
        description="Where the prediction is in a captured answer; empty for the whole answer, or "
        "where the probability gives it.",
    )
    probability_attribute: Attribute = Field(
        default="", description="Where the probability of the positive class is; binary alone."
    )
    probability_threshold: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.5, description="From which probability on a prediction counts as positive."
    )
    positive_label: Annotated[str, Field(pattern="^[^\\r\\n]{1,64}$"), Accepts("a class")] = Field(
        default="1", description="How the positive class is spelt."
    )
    probabilities: ByClass[ClassPlace] = Field(
        default_factory=dict,
        description="Where the probability of each of 2 to 20 classes is, by class; multiclass "
        "alone. The likeliest is the prediction where inference_attribute is empty.",
    )
    label_attribute: LabelAttribute = Field(
        default="", description="Where the label is in the data of a label record."
    )
    label_horizon_hours: Annotated[int, Field(ge=0, le=1440)] = Field(
        default=24, description="How long after the end of a window labels are waited for, hours."
    )
    baseline_inference_attribute: ColumnName = Field(
        default="", description="Column of the baseline data that holds predictions."
    )
    baseline_probability_attribute: ColumnName = Field(
        default="", description="Column of the baseline data that holds probabilities."
    )
    baseline_probabilities: ByClass[ClassColumn] = Field(
        default_factory=dict,
        description="Columns of the baseline data that hold probabilities, by class.",
    )
    baseline_ground_truth_attribute: ColumnName = Field(
        default="", description="Column of the baseline data that holds labels."
    )
    thresholds: dict[str, float] = Field(
        default_factory=dict,
        description="Worst acceptable value by metric; other metrics are compared with the "
        "baseline's, or with those of the first windows.",
    )
    minimum_labels: Annotated[int, Field(ge=30, le=100_000_000)] = Field(
        default=100, description="Fewer labelled rows in a window give no verdict on quality."
    )
    minimum_change: Annotated[float, Field(ge=0.001, le=1)] = Field(
        default=0.05,
        description="By how much a metric must be worse before it matters: of shares the "
        "difference, of errors the share of what it was.",
    )
    reference_windows: Annotated[int, Field(ge=1, le=1000)] = Field(
        default=4,
        description="Without predictions in the baseline data, so many first windows with labels "
        "are what later ones are compared with.",
    )
    pooled_windows: Annotated[int, Field(ge=1, le=336)] = Field(
        default=24,
        description="So many windows at most are judged together where labels are few; 1 to judge "
        "each by itself.",
    )


def truth_conflicts(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults between the settings of a request's ``ground_truth``."""
    truth = given.get("ground_truth")
    if given.get("ground_truth_location") and not truth:
        yield Fault(
            "ground_truth",
            "Required with ground_truth_location: what is predicted, and where.",
            "an object with problem_type",
            NOTHING,
        )
    if not isinstance(truth, Mapping):
        return
    yield from _too_many_windows(given, truth)
    problem = truth.get("problem_type")
    binary = problem == "BinaryClassification"
    if binary and not (truth.get("inference_attribute") or truth.get("probability_attribute")):
        yield Fault(
            "ground_truth.probability_attribute",
            "Required for a BinaryClassification, or inference_attribute: where the prediction is.",
            'a position ("0") or a name',
            NOTHING,
        )
    if truth.get("probability_attribute") and problem in METRICS and not binary:
        yield Fault(
            "ground_truth.probability_attribute",
            f"A {problem} has no positive class; leave it out.",
            "nothing",
            shown(truth["probability_attribute"]),
        )
    yield from _probability_faults(truth)
    predicted = [
        name
        for name in (
            "baseline_inference_attribute",
            "baseline_probability_attribute",
            "baseline_probabilities",
        )
        if truth.get(name)
    ]
    if bool(predicted) != bool(truth.get("baseline_ground_truth_attribute")):
        yield Fault(
            "ground_truth.baseline_ground_truth_attribute",
            "Predictions and labels of the baseline data are compared: give both or neither.",
            "a column of labels beside one of predictions or probabilities",
            ", ".join(predicted) or NOTHING,
        )
    thresholds = truth.get("thresholds")
    accepted = METRICS.get(problem, ()) if isinstance(problem, str) else ()
    for metric in sorted(thresholds) if accepted and isinstance(thresholds, Mapping) else ():
        if metric not in accepted:
            yield Fault(
                f"ground_truth.thresholds.{metric}",
                f"Not a metric of a {problem}.",
                ", ".join(accepted),
                shown(metric),
            )


def _probability_faults(truth: Mapping[str, Any]) -> Iterator[Fault]:
    """Probabilities of several classes are for several classes."""
    problem, classes = truth.get("problem_type"), truth.get("probabilities")
    for name in ("probabilities", "baseline_probabilities"):
        given = truth.get(name)
        if given and problem in METRICS and problem != "MulticlassClassification":
            yield Fault(
                f"ground_truth.{name}",
                f"For several classes; of a {problem} leave it out.",
                "nothing",
                shown(given),
            )
        elif isinstance(given, Mapping) and len(given) == 1:
            yield Fault(
                f"ground_truth.{name}",
                "One class has no other to be told from: name each class of the model.",
                "2 to 20 classes",
                shown(given),
            )
    known = truth.get("baseline_probabilities")
    named = set(classes) if isinstance(classes, Mapping) else set()
    if isinstance(known, Mapping) and known and set(known) != named:
        yield Fault(
            "ground_truth.baseline_probabilities",
            "Compared with probabilities: name the same classes.",
            ", ".join(sorted(named)) or "none, without probabilities",
            ", ".join(sorted(known)),
        )


def _too_many_windows(given: Mapping[str, Any], truth: Mapping[str, Any]) -> Iterator[Fault]:
    """All windows that labels may still come for are remembered at the same time."""
    windows = given.get("window_minutes", 60)
    of_stages = windows.values() if isinstance(windows, Mapping) else [windows]
    minutes = min((one for one in of_stages if isinstance(one, int) and one > 0), default=60)
    hours = truth.get("label_horizon_hours", 24)
    if not given.get("ground_truth_location") or not isinstance(hours, int):
        return
    if hours * 60 // minutes > MOST_LABELLED_WINDOWS:
        yield Fault(
            "ground_truth.label_horizon_hours",
            f"{hours} hours of windows of {minutes} minutes are {hours * 60 // minutes:,} windows "
            "that wait for labels at the same time; give longer windows or a shorter horizon.",
            f"at most {MOST_LABELLED_WINDOWS:,} windows",
            shown(hours),
        )


def label_prefix(location: str) -> str:
    """Beginning of the keys of label objects: ``s3://bucket/labels/`` gives ``labels/``."""
    key = location.removeprefix("s3://").partition("/")[2].strip("/")
    return f"{key}/" if key else ""
