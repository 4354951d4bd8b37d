"""A training pipeline from its first request to its end, on the local AWS."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("demo")]

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
SCRIPT = """
import argparse, os, pathlib
given = argparse.ArgumentParser()
given.add_argument("--score")
given = given.parse_args()
rows = [
    line
    for channel in ("TRAINING", "VALIDATION", "WEIGHTS")
    for file in sorted(pathlib.Path(os.environ[f"SM_CHANNEL_{channel}"]).iterdir())
    for line in file.read_text().splitlines()
]
print(f"rows={len(rows)}; flavour={os.environ['FLAVOUR']}; score={given.score};", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "model.txt").write_text(given.score)
"""
NAME = "cycle-training"


@pytest.fixture(scope="module")
def request_of(bucket: str, put: Any, loop: Any) -> Any:
    """A request whose training takes no time: what is looked at is the pipeline."""
    s3 = loop.place.client("s3")
    for key in ("train/1.csv", "validation/1.csv", "weights/1.csv"):
        s3.put_object(Bucket=bucket, Key=f"datasets/cycle/{key}", Body="1\n2\n")
    data = f"s3://{bucket}/datasets/cycle"

    def build(score: str, **changes: Any) -> dict[str, Any]:
        return {
            "pipeline_type": "training",
            "model_name": "cycle",
            "training_data": f"{data}/train/",
            "validation_data": f"{data}/validation/",
            "channels": [{"name": "weights", "location": f"{data}/weights/"}],
            "source_archive": put("code/cycle/source.tar.gz", {"train.py": SCRIPT}),
            "image_uri": IMAGE,
            "use_spot": True,
            "environment": {"FLAVOUR": "vanilla"},
            "hyperparameters": {"score": score},
            "metric_definitions": [{"name": "test:score", "regex": "score=([0-9.]+);"}],
            "quality_metric": "test:score",
            "quality_threshold": 0.8,
            **changes,
        }

    return build


@pytest.fixture
def ask(mlops: Any, tmp_path: Path) -> Any:
    """Sends a request and waits for its end; what the command line says."""

    def send(request: dict[str, Any]) -> Any:
        file = tmp_path / "request.json"
        file.write_text(json.dumps(request))
        sent = mlops("submit", str(file))
        return sent, mlops("status", sent["pipeline_id"], "--wait")

    return send


def packages(loop: Any, group: str = "cycle") -> list[dict[str, Any]]:
    listed = loop.place.client("sagemaker").list_model_packages(
        ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Ascending"
    )
    return list(listed["ModelPackageSummaryList"])


def executions(loop: Any, pipeline: str) -> list[dict[str, Any]]:
    listed = loop.place.client("sagemaker").list_pipeline_executions(PipelineName=pipeline)
    return list(listed["PipelineExecutionSummaries"])


def test_a_training_is_created_left_alone_changed_repaired_and_taken_down(
    ask: Any, mlops: Any, request_of: Any, loop: Any, bucket: str
) -> None:
    sagemaker = loop.place.client("sagemaker")

    _, created = ask(request_of("0.9"))
    (first,) = packages(loop)
    job = sagemaker.list_training_jobs(SortBy="CreationTime", NameContains="Train")[
        "TrainingJobSummaries"
    ][0]
    trained = sagemaker.describe_training_job(TrainingJobName=job["TrainingJobName"])
    again, _ = ask(request_of("0.9"))

    assert created["problems"] == []
    assert first["ModelApprovalStatus"] == "PendingManualApproval"
    assert [each["ChannelName"] for each in trained["InputDataConfig"]] == [
        *("training", "validation", "weights")
    ]
    assert trained["EnableManagedSpotTraining"] is True
    assert trained["StoppingCondition"]["MaxWaitTimeInSeconds"] == 7200
    assert trained["CheckpointConfig"]["S3Uri"].startswith(
        f"s3://{bucket}/models/cycle/checkpoints/"
    )
    assert "KeepAlivePeriodInSeconds" not in trained["ResourceConfig"]
    assert trained["FinalMetricDataList"][0]["Value"] == pytest.approx(0.9)
    assert again["outcome"] == "unchanged"
    assert len(packages(loop)) == 1

    with pytest.raises(AssertionError) as refused:
        ask(request_of("0.5"))
    told = str(refused.value)
    assert "test:score is 0.5, at-least 0.8 is required" in told
    assert len(packages(loop)) == 1

    # Without any metric the model is registered, and the package says that nobody judged it.
    watched = request_of(
        "0.5",
        quality_metric="",
        use_spot=False,
        keep_alive_seconds=60,
        start_on_new_data=True,
        new_data_marker="_SUCCESS",
        schedule_expression="cron(0 3 ? * MON *)",
    )
    del watched["quality_threshold"]
    _, repaired = ask(watched)
    second = packages(loop)[-1]
    assert repaired["problems"] == []
    assert "no quality metric" in second["ModelPackageDescription"]

    (pipeline,) = [
        each["PipelineName"]
        for each in sagemaker.list_pipelines()["PipelineSummaries"]
        if NAME in each["PipelineName"]
    ]
    definition = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    train, register = json.loads(definition)["Steps"]
    assert (train["Name"], register["Name"]) == ("Train", "Register")
    assert train["Arguments"]["EnableManagedSpotTraining"] is False
    assert train["Arguments"]["ResourceConfig"]["KeepAlivePeriodInSeconds"] == 60
    before = len(executions(loop, pipeline))
    s3 = loop.place.client("s3")
    s3.put_object(Bucket=bucket, Key="datasets/cycle/train/2.csv", Body="3\n")
    s3.put_object(Bucket=bucket, Key="datasets/cycle/train/_SUCCESS", Body="")
    deadline = time.monotonic() + 90
    while len(executions(loop, pipeline)) == before and time.monotonic() < deadline:
        time.sleep(0.2)
    schedules = loop.place.client("scheduler").list_schedules()["Schedules"]
    own = [each for each in schedules if NAME in each["Name"]]
    assert len(executions(loop, pipeline)) == before + 1
    assert [each["Target"]["Arn"].rsplit("/", 1)[-1] for each in own] == [pipeline]

    while executions(loop, pipeline)[0]["PipelineExecutionStatus"] == "Executing":
        time.sleep(0.2)
    removed = mlops("pipelines", "delete", NAME, "--yes", "--wait")
    left = [each["PipelineName"] for each in sagemaker.list_pipelines()["PipelineSummaries"]]
    assert pipeline not in left
    schedules = loop.place.client("scheduler").list_schedules()["Schedules"]
    rules = loop.place.client("events").list_rules()["Rules"]
    assert [each["Name"] for each in [*schedules, *rules] if NAME in each["Name"]] == []
    assert any("registered model packages" in kept for kept in removed["keeps"])
