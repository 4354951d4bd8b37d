"""A tuning pipeline from its first request to its end, on the local AWS."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("demo")]

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
TRAIN = """
import argparse, os, pathlib
given = argparse.ArgumentParser()
for name in ("depth", "base"):
    given.add_argument(f"--{name}", default="0")
given = given.parse_args()
score = (float(given.depth) + float(given.base)) / 100
print(f"score={score};", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "score.txt").write_text(str(score))
"""
EVALUATE = """
import json, pathlib, tarfile
with tarfile.open("/opt/ml/processing/model/model.tar.gz") as tar:
    score = float(tar.extractfile("score.txt").read())
rows = len(list(pathlib.Path("/opt/ml/processing/test").iterdir()))
report = {"metrics": {"score": {"value": score}, "files": {"value": rows}}}
pathlib.Path("/opt/ml/processing/evaluation/evaluation.json").write_text(json.dumps(report))
"""
NAME = "searched-tuning"


@pytest.fixture(scope="module")
def request_of(bucket: str, put: Any, loop: Any) -> Any:
    s3 = loop.place.client("s3")
    s3.put_object(Bucket=bucket, Key="datasets/searched/rows.csv", Body="1\n")
    s3.put_object(Bucket=bucket, Key="code/searched/measure.py", Body=EVALUATE)

    def build(**changes: Any) -> dict[str, Any]:
        return {
            "pipeline_type": "tuning",
            "model_name": "searched",
            "training_data": f"s3://{bucket}/datasets/searched/",
            "source_archive": put("code/searched/source.tar.gz", {"train.py": TRAIN}),
            "image_uri": IMAGE,
            "strategy": "Grid",
            "objective_metric": "score",
            "metric_definitions": [{"name": "score", "regex": "score=([0-9.]+);"}],
            "hyperparameters": {"base": 80},
            "categorical_ranges": [{"name": "depth", "values": ["3", "9"]}],
            "evaluation_script": f"s3://{bucket}/code/searched/measure.py",
            "evaluation_data": f"s3://{bucket}/datasets/searched/",
            "quality_metric": "score",
            "quality_threshold": 0.85,
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


def pipelines(sagemaker: Any) -> list[str]:
    listed = sagemaker.list_pipelines()["PipelineSummaries"]
    return [each["PipelineName"] for each in listed if NAME in each["PipelineName"]]


def test_a_tuning_is_created_left_alone_refused_repaired_and_taken_down(
    ask: Any, mlops: Any, request_of: Any, loop: Any, bucket: str
) -> None:
    sagemaker = loop.place.client("sagemaker")

    _, created = ask(request_of())
    (first,) = sagemaker.list_model_packages(ModelPackageGroupName="searched")[
        "ModelPackageSummaryList"
    ]
    package = sagemaker.describe_model_package(ModelPackageName=first["ModelPackageArn"])
    tuned = sagemaker.list_hyper_parameter_tuning_jobs()["HyperParameterTuningJobSummaries"][0]
    best = sagemaker.describe_hyper_parameter_tuning_job(
        HyperParameterTuningJobName=tuned["HyperParameterTuningJobName"]
    )["BestTrainingJob"]
    again, _ = ask(request_of())

    container = package["InferenceSpecification"]["Containers"][0]
    assert created["problems"] == []
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert best["TunedHyperParameters"] == {"depth": "9"}
    assert container["ModelDataUrl"] == (
        f"s3://{bucket}/models/searched/{best['TrainingJobName']}/output/model.tar.gz"
    )
    assert again["outcome"] == "unchanged"

    with pytest.raises(AssertionError) as below:
        ask(request_of(hyperparameters={"base": 1}))
    with pytest.raises(AssertionError) as not_carried:
        ask(request_of(strategy="Bayesian"))
    assert "score is 0.1, at-least 0.85 is required" in str(below.value)
    assert "does not carry the tuning strategy 'Bayesian'" in str(not_carried.value)

    # Without a script the gate reads the objective of the best job.
    own = request_of(strategy="Random", random_seed=1, max_jobs=2)
    del own["evaluation_script"], own["evaluation_data"]
    _, repaired = ask(own)
    assert repaired["problems"] == []
    listed = sagemaker.list_model_packages(ModelPackageGroupName="searched")
    assert len(listed["ModelPackageSummaryList"]) == 2

    # What is deployed is what was asked for last.
    (pipeline,) = pipelines(sagemaker)
    definition = sagemaker.describe_pipeline(PipelineName=pipeline)["PipelineDefinition"]
    assert '"Strategy":"Random"' in definition.replace(" ", "")

    removed = mlops("pipelines", "delete", NAME, "--yes", "--wait")
    assert pipelines(sagemaker) == []
    assert any("registered model packages" in kept for kept in removed["keeps"])
    with pytest.raises(AssertionError, match="searched-tuning"):
        mlops("status", NAME)
