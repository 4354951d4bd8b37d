"""SageMaker's built-in XGBoost on the local AWS: the algorithm's contract, the real library."""

from __future__ import annotations

import random
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.images import image_uri
from mlops_framework.local.emulator import Emulator
from tests.local.test_sagemaker_jobs import settled

BUCKET = "xgboost-data"
IMAGE = image_uri("xgboost", "3.2-0", "us-east-1")
ROLE = "arn:aws:iam::111122223333:role/mlops/job"


def rows(seed: int, count: int = 200) -> list[tuple[int, float, float]]:
    """A label that the first of two features decides."""
    dice = random.Random(seed)
    pairs = [(dice.random(), dice.random()) for _ in range(count)]
    return [(int(first > 0.5), first, second) for first, second in pairs]


@pytest.fixture(scope="module")
def aws(local_aws: Emulator) -> Emulator:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    for name, seed in (("train", 1), ("validation", 2)):
        text = "".join(f"{label},{first:.4f},{second:.4f}\n" for label, first, second in rows(seed))
        s3.put_object(Bucket=BUCKET, Key=f"csv/{name}/part-0.csv", Body=text)
        text = "".join(
            f"{label} 0:{first:.4f} 1:{second:.4f}\n" for label, first, second in rows(seed)
        )
        s3.put_object(Bucket=BUCKET, Key=f"libsvm/{name}/part-0", Body=text)
    s3.put_object(Bucket=BUCKET, Key="header/train/part-0.csv", Body="label,age\n1,2\n")
    s3.put_object(Bucket=BUCKET, Key="scoring/1.csv", Body="0.9,0.1\n0.1,0.9\n")
    return local_aws


def training(name: str, folder: str = "csv", **hyperparameters: str) -> dict[str, Any]:
    channels = ("train",) if folder == "header" else ("train", "validation")
    return {
        "TrainingJobName": name,
        "HyperParameters": {"num_round": "8", "objective": "binary:logistic", **hyperparameters},
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "InputDataConfig": [
            {
                "ChannelName": channel,
                "ContentType": "text/libsvm" if folder == "libsvm" else "csv",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{BUCKET}/{folder}/{channel}",
                    }
                },
            }
            for channel in channels
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def test_what_it_trains_is_served_and_scores_batches(aws: Emulator) -> None:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_training_job(**training("boosted", eval_metric="auc,logloss"))
    job = settled(aws, "boosted")
    metrics = {each["MetricName"]: each["Value"] for each in job["FinalMetricDataList"]}
    sagemaker.create_model(
        ModelName="boosted",
        ExecutionRoleArn=ROLE,
        PrimaryContainer={
            "Image": IMAGE,
            "ModelDataUrl": job["ModelArtifacts"]["S3ModelArtifacts"],
        },
    )
    variant = {
        "VariantName": "AllTraffic",
        "ModelName": "boosted",
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
    }
    sagemaker.create_endpoint_config(EndpointConfigName="boosted", ProductionVariants=[variant])
    sagemaker.create_endpoint(EndpointName="boosted", EndpointConfigName="boosted")
    sagemaker.get_waiter("endpoint_in_service").wait(
        EndpointName="boosted", WaiterConfig={"Delay": 1, "MaxAttempts": 60}
    )

    asked = aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="boosted", ContentType="text/csv", Body="0.9,0.1\n0.1,0.9\n"
    )
    first, second = map(float, asked["Body"].read().decode().split(","))
    with pytest.raises(ClientError, match="not consistent with feature size"):
        aws.client("sagemaker-runtime").invoke_endpoint(
            EndpointName="boosted", ContentType="text/csv", Body="1\n"
        )
    scored = batch(aws, "boosted")

    assert job["TrainingJobStatus"] == "Completed", job.get("FailureReason")
    assert metrics["validation:auc"] > 0.95
    assert set(metrics) == {f"{d}:{m}" for d in ("train", "validation") for m in ("auc", "logloss")}
    assert first > 0.8 > 0.2 > second
    assert scored == f"{first}\n{second}\n"
    sagemaker.delete_endpoint(EndpointName="boosted")


def batch(aws: Emulator, model: str) -> str:
    """The predictions of a transform job, a line each."""
    sagemaker = aws.client("sagemaker")
    source = {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/scoring/"}
    sagemaker.create_transform_job(
        TransformJobName=model,
        ModelName=model,
        TransformInput={
            "DataSource": {"S3DataSource": source},
            "ContentType": "text/csv",
            "SplitType": "Line",
        },
        TransformOutput={"S3OutputPath": f"s3://{BUCKET}/scores", "AssembleWith": "Line"},
        TransformResources={"InstanceType": "ml.m5.large", "InstanceCount": 1},
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = sagemaker.describe_transform_job(TransformJobName=model)
        if found["TransformJobStatus"] not in ("InProgress", "Stopping"):
            break
        time.sleep(0.1)
    assert found["TransformJobStatus"] == "Completed", found.get("FailureReason")
    answer = aws.client("s3").get_object(Bucket=BUCKET, Key="scores/1.csv.out")
    return str(answer["Body"].read().decode())


def test_a_tuning_finds_its_best_by_the_algorithms_own_metric(aws: Emulator) -> None:
    sagemaker = aws.client("sagemaker")
    definition = training("unused", "libsvm", eval_metric="auc")
    del definition["TrainingJobName"]
    definition["StaticHyperParameters"] = definition.pop("HyperParameters")
    sagemaker.create_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="boosted",
        HyperParameterTuningJobConfig={
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {
                "Type": "Maximize",
                "MetricName": "validation:auc",
            },
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 2, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": {
                "IntegerParameterRanges": [{"Name": "max_depth", "MinValue": "1", "MaxValue": "4"}]
            },
        },
        TrainingJobDefinition=definition,
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found = sagemaker.describe_hyper_parameter_tuning_job(HyperParameterTuningJobName="boosted")
        if found["HyperParameterTuningJobStatus"] != "InProgress":
            break
        time.sleep(0.1)

    best = found["BestTrainingJob"]["FinalHyperParameterTuningJobObjectiveMetric"]
    assert (best["MetricName"], best["Value"] > 0.95) == ("validation:auc", True)


REFUSED: dict[str, tuple[str, dict[str, str], str]] = {
    "refused-header": ("header", {}, "'label' is no number. The algorithm takes CSV without a he"),
    "refused-name": ("csv", {"depth": "3"}, "Extraneous hyperparameter found: depth"),
    "refused-rounds": ("csv", {"num_round": "0"}, "num_round is required"),
    "refused-metric": ("csv", {"eval_metric": "f1"}, "by AWS's image and not by the library"),
    "refused-objective": ("csv", {"objective": "binary:none"}, "Unknown objective function"),
}


def test_what_the_algorithm_refuses_is_the_jobs_failure_reason(aws: Emulator) -> None:
    for name, (folder, hyperparameters, _) in REFUSED.items():
        aws.client("sagemaker").create_training_job(**training(name, folder, **hyperparameters))

    jobs = {name: settled(aws, name) for name in REFUSED}

    assert {job["TrainingJobStatus"] for job in jobs.values()} == {"Failed"}
    untold = {
        name: jobs[name]["FailureReason"]
        for name, (_, _, told) in REFUSED.items()
        if told not in jobs[name]["FailureReason"]
    }
    assert not untold


def test_checkpoints_of_an_interrupted_spot_job_are_gone_on_from(aws: Emulator) -> None:
    spot = {
        "EnableManagedSpotTraining": True,
        "StoppingCondition": {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 200},
        "CheckpointConfig": {"S3Uri": f"s3://{BUCKET}/checkpoints"},
    }
    sagemaker = aws.client("sagemaker")
    first = {**training("shorter", num_round="3"), **spot}
    second = {**training("longer", num_round="5"), **spot}

    sagemaker.create_training_job(**first)
    settled(aws, "shorter")
    sagemaker.create_training_job(**second)
    assert settled(aws, "longer")["TrainingJobStatus"] == "Completed"

    logs = aws.client("logs")
    (stream,) = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="longer/"
    )["logStreams"]
    lines = [
        each["message"]
        for each in logs.get_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"]
        )["events"]
    ]
    assert [line.split("]")[0] for line in lines if line.startswith("[")] == ["[3", "[4"]


@pytest.mark.parametrize(
    ("image", "script", "told"),
    [
        (image_uri("xgboost", "1.7-1", "us-east-1"), {}, "give algorithm_version '3.2-0' here"),
        (IMAGE, {"sagemaker_program": "train.py"}, "runs its algorithm, without a script"),
    ],
)
def test_other_releases_and_scripts_are_refused_by_name(
    aws: Emulator, image: str, script: dict[str, str], told: str
) -> None:
    request = training("never", **script)
    request["AlgorithmSpecification"]["TrainingImage"] = image

    with pytest.raises(ClientError, match=told):
        aws.client("sagemaker").create_training_job(**request)
