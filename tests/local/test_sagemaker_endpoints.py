"""Endpoints on the local AWS: real model servers, invocations and their capture in S3."""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import io
import json
import re
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/model"
BUCKET = "endpoints-data"
ADDS = """
import json

def model_fn(model_dir):
    with open(f"{model_dir}/offset.json") as file:
        return json.load(file)["offset"]

def predict_fn(rows, offset):
    if rows.ndim == 1:
        rows = rows.reshape(1, -1)
    if rows.shape[1] != 2:
        raise ValueError(f"expected 2 columns, got {rows.shape[1]}")
    return rows.sum(axis=1) + offset
"""
CONTENT_TYPES = {"CsvContentTypes": ["text/csv"], "JsonContentTypes": ["application/json"]}


def archive(offset: int = 100, inference: str = ADDS) -> bytes:
    files = {"offset.json": json.dumps({"offset": offset}), "code/inference.py": inference}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


class Endpoints:
    """Makes models, configurations and endpoints for a test, and waits for them."""

    def __init__(self, local_aws: Emulator) -> None:
        self.s3 = local_aws.client("s3")
        self.sagemaker = local_aws.client("sagemaker")
        self.runtime = local_aws.client("sagemaker-runtime")
        self.s3.create_bucket(Bucket=BUCKET)

    def model(self, name: str, body: bytes) -> str:
        key = f"models/{name}.tar.gz"
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}"}
        self.sagemaker.create_model(
            ModelName=name, ExecutionRoleArn=ROLE, PrimaryContainer=container
        )
        return name

    def config(self, name: str, models: dict[str, str], **capture: Any) -> str:
        variants = [
            {
                "VariantName": variant,
                "ModelName": model,
                "InstanceType": "ml.m5.large",
                "InitialInstanceCount": 1,
                "InitialVariantWeight": 1.0,
            }
            for variant, model in models.items()
        ]
        request: dict[str, Any] = {"EndpointConfigName": name, "ProductionVariants": variants}
        if capture:
            request["DataCaptureConfig"] = {
                "EnableCapture": True,
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{BUCKET}/captures",
                "CaptureOptions": [{"CaptureMode": "Input"}, {"CaptureMode": "Output"}],
            } | capture
        self.sagemaker.create_endpoint_config(**request)
        return name

    def create(self, name: str, config: str) -> dict[str, Any]:
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=config)
        return self.settled(name)

    def settled(self, name: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.sagemaker.describe_endpoint(EndpointName=name)
            if described["EndpointStatus"] in ("InService", "Failed"):
                return described
            time.sleep(0.1)
        raise AssertionError(f"{name} is still {described['EndpointStatus']}")

    def captured(self, prefix: str, count: int) -> tuple[list[str], list[dict[str, Any]]]:
        deadline = time.monotonic() + 15
        while time.monotonic() < deadline:
            listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
            keys = [each["Key"] for each in listed]
            bodies = [self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read() for key in keys]
            records = [json.loads(line) for body in bodies for line in body.splitlines()]
            if len(records) >= count:
                return keys, records
            time.sleep(0.2)
        raise AssertionError(f"{len(records)} of {count} records below {prefix}")


@pytest.fixture(scope="module")
def endpoints(local_aws: Emulator) -> Endpoints:
    return Endpoints(local_aws)


def test_an_endpoint_answers_and_its_traffic_is_captured_in_sagemakers_format(
    endpoints: Endpoints,
) -> None:
    endpoints.model("adds", archive())
    endpoints.config("adds-config", {"AllTraffic": "adds"}, CaptureContentTypeHeader=CONTENT_TYPES)
    described = endpoints.create("adds", "adds-config")
    assert described["EndpointStatus"] == "InService", described["FailureReason"]
    assert described["DataCaptureConfig"]["CaptureStatus"] == "Started"

    answer = endpoints.runtime.invoke_endpoint(
        EndpointName="adds",
        Body=b"1,2\n3,4\n",
        ContentType="text/csv",
        Accept="application/json",
        InferenceId="mine-1",
    )
    assert json.loads(answer["Body"].read()) == [103.0, 107.0]
    assert answer["ContentType"] == "application/json"
    assert answer["InvokedProductionVariant"] == "AllTraffic"
    endpoints.runtime.invoke_endpoint(
        EndpointName="adds", Body=b"[1, 2]", ContentType="application/json"
    )

    keys, records = endpoints.captured("captures/adds/AllTraffic/", 2)
    layout = r"captures/adds/AllTraffic/\d{4}/\d\d/\d\d/\d\d/\d\d-\d\d-\d{3}-[0-9a-f-]{36}\.jsonl"
    assert all(re.fullmatch(layout, key) for key in keys)
    first = records[0]
    assert first["eventVersion"] == "0"
    assert first["eventMetadata"]["inferenceId"] == "mine-1"
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", first["eventMetadata"]["inferenceTime"])
    assert first["captureData"]["endpointInput"] == {
        "observedContentType": "text/csv",
        "mode": "INPUT",
        "data": "1,2\n3,4\n",
        "encoding": "CSV",
    }
    assert first["captureData"]["endpointOutput"] == {
        "observedContentType": "application/json",
        "mode": "OUTPUT",
        "data": "[103.0, 107.0]",
        "encoding": "JSON",
    }


def test_an_error_of_the_model_reaches_the_caller_with_its_own_message(
    endpoints: Endpoints,
) -> None:
    endpoints.model("strict", archive())
    endpoints.config("strict-config", {"AllTraffic": "strict"})
    endpoints.create("strict", "strict-config")
    with pytest.raises(ClientError) as caught:
        endpoints.runtime.invoke_endpoint(
            EndpointName="strict", Body=b"1,2,3\n", ContentType="text/csv"
        )
    response = caught.value.response
    assert response["Error"]["Code"] == "ModelError"
    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == 500
    assert "expected 2 columns, got 3" in response["OriginalMessage"]
    assert "log-group:/aws/sagemaker/Endpoints/strict:log-stream:" in response["LogStreamArn"]


def test_errors_of_a_model_are_counted_in_cloudwatch(
    local_aws: Emulator, endpoints: Endpoints
) -> None:
    endpoints.model("counted", archive())
    endpoints.config("counted", {"AllTraffic": "counted"})
    endpoints.create("counted", "counted")
    for body in (b"1,2\n", b"1,2\n", b"1,2,3\n"):
        with contextlib.suppress(ClientError):
            endpoints.runtime.invoke_endpoint(
                EndpointName="counted", Body=body, ContentType="text/csv"
            )
    dimensions = [
        {"Name": "EndpointName", "Value": "counted"},
        {"Name": "VariantName", "Value": "AllTraffic"},
    ]
    now = dt.datetime.now(dt.UTC)
    deadline = time.monotonic() + 20
    sums: dict[str, float] = {}
    while sums.get("Invocations") != 3:
        assert time.monotonic() < deadline, sums
        time.sleep(0.5)
        for metric in ("Invocations", "Invocation5XXErrors"):
            points = local_aws.client("cloudwatch").get_metric_statistics(
                Namespace="AWS/SageMaker",
                MetricName=metric,
                Dimensions=dimensions,
                StartTime=now - dt.timedelta(minutes=5),
                EndTime=now + dt.timedelta(minutes=5),
                Period=600,
                Statistics=["Sum"],
            )["Datapoints"]
            sums[metric] = sum(point["Sum"] for point in points)
    assert sums == {"Invocations": 3, "Invocation5XXErrors": 1}


def test_a_model_that_does_not_load_fails_its_endpoint_with_the_real_reason(
    local_aws: Emulator, endpoints: Endpoints
) -> None:
    broken = "def model_fn(model_dir):\n    raise RuntimeError('no weights in ' + model_dir)\n"
    endpoints.model("broken", archive(inference=broken))
    endpoints.config("broken-config", {"AllTraffic": "broken"})
    described = endpoints.create("broken", "broken-config")
    assert described["EndpointStatus"] == "Failed"
    assert "did not pass the ping health check" in described["FailureReason"]
    assert "RuntimeError: no weights in " in described["FailureReason"]
    events = local_aws.client("logs").filter_log_events(
        logGroupName="/aws/sagemaker/Endpoints/broken", filterPattern="RuntimeError"
    )["events"]
    assert events
    with pytest.raises(ClientError, match="Endpoint broken of account 111122223333 not found"):
        endpoints.runtime.invoke_endpoint(EndpointName="broken", Body=b"1")


def test_an_update_serves_without_a_gap_and_a_failing_one_is_rolled_back(
    endpoints: Endpoints,
) -> None:
    endpoints.model("version-1", archive(offset=1))
    endpoints.model("version-2", archive(offset=2))
    endpoints.model("version-3", archive(inference="def model_fn(d):\n    raise OSError('no')\n"))
    for number in (1, 2, 3):
        endpoints.config(f"version-{number}", {"AllTraffic": f"version-{number}"})
    endpoints.create("versions", "version-1")
    answers = []

    def invoke() -> list[float]:
        answer = endpoints.runtime.invoke_endpoint(
            EndpointName="versions", Body=b"0,0\n", ContentType="text/csv"
        )
        values: list[float] = json.loads(answer["Body"].read())
        answers.append(values)
        return values

    assert invoke() == [1.0]
    endpoints.sagemaker.update_endpoint(EndpointName="versions", EndpointConfigName="version-2")
    while (
        endpoints.sagemaker.describe_endpoint(EndpointName="versions")["EndpointStatus"]
        != "InService"
    ):
        invoke()
    assert invoke() == [2.0]
    assert answers == sorted(answers)

    endpoints.sagemaker.update_endpoint(EndpointName="versions", EndpointConfigName="version-3")
    described = endpoints.settled("versions")
    assert described["EndpointStatus"] == "InService"
    assert described["EndpointConfigName"] == "version-2"
    assert "OSError: no" in described["FailureReason"]
    assert invoke() == [2.0]


def test_traffic_goes_to_variants_by_weight_or_by_name(endpoints: Endpoints) -> None:
    endpoints.model("blue", archive(offset=0))
    endpoints.model("green", archive(offset=10))
    endpoints.config("two", {"Blue": "blue", "Green": "green"})
    endpoints.create("two", "two")
    named = endpoints.runtime.invoke_endpoint(
        EndpointName="two", Body=b"0,0\n", ContentType="text/csv", TargetVariant="Green"
    )
    assert json.loads(named["Body"].read()) == [10.0]
    endpoints.sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="two",
        DesiredWeightsAndCapacities=[
            {"VariantName": "Blue", "DesiredWeight": 1},
            {"VariantName": "Green", "DesiredWeight": 0},
        ],
    )
    chosen = {
        endpoints.runtime.invoke_endpoint(
            EndpointName="two", Body=b"0,0\n", ContentType="text/csv"
        )["InvokedProductionVariant"]
        for _ in range(10)
    }
    assert chosen == {"Blue"}
    with pytest.raises(ClientError, match="It has: Blue, Green"):
        endpoints.runtime.invoke_endpoint(EndpointName="two", Body=b"1", TargetVariant="Red")


def test_capture_is_written_when_the_endpoint_is_deleted_and_in_base64_without_a_type(
    endpoints: Endpoints,
) -> None:
    endpoints.model("short", archive())
    endpoints.config("short", {"AllTraffic": "short"}, CaptureOptions=[{"CaptureMode": "Input"}])
    endpoints.create("short", "short")
    endpoints.runtime.invoke_endpoint(EndpointName="short", Body=b"1,2\n", ContentType="text/csv")
    endpoints.sagemaker.delete_endpoint(EndpointName="short")
    _, (record,) = endpoints.captured("captures/short/", 1)
    assert "endpointOutput" not in record["captureData"]
    given = record["captureData"]["endpointInput"]
    assert given["encoding"] == "BASE64"
    assert base64.b64decode(given["data"]) == b"1,2\n"


def test_a_model_server_that_ends_is_started_again(endpoints: Endpoints) -> None:
    ends = (
        "import os\ndef model_fn(d):\n    return 1\n"
        "def predict_fn(rows, model):\n"
        "    if rows.sum() == 13:\n        os._exit(9)\n"
        "    return rows\n"
    )
    endpoints.model("fragile", archive(inference=ends))
    endpoints.config("fragile", {"AllTraffic": "fragile"})
    endpoints.create("fragile", "fragile")

    def ask(body: bytes) -> bytes:
        answer = endpoints.runtime.invoke_endpoint(
            EndpointName="fragile", Body=body, ContentType="text/csv", Accept="text/csv"
        )
        received: bytes = answer["Body"].read()
        return received

    with pytest.raises(ClientError, match="does not answer"):
        ask(b"13\n")
    answered = b""
    deadline = time.monotonic() + 30
    while not answered and time.monotonic() < deadline:
        with contextlib.suppress(ClientError):
            answered = ask(b"1,2\n")
        time.sleep(0.1)
    assert answered == b"1.0\n2.0\n"


def test_an_endpoint_and_a_failing_job_are_told_on_the_event_bus(
    local_aws: Emulator, endpoints: Endpoints
) -> None:
    events, sqs = local_aws.client("events"), local_aws.client("sqs")
    queue = sqs.create_queue(QueueName="told")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    for detail_type, detail in (
        ("SageMaker Endpoint State Change", {"EndpointName": ["evented"]}),
        ("SageMaker Training Job State Change", {"TrainingJobStatus": ["Failed"]}),
    ):
        name = detail_type.split()[1].lower()
        pattern = {"source": ["aws.sagemaker"], "detail-type": [detail_type], "detail": detail}
        events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        events.put_targets(Rule=name, Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    endpoints.model("evented", archive())
    endpoints.config("evented", {"AllTraffic": "evented"})
    endpoints.create("evented", "evented")
    endpoints.sagemaker.create_training_job(
        TrainingJobName="evented",
        RoleArn=ROLE,
        AlgorithmSpecification={"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        OutputDataConfig={"S3OutputPath": f"s3://{BUCKET}/models"},
        ResourceConfig={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 1},
    )
    details = []
    deadline = time.monotonic() + 20
    while len(details) < 3 and time.monotonic() < deadline:
        received = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2, MaxNumberOfMessages=10)
        for message in received.get("Messages", []):
            sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
            details.append(json.loads(message["Body"])["detail"])
    statuses = [detail["EndpointStatus"] for detail in details if "EndpointStatus" in detail]
    assert sorted(statuses) == ["CREATING", "IN_SERVICE"]
    (failed,) = [detail for detail in details if "TrainingJobStatus" in detail]
    assert "Set the 'sagemaker_program' hyperparameter" in failed["FailureReason"]


def test_only_an_approved_package_is_deployed(endpoints: Endpoints) -> None:
    sagemaker = endpoints.sagemaker
    endpoints.s3.put_object(Bucket=BUCKET, Key="models/packed.tar.gz", Body=archive(offset=7))
    sagemaker.create_model_package_group(ModelPackageGroupName="packed")
    arn = sagemaker.create_model_package(
        ModelPackageGroupName="packed",
        ModelApprovalStatus="PendingManualApproval",
        InferenceSpecification={
            "Containers": [
                {
                    "Image": IMAGE,
                    "ModelDataUrl": f"s3://{BUCKET}/models/packed.tar.gz",
                    "Environment": {"SAGEMAKER_PROGRAM": "inference.py"},
                }
            ],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
    )["ModelPackageArn"]
    request = {
        "ModelName": "packed",
        "ExecutionRoleArn": ROLE,
        "PrimaryContainer": {"ModelPackageName": arn},
    }
    with pytest.raises(ClientError, match="is PendingManualApproval; only an Approved one"):
        sagemaker.create_model(**request)
    sagemaker.update_model_package(ModelPackageArn=arn, ModelApprovalStatus="Approved")
    sagemaker.create_model(**request)
    endpoints.config("packed", {"AllTraffic": "packed"})
    assert endpoints.create("packed", "packed")["EndpointStatus"] == "InService"
    answer = endpoints.runtime.invoke_endpoint(
        EndpointName="packed", Body=b"1,1\n", ContentType="text/csv", Accept="text/csv"
    )
    assert answer["Body"].read() == b"9.0\n"


def test_an_approval_is_told_on_the_event_bus(local_aws: Emulator) -> None:
    sagemaker, events, sqs = (local_aws.client(name) for name in ("sagemaker", "events", "sqs"))
    queue = sqs.create_queue(QueueName="approvals")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    pattern = {
        "source": ["aws.sagemaker"],
        "detail-type": ["SageMaker Model Package State Change"],
        "detail": {"ModelPackageGroupName": ["told"], "ModelApprovalStatus": ["Approved"]},
    }
    events.put_rule(Name="approvals", EventPattern=json.dumps(pattern))
    events.put_targets(Rule="approvals", Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    sagemaker.create_model_package_group(ModelPackageGroupName="told")
    package = sagemaker.create_model_package(ModelPackageGroupName="told")["ModelPackageArn"]
    sagemaker.update_model_package(ModelPackageArn=package, ModelApprovalStatus="Approved")
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    assert json.loads(message["Body"])["detail"]["ModelPackageArn"] == package


def test_a_version_number_is_never_given_twice(local_aws: Emulator) -> None:
    sagemaker = local_aws.client("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName="counts")
    first = sagemaker.create_model_package(ModelPackageGroupName="counts")["ModelPackageArn"]
    with pytest.raises(ClientError, match="is not empty"):
        sagemaker.delete_model_package_group(ModelPackageGroupName="counts")
    sagemaker.delete_model_package(ModelPackageName=first)
    second = sagemaker.create_model_package(ModelPackageGroupName="counts")["ModelPackageArn"]
    assert (first.rsplit("/", 1)[-1], second.rsplit("/", 1)[-1]) == ("1", "2")


def test_a_model_whose_data_is_not_there_is_refused(endpoints: Endpoints) -> None:
    with pytest.raises(ClientError, match="Could not access model data at s3://endpoints-data/no"):
        endpoints.sagemaker.create_model(
            ModelName="dataless",
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/no.tar.gz"},
        )


def test_an_operation_that_is_not_carried_is_refused_with_the_list_of_those_that_are(
    local_aws: Emulator,
) -> None:
    with pytest.raises(ClientError, match="does not carry sagemaker:ListDomains") as caught:
        local_aws.client("sagemaker").list_domains()
    assert "CreateTrainingJob" in caught.value.response["Error"]["Message"]
