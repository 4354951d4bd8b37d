"""Tuning jobs on the local AWS: real training jobs, and what is not carried said by name."""

from __future__ import annotations

import io
import itertools
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator
from mlops_framework.local.plane.sagemaker import tuning_search as search

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/job"
SCRIPT = """
import argparse, os, pathlib, time
given = argparse.ArgumentParser()
for name in ("depth", "rate", "kind", "base", "seconds"):
    given.add_argument(f"--{name}", default="0")
given = given.parse_args()
if given.kind == "broken":
    raise ValueError("the kind is broken")
time.sleep(float(given.seconds))
print(f"score={float(given.depth) + float(given.base)};", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "depth.txt").write_text(given.depth)
"""
DEPTHS = {"IntegerParameterRanges": [{"Name": "depth", "MinValue": "1", "MaxValue": "9"}]}


@pytest.fixture(scope="module")
def bucket(local_aws: Emulator) -> str:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="tuning-data")
    s3.put_object(Bucket="tuning-data", Key="rows/rows.csv", Body="a,b\n1,2\n")
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(SCRIPT)
        tar.addfile(member, io.BytesIO(SCRIPT.encode()))
    s3.put_object(Bucket="tuning-data", Key="code.tar.gz", Body=buffer.getvalue())
    return "tuning-data"


def tuning(bucket: str, name: str, ranges: dict[str, Any], **config: Any) -> dict[str, Any]:
    return {
        "HyperParameterTuningJobName": name,
        "HyperParameterTuningJobConfig": {
            "Strategy": "Random",
            "HyperParameterTuningJobObjective": {"Type": "Maximize", "MetricName": "score"},
            "ResourceLimits": {"MaxNumberOfTrainingJobs": 3, "MaxParallelTrainingJobs": 2},
            "ParameterRanges": ranges,
            **config,
        },
        "TrainingJobDefinition": {
            "StaticHyperParameters": {
                "base": "100",
                "sagemaker_program": "train.py",
                "sagemaker_submit_directory": f"s3://{bucket}/code.tar.gz",
            },
            "AlgorithmSpecification": {
                "TrainingImage": IMAGE,
                "TrainingInputMode": "File",
                "MetricDefinitions": [{"Name": "score", "Regex": "score=([0-9.]+);"}],
            },
            "RoleArn": ROLE,
            "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
            "ResourceConfig": {
                "InstanceType": "ml.m5.large",
                "InstanceCount": 1,
                "VolumeSizeInGB": 1,
            },
            "StoppingCondition": {"MaxRuntimeInSeconds": 60},
        },
    }


def ended(aws: Emulator, name: str) -> dict[str, Any]:
    sagemaker = aws.client("sagemaker")
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        found: dict[str, Any] = sagemaker.describe_hyper_parameter_tuning_job(
            HyperParameterTuningJobName=name
        )
        if found["HyperParameterTuningJobStatus"] not in ("InProgress", "Stopping"):
            return found
        time.sleep(0.1)
    raise AssertionError(f"{name} did not end")


def test_the_best_of_its_training_jobs_is_found_and_its_model_lies_below_its_name(
    local_aws: Emulator, bucket: str
) -> None:
    sagemaker = local_aws.client("sagemaker")

    sagemaker.create_hyper_parameter_tuning_job(**tuning(bucket, "depths", DEPTHS, RandomSeed=7))
    found = ended(local_aws, "depths")

    listed = sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(
        HyperParameterTuningJobName="depths",
        SortBy="FinalObjectiveMetricValue",
        SortOrder="Descending",
    )["TrainingJobSummaries"]
    values = [each["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] for each in listed]
    best = found["BestTrainingJob"]
    depth = best["TunedHyperParameters"]["depth"]
    trained = sagemaker.describe_training_job(TrainingJobName=best["TrainingJobName"])
    key = f"models/{best['TrainingJobName']}/output/model.tar.gz"
    model = local_aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    assert found["HyperParameterTuningJobStatus"] == "Completed"
    assert found["TrainingJobStatusCounters"]["Completed"] == 3
    assert found["ObjectiveStatusCounters"] == {"Succeeded": 3, "Pending": 0, "Failed": 0}
    assert values == sorted(values, reverse=True)
    assert listed[0]["TrainingJobName"] == best["TrainingJobName"]
    assert best["FinalHyperParameterTuningJobObjectiveMetric"]["Value"] == 100 + int(depth)
    assert trained["TuningJobArn"] == found["HyperParameterTuningJobArn"]
    assert trained["HyperParameters"]["_tuning_objective_metric"] == "score"
    with tarfile.open(fileobj=io.BytesIO(model)) as tar:
        text = tar.extractfile("depth.txt")
        assert text is not None
        assert text.read().decode() == depth


def test_a_grid_tries_every_combination_and_a_failed_job_does_not_end_it(
    local_aws: Emulator, bucket: str
) -> None:
    ranges = {
        "CategoricalParameterRanges": [
            {"Name": "kind", "Values": ["good", "broken"]},
            {"Name": "depth", "Values": ["3", "4"]},
        ]
    }
    request = tuning(bucket, "grid", ranges, Strategy="Grid")
    request["HyperParameterTuningJobConfig"]["ResourceLimits"] = {"MaxParallelTrainingJobs": 4}
    request["HyperParameterTuningJobConfig"]["HyperParameterTuningJobObjective"]["Type"] = (
        "Minimize"
    )

    local_aws.client("sagemaker").create_hyper_parameter_tuning_job(**request)
    found = ended(local_aws, "grid")

    assert found["TrainingJobStatusCounters"]["Completed"] == 2
    assert found["TrainingJobStatusCounters"]["NonRetryableError"] == 2
    assert found["BestTrainingJob"]["TunedHyperParameters"] == {"kind": "good", "depth": "3"}


def test_a_tuning_whose_jobs_all_fail_fails_with_their_reason(
    local_aws: Emulator, bucket: str
) -> None:
    ranges = {"CategoricalParameterRanges": [{"Name": "kind", "Values": ["broken"]}]}

    local_aws.client("sagemaker").create_hyper_parameter_tuning_job(
        **tuning(
            bucket,
            "broken",
            ranges,
            ResourceLimits={"MaxNumberOfTrainingJobs": 1, "MaxParallelTrainingJobs": 1},
        )
    )
    found = ended(local_aws, "broken")

    assert found["HyperParameterTuningJobStatus"] == "Failed"
    assert "the kind is broken" in found["FailureReason"]


def test_a_stopped_tuning_stops_its_training_jobs(local_aws: Emulator, bucket: str) -> None:
    sagemaker = local_aws.client("sagemaker")
    request = tuning(bucket, "stopped", DEPTHS)
    request["TrainingJobDefinition"]["StaticHyperParameters"]["seconds"] = "50"
    sagemaker.create_hyper_parameter_tuning_job(**request)
    asked = {"HyperParameterTuningJobName": "stopped"}
    while not sagemaker.list_training_jobs_for_hyper_parameter_tuning_job(**asked)[
        "TrainingJobSummaries"
    ]:
        time.sleep(0.05)

    sagemaker.stop_hyper_parameter_tuning_job(**asked)
    found = ended(local_aws, "stopped")

    assert found["HyperParameterTuningJobStatus"] == "Stopped"
    assert found["TrainingJobStatusCounters"]["InProgress"] == 0
    listed = sagemaker.list_hyper_parameter_tuning_jobs(StatusEquals="Stopped")
    names = [
        each["HyperParameterTuningJobName"] for each in listed["HyperParameterTuningJobSummaries"]
    ]
    assert names == ["stopped"]


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"Strategy": "Bayesian"}, "Bayesian"),
        ({"Strategy": "Hyperband"}, "Hyperband"),
        ({"TrainingJobEarlyStoppingType": "Auto"}, "TrainingJobEarlyStoppingType"),
    ],
)
def test_what_is_not_carried_is_refused_by_name_with_what_to_do(
    local_aws: Emulator, bucket: str, changes: dict[str, Any], named: str
) -> None:
    with pytest.raises(ClientError) as caught:
        local_aws.client("sagemaker").create_hyper_parameter_tuning_job(
            **tuning(bucket, "refused", DEPTHS, **changes)
        )

    error = caught.value.response["Error"]
    assert error["Code"] == "NotCarriedByLocalAws"
    assert named in error["Message"]
    assert "Use " in error["Message"]


def test_the_same_seed_draws_the_same_candidates() -> None:
    ranges = {
        "ContinuousParameterRanges": [
            {"Name": "rate", "MinValue": "0.001", "MaxValue": "0.1", "ScalingType": "Logarithmic"}
        ],
        "IntegerParameterRanges": [{"Name": "depth", "MinValue": "2", "MaxValue": "4"}],
        "CategoricalParameterRanges": [{"Name": "kind", "Values": ["a", "b"]}],
    }

    first = list(itertools.islice(search.at_random(ranges, 3), 50))

    assert first == list(itertools.islice(search.at_random(ranges, 3), 50))
    assert first != list(itertools.islice(search.at_random(ranges, 4), 50))
    assert {each["depth"] for each in first} == {"2", "3", "4"}
    assert {each["kind"] for each in first} == {"a", "b"}
    rates = [float(each["rate"]) for each in first]
    assert all(0.001 <= rate <= 0.1 for rate in rates)
    assert sum(rate < 0.01 for rate in rates) > 15


def test_a_small_space_is_drawn_without_repetition_while_there_is_something_new() -> None:
    drawn = list(itertools.islice(search.at_random(DEPTHS, 1), 9))

    assert sorted(int(each["depth"]) for each in drawn) == list(range(1, 10))
