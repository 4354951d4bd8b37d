"""What becomes of jobs, endpoints and captured data when the local AWS goes down and comes up."""

from __future__ import annotations

import io
import json
import tarfile
import time
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/model"
BUCKET = "kept-data"
ECHO = """
def model_fn(model_dir):
    return None

def predict_fn(rows, model):
    return rows
"""


def archive(name: str, text: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo(name)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


def serve(local: Emulator) -> None:
    sagemaker = local.client("sagemaker")
    local.client("s3").put_object(
        Bucket=BUCKET, Key="model.tar.gz", Body=archive("code/inference.py", ECHO)
    )
    container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
    sagemaker.create_model(ModelName="echo", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    sagemaker.create_endpoint_config(
        EndpointConfigName="echo",
        ProductionVariants=[
            {
                "VariantName": "AllTraffic",
                "ModelName": "echo",
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
            }
        ],
        DataCaptureConfig={
            "EnableCapture": True,
            "InitialSamplingPercentage": 100,
            "DestinationS3Uri": f"s3://{BUCKET}/captures",
            "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
            "CaptureContentTypeHeader": {"CsvContentTypes": ["text/csv"]},
        },
    )
    sagemaker.create_endpoint(EndpointName="echo", EndpointConfigName="echo")
    until_in_service(local)


def until_in_service(local: Emulator) -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        described = local.client("sagemaker").describe_endpoint(EndpointName="echo")
        if described["EndpointStatus"] == "InService":
            return
        assert described["EndpointStatus"] != "Failed", described["FailureReason"]
        time.sleep(0.1)
    raise AssertionError(described["EndpointStatus"])


def invoke(local: Emulator, body: bytes) -> bytes:
    answer = local.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="echo", Body=body, ContentType="text/csv", Accept="text/csv"
    )
    received: bytes = answer["Body"].read()
    return received


def start_a_job(local: Emulator, script: str) -> None:
    local.client("s3").put_object(
        Bucket=BUCKET, Key="code.tar.gz", Body=archive("train.py", script)
    )
    local.client("sagemaker").create_training_job(
        TrainingJobName="long",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        HyperParameters={
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/code.tar.gz",
        },
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    )
    deadline = time.monotonic() + 30
    while job(local)["SecondaryStatus"] != "Training":
        assert time.monotonic() < deadline
        time.sleep(0.1)


def start_a_pipeline(local: Emulator) -> str:
    sagemaker = local.client("sagemaker")
    arguments = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/code.tar.gz",
        },
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 1,
        },
    }
    steps = [{"Name": "Train", "Type": "Training", "Arguments": arguments}]
    definition = json.dumps({"Version": "2020-12-01", "Steps": steps})
    sagemaker.create_pipeline(PipelineName="long", RoleArn=ROLE, PipelineDefinition=definition)
    arn: str = sagemaker.start_pipeline_execution(PipelineName="long")["PipelineExecutionArn"]
    deadline = time.monotonic() + 20
    while not sagemaker.list_training_jobs(NameContains="pipelines-")["TrainingJobSummaries"]:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return arn


def job(local: Emulator) -> dict[str, Any]:
    described: dict[str, Any] = local.client("sagemaker").describe_training_job(
        TrainingJobName="long"
    )
    return described


def captured(local: Emulator) -> list[str]:
    s3 = local.client("s3")
    listed = s3.list_objects_v2(Bucket=BUCKET, Prefix="captures/").get("Contents", [])
    bodies = [s3.get_object(Bucket=BUCKET, Key=each["Key"])["Body"].read() for each in listed]
    records = [json.loads(line) for body in bodies for line in body.splitlines()]
    return sorted(record["captureData"]["endpointInput"]["data"] for record in records)


@pytest.mark.slow
def test_after_down_and_up_endpoints_serve_jobs_are_settled_and_no_capture_is_lost(
    tmp_path: Path,
) -> None:
    with Emulator(tmp_path, keep_state=True) as local:
        local.client("s3").create_bucket(Bucket=BUCKET)
        serve(local)
        start_a_job(local, "import time\ntime.sleep(120)\n")
        execution = start_a_pipeline(local)
        assert invoke(local, b"1,2\n") == b"1.0\n2.0\n"

    with Emulator(tmp_path, keep_state=True) as local:
        until_in_service(local)
        assert invoke(local, b"3,4\n") == b"3.0\n4.0\n"
        described = job(local)
        assert described["TrainingJobStatus"] == "Failed"
        assert "the local AWS was stopped while the job ran" in described["FailureReason"]
        sagemaker = local.client("sagemaker")
        ran = sagemaker.describe_pipeline_execution(PipelineExecutionArn=execution)
        assert ran["PipelineExecutionStatus"] == "Failed"
        assert ran["FailureReason"] == "The local AWS was stopped while the pipeline ran."
        sagemaker.delete_pipeline(PipelineName="long")
        deadline = time.monotonic() + 15
        while len(captured(local)) < 2:
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert captured(local) == ["1,2\n", "3,4\n"]
