"""Bodies of the AWS MLOps Framework 2.x with a built-in algorithm, from data to predictions."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

MODEL = "oldtimer"
KINDS = ("training", "batch-transform")
SECONDS = 90
ALGORITHM = {"model_framework": "XGBoost", "model_framework_version": "3.2-0"}
"""The release that the local AWS has the library of."""


@pytest.fixture
def data(loop: Any, bucket: str) -> None:
    """A label that the first of two features decides, and two rows to score."""
    dice, s3 = random.Random(5), loop.place.client("s3")
    for name in ("train", "validation"):
        pairs = [(dice.random(), dice.random()) for _ in range(200)]
        text = "".join(f"{int(a > 0.5)},{a:.4f},{b:.4f}\n" for a, b in pairs)
        s3.put_object(Bucket=bucket, Key=f"{MODEL}/{name}.csv", Body=text)
    s3.put_object(Bucket=bucket, Key=f"{MODEL}/in/rows.csv", Body="0.9,0.1\n0.1,0.9\n")


@pytest.fixture
def send(mlops: Any, tmp_path: Path) -> Callable[[dict[str, Any]], Any]:
    """Submits a body as it is, and waits for its delivery."""

    def submit(body: dict[str, Any]) -> Any:
        file = tmp_path / "body.json"
        file.write_text(json.dumps(body))
        accepted = mlops("submit", str(file))
        status = mlops("status", accepted["pipeline_id"], "--wait")
        assert status["problems"] == []
        return accepted

    return submit


@pytest.fixture(autouse=True)
def removed(mlops: Any) -> Iterator[None]:
    yield
    there = {each["pipeline_id"] for each in mlops("pipelines", "list")["pipelines"]}
    for kind in KINDS:
        if f"{MODEL}-{kind}" in there:
            mlops("pipelines", "delete", f"{MODEL}-{kind}", "--yes", "--wait")


def test_what_model_training_builtin_trains_byom_batch_builtin_scores_with(
    loop: Any, bucket: str, data: None, send: Callable[[dict[str, Any]], Any]
) -> None:
    trained = send(
        {
            "pipeline_type": "model_training_builtin",
            "model_name": MODEL,
            **ALGORITHM,
            "training_data": f"{MODEL}/train.csv",
            "validation_data": f"{MODEL}/validation.csv",
            "job_output_location": f"{MODEL}/models/",
            "algo_hyperparamaters": {
                "eval_metric": "auc",
                "objective": "binary:logistic",
                "num_round": 5,
            },
            "job_name": "job-1",
            "max_runtime_per_job": "600",
        }
    )
    package = _registered(loop)
    container = package["InferenceSpecification"]["Containers"][0]
    artifact = container["ModelDataUrl"].removeprefix(f"s3://{bucket}/")

    scored = send(
        {
            "pipeline_type": "byom_batch_builtin",
            "model_name": MODEL,
            **ALGORITHM,
            "model_artifact_location": artifact,
            "inference_instance": "ml.m5.large",
            "batch_inference_data": f"{bucket}/{MODEL}/in",
            "batch_job_output_location": f"{bucket}/{MODEL}/in-scored/",
        }
    )

    assert any("job_name: not used" in note for note in trained["notes"])
    assert any("read as a folder" in note for note in scored["notes"])
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert container["Image"].endswith("/sagemaker-xgboost:3.2-0")
    answer = loop.place.client("s3").get_object(
        Bucket=bucket, Key=f"{MODEL}/in-scored/rows.csv.out"
    )
    first, second = map(float, answer["Body"].read().decode().split())
    assert first > 0.8 > 0.2 > second


def _registered(loop: Any) -> dict[str, Any]:
    """The newest version of the model's group."""
    sagemaker = loop.place.client("sagemaker")
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        groups = sagemaker.list_model_package_groups(NameContains=MODEL)
        for group in groups["ModelPackageGroupSummaryList"]:
            name = group["ModelPackageGroupName"]
            packages = sagemaker.list_model_packages(ModelPackageGroupName=name)
            for each in packages["ModelPackageSummaryList"]:
                found: dict[str, Any] = sagemaker.describe_model_package(
                    ModelPackageName=each["ModelPackageArn"]
                )
                return found
        time.sleep(0.5)
    raise AssertionError(f"no model of {MODEL} after {SECONDS} s")
