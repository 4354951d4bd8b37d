"""What the local AWS writes down for whoever asks who may call what."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local.emulator import Emulator
from tests.local.test_emulator_services import ASSUMED, Stacks

CALLER = """
import boto3
def handler(event, context):
    boto3.client("s3").put_object(Bucket=event["bucket"], Key="a/b.txt", Body=b"not to be kept")
    taken = boto3.client("sts").assume_role(RoleArn=event["role"], RoleSessionName="once")
    keys = taken["Credentials"]
    boto3.client(
        "sqs",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    ).list_queues()
    try:
        boto3.client("s3").get_object(Bucket=event["bucket"], Key="missing")
    except boto3.client("s3").exceptions.NoSuchKey:
        pass
"""
ROLE = {"Type": "AWS::IAM::Role", "Properties": {"AssumeRolePolicyDocument": ASSUMED}}
RESOURCES: dict[str, dict[str, Any]] = {
    "Role": ROLE,
    "Taken": ROLE,
    "Bucket": {"Type": "AWS::S3::Bucket"},
    "Caller": {
        "Type": "AWS::Lambda::Function",
        "Properties": {
            "Runtime": "python3.13",
            "Handler": "index.handler",
            "Role": {"Fn::GetAtt": ["Role", "Arn"]},
            "Code": {"ZipFile": CALLER},
        },
    },
}
OUTPUTS = {
    "Caller": {"Value": {"Ref": "Caller"}},
    "Bucket": {"Value": {"Ref": "Bucket"}},
    "Role": {"Value": {"Fn::GetAtt": ["Role", "Arn"]}},
    "Taken": {"Value": {"Fn::GetAtt": ["Taken", "Arn"]}},
}


@pytest.fixture(scope="module")
def written(
    tmp_path_factory: pytest.TempPathFactory,
) -> tuple[list[dict[str, Any]], dict[str, str]]:
    folder = tmp_path_factory.mktemp("recorded")
    with Emulator(folder / "state", record=folder / "record.jsonl") as aws:
        stacks = Stacks(aws)
        name, outputs = stacks.deploy(RESOURCES, Outputs=OUTPUTS)
        event = {"bucket": outputs["Bucket"], "role": outputs["Taken"]}
        answer = aws.client("lambda").invoke(
            FunctionName=outputs["Caller"], Payload=json.dumps(event)
        )
        assert "FunctionError" not in answer, answer["Payload"].read()
        aws.client("s3").delete_object(Bucket=outputs["Bucket"], Key="a/b.txt")
        stacks.cloudformation.delete_stack(StackName=name)
        stacks.cloudformation.get_waiter("stack_delete_complete").wait(StackName=name)
    lines = Path(folder / "record.jsonl").read_text().splitlines()
    return [json.loads(line) for line in lines], outputs


def test_a_functions_calls_are_there_with_whose_they_are(
    written: tuple[list[dict[str, Any]], dict[str, str]],
) -> None:
    lines, outputs = written

    calls = [line for line in lines if line["kind"] == "call"]

    assert [(call["operation"], call["role"], call["error"]) for call in calls] == [
        ("PutObject", "", ""),
        ("AssumeRole", "", ""),
        ("ListQueues", outputs["Taken"], ""),
        ("GetObject", "", "NoSuchKey"),
    ]
    assert {call["service"] for call in calls} == {"s3", "sts", "sqs"}
    assert {call["function"] for call in calls} == {outputs["Caller"]}
    assert calls[0]["parameters"] == {"Bucket": outputs["Bucket"], "Key": "a/b.txt", "Body": None}


def test_what_stacks_make_is_there_with_references_filled_in(
    written: tuple[list[dict[str, Any]], dict[str, str]],
) -> None:
    lines, outputs = written

    made = {
        line["logical_id"]: line
        for line in lines
        if line["kind"] == "resource" and line["event"] == "create"
    }
    deleted = [line["type"] for line in lines if line.get("event") == "delete"]

    assert made["Caller"]["properties"]["Role"] == outputs["Role"]
    assert made["Role"]["attributes"]["Arn"] == outputs["Role"]
    assert sorted(deleted) == sorted(resource["Type"] for resource in RESOURCES.values())
