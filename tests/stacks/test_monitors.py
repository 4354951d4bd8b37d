"""What the templates of the four Model Monitor kinds become for a request."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

import pytest

from tests.stacks.conftest import ANALYZERS, Synthesized
from tests.stacks.deployed import Deployed

KEY = "0123456789abcdef"
DEFINITION = {
    "data-quality-monitor": "DataQuality",
    "model-quality-monitor": "ModelQuality",
    "model-bias-monitor": "ModelBias",
    "model-explainability-monitor": "ModelExplainability",
}
OWN: Mapping[str, Mapping[str, Any]] = {
    "data-quality-monitor": {},
    "model-quality-monitor": {
        "problem_type": "BinaryClassification",
        "baseline_probability_attribute": "probability",
        "baseline_ground_truth_attribute": "label",
        "ground_truth_location": "s3://my-data/truth",
        "probability_attribute": "0",
    },
    "model-bias-monitor": {
        "bias_config": {
            "label_values_or_threshold": [1],
            "facets": [{"name": "age", "values_or_threshold": [40]}],
        },
        "model_predicted_label_config": {"probability": "0"},
        "ground_truth_location": "s3://my-data/truth",
        "probability_attribute": "0",
    },
    "model-explainability-monitor": {"shap_config": {"num_clusters": 1}},
}
WATCHED = {"endpoint_name": "churn", "baseline_data": "s3://my-data/train.csv"}
CLARIFY = ("model-bias-monitor", "model-explainability-monitor")
SETTLED = {"SettledBaseline": KEY}
Deploy = Callable[..., Deployed]


@pytest.fixture(params=ANALYZERS)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture
def deployed(dev: Synthesized, kind: str) -> Deploy:
    body = {"pipeline_type": kind, "model_name": "churn", **WATCHED, **OWN[kind]}

    def deploy(settled: Mapping[str, str] = SETTLED, **more: Any) -> Deployed:
        return Deployed(dev.blueprints[kind], {**body, **more}, given=settled)

    return deploy


def definition(found: Deployed, kind: str) -> dict[str, Any]:
    return found.one(f"AWS::SageMaker::{DEFINITION[kind]}JobDefinition")


def member(found: Deployed, kind: str, name: str) -> dict[str, Any]:
    value: dict[str, Any] = definition(found, kind)[f"{DEFINITION[kind]}{name}"]
    return value


def test_there_is_no_schedule_and_no_alarm_before_there_is_a_baseline(
    deployed: Deploy, kind: str
) -> None:
    before = deployed(settled={})
    types = {type_ for type_, _ in before.resources.values()}

    assert "AWS::SageMaker::Pipeline" in types
    assert not types & {
        "AWS::SageMaker::MonitoringSchedule",
        f"AWS::SageMaker::{DEFINITION[kind]}JobDefinition",
        "AWS::CloudWatch::Alarm",
    }


def test_the_schedule_compares_with_the_settled_baseline_and_keeps_its_name(
    deployed: Deploy, kind: str
) -> None:
    first, other = deployed(), deployed(settled={"SettledBaseline": "f" * 16})

    config = member(first, kind, "BaselineConfig")["ConstraintsResource"]["S3Uri"]
    assert f"/baseline/{KEY}/" in config
    names = {
        found.one("AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleName"]
        for found in (first, other)
    }
    assert len(names) == 1
    assert names.pop().startswith("mlops-dev-churn-")
    assert "JobDefinitionName" not in definition(first, kind)


def test_one_key_and_one_network_rule_hold_for_every_job(deployed: Deploy, kind: str) -> None:
    own = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
    given = deployed(kms_key_arn=own)
    cluster = definition(given, kind)["JobResources"]["ClusterConfig"]
    output = member(given, kind, "JobOutputConfig")

    assert cluster["VolumeKmsKeyId"] == output["KmsKeyId"] == own
    plain = definition(deployed(), kind)["JobResources"]["ClusterConfig"]
    assert plain["VolumeKmsKeyId"] == "<PlatformKeyArn>"
    network = definition(given, kind)["NetworkConfig"]
    assert network["EnableInterContainerTrafficEncryption"] is True


def test_it_watches_an_endpoint_or_what_batch_transforms_captured(
    deployed: Deploy, kind: str
) -> None:
    live = member(deployed(), kind, "JobInput")
    # Without an endpoint, Clarify has to be told which model it asks.
    more = {"predictor_model_name": "churn"} if kind in CLARIFY else {}
    batch = member(
        deployed(
            endpoint_name="",
            data_capture_location="s3://my-data/captures/batch",
            capture_format="json-lines",
            **more,
        ),
        kind,
        "JobInput",
    )

    assert live["EndpointInput"]["EndpointName"] == "churn"
    assert "BatchTransformInput" not in live
    assert "EndpointInput" not in batch
    transform = batch["BatchTransformInput"]
    assert transform["DataCapturedDestinationS3Uri"] == "s3://my-data/captures/batch"
    assert transform["DatasetFormat"] == {"Json": {"Line": "true"}}


def test_violations_failures_and_silence_reach_people(deployed: Deploy) -> None:
    found = deployed()
    alarms = {alarm["MetricName"]: alarm for alarm in found.all("AWS::CloudWatch::Alarm")}
    schedule = found.one("AWS::SageMaker::MonitoringSchedule")["MonitoringScheduleName"]

    assert sorted(alarms) == ["FailedRuns", "Runs", "Violations"]
    assert alarms["Runs"]["TreatMissingData"] == "breaching"
    for alarm in alarms.values():
        assert {"Name": "Monitor", "Value": schedule} in alarm["Dimensions"]
        assert alarm["AlarmActions"] == ["<PlatformAlertTopicArn>"]


def test_the_report_hears_of_this_monitors_jobs_alone(deployed: Deploy) -> None:
    rule = deployed().one("AWS::Events::Rule")

    assert len(rule["EventPattern"]["detail"]["RoleArn"]) == 1
    assert rule["EventPattern"]["detail"]["RoleArn"][0].startswith("<JobRole")


def test_jobs_read_what_the_request_names(deployed: Deploy) -> None:
    policy = json.dumps(deployed().named("JobRoleDefaultPolicy"))

    assert "arn:aws:s3:::my-data/train.csv*" in policy
    assert "arn:aws:s3:::my-data/captures*" in policy


def test_a_baseline_that_is_brought_is_used_as_it_stands(dev: Synthesized) -> None:
    brought = {
        "pipeline_type": "data-quality-monitor",
        "model_name": "churn",
        "endpoint_name": "churn",
        "baseline_constraints_location": "s3://my-data/baseline/constraints.json",
        "baseline_statistics_location": "s3://my-data/baseline/statistics.json",
    }
    found = Deployed(dev.blueprints["data-quality-monitor"], brought, given=SETTLED)

    assert found.all("AWS::SageMaker::Pipeline") == []
    assert "BaselinePipelineName" not in found.outputs
    assert member(found, "data-quality-monitor", "BaselineConfig") == {
        "ConstraintsResource": {"S3Uri": brought["baseline_constraints_location"]},
        "StatisticsResource": {"S3Uri": brought["baseline_statistics_location"]},
    }


def test_the_baseline_pipeline_is_json_that_runs_the_analyzer_with_the_requests_data(
    deployed: Deploy,
) -> None:
    pipeline = deployed().one("AWS::SageMaker::Pipeline")

    steps = json.loads(pipeline["PipelineDefinition"]["PipelineDefinitionBody"])["Steps"]

    (job,) = [step["Arguments"] for step in steps if step["Type"] == "Processing"]
    locations = [given["S3Input"]["S3Uri"] for given in job["ProcessingInputs"]]
    assert "s3://my-data/train.csv" in locations
    assert job["ProcessingOutputConfig"]["KmsKeyId"] == "<PlatformKeyArn>"
