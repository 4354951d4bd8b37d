"""The request of the batch transform's page, really sent, and waited for until its hour comes."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.blueprints import batch_transform

pytestmark = pytest.mark.slow

README = Path(batch_transform.__file__).with_name("README.md")
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
PIPELINE = "morning-batch-transform"
SECONDS = 60
# Answers each line with two columns, as the page's model does.
TWO_COLUMNS = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]

def predict_fn(rows, model):
    return [(int(sum(row) > 5), sum(row)) for row in rows]

def output_fn(rows, accept):
    return "".join(f"{label},{score:g}\\n" for label, score in rows)
"""


@pytest.fixture
def request_file(bucket: str, tmp_path: Path) -> Path:
    """The page's request, with this platform's bucket and names of its own."""
    text = README.read_text("utf-8").split("```json")[1].split("```")[0]
    file = tmp_path / "request.json"
    file.write_text(text.replace("my-data", bucket).replace("employment", "morning"))
    return file


@pytest.fixture
def approved(loop: Any, put: Any) -> Iterator[None]:
    """An approved version in the registry, which the request means by its group."""
    sagemaker = loop.place.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="morning")
    container = {
        "Image": IMAGE,
        "ModelDataUrl": put("models/morning/model.tar.gz", {"code/inference.py": TWO_COLUMNS}),
        "Environment": {
            "SAGEMAKER_PROGRAM": "inference.py",
            "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        },
    }
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="morning",
        ModelApprovalStatus="Approved",
        InferenceSpecification={
            "Containers": [container],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    yield
    sagemaker.delete_model_package(ModelPackageName=arn)
    sagemaker.delete_model_package_group(ModelPackageGroupName="morning")


def test_the_pages_request_scores_what_is_there_when_its_hour_comes(
    loop: Any, mlops: Any, bucket: str, request_file: Path, approved: None
) -> None:
    s3, scheduler = loop.place.client("s3"), loop.place.client("scheduler")
    s3.put_object(Bucket=bucket, Key="scoring/morning/1.csv", Body=b"7,1,2\n8,3,4\n")
    mlops("submit", str(request_file))
    status = mlops("status", PIPELINE, "--wait")
    assert status["problems"] == []

    with _its_hour(scheduler):
        assert _scores(s3, bucket) == "7,0,3\n8,1,7\n"
    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")


@contextmanager
def _its_hour(scheduler: Any) -> Iterator[None]:
    """Let what the deployed schedule starts, as whom it does, be due in two seconds."""
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    (name,) = [name for name in names if PIPELINE in name]
    schedule = scheduler.get_schedule(Name=name)
    assert schedule["ScheduleExpression"] == "cron(0 6 * * ? *)"
    due = datetime.now(UTC) + timedelta(seconds=2)
    scheduler.create_schedule(
        Name="morning-now",
        Target=schedule["Target"],
        FlexibleTimeWindow=schedule["FlexibleTimeWindow"],
        ScheduleExpression=f"at({due:%Y-%m-%dT%H:%M:%S})",
    )
    yield
    scheduler.delete_schedule(Name="morning-now")


def _scores(s3: Any, bucket: str) -> str:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            found = s3.get_object(Bucket=bucket, Key="scores/morning/1.csv.out")
        except s3.exceptions.NoSuchKey:
            time.sleep(0.2)
        else:
            return str(found["Body"].read().decode())
    raise AssertionError(f"no scores after {SECONDS} s")
