"""Serverless and asynchronous endpoints, inference components and scaling on the local AWS."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/model"
BUCKET = "endpoint-forms"
ECHO = """
def model_fn(model_dir):
    return None

def predict_fn(rows, model):
    if rows.sum() < 0:
        raise ValueError("no negative sums")
    return rows.reshape(1, -1).sum(axis=1)
"""

PRODUCTS = ECHO.replace(".sum(axis=1)", ".prod(axis=1)")


def archive(script: str) -> bytes:
    """A model archive of an inference script."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(script)
        tar.addfile(member, io.BytesIO(script.encode()))
    return buffer.getvalue()


class Aws:
    """Clients, one model, and patience."""

    def __init__(self, local_aws: Emulator) -> None:
        self.s3, self.sns = local_aws.client("s3"), local_aws.client("sns")
        self.sqs, self.cloudwatch = local_aws.client("sqs"), local_aws.client("cloudwatch")
        self.sagemaker = local_aws.client("sagemaker")
        self.runtime = local_aws.client("sagemaker-runtime")
        self.scaling = local_aws.client("application-autoscaling")
        self.s3.create_bucket(Bucket=BUCKET)
        self.s3.put_object(Bucket=BUCKET, Key="model.tar.gz", Body=archive(ECHO))
        container = {"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/model.tar.gz"}
        self.sagemaker.create_model(
            ModelName="echo", ExecutionRoleArn=ROLE, PrimaryContainer=container
        )

    def endpoint(self, name: str, variant: dict[str, Any], **config: Any) -> dict[str, Any]:
        variants = [{"VariantName": "AllTraffic", **variant}]
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=name, ProductionVariants=variants, **config
        )
        self.sagemaker.create_endpoint(EndpointName=name, EndpointConfigName=name)
        described: dict[str, Any] = until(
            lambda: self.sagemaker.describe_endpoint(EndpointName=name),
            lambda found: found["EndpointStatus"] in ("InService", "Failed"),
        )
        assert described["EndpointStatus"] == "InService", described.get("FailureReason")
        return described

    def text(self, uri: str) -> str | None:
        bucket, _, key = uri.removeprefix("s3://").partition("/")
        try:
            body: bytes = self.s3.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ClientError:
            return None
        return body.decode()


def until(look: Callable[[], Any], good: Callable[[Any], bool], seconds: float = 30) -> Any:
    deadline = time.monotonic() + seconds
    while not good(found := look()):
        assert time.monotonic() < deadline, f"still {found}"
        time.sleep(0.1)
    return found


@pytest.fixture(scope="module")
def aws(local_aws: Emulator) -> Aws:
    return Aws(local_aws)


def test_a_serverless_endpoint_answers_and_is_described_without_instances(aws: Aws) -> None:
    serverless = {"MemorySizeInMB": 2048, "MaxConcurrency": 5}
    described = aws.endpoint("light", {"ModelName": "echo", "ServerlessConfig": serverless})

    (variant,) = described["ProductionVariants"]
    assert variant["CurrentServerlessConfig"] == serverless
    assert "CurrentInstanceCount" not in variant
    answer = aws.runtime.invoke_endpoint(EndpointName="light", Body=b"1,2", ContentType="text/csv")
    assert json.loads(answer["Body"].read()) == [3.0]
    with pytest.raises(ClientError, match="DataCaptureConfig is not supported"):
        aws.endpoint(
            "captured",
            {"ModelName": "echo", "ServerlessConfig": serverless},
            DataCaptureConfig={
                "InitialSamplingPercentage": 100,
                "DestinationS3Uri": f"s3://{BUCKET}/captures",
                "CaptureOptions": [{"CaptureMode": "Input"}],
            },
        )


def test_a_queue_keeps_calls_until_an_instance_is_there_and_tells_what_came_of_each(
    aws: Aws,
) -> None:
    topic = aws.sns.create_topic(Name="answers")["TopicArn"]
    queue = aws.sqs.create_queue(QueueName="answers")["QueueUrl"]
    attributes = aws.sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])
    arn = attributes["Attributes"]["QueueArn"]
    aws.sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    places = {
        "S3OutputPath": f"s3://{BUCKET}/out",
        "S3FailurePath": f"s3://{BUCKET}/failed",
        "NotificationConfig": {"SuccessTopic": topic, "ErrorTopic": topic},
    }
    aws.endpoint(
        "queued",
        {"ModelName": "echo", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1},
        AsyncInferenceConfig={"OutputConfig": places},
    )
    resource = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/queued/variant/AllTraffic",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    aws.scaling.register_scalable_target(MinCapacity=0, MaxCapacity=0, **resource)
    until(
        lambda: aws.sagemaker.describe_endpoint(EndpointName="queued"),
        lambda found: (
            found["EndpointStatus"] == "InService"
            and found["ProductionVariants"][0]["CurrentInstanceCount"] == 0
        ),
    )
    aws.scaling.register_scalable_target(MinCapacity=0, MaxCapacity=1, **resource)
    policy = aws.scaling.put_scaling_policy(
        PolicyName="from-zero",
        PolicyType="StepScaling",
        StepScalingPolicyConfiguration={
            "AdjustmentType": "ChangeInCapacity",
            "Cooldown": 60,
            "StepAdjustments": [{"MetricIntervalLowerBound": 0, "ScalingAdjustment": 1}],
        },
        **resource,
    )["PolicyARN"]
    aws.cloudwatch.put_metric_alarm(
        AlarmName="queued-at-zero",
        Namespace="AWS/SageMaker",
        MetricName="HasBacklogWithoutCapacity",
        Dimensions=[{"Name": "EndpointName", "Value": "queued"}],
        Statistic="Maximum",
        Period=30,
        EvaluationPeriods=1,
        Threshold=1,
        ComparisonOperator="GreaterThanOrEqualToThreshold",
        AlarmActions=[policy],
    )

    def ask(text: str) -> dict[str, Any]:
        aws.s3.put_object(Bucket=BUCKET, Key=f"in/{text}", Body=text.encode())
        said: dict[str, Any] = aws.runtime.invoke_endpoint_async(
            EndpointName="queued", InputLocation=f"s3://{BUCKET}/in/{text}", ContentType="text/csv"
        )
        return said

    good, bad = ask("1,2"), ask("-1,-2")
    assert until(lambda: aws.text(good["OutputLocation"]), bool) == "[3.0]"
    assert "no negative sums" in until(lambda: aws.text(bad["FailureLocation"]), bool)
    assert aws.text(bad["OutputLocation"]) is None

    messages: dict[str, Any] = {}
    while len(messages) < 2:
        received = aws.sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=5)
        for message in received["Messages"]:
            told = json.loads(json.loads(message["Body"])["Message"])
            messages[told["inferenceId"]] = told
            aws.sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    assert messages[good["InferenceId"]]["invocationStatus"] == "Completed"
    assert "no negative sums" in messages[bad["InferenceId"]]["failureReason"]
    with pytest.raises(ClientError, match="InvokeEndpointAsync alone"):
        aws.runtime.invoke_endpoint(EndpointName="queued", Body=b"1", ContentType="text/csv")


def test_a_component_without_a_copy_has_no_capacity_and_answers_again_with_one(aws: Aws) -> None:
    instances = {
        "InstanceType": "ml.m5.large",
        "InitialInstanceCount": 1,
        "ManagedInstanceScaling": {
            "Status": "ENABLED",
            "MinInstanceCount": 0,
            "MaxInstanceCount": 2,
        },
    }
    aws.endpoint("shared", instances, ExecutionRoleArn=ROLE)
    aws.sagemaker.create_inference_component(
        InferenceComponentName="adder",
        EndpointName="shared",
        VariantName="AllTraffic",
        Specification={
            "ModelName": "echo",
            "ComputeResourceRequirements": {"MinMemoryRequiredInMb": 512},
        },
        RuntimeConfig={"CopyCount": 1},
    )

    def copies(wanted: int) -> None:
        until(
            lambda: aws.sagemaker.describe_inference_component(InferenceComponentName="adder"),
            lambda found: (
                found["InferenceComponentStatus"] == "InService"
                and found["RuntimeConfig"]["CurrentCopyCount"] == wanted
            ),
        )

    def ask() -> Any:
        answer = aws.runtime.invoke_endpoint(
            EndpointName="shared",
            InferenceComponentName="adder",
            Body=b"4,5",
            ContentType="text/csv",
        )
        return json.loads(answer["Body"].read())

    copies(1)
    assert ask() == [9.0]
    for number in (0, 1):
        aws.sagemaker.update_inference_component_runtime_config(
            InferenceComponentName="adder", DesiredRuntimeConfig={"CopyCount": number}
        )
        copies(number)
        if number == 0:
            with pytest.raises(ClientError, match="has no capacity"):
                ask()
    assert ask() == [9.0]
    with pytest.raises(ClientError, match="Component Name header is required"):
        aws.runtime.invoke_endpoint(EndpointName="shared", Body=b"1", ContentType="text/csv")
    aws.sagemaker.delete_inference_component(InferenceComponentName="adder")


def test_what_is_not_scaled_here_is_refused_by_name(aws: Aws) -> None:
    with pytest.raises(ClientError, match="does not scale ecs:service:DesiredCount"):
        aws.scaling.register_scalable_target(
            ServiceNamespace="ecs",
            ResourceId="service/a/b",
            ScalableDimension="ecs:service:DesiredCount",
            MinCapacity=0,
            MaxCapacity=1,
        )


def test_a_multi_model_endpoint_answers_with_the_model_that_a_call_names(aws: Aws) -> None:
    for name, script in (("sums.tar.gz", ECHO), ("eu/products.tar.gz", PRODUCTS)):
        aws.s3.put_object(Bucket=BUCKET, Key=f"many/{name}", Body=archive(script))
    container = {"Image": IMAGE, "Mode": "MultiModel", "ModelDataUrl": f"s3://{BUCKET}/many/"}
    aws.sagemaker.create_model(ModelName="many", ExecutionRoleArn=ROLE, PrimaryContainer=container)
    instances = {"ModelName": "many", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    aws.endpoint("many", instances)

    def ask(endpoint: str = "many", **options: Any) -> Any:
        answer = aws.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"4,5", ContentType="text/csv", **options
        )
        return json.loads(answer["Body"].read())

    assert ask(TargetModel="sums.tar.gz") == [9.0]
    assert ask(TargetModel="eu/products.tar.gz") == [20.0]
    # A model that is added later is there, as on SageMaker.
    aws.s3.put_object(Bucket=BUCKET, Key="many/late.tar.gz", Body=archive(PRODUCTS))
    assert ask(TargetModel="late.tar.gz") == [20.0]
    with pytest.raises(ClientError, match=r"Failed to download model data.*gone\.tar\.gz"):
        ask(TargetModel="gone.tar.gz")
    with pytest.raises(ClientError, match="missing a target model header"):
        ask()
    serverless = {"MemorySizeInMB": 1024, "MaxConcurrency": 1}
    with pytest.raises(ClientError, match="real-time endpoints alone"):
        aws.endpoint("light-many", {"ModelName": "many", "ServerlessConfig": serverless})
    with pytest.raises(ClientError, match="does not support target model"):
        ask("light", TargetModel="sums.tar.gz")
    container["ModelDataUrl"] = f"s3://{BUCKET}/nothing/"
    with pytest.raises(ClientError, match="Could not access model data"):
        aws.sagemaker.create_model(
            ModelName="none", ExecutionRoleArn=ROLE, PrimaryContainer=container
        )
