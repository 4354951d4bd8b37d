"""The four Model Monitor kinds on the deployed platform: everything but AWS's own images."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

KIND = "data-quality-monitor"
PIPELINE = f"sentry-{KIND}"
SCHEDULE = "mlops-local-sentry-data-quality-local"
CONSTRAINTS = {"version": 0.0, "features": []}
STATISTICS = {"version": 0.0, "dataset": {"item_count": 3}, "features": []}
TRAINING = "label,age,hours\n1,40,38\n0,61,12\n1,33,45\n"


@pytest.fixture(scope="module")
def sagemaker(loop: Any) -> Any:
    return loop.place.client("sagemaker")


@pytest.fixture(scope="module")
def places(loop: Any, bucket: str) -> dict[str, str]:
    """What a monitor is given, already in the data bucket."""
    texts = {
        "train.csv": TRAINING,
        "constraints.json": json.dumps(CONSTRAINTS),
        "statistics.json": json.dumps(STATISTICS),
    }
    for name, text in texts.items():
        key = f"datasets/sentry/{name}"
        loop.place.client("s3").put_object(Bucket=bucket, Key=key, Body=text.encode())
    return {name: f"s3://{bucket}/datasets/sentry/{name}" for name in texts}


@pytest.fixture
def submit(mlops: Any, tmp_path: Path) -> Callable[..., dict[str, Any]]:
    """Sends a request; with its answer, and with what status says in the end."""

    def send(**body: Any) -> dict[str, Any]:
        file = tmp_path / "request.json"
        file.write_text(json.dumps({"model_name": "sentry", "endpoint_name": "sentry", **body}))
        answer = mlops("submit", str(file))
        return {**answer, "seen": mlops("status", answer["pipeline_id"], "--wait")}

    return send


@pytest.fixture
def given(places: dict[str, str]) -> dict[str, str]:
    """A data quality monitor that brings its baseline along."""
    return {
        "pipeline_type": KIND,
        "baseline_constraints_location": places["constraints.json"],
        "baseline_statistics_location": places["statistics.json"],
    }


def schedules(sagemaker: Any) -> dict[str, dict[str, Any]]:
    listed = sagemaker.list_monitoring_schedules(NameContains="sentry")
    return {each["MonitoringScheduleName"]: each for each in listed["MonitoringScheduleSummaries"]}


def actions(seen: dict[str, Any]) -> dict[str, dict[str, Any]]:
    return {action["name"]: action for action in seen["stages"][1]["actions"]}


def test_without_a_baseline_there_is_no_schedule_and_status_says_why(
    submit: Callable[..., dict[str, Any]], sagemaker: Any, places: dict[str, str]
) -> None:
    with pytest.raises(AssertionError) as failed:
        submit(pipeline_type=KIND, baseline_data=places["train.csv"])

    said = str(failed.value)
    assert "Step Baseline failed" in said
    assert "sagemaker-model-monitor-analyzer" in said
    assert "drift-monitor" in said
    assert schedules(sagemaker) == {}


def test_a_given_baseline_repairs_it_and_starts_the_schedule(
    submit: Callable[..., dict[str, Any]], sagemaker: Any, given: dict[str, str]
) -> None:
    seen = submit(**given)["seen"]

    assert seen["problems"] == []
    assert "given with the request" in actions(seen)["Verify"]["summary"]
    found = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=SCHEDULE)
    assert found["MonitoringScheduleStatus"] == "Scheduled"
    assert found["EndpointName"] == "sentry"
    definition = sagemaker.describe_data_quality_job_definition(
        JobDefinitionName=found["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    )
    assert definition["DataQualityBaselineConfig"] == {
        "ConstraintsResource": {"S3Uri": given["baseline_constraints_location"]},
        "StatisticsResource": {"S3Uri": given["baseline_statistics_location"]},
    }


def test_the_same_request_changes_nothing_and_another_hour_only_the_hour(
    submit: Callable[..., dict[str, Any]], sagemaker: Any, given: dict[str, str]
) -> None:
    before = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=SCHEDULE)

    same = submit(**given)
    seen = submit(**given, schedule_expression="cron(0 6 ? * * *)")["seen"]

    after = sagemaker.describe_monitoring_schedule(MonitoringScheduleName=SCHEDULE)
    assert "Nothing to change" in same["message"]
    assert "nothing it depends on changed" in actions(seen)["Verify"]["summary"]
    assert after["CreationTime"] == before["CreationTime"]
    config = dict(after["MonitoringScheduleConfig"])
    assert config.pop("ScheduleConfig") == {"ScheduleExpression": "cron(0 6 ? * * *)"}
    assert config.items() <= before["MonitoringScheduleConfig"].items()


def test_a_run_by_hand_says_what_cannot_be_had_here(mlops: Any) -> None:
    with pytest.raises(AssertionError, match=r"Failed: .*drift-monitor"):
        mlops("monitor", "run", PIPELINE)


def test_removal_leaves_no_schedule_and_no_definition(mlops: Any, sagemaker: Any) -> None:
    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")

    assert schedules(sagemaker) == {}
    kept = sagemaker.list_data_quality_job_definitions(NameContains="sentry")
    assert kept["JobDefinitionSummaries"] == []


def test_clarify_is_told_the_columns_that_the_request_left_out(
    submit: Callable[..., dict[str, Any]],
    mlops: Any,
    loop: Any,
    sagemaker: Any,
    places: dict[str, str],
    bucket: str,
) -> None:
    seen = submit(
        pipeline_type="model-bias-monitor",
        baseline_data=places["train.csv"],
        baseline_constraints_location=places["constraints.json"],
        predictor_model_name="sentry",
        bias_config={
            "label_values_or_threshold": [1],
            "facets": [{"name": "age", "values_or_threshold": [40]}],
        },
        ground_truth_location=f"s3://{bucket}/truth/sentry",
        inference_attribute="0",
    )["seen"]

    schedule = sagemaker.describe_monitoring_schedule(
        MonitoringScheduleName="mlops-local-sentry-bias-local"
    )
    definition = sagemaker.describe_model_bias_job_definition(
        JobDefinitionName=schedule["MonitoringScheduleConfig"]["MonitoringJobDefinitionName"]
    )
    uri = definition["ModelBiasAppSpecification"]["ConfigUri"]
    key = uri.removeprefix(f"s3://{bucket}/")
    body = loop.place.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    mlops("pipelines", "delete", seen["pipeline_id"], "--yes", "--wait")
    assert json.loads(body) == {
        "headers": ["label", "age", "hours"],
        "label": "label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "age", "value_or_threshold": [40]}],
    }
