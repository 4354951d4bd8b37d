"""Schedules of Model Monitor as one drift-monitor request, and what is different then."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any, Final

from mlops_framework.drift.model_monitor_files.analysis import Analysis
from mlops_framework.drift.model_monitor_files.members import number_of
from mlops_framework.drift.model_monitor_files.model_quality import ModelQualityConstraints
from mlops_framework.drift.model_monitor_import.schedules import Schedule

_MINUTE: Final = timedelta(minutes=1)
_HOUR: Final = timedelta(hours=1)
_AFTER: Final = 15
"""Minutes past the hour: the traffic's end, the grace period and some for late captures."""
_ON_THE_HOUR: Final = re.compile(r"cron\(0 (.*)\)")
_LONGEST_MINUTES: Final = 7 * 24 * 60
_MOST_HOURS: Final = 60 * 24
_OUR_METRICS: Final = {"au_prc": "pr_auc"}
_METRICS: Final = frozenset(
    {
        *("accuracy", "precision", "recall", "f1", "f0_5", "f2", "auc", "pr_auc"),
        *("true_positive_rate", "true_negative_rate"),
        *("false_positive_rate", "false_negative_rate"),
        *("weighted_precision", "weighted_recall"),
        *("weighted_f1", "weighted_f0_5", "weighted_f2"),
        *("mae", "mse", "rmse", "r2"),
    }
)


@dataclass(frozen=True, kw_only=True)
class Read:
    """What was read of a schedule's files.

    Attributes:
        schedule: The schedule.
        limits: Of model quality; ``None`` where there are none.
        analysis: What Clarify found in the training data; ``None`` where there is none.
        clarify: Clarify's analysis configuration; empty where there is none.
    """

    schedule: Schedule
    limits: ModelQualityConstraints | None = None
    analysis: Analysis | None = None
    clarify: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class Place:
    """What the request says that no schedule does.

    Attributes:
        model_name: Of the model.
        endpoint: The endpoint.
        baseline: S3 URI of the baseline data.
        constraints: S3 URI of the constraints; empty for none.
        captures: S3 URI of the captures, without the endpoint's name; empty for the usual place.
        policy: Which rule decides.
        answered: Columns that the baseline leaves out because they are of the answer.
        told_apart: Whether it is known which columns those are.
        data_bucket: The bucket that the platform's functions read.
    """

    model_name: str
    endpoint: str
    baseline: str
    constraints: str = ""
    captures: str = ""
    policy: str = "model-monitor"
    answered: tuple[str, ...] = ()
    told_apart: bool = True
    data_bucket: str = ""


@dataclass(frozen=True)
class Imported:
    """A request, and what a person should know before sending it.

    Attributes:
        request: The body.
        notes: What is carried out otherwise, or not.
    """

    request: Mapping[str, Any]
    notes: tuple[str, ...]


def imported(read: Sequence[Read], place: Place) -> Imported:
    """One request for schedules that watch the same endpoint.

    Args:
        read: The schedules; one of a kind.
        place: What they do not say.
    """
    kinds = {one.schedule.kind: one for one in read}
    first = kinds.get("DataQuality", read[0]).schedule
    request: dict[str, Any] = {
        "pipeline_type": "drift-monitor",
        "model_name": place.model_name,
        "endpoint_name": place.endpoint,
        "baseline_data": place.baseline,
        "capture_location": place.captures,
        "schedule_expression": _expression(first),
        "window_minutes": min(_LONGEST_MINUTES, first.window // _MINUTE),
        "policy": place.policy,
        "model_monitor_files": True,
        "constraints_location": place.constraints,
        "monitoring_schedule_name": first.name,
        "retrain": False,
    }
    if place.policy == "model-monitor":
        # Both would alarm beyond Model Monitor's own rules.
        request |= {"slow_drift": False}
    if not first.endpoint:
        request |= {"heartbeat": False}
    notes = [*_general(first, place)]
    for one in read:
        notes += _unsupported(one.schedule)
    if quality := kinds.get("ModelQuality"):
        request |= _ground_truth(quality)
        notes += _of_quality(quality)
    if bias := kinds.get("ModelBias"):
        section, said = _bias(bias)
        request |= section
        notes += said
        request.setdefault("ground_truth", _ground_truth(bias)["ground_truth"])
        request.setdefault("ground_truth_location", bias.schedule.ground_truth)
    if explained := kinds.get("ModelExplainability"):
        section, said = _attribution(explained)
        request |= section
        notes += said
    kept = {name: value for name, value in request.items() if value not in ("", {}, None)}
    return Imported(kept, tuple(dict.fromkeys(notes)))


def _expression(schedule: Schedule) -> str:
    match = _ON_THE_HOUR.fullmatch(schedule.expression)
    return f"cron({_AFTER} {match[1]})" if match else "rate(1 hour)"


def _general(schedule: Schedule, place: Place) -> Iterator[str]:
    if schedule.expression == "NOW":
        yield "The schedule ran once (NOW); the request runs every hour."
    elif schedule.expression:
        yield (
            f"Model Monitor starts up to 20 minutes after the hour of {schedule.expression}; the "
            f"request runs {_AFTER} minutes after it, when late captures have arrived."
        )
    if place.answered:
        yield (
            f"The baseline's columns {', '.join(place.answered)} are of the model's answer; they "
            "are left out of ours, which compares requests. Predictions are described."
        )
    elif not place.told_apart:
        yield (
            "No captured record told which columns of the baseline are of the model's answer. If "
            "it has one, name it as label_column: requests do not have it."
        )
    bucket = place.captures.removeprefix("s3://").partition("/")[0]
    if bucket and place.data_bucket and bucket != place.data_bucket:
        yield (
            f"Captures go to the bucket {bucket}; the platform's functions read {place.data_bucket}"
            ". Let the endpoint capture there before you send the request, and leave "
            "capture_location out."
        )
    if not schedule.endpoint:
        yield (
            f"{schedule.name} watches batch transforms; the last folder of their captures, "
            f"{schedule.watches}, stands for the endpoint. Without an endpoint there is no "
            "heartbeat."
        )
    if place.policy == "model-monitor":
        yield (
            "policy: model-monitor keeps Model Monitor's rules. Take the line out to have this "
            "engine's own, which need no thresholds; the comparison shows what they say."
        )


def _unsupported(schedule: Schedule) -> Iterator[str]:
    name = schedule.name
    if schedule.preprocessor:
        yield (
            f"{name}: the script {schedule.preprocessor} is not run. CSV, JSON and nested JSON are "
            "read without one (records: says where values are); a transformation has to move into "
            "the model."
        )
    if schedule.postprocessor:
        yield (
            f"{name}: the script {schedule.postprocessor} is not run. Subscribe to the event "
            "'Drift Evaluated' instead."
        )
    if excluded := schedule.inputs.get("ExcludeFeaturesAttribute", ""):
        yield (
            f"{name}: the columns {excluded} were left out; set evaluate_constraints to Disabled "
            "for them in the constraints."
        )
    if schedule.environment.get("publish_cloudwatch_metrics", "").lower() == "enabled":
        yield (
            f"{name}: metrics go to the namespace MLOps/Drift instead of "
            "aws/sagemaker/Endpoints/data-metrics, a few for all columns."
        )
    if schedule.status not in ("Scheduled", ""):
        yield f"{name} is {schedule.status}; the request would run."


def _ground_truth(read: Read) -> dict[str, Any]:
    """Predictions, labels and limits, for model quality or as the ground of bias."""
    schedule, clarify = read.schedule, read.clarify
    problem = schedule.problem_type or "BinaryClassification"
    section: dict[str, Any] = {"problem_type": problem}
    prediction = schedule.inputs.get("InferenceAttribute", "")
    probability = schedule.inputs.get("ProbabilityAttribute", "")
    threshold = number_of(
        schedule.inputs.get("ProbabilityThresholdAttribute")
        or clarify.get("probability_threshold")
        or ""
    )
    if problem != "BinaryClassification":
        probability = ""
    if not prediction and not probability and problem == "BinaryClassification":
        prediction = "0"
    section |= {"inference_attribute": prediction, "probability_attribute": probability}
    if probability and threshold is not None:
        section["probability_threshold"] = threshold
    hours = -schedule.offset("EndTimeOffset") // _HOUR
    if hours > 0:
        section["label_horizon_hours"] = min(_MOST_HOURS, max(24, hours + 24))
    if read.limits and read.limits.problem_type == problem:
        limits = {
            _OUR_METRICS.get(name, name): limit.threshold
            for name, limit in read.limits.limits.items()
        }
        section["thresholds"] = {name: value for name, value in limits.items() if name in _METRICS}
    return {
        "ground_truth": {name: value for name, value in section.items() if value not in ("", {})},
        "ground_truth_location": schedule.ground_truth,
    }


def _of_quality(read: Read) -> Iterator[str]:
    if read.limits:
        left = [name for name in read.limits.limits if _OUR_METRICS.get(name, name) not in _METRICS]
        if left:
            yield f"{read.schedule.name}: no limit for {', '.join(left)}, which are not watched."
    yield (
        f"{read.schedule.name}: labels are waited for and re-open their window; Model Monitor "
        "dropped those that came later than its offset."
    )


def _bias(read: Read) -> tuple[dict[str, Any], list[str]]:
    clarify, name = read.clarify, read.schedule.name
    facets: list[dict[str, Any]] = []
    notes: list[str] = []
    for facet in _listed(clarify.get("facet")):
        column = str(facet.get("name_or_index", ""))
        values = [str(value) for value in _listed(facet.get("value_or_threshold"))]
        number = number_of(values[0]) if len(values) == 1 else None
        if number is not None and number not in (0.0, 1.0):
            facets.append({"column": column, "above": values[0]})
            notes.append(
                f"{name}: the facet {column} is the rows above {values[0]}, as Clarify takes one "
                "number of a numeric column; if it is a category, say values instead of above."
            )
        elif values:
            facets.append({"column": column, "values": values})
        else:
            notes.append(
                f"{name}: the facet {column} names no value; Clarify compares each of its values "
                "with the others. Add one facet for each that matters."
            )
    if not facets:
        return {}, [*notes, f"{name}: no facet could be read; bias is not watched."]
    section: dict[str, Any] = {"facets": facets}
    wanted = [str(value) for value in _listed(clarify.get("label_values_or_threshold"))]
    if wanted:
        section["label"] = {"values": wanted}
    if clarify.get("group_variable"):
        section["group_column"] = str(clarify["group_variable"])
    notes.append(
        f"{name}: bias is compared with the baseline's and the first windows' own, with confidence "
        "intervals; give thresholds for fixed limits."
    )
    return {"bias": section}, notes


def _attribution(read: Read) -> tuple[dict[str, Any], list[str]]:
    name = read.schedule.name
    found = read.analysis.attributions if read.analysis else {}
    section: dict[str, Any] = {"source": "endpoint"}
    notes = [
        f"{name}: attributions are computed by asking the endpoint itself for a sample of 50 rows "
        "a window; Clarify started a second copy of the model on instances of its own."
    ]
    if found:
        label, values = next(iter(found.items()))
        section["baseline"] = dict(values)
        if len(found) > 1:
            notes.append(f"{name}: of the labels {', '.join(found)} the first is watched, {label}.")
    return {"attribution": section}, notes


def _listed(value: Any) -> list[Any]:
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]
