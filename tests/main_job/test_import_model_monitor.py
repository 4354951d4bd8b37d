"""From a Model Monitor schedule to a monitor that judges by the same rules, on the local AWS."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.model_monitor_files.counted import (
    baseline_statistics,
    suggested_constraints,
)
from mlops_framework.drift.model_monitor_files.schemas import Name, schema
from mlops_framework.testing.drift import capture_key, capture_line
from tests.unit.drift.conftest import csv_of, rows_of

pytestmark = pytest.mark.slow

ENDPOINT, SCHEDULE = "taken-over", "taken-over-now"
ROLE = "arn:aws:iam::111122223333:role/monitoring"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-model-monitor-analyzer"
HALF_AN_HOUR_AGO = datetime.now(UTC) - timedelta(minutes=30)


@pytest.fixture
def s3(loop: Any) -> Any:
    return loop.place.client("s3")


@pytest.fixture
def capture(s3: Any, bucket: str) -> Callable[..., None]:
    """Puts an object of captured traffic where the endpoint's are."""

    def put(name: str, *, shift: float) -> None:
        rows = rows_of(400, 2, shift=shift)
        lines = [capture_line(row, time=HALF_AN_HOUR_AGO) for row in rows]
        key = capture_key(ENDPOINT, HALF_AN_HOUR_AGO, name)
        s3.put_object(Bucket=bucket, Key=key, Body="\n".join(lines).encode())

    return put


@pytest.fixture
def scheduled(loop: Any, s3: Any, bucket: str) -> Iterator[None]:
    """A data quality schedule that ran once over the last hour, whose baseline has an answer."""
    header, *lines = csv_of(rows_of(4000, 1))
    training = [f"prediction,{header}", *(f"0.5,{line}" for line in lines)]
    baseline = Baseline.of_csv(training, label_column="label", source="training data")
    place = f"s3://{bucket}/theirs"
    for name, document in (
        ("statistics.json", baseline_statistics(baseline)),
        ("constraints.json", suggested_constraints(baseline).to_document()),
    ):
        body = json.dumps(document).encode()
        s3.put_object(Bucket=bucket, Key=f"theirs/{name}", Body=body)
    sagemaker = loop.place.client("sagemaker")
    sagemaker.create_data_quality_job_definition(
        JobDefinitionName=SCHEDULE,
        DataQualityBaselineConfig={
            "ConstraintsResource": {"S3Uri": f"{place}/constraints.json"},
            "StatisticsResource": {"S3Uri": f"{place}/statistics.json"},
        },
        DataQualityAppSpecification={"ImageUri": IMAGE},
        DataQualityJobInput={
            "EndpointInput": {"EndpointName": ENDPOINT, "LocalPath": "/opt/ml/processing/input"}
        },
        DataQualityJobOutputConfig={
            "MonitoringOutputs": [
                {"S3Output": {"S3Uri": f"{place}/reports", "LocalPath": "/opt/ml/processing/out"}}
            ]
        },
        JobResources={
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.xlarge",
                "VolumeSizeInGB": 20,
            }
        },
        RoleArn=ROLE,
    )
    sagemaker.create_monitoring_schedule(
        MonitoringScheduleName=SCHEDULE,
        MonitoringScheduleConfig={
            "MonitoringJobDefinitionName": SCHEDULE,
            "MonitoringType": "DataQuality",
            "ScheduleConfig": {
                "ScheduleExpression": "NOW",
                "DataAnalysisStartTime": "-PT1H",
                "DataAnalysisEndTime": "-PT0H",
            },
        },
    )
    yield
    sagemaker.delete_monitoring_schedule(MonitoringScheduleName=SCHEDULE)
    sagemaker.delete_data_quality_job_definition(JobDefinitionName=SCHEDULE)


def test_a_schedule_is_taken_over_and_its_rules_go_on(
    scheduled: None,
    capture: Callable[..., None],
    mlops: Any,
    loop: Any,
    s3: Any,
    bucket: str,
    tmp_path: Path,
) -> None:
    capture("000-before", shift=20)
    file = tmp_path / "requests" / "taken-over.yaml"

    said = mlops(
        *("drift", "import-model-monitor", SCHEDULE, "--output", str(file)),
        *("--captures", f"s3://{bucket}/captures"),
    )

    # The run failed, since AWS's image cannot be had here; its traffic is judged all the same.
    (run,) = said["executions"]
    assert run["model_monitor"]["status"] == "Failed"
    assert run["rows"] == 400
    assert run["same_rules"]["status"] == "CompletedWithViolations"
    assert run["own_rule"]["features"] == ["income"]
    request = yaml.safe_load(file.read_text())
    assert request["policy"] == "model-monitor"
    assert request["baseline_data"] == f"s3://{bucket}/imported/{SCHEDULE}/statistics.json"

    mlops("apply", str(file.parent), "--yes")
    pipeline = f"{ENDPOINT}-drift-monitor"
    assert mlops("status", pipeline, "--wait")["problems"] == []
    capture("001-after", shift=20)

    report = judged(loop, s3, bucket)

    assert report["features"] == ["income"]
    assert report["captures"]["rows"] == 400
    assert report["model_monitor"]["status"] == "CompletedWithViolations"
    assert report["model_monitor"]["decides"]
    place = report["model_monitor"]["files"].removeprefix(f"s3://{bucket}/")
    assert f"/{ENDPOINT}/{SCHEDULE}/{HALF_AN_HOUR_AGO:%Y/%m/%d/%H}" in place
    names: tuple[Name, ...] = ("statistics", "constraints", "constraint_violations")
    for name in names:
        document = json.loads(
            s3.get_object(Bucket=bucket, Key=f"{place}/{name}.json")["Body"].read()
        )
        jsonschema.Draft202012Validator(schema(name)).validate(document)
    mlops("pipelines", "delete", pipeline, "--yes")


def judged(loop: Any, s3: Any, bucket: str) -> Any:
    """The report of the hour, once its traffic has been counted."""
    day = f"{HALF_AN_HOUR_AGO:%Y-%m-%d}"
    asked = {
        "monitor": ENDPOINT,
        "from": f"{day}T{HALF_AN_HOUR_AGO:%H}:00:00Z",
        "to": f"{HALF_AN_HOUR_AGO + timedelta(hours=1):%Y-%m-%dT%H}:00:00Z",
    }
    deadline = time.monotonic() + 30
    while True:
        answer = loop.place.client("lambda").invoke(
            FunctionName=loop.place.value("evaluate-function-arn"),
            Payload=json.dumps(asked).encode(),
        )
        found = json.loads(answer["Payload"].read())
        assert "evaluations" in found, found
        done = [one for one in found["evaluations"] if one["records"]]
        if done:
            key = done[0]["report"]["json_key"]
            return json.loads(s3.get_object(Bucket=bucket, Key=key)["Body"].read())
        assert time.monotonic() < deadline, found
        time.sleep(0.3)
