"""Importing a monitoring schedule, with SageMaker's answers as botocore's own models allow them."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from botocore.stub import Stubber
from typer.testing import CliRunner, Result

from mlops_framework import naming
from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.cli.__main__ import Tools, app
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.model_monitor_files import Statistics
from mlops_framework.drift.model_monitor_files.counted import (
    baseline_statistics,
    suggested_constraints,
)
from mlops_framework.drift.model_monitor_files.violations import Violation, violations_document
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import csv_of, rows_of

THEIRS, OURS = "their-monitoring", "mlops-test-data"
ENDPOINT, SCHEDULE = "employment-prod", "employment-hourly"
ARN = "arn:aws:sagemaker:us-east-1:111122223333:"
WHEN = datetime(2026, 3, 1, 12, tzinfo=UTC)
NAMES = {"MonitoringScheduleName": SCHEDULE}


@dataclass
class Aws:
    """The one place there is, for the commands."""

    clients: Mapping[str, Any]
    prefix: str = "mlops-test"
    asked: list[str | None] = field(default_factory=list)

    def find(self, environment: str | None, api_url: str | None = None) -> Aws:
        self.asked.append(environment)
        return self

    def client(self, service: str) -> Any:
        return self.clients[service]

    def value(self, key: naming.PlatformKey) -> str:
        return {"data-bucket-name": OURS}[key]


@pytest.fixture
def s3(moto: Any) -> Any:
    client = moto("s3")
    for bucket in (THEIRS, OURS):
        client.create_bucket(Bucket=bucket)
    return client


@pytest.fixture
def sagemaker(client_of: Any) -> Iterator[Stubber]:
    with Stubber(client_of("sagemaker")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def importing(s3: Any, sagemaker: Stubber, monkeypatch: Any) -> Callable[..., Result]:
    monkeypatch.setenv("COLUMNS", "200")
    monkeypatch.setenv("NO_COLOR", "1")
    tools = Tools(places=Aws({"s3": s3, "sagemaker": sagemaker.client}))
    return lambda *arguments: CliRunner().invoke(
        app, ["drift", "import-model-monitor", *arguments], obj=tools
    )


def described(name: str = SCHEDULE, kind: str = "DataQuality") -> dict[str, Any]:
    return {
        "MonitoringScheduleArn": f"{ARN}monitoring-schedule/{name}",
        "MonitoringScheduleName": name,
        "MonitoringScheduleStatus": "Scheduled",
        "MonitoringType": kind,
        "CreationTime": WHEN,
        "LastModifiedTime": WHEN,
        "EndpointName": ENDPOINT,
        "MonitoringScheduleConfig": {
            "ScheduleConfig": {"ScheduleExpression": "cron(0 * ? * * *)"},
            "MonitoringJobDefinitionName": f"{name}-definition",
            "MonitoringType": kind,
        },
    }


def definition(kind: str = "DataQuality", **job_input: Any) -> dict[str, Any]:
    given = {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input"}
    place = {"S3Uri": f"s3://{THEIRS}/reports", "LocalPath": "/opt/ml/processing/output"}
    return {
        "JobDefinitionArn": f"{ARN}job/{kind}",
        "JobDefinitionName": "a-definition",
        "CreationTime": WHEN,
        "RoleArn": "arn:aws:iam::111122223333:role/monitoring",
        "JobResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
                "VolumeSizeInGB": 20,
            }
        },
        f"{kind}BaselineConfig": {
            "ConstraintsResource": {"S3Uri": f"s3://{THEIRS}/base/constraints.json"},
            "StatisticsResource": {"S3Uri": f"s3://{THEIRS}/base/statistics.json"},
        },
        f"{kind}AppSpecification": {"ImageUri": "analyzer"},
        f"{kind}JobInput": job_input or {"EndpointInput": given},
        f"{kind}JobOutputConfig": {"MonitoringOutputs": [{"S3Output": place}]},
    }


def execution(hour: int, status: str, **more: Any) -> dict[str, Any]:
    return {
        "MonitoringScheduleName": SCHEDULE,
        "ScheduledTime": datetime(2026, 3, 1, hour, tzinfo=UTC),
        "CreationTime": WHEN,
        "LastModifiedTime": WHEN,
        "MonitoringExecutionStatus": status,
        **more,
    }


def job(name: str, hour: int) -> dict[str, Any]:
    place = f"s3://{THEIRS}/reports/{ENDPOINT}/{SCHEDULE}/2026/03/01/{hour:02}"
    output = {"S3Uri": place, "LocalPath": "/o", "S3UploadMode": "EndOfJob"}
    return {
        "ProcessingJobName": name,
        "ProcessingJobArn": f"{ARN}processing-job/{name}",
        "ProcessingJobStatus": "Completed",
        "CreationTime": WHEN,
        "AppSpecification": {"ImageUri": "analyzer"},
        "ProcessingResources": {"ClusterConfig": definition()["JobResources"]["ClusterConfig"]},
        "ProcessingOutputConfig": {"Outputs": [{"OutputName": "result", "S3Output": output}]},
        "Environment": {
            "start_time": f"2026-03-01T{hour - 1:02}:00:00Z",
            "end_time": f"2026-03-01T{hour:02}:00:00Z",
        },
    }


def endpoint(capture: str = f"s3://{THEIRS}/captures") -> dict[str, Any]:
    found: dict[str, Any] = {
        "EndpointName": ENDPOINT,
        "EndpointArn": f"{ARN}endpoint/{ENDPOINT}",
        "EndpointConfigName": "a-config",
        "EndpointStatus": "InService",
        "CreationTime": WHEN,
        "LastModifiedTime": WHEN,
    }
    if capture:
        found["DataCaptureConfig"] = {
            "EnableCapture": True,
            "CaptureStatus": "Started",
            "CurrentSamplingPercentage": 100,
            "DestinationS3Uri": capture,
            "KmsKeyId": "",
        }
    return found


def others(*names: str) -> dict[str, Any]:
    return {
        "MonitoringScheduleSummaries": [
            {
                "MonitoringScheduleName": name,
                "MonitoringScheduleArn": f"{ARN}monitoring-schedule/{name}",
                "CreationTime": WHEN,
                "LastModifiedTime": WHEN,
                "MonitoringScheduleStatus": "Scheduled",
                "MonitoringType": "ModelQuality",
            }
            for name in names
        ]
    }


def put(s3: Any, bucket: str, key: str, document: Any) -> None:
    text = document if isinstance(document, str) else json.dumps(document)
    s3.put_object(Bucket=bucket, Key=key, Body=text.encode())


@pytest.fixture
def world(s3: Any) -> None:
    """A baseline that holds the model's answer, and two hours of traffic: one moved, one not."""
    header, *lines = csv_of(rows_of(4000, 1))
    training = [f"prediction,{header}", *(f"0.5,{line}" for line in lines)]
    baseline = Baseline.of_csv(training, label_column="label", source="training data")
    put(s3, THEIRS, "base/statistics.json", baseline_statistics(baseline))
    put(s3, THEIRS, "base/constraints.json", suggested_constraints(baseline).to_document())
    for hour, shift in ((10, 0.0), (11, 20.0)):
        time = f"2026-03-01T{hour}:05:00Z"
        rows = rows_of(300, hour + 20, shift=shift)
        key = f"captures/{ENDPOINT}/AllTraffic/2026/03/01/{hour}/05-00-000-a.jsonl"
        put(s3, THEIRS, key, "\n".join(capture_line(row, time=time) for row in rows))


def answers(sagemaker: Stubber) -> None:
    """What SageMaker says of a schedule with two runs."""
    sagemaker.add_response("describe_monitoring_schedule", described(), NAMES)
    sagemaker.add_response(
        "describe_data_quality_job_definition",
        definition(),
        {"JobDefinitionName": f"{SCHEDULE}-definition"},
    )
    sagemaker.add_response("describe_endpoint", endpoint(), {"EndpointName": ENDPOINT})
    runs = [
        execution(13, "InProgress"),
        execution(12, "CompletedWithViolations", ProcessingJobArn=f"{ARN}processing-job/run-12"),
        execution(11, "Completed", ProcessingJobArn=f"{ARN}processing-job/run-11"),
    ]
    sagemaker.add_response("list_monitoring_executions", {"MonitoringExecutionSummaries": runs})
    for hour in (12, 11):
        name = f"run-{hour}"
        sagemaker.add_response(
            "describe_processing_job", job(name, hour), {"ProcessingJobName": name}
        )
    sagemaker.add_response("list_monitoring_schedules", others(SCHEDULE, "employment-quality"))


def test_a_schedule_becomes_a_request_and_both_verdicts_stand_side_by_side(
    importing: Callable[..., Result], sagemaker: Stubber, s3: Any, world: None, tmp_path: Path
) -> None:
    answers(sagemaker)
    violations = [
        Violation("baseline_drift_check", "Numerical distance: 0.7", feature="income"),
        Violation("completeness_check", "less", feature="colour"),
    ]
    place = f"reports/{ENDPOINT}/{SCHEDULE}/2026/03/01/12/constraint_violations.json"
    put(s3, THEIRS, place, violations_document(violations))
    file = tmp_path / "monitor.yaml"

    done = importing(SCHEDULE, "--output", str(file), "--model-name", "employment", "--json")

    assert done.exit_code == 0, done.output
    said = json.loads(done.stdout)
    newest, before = said["executions"]
    assert newest["start"].startswith("2026-03-01T11:00")
    assert newest["rows"] == 300
    assert newest["model_monitor"]["status"] == "CompletedWithViolations"
    assert newest["same_rules"]["status"] == "CompletedWithViolations"
    assert newest["same_rules"]["agree"] is False
    assert newest["same_rules"]["only_model_monitor"] == ["colour (completeness_check)"]
    assert newest["own_rule"]["features"] == ["income"]
    assert before["same_rules"] == {
        "status": "Completed",
        "violations": [],
        "agree": True,
        "only_model_monitor": [],
        "only_here": [],
    }
    assert any(f"the platform's functions read {OURS}" in note for note in said["notes"])
    request = yaml.safe_load(file.read_text())
    assert request == said["request"]
    assert DriftMonitorRequest.model_validate(request).policy == "model-monitor"
    assert request["capture_location"] == f"s3://{THEIRS}/captures"
    copied = s3.get_object(Bucket=OURS, Key=f"imported/{SCHEDULE}/statistics.json")["Body"].read()
    statistics = Statistics.from_document(json.loads(copied), "copied")
    assert [one.name for one in statistics.features] == ["income", "children", "colour"]
    assert request["baseline_data"] == f"s3://{OURS}/imported/{SCHEDULE}/statistics.json"


def test_without_a_file_to_write_everything_is_shown_and_nothing_written(
    importing: Callable[..., Result], sagemaker: Stubber, s3: Any, world: None
) -> None:
    answers(sagemaker)

    done = importing(SCHEDULE)

    assert done.exit_code == 0, done.output
    assert "pipeline_type: drift-monitor" in done.stdout
    assert "2026-03-01 11:00 to 12:00" in done.stdout
    assert "drift: income" in done.stdout
    assert "2026-03-01 11:00: only its rules here: income (baseline_drift_check)" in done.stdout
    assert "employment-quality (ModelQuality) watches the endpoint, too" in done.stderr
    assert "Nothing was written" in done.stderr
    assert "Contents" not in s3.list_objects_v2(Bucket=OURS)


def test_an_unknown_schedule_is_told_with_those_there_are(
    importing: Callable[..., Result], sagemaker: Stubber
) -> None:
    sagemaker.add_client_error("describe_monitoring_schedule", "ResourceNotFound")
    sagemaker.add_response("list_monitoring_schedules", others("b-hourly", "a-daily"))

    done = importing("emploiment-hourly")

    assert done.exit_code == 1
    assert "no monitoring schedule 'emploiment-hourly'" in done.stderr
    assert "There are: a-daily, b-hourly." in done.stderr


def test_an_endpoint_without_captures_has_nothing_to_watch(
    importing: Callable[..., Result], sagemaker: Stubber
) -> None:
    sagemaker.add_response("describe_monitoring_schedule", described(), NAMES)
    sagemaker.add_response("describe_data_quality_job_definition", definition())
    sagemaker.add_response("describe_endpoint", endpoint(""), {"EndpointName": ENDPOINT})

    done = importing(SCHEDULE)

    assert done.exit_code == 1
    assert "captures nothing. Switch its data capture on" in done.stderr


@pytest.mark.parametrize("folder", ["captures/nightly-batch", "not a name"])
def test_batch_transforms_are_watched_by_the_last_folder_of_their_captures(
    importing: Callable[..., Result], sagemaker: Stubber, world: None, folder: str
) -> None:
    batch = {
        "BatchTransformInput": {
            "DataCapturedDestinationS3Uri": f"s3://{THEIRS}/{folder}",
            "DatasetFormat": {"Csv": {"Header": False}},
            "LocalPath": "/opt/ml/processing/input",
        }
    }
    said = {name: value for name, value in described().items() if name != "EndpointName"}
    sagemaker.add_response("describe_monitoring_schedule", said, NAMES)
    sagemaker.add_response("describe_data_quality_job_definition", definition(**batch))

    done = importing(SCHEDULE, "--json")

    if folder == "not a name":
        assert done.exit_code == 1
        assert "has to be letters, digits and hyphens" in done.output
        return
    said = json.loads(done.stdout)
    assert DriftMonitorRequest.model_validate(said["request"]).heartbeat is False
    assert said["request"]["endpoint_name"] == "nightly-batch"
    assert said["request"]["capture_location"] == f"s3://{THEIRS}/captures"
    assert any("name it as label_column" in note for note in said["notes"])


def test_two_schedules_of_one_kind_are_refused(
    importing: Callable[..., Result], sagemaker: Stubber
) -> None:
    for name in (SCHEDULE, "employment-daily"):
        sagemaker.add_response("describe_monitoring_schedule", described(name))
        sagemaker.add_response("describe_data_quality_job_definition", definition())

    done = importing(SCHEDULE, "employment-daily")

    assert done.exit_code == 1
    assert "are both of kind DataQuality" in done.stderr


def test_constraints_alone_are_the_baseline_of_the_checks_that_they_are_good_for(
    importing: Callable[..., Result], sagemaker: Stubber, s3: Any, world: None, tmp_path: Path
) -> None:
    s3.delete_object(Bucket=THEIRS, Key="base/statistics.json")
    answers(sagemaker)

    done = importing(SCHEDULE, "--json", "--output", str(tmp_path / "monitor.yaml"))

    assert done.exit_code == 0, done.stderr
    said = json.loads(done.stdout)
    request = DriftMonitorRequest.model_validate(said["request"])
    assert request.baseline_data.endswith(f"/imported/{SCHEDULE}/requests/constraints.json")
    bucket, _, key = request.baseline_data.removeprefix("s3://").partition("/")
    kept = json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
    assert [feature["name"] for feature in kept["features"]] == ["income", "children", "colour"]
    assert {run["own_rule"]["verdict"] for run in said["executions"]} == {"insufficient-data"}


def test_without_statistics_the_training_data_has_to_be_named(
    importing: Callable[..., Result], sagemaker: Stubber, s3: Any
) -> None:
    limits = {"regression_constraints": {}}
    put(s3, THEIRS, "base/constraints.json", limits)
    quality = definition("ModelQuality")
    del quality["ModelQualityBaselineConfig"]["StatisticsResource"]
    quality["ModelQualityAppSpecification"]["ProblemType"] = "Regression"
    quality["ModelQualityJobInput"]["GroundTruthS3Input"] = {"S3Uri": f"s3://{THEIRS}/labels"}
    for _ in range(2):
        sagemaker.add_response("describe_monitoring_schedule", described(kind="ModelQuality"))
        sagemaker.add_response("describe_model_quality_job_definition", quality)
        sagemaker.add_response("describe_endpoint", endpoint(), {"EndpointName": ENDPOINT})
    sagemaker.add_response("list_monitoring_schedules", others(SCHEDULE))

    refused = importing(SCHEDULE)
    done = importing(SCHEDULE, "--baseline-data", "s3://mlops-test-data/train.csv", "--json")

    assert "too, or the training data: --baseline-data" in refused.stderr
    request = json.loads(done.stdout)["request"]
    assert request["ground_truth"] == {"problem_type": "Regression"}
    assert request["ground_truth_location"] == f"s3://{THEIRS}/labels"
    assert DriftMonitorRequest.model_validate(request).baseline_data.endswith("train.csv")
