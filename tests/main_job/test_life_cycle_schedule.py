"""A schedule really starts the pipeline that stands in it, on the deployed platform."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ECHO = """
def model_fn(model_dir):
    return None

def predict_fn(rows, model):
    return rows
"""
PIPELINE = "punctual-batch-transform"


def test_a_schedule_starts_its_pipeline_when_its_time_comes(
    loop: Any, put: Any, bucket: str, mlops: Any, tmp_path: Path
) -> None:
    clients = {name: loop.place.client(name) for name in ("s3", "sagemaker", "scheduler")}
    clients["s3"].put_object(Bucket=bucket, Key="punctual/in/day.csv", Body=b"1,2\n")
    request = {
        "pipeline_type": "batch-transform",
        "model_name": "punctual",
        "image_uri": IMAGE,
        "model_artifact_location": put("models/punctual.tar.gz", {"code/inference.py": ECHO}),
        "inference_entry_point": "inference.py",
        "input_location": f"s3://{bucket}/punctual/in/",
        "output_location": f"s3://{bucket}/punctual/out/",
        "schedule_expression": "cron(0 6 * * ? *)",
    }
    file = tmp_path / "request.json"
    file.write_text(json.dumps(request))
    mlops("submit", str(file))
    assert mlops("status", PIPELINE, "--wait")["status"] == "Delivered"
    schedules = clients["scheduler"].list_schedules()["Schedules"]
    (name,) = [each["Name"] for each in schedules if "punctual" in each["Name"]]
    schedule = clients["scheduler"].get_schedule(Name=name)
    pipeline = schedule["Target"]["Arn"].rpartition("/")[2]

    def runs() -> list[Any]:
        listed = clients["sagemaker"].list_pipeline_executions(PipelineName=pipeline)
        return list(listed["PipelineExecutionSummaries"])

    assert runs() == []

    # Six in the morning is now: another schedule, with the target, role and parameters of this one.
    soon = datetime.now(UTC) + timedelta(seconds=2)
    clients["scheduler"].create_schedule(
        Name="punctual-now",
        ScheduleExpression=soon.strftime("at(%Y-%m-%dT%H:%M:%S)"),
        ActionAfterCompletion="DELETE",
        Target=schedule["Target"],
        FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
    )

    deadline = time.monotonic() + 60
    while not runs() or runs()[0]["PipelineExecutionStatus"] == "Executing":
        assert time.monotonic() < deadline, "nothing was started"
        time.sleep(0.3)
    (run,) = runs()
    assert run["PipelineExecutionStatus"] == "Succeeded"
    scored = clients["s3"].list_objects_v2(Bucket=bucket, Prefix="punctual/out/")["Contents"]
    assert any("day.csv" in each["Key"] for each in scored)
    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")
