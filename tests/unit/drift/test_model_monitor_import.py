"""Schedules of Model Monitor become one request; windows of the past are judged by both rules."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.model_monitor_files.analysis import Analysis
from mlops_framework.drift.model_monitor_files.model_quality import ModelQualityConstraints
from mlops_framework.drift.model_monitor_files.violations import Violation
from mlops_framework.drift.model_monitor_import.columns import told_apart
from mlops_framework.drift.model_monitor_import.rehearsal import Compared, Seen, look
from mlops_framework.drift.model_monitor_import.requests import Place, Read, imported
from mlops_framework.drift.model_monitor_import.schedules import Execution, Schedule, duration
from mlops_framework.drift.model_monitor_policy.preparing import ruled
from mlops_framework.drift.windows import Window
from mlops_framework.testing.drift import MONITOR, InMemoryBucket, capture_key, capture_line
from tests.unit.drift.conftest import csv_of, rows_of

HOURLY = "cron(0 * ? * * *)"
PLACE = Place(
    model_name="employment",
    endpoint="employment-prod",
    baseline="s3://mlops-data/imported/employment-dq/statistics.json",
    constraints="s3://mlops-data/imported/employment-dq/constraints.json",
    captures="s3://their-bucket/captures",
)


def described(kind: str, **config: Any) -> dict[str, Any]:
    return {
        "MonitoringScheduleName": f"employment-{kind}",
        "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": kind,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": HOURLY},
            "MonitoringJobDefinitionName": "a-definition",
            **config,
        },
    }


def definition(
    kind: str,
    *,
    inputs: Mapping[str, str] | None = None,
    truth: str = "",
    **application: Any,
) -> dict[str, Any]:
    """What SageMaker says of a job definition."""
    given: dict[str, Any] = {
        "EndpointInput": {"EndpointName": "employment-prod", "LocalPath": "/x", **(inputs or {})}
    }
    if truth:
        given["GroundTruthS3Input"] = {"S3Uri": truth}
    resources = {"ConstraintsResource": {"S3Uri": "s3://their-bucket/base/constraints.json"}}
    if kind == "DataQuality":
        resources["StatisticsResource"] = {"S3Uri": "s3://their-bucket/base/statistics.json"}
    output = {"S3Output": {"S3Uri": "s3://their-bucket/reports/", "LocalPath": "/y"}}
    return {
        f"{kind}BaselineConfig": resources,
        f"{kind}AppSpecification": {"ImageUri": "analyzer", **application},
        f"{kind}JobInput": given,
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [output]},
    }


def schedule(kind: str = "DataQuality", **members: Any) -> Schedule:
    return Schedule.of(described(kind), definition(kind, **members))


def request_of(*read: Read, place: Place = PLACE) -> tuple[dict[str, Any], str]:
    """The request, held against its contract, and all notes as one text."""
    made = imported(read, place)
    DriftMonitorRequest.model_validate(dict(made.request))
    return dict(made.request), "\n".join(made.notes)


def test_a_data_quality_schedule_becomes_a_request_with_the_same_rules() -> None:
    request, notes = request_of(Read(schedule=schedule()))

    assert request == {
        "pipeline_type": "drift-monitor",
        "model_name": "employment",
        "endpoint_name": "employment-prod",
        "baseline_data": "s3://mlops-data/imported/employment-dq/statistics.json",
        "capture_location": "s3://their-bucket/captures",
        "schedule_expression": "cron(15 * ? * * *)",
        "window_minutes": 60,
        "policy": "model-monitor",
        "model_monitor_files": True,
        "constraints_location": "s3://mlops-data/imported/employment-dq/constraints.json",
        "monitoring_schedule_name": "employment-DataQuality",
        "retrain": False,
        "slow_drift": False,
    }
    assert "15 minutes after it" in notes


def test_an_older_schedule_that_holds_its_definition_itself_says_the_same() -> None:
    own = definition("DataQuality", RecordPreprocessorSourceUri="s3://their-bucket/pre.py")
    inside = {
        "BaselineConfig": own["DataQualityBaselineConfig"],
        "MonitoringInputs": [own["DataQualityJobInput"]],
        "MonitoringOutputConfig": own["DataQualityJobOutputConfig"],
        "MonitoringAppSpecification": own["DataQualityAppSpecification"],
        "Environment": {"publish_cloudwatch_metrics": "Enabled"},
    }
    older = described("DataQuality", MonitoringJobDefinition=inside)
    del older["MonitoringType"]

    read = Schedule.of(older, {})

    assert replace(read, environment={}) == Schedule.of(described("DataQuality"), own)
    assert read.folder == "s3://their-bucket/reports/employment-prod/employment-DataQuality"
    notes = "\n".join(imported([Read(schedule=read)], PLACE).notes)
    assert "pre.py is not run" in notes
    assert "MLOps/Drift" in notes


@pytest.mark.parametrize(
    ("expression", "ours", "minutes"),
    [
        (HOURLY, "cron(15 * ? * * *)", 60),
        ("cron(0 3/6 ? * * *)", "cron(15 3/6 ? * * *)", 360),
        ("cron(0 7 ? * * *)", "cron(15 7 ? * * *)", 1440),
        ("NOW", "rate(1 hour)", 60),
    ],
)
def test_the_request_runs_as_often_and_looks_at_as_much(
    expression: str, ours: str, minutes: int
) -> None:
    request, _ = request_of(Read(schedule=replace(schedule(), expression=expression)))

    assert (request["schedule_expression"], request["window_minutes"]) == (ours, minutes)


def test_what_is_not_carried_over_is_told_by_name() -> None:
    read = schedule(
        inputs={"ExcludeFeaturesAttribute": "id"},
        PostAnalyticsProcessorSourceUri="s3://their-bucket/post.py",
        Environment={"publish_cloudwatch_metrics": "Enabled"},
    )
    place = replace(PLACE, policy="standard", answered=("prediction",))

    request, notes = request_of(Read(schedule=replace(read, status="Stopped")), place=place)

    assert request["policy"] == "standard"
    assert "slow_drift" not in request
    for said in ("post.py is not run", "columns id were left out", "prediction are of the model's"):
        assert said in notes
    assert "is Stopped; the request would run" in notes


QUALITY = {
    "binary_classification_constraints": {
        "f1": {"threshold": 0.8, "comparison_operator": "LessThanThreshold"},
        "au_prc": {"threshold": 0.7, "comparison_operator": "LessThanThreshold"},
        "gini": {"threshold": 0.6, "comparison_operator": "LessThanThreshold"},
    }
}


def test_model_quality_brings_its_labels_its_delay_and_its_limits() -> None:
    read = schedule(
        "ModelQuality",
        inputs={
            "ProbabilityAttribute": "0",
            "ProbabilityThresholdAttribute": "0.8",
            "StartTimeOffset": "-P3D",
            "EndTimeOffset": "-P2D",
        },
        truth="s3://their-bucket/labels",
        ProblemType="BinaryClassification",
    )
    limits = ModelQualityConstraints.from_document(QUALITY, "constraints.json")

    request, notes = request_of(Read(schedule=schedule()), Read(schedule=read, limits=limits))

    assert request["ground_truth"] == {
        "problem_type": "BinaryClassification",
        "probability_attribute": "0",
        "probability_threshold": 0.8,
        "label_horizon_hours": 72,
        "thresholds": {"f1": 0.8, "pr_auc": 0.7},
    }
    assert GroundTruth.from_document(request["ground_truth"]).binary
    assert request["ground_truth_location"] == "s3://their-bucket/labels"
    assert "no limit for gini" in notes


CLARIFY = {
    "label": "approved",
    "label_values_or_threshold": [1],
    "facet": [
        {"name_or_index": "age", "value_or_threshold": [40]},
        {"name_or_index": "sex", "value_or_threshold": ["F", "X"]},
        {"name_or_index": "region"},
    ],
    "group_variable": "city",
    "probability_threshold": 0.7,
}


def test_bias_brings_its_facets_and_says_which_of_them_is_a_guess() -> None:
    read = schedule(
        "ModelBias", inputs={"ProbabilityAttribute": "0"}, truth="s3://their-bucket/labels"
    )

    request, notes = request_of(Read(schedule=read, clarify=CLARIFY))

    assert request["bias"] == {
        "facets": [{"column": "age", "above": "40"}, {"column": "sex", "values": ["F", "X"]}],
        "label": {"values": ["1"]},
        "group_column": "city",
    }
    assert len(BiasSettings.from_document(request["bias"]).facets) == 2
    assert request["ground_truth"]["probability_threshold"] == 0.7
    assert request["ground_truth_location"] == "s3://their-bucket/labels"
    assert "age is the rows above 40" in notes
    assert "region names no value" in notes


def test_attribution_brings_what_clarify_found_in_the_training_data() -> None:
    analysis = Analysis(attributions={"label0": {"age": 0.4, "income": 0.1}})

    request, notes = request_of(Read(schedule=schedule("ModelExplainability"), analysis=analysis))

    assert request["attribution"] == {
        "source": "endpoint",
        "baseline": {"age": 0.4, "income": 0.1},
    }
    assert AttributionSettings.from_document(request["attribution"]).asks
    assert "asking the endpoint itself" in notes


def test_a_schedule_that_ran_once_looked_at_what_it_was_told() -> None:
    once = {
        "ScheduleExpression": "NOW",
        "DataAnalysisStartTime": "-PT3H",
        "DataAnalysisEndTime": "-PT1H",
    }

    read = Schedule.of(described("DataQuality", ScheduleConfig=once), definition("DataQuality"))

    assert (read.window, read.offset("EndTimeOffset")) == (timedelta(hours=2), -timedelta(hours=1))


@pytest.mark.parametrize(
    ("text", "hours"), [("-PT1H", -1), ("-P1DT2H", -26), ("P1W", 168), ("", 0), ("soon", 0)]
)
def test_offsets_are_durations(text: str, hours: int) -> None:
    assert duration(text) == timedelta(hours=hours)


def test_a_captured_record_tells_the_columns_of_the_answer() -> None:
    names = ("prediction", "income", "children", "colour")
    csv = capture_line((1.5, 2, "red"), time="2026-03-01T10:00:00Z")
    members = json.dumps(
        {
            "captureData": {
                "endpointInput": {"data": '{"colour": "red", "income": 1}', "encoding": "JSON"}
            }
        }
    )

    assert told_apart(names, csv, {}).answered == ("prediction",)
    at_the_end = told_apart(names, csv, {"output_columns_position": "END"})
    assert at_the_end.answered == ("colour",)
    assert told_apart(names, members, {}).requested == ("income", "colour")
    assert told_apart(names, None, {}) == told_apart(names, b"broken", {})
    assert not told_apart(names, None, {}).known


TIME = datetime(2026, 3, 1, 10, tzinfo=UTC)
SPAN = Window(TIME, TIME + timedelta(hours=1))


def seen_of(shift: float, *, other: str = "2026-03-01T09:59:59Z") -> Seen:
    """A window of 300 rows, and one record of the hour before in the same object."""
    baseline = ruled(Baseline.of_csv(csv_of(rows_of(4000, 1)), label_column="label", source="x"))
    bucket, key = InMemoryBucket(), capture_key(MONITOR.name, "2026-03-01T10:05:00Z", "a")
    rows = rows_of(300, 2, shift=shift)
    lines = [capture_line(row, time="2026-03-01T10:05:00Z") for row in rows]
    lines.append(capture_line(rows[0], time=other))
    bucket.objects[MONITOR.data_bucket, key] = "\n".join(lines)
    objects = [f"s3://{MONITOR.data_bucket}/{key}", f"s3://{MONITOR.data_bucket}/other.txt"]
    return look(MONITOR, baseline, bucket, objects, SPAN)


def test_a_window_of_the_past_is_judged_by_both_rules() -> None:
    quiet, moved = seen_of(0), seen_of(20)

    assert (quiet.rows, quiet.objects) == (300, 1)
    assert (quiet.status, quiet.verdict) == ("Completed", "healthy")
    assert (moved.status, moved.verdict) == ("CompletedWithViolations", "drift")
    assert [violation.feature for violation in moved.violations] == ["income"]
    assert moved.features == ("income",)
    assert moved.sentences[0].startswith("income moved up")


def test_two_verdicts_agree_if_they_name_the_same_columns_and_checks() -> None:
    run = Execution(TIME, "CompletedWithViolations", SPAN.start, SPAN.end)
    drift = Violation("baseline_drift_check", "in their words", feature="income")
    gaps = Violation("completeness_check", "in their words", feature="age")
    moved = seen_of(20)

    assert Compared(run, (drift,), moved).same
    differing = Compared(run, (gaps,), moved)
    assert differing.same is False
    assert differing.only_theirs == ("age (completeness_check)",)
    assert differing.only_ours == ("income (baseline_drift_check)",)
    assert Compared(run, None, moved).same is None
