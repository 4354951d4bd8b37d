"""The four Model Monitor kinds on the deployed platform: everything but AWS's own images."""

from __future__ import annotations

import json
import re
import time
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


def definition_of(sagemaker: Any, schedule: dict[str, Any]) -> Any:
    """The job definition that a schedule runs."""
    config = schedule["MonitoringScheduleConfig"]
    kind = "_".join(re.findall("[A-Z][a-z]+", config["MonitoringType"])).lower()
    describe = getattr(sagemaker, f"describe_{kind}_job_definition")
    return describe(JobDefinitionName=config["MonitoringJobDefinitionName"])


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
    assert definition_of(sagemaker, found)["DataQualityBaselineConfig"] == {
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


def test_a_baseline_that_cannot_be_computed_leaves_the_schedule_on_the_former_one(
    submit: Callable[..., dict[str, Any]],
    sagemaker: Any,
    given: dict[str, str],
    places: dict[str, str],
) -> None:
    def live() -> Any:
        return sagemaker.describe_monitoring_schedule(MonitoringScheduleName=SCHEDULE)

    before = live()
    with pytest.raises(AssertionError, match=r"The schedule goes on with baseline [0-9a-f]{16}"):
        submit(pipeline_type=KIND, baseline_data=places["train.csv"])
    assert live()["MonitoringScheduleStatus"] == "Scheduled"
    assert live()["CreationTime"] == before["CreationTime"]
    assert definition_of(sagemaker, live())["DataQualityBaselineConfig"] == {
        "ConstraintsResource": {"S3Uri": given["baseline_constraints_location"]},
        "StatisticsResource": {"S3Uri": given["baseline_statistics_location"]},
    }

    assert submit(**given)["seen"]["problems"] == []
    assert live()["MonitoringScheduleConfig"]["ScheduleConfig"] == {
        "ScheduleExpression": "cron(0 * ? * * *)"
    }


def test_a_run_by_hand_says_what_cannot_be_had_here(mlops: Any) -> None:
    with pytest.raises(AssertionError, match=r"Failed: .*drift-monitor"):
        mlops("monitor", "run", PIPELINE)


def test_removal_leaves_no_schedule_and_no_definition(mlops: Any, sagemaker: Any) -> None:
    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")

    assert schedules(sagemaker) == {}
    kept = sagemaker.list_data_quality_job_definitions(NameContains="sentry")
    assert kept["JobDefinitionSummaries"] == []


@pytest.fixture
def others(places: dict[str, str], bucket: str) -> dict[str, dict[str, Any]]:
    """Requests of the other three kinds, which compute their baselines."""
    truth = {"ground_truth_location": f"s3://{bucket}/truth/sentry", "inference_attribute": "0"}
    requests: dict[str, dict[str, Any]] = {
        "model-quality": {
            **truth,
            "problem_type": "MulticlassClassification",
            "baseline_inference_attribute": "age",
            "baseline_ground_truth_attribute": "label",
        },
        "bias": {
            **truth,
            "predictor_model_name": "sentry",
            "bias_config": {
                "label_values_or_threshold": [1],
                "facets": [{"name": "age", "values_or_threshold": [40]}],
            },
        },
        "explainability": {"predictor_model_name": "sentry", "shap_config": {"num_samples": 50}},
    }
    kinds = {"bias": "model-bias-monitor", "explainability": "model-explainability-monitor"}
    return {
        name: {
            "pipeline_type": kinds.get(name, f"{name}-monitor"),
            "model_name": "sentry",
            "endpoint_name": "sentry",
            "baseline_data": places["train.csv"],
            **body,
        }
        for name, body in requests.items()
    }


def test_the_other_kinds_from_a_baseline_that_cannot_be_computed_to_their_removal(
    others: dict[str, dict[str, Any]],
    mlops: Any,
    loop: Any,
    sagemaker: Any,
    places: dict[str, str],
    bucket: str,
    tmp_path: Path,
) -> None:
    def send(**changes: Any) -> list[str]:
        """Submits all of them before it waits for any; their outcomes."""
        answers = []
        for name, body in others.items():
            file = tmp_path / f"{name}.json"
            file.write_text(json.dumps({**body, **changes}))
            answers.append(mlops("submit", str(file)))
        for answer in answers:
            mlops("status", answer["pipeline_id"], "--wait")
        return [answer["outcome"] for answer in answers]

    def schedule(name: str) -> Any:
        return sagemaker.describe_monitoring_schedule(
            MonitoringScheduleName=f"mlops-local-sentry-{name}-local"
        )

    # AWS's analyzer and Clarify cannot be had here: refused by name, and nothing is scheduled.
    for name, body in others.items():
        file = tmp_path / f"{name}.json"
        file.write_text(json.dumps(body))
        mlops("submit", str(file))
    for body in others.values():
        with pytest.raises(AssertionError) as failed:
            mlops("status", f"sentry-{body['pipeline_type']}", "--wait")
        assert "sagemaker-clarify" in str(failed.value) or "model-monitor" in str(failed.value)
        assert "There is no schedule without a baseline" in str(failed.value)
    assert schedules(sagemaker) == {}

    # With a baseline that is there each of them is repaired, and scheduled.
    for body in others.values():
        body["baseline_constraints_location"] = places["constraints.json"]
    assert send() == ["updated"] * 3
    assert send() == ["unchanged"] * 3
    assert {each["MonitoringScheduleStatus"] for each in schedules(sagemaker).values()} == {
        "Scheduled"
    }
    created = {name: schedule(name)["CreationTime"] for name in others}
    quality = definition_of(sagemaker, schedule("model-quality"))
    assert quality["ModelQualityBaselineConfig"] == {
        "ConstraintsResource": {"S3Uri": places["constraints.json"]}
    }
    assert quality["ModelQualityJobInput"]["GroundTruthS3Input"] == {
        "S3Uri": f"s3://{bucket}/truth/sentry"
    }

    # Clarify is told the columns that the request left out.
    uris = {
        name: definition_of(sagemaker, schedule(name))[member]["ConfigUri"]
        for name, member in (
            ("bias", "ModelBiasAppSpecification"),
            ("explainability", "ModelExplainabilityAppSpecification"),
        )
    }
    analyses = {
        name: json.loads(
            loop.place.client("s3")
            .get_object(Bucket=bucket, Key=uri.removeprefix(f"s3://{bucket}/"))["Body"]
            .read()
        )
        for name, uri in uris.items()
    }
    assert analyses["bias"] == {
        "headers": ["label", "age", "hours"],
        "label": "label",
        "label_values_or_threshold": [1],
        "facet": [{"name_or_index": "age", "value_or_threshold": [40]}],
    }
    assert analyses["explainability"]["headers"] == ["age", "hours"]
    assert analyses["explainability"]["predictor"]["model_name"] == "sentry"

    # A larger machine at six in the morning: new definitions, the same schedules.
    assert send(schedule_expression="cron(0 6 ? * * *)", instance_type="ml.m5.xlarge") == (
        ["updated"] * 3
    )
    for name in others:
        found = schedule(name)
        cluster = definition_of(sagemaker, found)["JobResources"]["ClusterConfig"]
        assert cluster["InstanceType"] == "ml.m5.xlarge"
        assert found["CreationTime"] == created[name]
        assert found["MonitoringScheduleConfig"]["ScheduleConfig"] == {
            "ScheduleExpression": "cron(0 6 ? * * *)"
        }

    for body in others.values():
        mlops("pipelines", "delete", f"sentry-{body['pipeline_type']}", "--yes")
    deadline = time.monotonic() + 90
    while "sentry" in str(mlops("pipelines", "list")) and time.monotonic() < deadline:
        time.sleep(0.5)
    assert schedules(sagemaker) == {}
    for kind in ("model_quality", "model_bias", "model_explainability"):
        kept = getattr(sagemaker, f"list_{kind}_job_definitions")(NameContains="sentry")
        assert kept["JobDefinitionSummaries"] == []
