"""The CloudFormation types of SageMaker: made, changed, replaced, rolled back and deleted."""

from __future__ import annotations

import io
import json
import tarfile
from typing import Any

import pytest
from botocore.exceptions import ClientError, WaiterError

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/model"
BUCKET = "resources-data"
CONSTANT = """
import json

def model_fn(model_dir):
    return json.load(open(f"{model_dir}/value.json"))

def predict_fn(rows, value):
    return [value]
"""


def put_model(local_aws: Emulator, name: str, value: object, inference: str = CONSTANT) -> None:
    files = {"value.json": json.dumps(value), "code/inference.py": inference}
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    local_aws.client("s3").put_object(Bucket=BUCKET, Key=f"{name}.tar.gz", Body=buffer.getvalue())


def template(model: str, *, tag: str = "a") -> str:
    tags = [{"Key": "team", "Value": tag}]
    serving = {
        "Model": {
            "Type": "AWS::SageMaker::Model",
            "Properties": {
                "ExecutionRoleArn": ROLE,
                "PrimaryContainer": {
                    "Image": IMAGE,
                    "ModelDataUrl": f"s3://{BUCKET}/{model}.tar.gz",
                },
                "Tags": tags,
            },
        },
        "Config": {
            "Type": "AWS::SageMaker::EndpointConfig",
            "Properties": {
                "ProductionVariants": [
                    {
                        "VariantName": "AllTraffic",
                        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
                        "InstanceType": "ml.m5.large",
                        "InitialInstanceCount": "1",
                        "InitialVariantWeight": "1.0",
                    }
                ]
            },
        },
        "Endpoint": {
            "Type": "AWS::SageMaker::Endpoint",
            "Properties": {
                "EndpointName": "from-a-stack",
                "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
                "Tags": tags,
            },
        },
    }
    definition = {
        "Version": "2020-12-01",
        "Steps": [{"Name": "Stop", "Type": "Fail", "Arguments": {"ErrorMessage": model}}],
    }
    building = {
        "Group": {
            "Type": "AWS::SageMaker::ModelPackageGroup",
            "Properties": {"ModelPackageGroupName": "from-a-stack", "Tags": tags},
        },
        "Pipeline": {
            "Type": "AWS::SageMaker::Pipeline",
            "Properties": {
                "PipelineName": "from-a-stack",
                "RoleArn": ROLE,
                "PipelineDefinition": {"PipelineDefinitionBody": json.dumps(definition)},
            },
        },
    }
    outputs = {
        "EndpointArn": {"Value": {"Ref": "Endpoint"}},
        "EndpointName": {"Value": {"Fn::GetAtt": ["Endpoint", "EndpointName"]}},
        "PipelineName": {"Value": {"Ref": "Pipeline"}},
        "GroupArn": {"Value": {"Fn::GetAtt": ["Group", "ModelPackageGroupArn"]}},
    }
    return json.dumps({"Resources": {**serving, **building}, "Outputs": outputs})


class Stack:
    """A stack that a test changes; waits for every change."""

    def __init__(self, local_aws: Emulator, name: str) -> None:
        self.client = local_aws.client("cloudformation")
        self.name = name

    def apply(self, body: str, action: str) -> None:
        getattr(self.client, f"{action}_stack")(StackName=self.name, TemplateBody=body)
        waiter = self.client.get_waiter(f"stack_{action}_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def delete(self) -> None:
        self.client.delete_stack(StackName=self.name)
        waiter = self.client.get_waiter("stack_delete_complete")
        waiter.wait(StackName=self.name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})

    def outputs(self) -> dict[str, str]:
        (stack,) = self.client.describe_stacks(StackName=self.name)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in stack["Outputs"]}

    def reasons(self) -> str:
        events = self.client.describe_stack_events(StackName=self.name)["StackEvents"]
        return "\n".join(event.get("ResourceStatusReason", "") for event in events)


@pytest.fixture(scope="module")
def bucket(local_aws: Emulator) -> str:
    local_aws.client("s3").create_bucket(Bucket=BUCKET)
    put_model(local_aws, "first", 1)
    put_model(local_aws, "second", 2)
    put_model(local_aws, "broken", 3, "def model_fn(d):\n    raise OSError('no weights')\n")
    return BUCKET


def answer(local_aws: Emulator) -> Any:
    response = local_aws.client("sagemaker-runtime").invoke_endpoint(
        EndpointName="from-a-stack", Body=b"0\n", ContentType="text/csv"
    )
    return json.loads(response["Body"].read())


@pytest.mark.usefixtures("bucket")
def test_a_stack_is_created_updated_rolled_back_and_deleted(local_aws: Emulator) -> None:
    sagemaker = local_aws.client("sagemaker")
    stack = Stack(local_aws, "serving")

    stack.apply(template("first"), "create")
    outputs = stack.outputs()
    arn = "arn:aws:sagemaker:us-east-1:111122223333"
    assert outputs == {
        "EndpointArn": f"{arn}:endpoint/from-a-stack",
        "EndpointName": "from-a-stack",
        "PipelineName": "from-a-stack",
        "GroupArn": f"{arn}:model-package-group/from-a-stack",
    }
    assert answer(local_aws) == [1]
    (before,) = sagemaker.list_models(NameContains="serving-Model")["Models"]

    stack.apply(template("second", tag="b"), "update")
    assert answer(local_aws) == [2]
    (after,) = sagemaker.list_models(NameContains="serving-Model")["Models"]
    assert after["ModelName"] != before["ModelName"]
    tags = sagemaker.list_tags(ResourceArn=outputs["EndpointArn"])["Tags"]
    assert {"Key": "team", "Value": "b"} in tags
    definition = sagemaker.describe_pipeline(PipelineName="from-a-stack")["PipelineDefinition"]
    assert "second" in definition

    with pytest.raises(WaiterError):
        stack.apply(template("broken"), "update")
    assert "OSError: no weights" in stack.reasons()
    assert answer(local_aws) == [2]

    stack.delete()
    for listing, key in (
        ("list_endpoints", "Endpoints"),
        ("list_models", "Models"),
        ("list_endpoint_configs", "EndpointConfigs"),
    ):
        listed = getattr(sagemaker, listing)(NameContains="serving")[key]
        assert listed == []
    with pytest.raises(ClientError, match="does not exist"):
        sagemaker.describe_pipeline(PipelineName="from-a-stack")


@pytest.mark.usefixtures("bucket")
def test_a_stack_whose_endpoint_does_not_serve_fails_with_its_reason(local_aws: Emulator) -> None:
    stack = Stack(local_aws, "never-serves")
    with pytest.raises(WaiterError):
        stack.apply(template("broken"), "create")
    assert "did not pass the ping health check" in stack.reasons()
    assert local_aws.client("sagemaker").list_endpoints(NameContains="from-a")["Endpoints"] == []
    stack.delete()
