"""What users get on the deployed platform when something is wrong: all of it, and in words."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from botocore.session import Session

from mlops_framework.cli.api import SignedTransport
from mlops_framework.cli.embedded import Up

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("demo")]

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"


@pytest.fixture
def send(platform: Up, mlops: Any) -> Any:
    """Signs and sends a body just as it stands."""
    session = Session()
    session.set_credentials(
        platform.environment["AWS_ACCESS_KEY_ID"], platform.environment["AWS_SECRET_ACCESS_KEY"]
    )
    transport = SignedTransport(session, platform.environment["AWS_REGION"])

    def post(body: bytes) -> tuple[int, dict[str, Any]]:
        url = f"{platform.api_url.rstrip('/')}/provisionpipeline"
        status, text = transport.send("POST", url, body)
        return status, json.loads(text)

    return post


@pytest.fixture
def pipelines(mlops: Any) -> Any:
    """Names of the pipelines that exist, to see that a refused body made none."""
    return lambda: {one["pipeline_id"] for one in mlops("pipelines", "list")["pipelines"]}


def training(bucket: str, model: str, **changes: str) -> dict[str, Any]:
    """A request for a small model: what is looked at here is not how well it learns."""
    return {
        "pipeline_type": "training",
        "model_name": model,
        "training_data": f"s3://{bucket}/datasets/employment/train.csv",
        "evaluation_data": f"s3://{bucket}/datasets/employment/evaluation.csv",
        "source_archive": f"s3://{bucket}/code/employment/source.tar.gz",
        "evaluation_script": f"s3://{bucket}/code/employment/evaluate.py",
        "image_uri": IMAGE,
        "hyperparameters": {"max-iter": "5"},
        **changes,
    }


def failure(mlops: Any, folder: Path, request: dict[str, Any]) -> str:
    """Submits a request whose pipeline must fail; what the command line says of it."""
    file = folder / "request.json"
    file.write_text(json.dumps(request))
    accepted = mlops("submit", str(file))
    with pytest.raises(AssertionError) as caught:
        mlops("status", accepted["pipeline_id"], "--wait")
    return str(caught.value)


def test_a_call_that_is_not_signed_is_refused(platform: Up, mlops: Any) -> None:
    url = f"{platform.api_url.rstrip('/')}/provisionpipeline"
    request = urllib.request.Request(url, data=b"{}", method="POST")

    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(request)

    caught.value.close()
    assert caught.value.code == 403


def test_an_unknown_blueprint_is_told_with_the_nearest_one(send: Any, pipelines: Any) -> None:
    before = pipelines()

    status, problem = send(b'{"pipeline_type": "traning", "model_name": "census"}')

    assert status == 400
    assert "training" in json.dumps(problem)
    assert {"title", "status", "detail", "message", "detailedMessage"} <= problem.keys()
    assert pipelines() == before


def test_every_fault_of_a_body_is_told_at_once(send: Any, bucket: str, pipelines: Any) -> None:
    before = pipelines()
    body = training(bucket, "Census Model", instance_type="m5.large", quality_treshold="1")
    del body["image_uri"]

    status, problem = send(json.dumps(body).encode())

    paths = {error["path"] for error in problem["faults"]}
    assert status == 400
    assert {"model_name", "instance_type", "image_uri", "quality_treshold"} <= paths
    assert pipelines() == before


def test_a_name_that_cloudformation_would_refuse_is_refused_with_the_rule(send: Any) -> None:
    _, problem = send(b'{"pipeline_type": "drift-monitor", "model_name": "my_model"}')

    told = {error["path"]: error for error in problem["faults"]}["model_name"]
    assert "-" in told["accepted"]
    assert "my_model" in told["found"]


def test_malformed_json_is_told_with_its_place(send: Any) -> None:
    status, problem = send(b'{"pipeline_type": "training",\n "model_name": }')

    assert status == 400
    assert "JSON" in json.dumps(problem) or "json" in json.dumps(problem)


def test_a_missing_data_object_reaches_the_caller(mlops: Any, bucket: str, tmp_path: Path) -> None:
    missing = f"s3://{bucket}/datasets/nowhere.csv"

    said = failure(mlops, tmp_path, training(bucket, "nodata", training_data=missing))

    assert "nowhere.csv" in said
    assert "Train" in said


def test_a_training_script_that_raises_reaches_the_caller_and_can_be_repaired(
    mlops: Any, bucket: str, put: Any, tmp_path: Path
) -> None:
    broken = "raise ValueError('the column AGE is not in the data')"
    archive = put("code/broken/source.tar.gz", {"train.py": broken})
    request = training(bucket, "broken", source_archive=archive)

    said = failure(mlops, tmp_path, request)
    file = tmp_path / "repaired.json"
    file.write_text(json.dumps(training(bucket, "broken")))
    accepted = mlops("submit", str(file))
    repaired = mlops("status", accepted["pipeline_id"], "--wait")

    assert "the column AGE is not in the data" in said
    assert repaired["pipeline_id"] == "broken-training"
    assert repaired["problems"] == []


def test_a_model_below_the_gate_is_told_with_its_numbers(
    mlops: Any, bucket: str, tmp_path: Path
) -> None:
    request = training(bucket, "weak") | {"quality_threshold": 0.99}

    said = failure(mlops, tmp_path, request)

    assert "accuracy" in said
    assert "0.99" in said


def test_a_model_that_fails_its_ping_reaches_the_caller(
    mlops: Any, put: Any, tmp_path: Path
) -> None:
    silent = "def model_fn(folder):\n    raise RuntimeError('the model file is of another age')\n"
    request = {
        "pipeline_type": "realtime-endpoint",
        "model_name": "silent",
        "image_uri": IMAGE,
        "model_artifact_location": put("models/silent/model.tar.gz", {"code/inference.py": silent}),
    }

    said = failure(mlops, tmp_path, request)

    assert "ping" in said.lower()
    assert "the model file is of another age" in said


def test_a_pipeline_that_was_taken_down_can_be_asked_for_again(
    mlops: Any, bucket: str, pipelines: Any, tmp_path: Path
) -> None:
    file = tmp_path / "again.json"
    file.write_text(json.dumps(training(bucket, "broken")))

    removed = mlops("pipelines", "delete", "broken-training", "--yes", "--wait")
    gone = "broken-training" not in pipelines()
    mlops("submit", str(file))
    again = mlops("status", "broken-training", "--wait")

    assert gone
    assert any("registered model packages" in kept for kept in removed["keeps"])
    assert again["problems"] == []
