"""The check finds what a role lacks, on records small enough to see through."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.iam.account import ACCOUNT
from tests.iam.check import check

ROLE = f"arn:aws:iam::{ACCOUNT}:role/profile"
KEY = f"arn:aws:kms:us-east-1:{ACCOUNT}:key/1"
LOGS = f"arn:aws:logs:us-east-1:{ACCOUNT}:log-group:/aws/lambda/profile:*"


def made(kind: str, name: str, /, *, event: str = "create", **properties: Any) -> dict[str, Any]:
    return {
        "kind": "resource",
        "event": event,
        "type": kind,
        "stack": "Drift",
        "logical_id": name,
        "physical_id": name,
        "properties": properties,
        "attributes": {},
    }


def allowing(actions: list[str], resource: str = "*", **more: Any) -> dict[str, Any]:
    return {"Statement": [{"Effect": "Allow", "Action": actions, "Resource": resource, **more}]}


def account(*own: dict[str, Any]) -> Iterator[Mapping[str, Any]]:
    encryption = {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": KEY}
    rules = {"ServerSideEncryptionConfiguration": [{"ServerSideEncryptionByDefault": encryption}]}
    yield made("AWS::S3::Bucket", "data", BucketEncryption=rules)
    yield made("AWS::IAM::Role", "profile", AssumeRolePolicyDocument={})
    yield made("AWS::Lambda::Function", "profile", Role=ROLE)
    logs = allowing(["logs:CreateLogStream", "logs:PutLogEvents"], LOGS)
    for number, document in enumerate((logs, *own)):
        yield made("AWS::IAM::Policy", str(number), Roles=["profile"], PolicyDocument=document)


def call(operation: str, error: str = "", /, **parameters: Any) -> dict[str, Any]:
    service, _, name = operation.partition(".")
    return {
        "kind": "call",
        "function": "profile",
        "role": "",
        "service": service,
        "operation": name,
        "parameters": parameters,
        "error": error,
    }


def test_what_is_allowed_is_not_told() -> None:
    own = allowing(["s3:GetObject"]), allowing(["kms:Decrypt"], KEY)

    found = check([*account(*own), call("s3.GetObject", Bucket="data", Key="a")])

    assert (found.missing, found.wrong) == ({}, {})
    assert found.asked[ROLE, "s3:GetObject"] == 1


def test_the_key_of_an_encrypted_bucket_is_asked_for_as_well() -> None:
    found = check(
        [*account(allowing(["s3:GetObject"])), call("s3.GetObject", Bucket="data", Key="a")]
    )

    assert list(found.missing) == [
        f"profile: kms:Decrypt on {KEY} with kms:ViaService=s3.us-east-1.amazonaws.com, "
        "not allowed by its policies"
    ]


def test_only_who_may_list_the_bucket_is_told_that_an_object_is_missing() -> None:
    own = allowing(["s3:GetObject", "kms:Decrypt"])

    found = check([*account(own), call("s3.GetObject", "NoSuchKey", Bucket="data", Key="a")])

    assert list(found.missing) == [
        "profile: s3:ListBucket on arn:aws:s3:::data, not allowed by its policies"
    ]


def test_a_policy_that_comes_later_does_not_excuse_the_call_before_it() -> None:
    sent = call("lambda.Invoke", FunctionName="other")
    later = made(
        "AWS::IAM::Policy",
        "later",
        Roles=["profile"],
        PolicyDocument=allowing(["lambda:InvokeFunction"]),
    )

    assert len(check([*account(), sent, later]).missing) == 1
    assert check([*account(), later, sent]).missing == {}


def test_an_operation_that_nobody_wrote_down_is_told() -> None:
    found = check([*account(), call("s3.PutBucketAcl", Bucket="data")])

    assert list(found.wrong) == [
        "s3.PutBucketAcl: s3.PutBucketAcl: say in tests/iam/calls.py which permissions it needs"
    ]
