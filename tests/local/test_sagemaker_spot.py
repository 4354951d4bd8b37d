"""Spot jobs with checkpoints and warm pools on the local AWS."""

from __future__ import annotations

import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator
from tests.local.test_sagemaker_jobs import archive, settled, training_request

STEPS = """
import os, pathlib, time
folder = pathlib.Path("/opt/ml/checkpoints")
done = [int(each.stem) for each in folder.glob("*.txt")]
first = max(done, default=0) + 1
print(f"begins with step {first}", flush=True)
pathlib.Path(os.environ["SM_MODEL_DIR"], "first.txt").write_text(str(first))
(folder / f"{first}.txt").write_text("state")
if first == 1:
    time.sleep(60)
"""


@pytest.fixture(scope="module")
def request_for(local_aws: Emulator) -> Any:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket="spot-data")
    s3.put_object(Bucket="spot-data", Key="rows/rows.csv", Body="a\n1\n")
    s3.put_object(Bucket="spot-data", Key="code.tar.gz", Body=archive(train=STEPS))

    def build(name: str, **changes: Any) -> dict[str, Any]:
        request = training_request(name, "spot-data", "code.tar.gz")
        return {
            **request,
            "HyperParameters": {
                key: value
                for key, value in request["HyperParameters"].items()
                if key.startswith("sagemaker_")
            },
            "EnableManagedSpotTraining": True,
            "StoppingCondition": {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 200},
            "CheckpointConfig": {"S3Uri": "s3://spot-data/checkpoints/run"},
            **changes,
        }

    return build


def test_a_job_that_is_interrupted_leaves_its_checkpoints_and_the_next_goes_on_from_them(
    local_aws: Emulator, request_for: Any
) -> None:
    sagemaker, s3 = local_aws.client("sagemaker"), local_aws.client("s3")
    sagemaker.create_training_job(**request_for("interrupted"))
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        if s3.list_objects_v2(Bucket="spot-data", Prefix="checkpoints/")["KeyCount"]:
            break
        time.sleep(0.1)

    sagemaker.stop_training_job(TrainingJobName="interrupted")
    settled(local_aws, "interrupted")
    sagemaker.create_training_job(**request_for("resumed"))
    resumed = settled(local_aws, "resumed")

    kept = s3.list_objects_v2(Bucket="spot-data", Prefix="checkpoints/run/")["Contents"]
    assert resumed["TrainingJobStatus"] == "Completed", resumed["FailureReason"]
    assert {each["Key"].rsplit("/", 1)[1] for each in kept} == {"1.txt", "2.txt"}
    assert resumed["EnableManagedSpotTraining"] is True


def test_a_spot_job_that_may_wait_for_less_than_it_may_run_is_refused(
    local_aws: Emulator, request_for: Any
) -> None:
    limits = {"MaxRuntimeInSeconds": 100, "MaxWaitTimeInSeconds": 99}

    with pytest.raises(ClientError, match="MaxWaitTimeInSeconds, 99"):
        local_aws.client("sagemaker").create_training_job(
            **request_for("impatient", StoppingCondition=limits)
        )


def test_a_warm_pool_is_kept_and_goes_to_the_next_job_that_fits(
    local_aws: Emulator, request_for: Any
) -> None:
    sagemaker = local_aws.client("sagemaker")
    resources = {
        "InstanceType": "ml.m5.large",
        "InstanceCount": 1,
        "VolumeSizeInGB": 30,
        "KeepAlivePeriodInSeconds": 600,
    }
    local_aws.client("s3").put_object(
        Bucket="spot-data", Key="checkpoints/warm/1.txt", Body="state"
    )
    where = {"S3Uri": "s3://spot-data/checkpoints/warm"}
    on_demand = {
        "ResourceConfig": resources,
        "CheckpointConfig": where,
        "EnableManagedSpotTraining": False,
        "StoppingCondition": {"MaxRuntimeInSeconds": 100},
    }
    with pytest.raises(ClientError, match="Warm pools cannot be used"):
        sagemaker.create_training_job(**request_for("spot", ResourceConfig=resources))

    sagemaker.create_training_job(**request_for("first", **on_demand))
    first = settled(local_aws, "first")
    sagemaker.create_training_job(**request_for("second", **on_demand))
    handed_on = sagemaker.describe_training_job(TrainingJobName="first")["WarmPoolStatus"]
    settled(local_aws, "second")

    assert first["WarmPoolStatus"]["Status"] == "Available"
    assert handed_on["Status"] == "Reused"
    assert handed_on["ReusedByJob"] == "second"
