"""CloudFormation's answers, word for word, as botocore's own models allow them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from mlops_framework.aws.stacks import CloudFormationStacks
from mlops_framework.orchestration.errors import (
    AccessRefused,
    PipelineBusy,
    ServiceRefused,
    ServiceUnavailable,
)
from mlops_framework.orchestration.stack import Condition

ARN = "arn:aws:cloudformation:us-east-1:111122223333:stack/s/1"
NOW = datetime(2026, 1, 1, tzinfo=UTC)
CHANGE: dict[str, Any] = {
    "template": "{}",
    "parameters": {"PipelineId": "income-training"},
    "tags": {"team": "platform"},
    "role_arn": "arn:aws:iam::111122223333:role/mlops/delivery",
    "token": "digest-1",
}
SENT = {
    "StackName": "s",
    "TemplateBody": "{}",
    "Parameters": [{"ParameterKey": "PipelineId", "ParameterValue": "income-training"}],
    "Tags": [{"Key": "team", "Value": "platform"}],
    "RoleARN": "arn:aws:iam::111122223333:role/mlops/delivery",
    "ClientRequestToken": "digest-1",
}


@pytest.fixture
def cloudformation(client_of) -> Iterator[Stubber]:
    with Stubber(client_of("cloudformation")) as stub:
        yield stub
        stub.assert_no_pending_responses()


@pytest.fixture
def stacks(cloudformation: Stubber) -> CloudFormationStacks:
    return CloudFormationStacks(cloudformation.client)


def test_a_stack_is_read_with_outputs_and_parameters(cloudformation, stacks) -> None:
    cloudformation.add_response(
        "describe_stacks",
        {
            "Stacks": [
                {
                    "StackName": "s",
                    "StackId": ARN,
                    "StackStatus": "UPDATE_COMPLETE",
                    "CreationTime": NOW,
                    "Outputs": [{"OutputKey": "PipelineName", "OutputValue": "p"}],
                    "Parameters": [
                        {"ParameterKey": "Bucket", "ParameterValue": "/ssm", "ResolvedValue": "b"},
                        {"ParameterKey": "Stage", "ParameterValue": "dev"},
                    ],
                }
            ]
        },
        {"StackName": "s"},
    )

    stack = stacks.describe("s")

    assert stack.condition is Condition.DEPLOYED
    assert stack.outputs == {"PipelineName": "p"}
    assert stack.parameters == {"Bucket": "b", "Stage": "dev"}


def test_a_stack_that_does_not_exist_is_nothing(cloudformation, stacks) -> None:
    cloudformation.add_client_error(
        "describe_stacks", "ValidationError", "Stack with id s does not exist"
    )

    assert stacks.describe("s") is None


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("ValidationError", ServiceRefused),
        ("AccessDenied", AccessRefused),
        ("Throttling", ServiceUnavailable),
        ("SomethingNew", ServiceRefused),
    ],
)
def test_every_other_refusal_keeps_its_code_and_words(cloudformation, stacks, code, kind) -> None:
    cloudformation.add_client_error("describe_stacks", code, "because of that")

    with pytest.raises(kind, match=f"{code}.*because of that") as refused:
        stacks.describe("s")
    assert type(refused.value) is kind


def test_a_stack_is_created_with_role_tags_and_token(cloudformation, stacks) -> None:
    cloudformation.add_response("create_stack", {"StackId": ARN}, SENT)

    stacks.create("s", **CHANGE)


def test_a_stack_that_came_into_being_meanwhile_is_a_conflict(cloudformation, stacks) -> None:
    cloudformation.add_client_error("create_stack", "AlreadyExistsException", "exists")

    with pytest.raises(PipelineBusy):
        stacks.create("s", **CHANGE)


def test_an_update_says_whether_there_was_anything_to_update(cloudformation, stacks) -> None:
    cloudformation.add_response("update_stack", {"StackId": ARN}, SENT)
    cloudformation.add_client_error(
        "update_stack", "ValidationError", "No updates are to be performed."
    )

    assert stacks.update("s", **CHANGE) is True
    assert stacks.update("s", **CHANGE) is False


def test_a_refused_update_is_no_missing_change(cloudformation, stacks) -> None:
    cloudformation.add_client_error("update_stack", "ValidationError", "Parameters: [X] invalid")

    with pytest.raises(ServiceRefused, match="Parameters"):
        stacks.update("s", **CHANGE)


def test_a_stack_is_deleted_with_the_role_it_was_made_with(cloudformation, stacks) -> None:
    cloudformation.add_response("delete_stack", {}, {"StackName": "s"})

    stacks.delete("s")


def _event(resource: str, status: str, reason: str = "", kind: str = "AWS::S3::Bucket") -> Any:
    is_stack = kind == "AWS::CloudFormation::Stack"
    event = {
        "StackId": ARN,
        "EventId": f"{resource}-{status}",
        "StackName": "s",
        "LogicalResourceId": resource,
        "PhysicalResourceId": ARN if is_stack else resource.lower(),
        "ResourceType": kind,
        "Timestamp": NOW,
        "ResourceStatus": status,
    }
    return {**event, "ResourceStatusReason": reason} if reason else event


def test_failures_are_the_causes_of_the_last_operation_first_one_first(
    cloudformation, stacks
) -> None:
    stack = "AWS::CloudFormation::Stack"
    newest_first = [
        _event("s", "ROLLBACK_COMPLETE", kind=stack),
        _event("Late", "CREATE_FAILED", "Resource creation cancelled"),
        _event("Second", "CREATE_FAILED", "the key is disabled"),
        _event("s", "ROLLBACK_IN_PROGRESS", "The following failed", kind=stack),
        _event("First", "CREATE_FAILED", "ResourceLimitExceeded: 0 left"),
    ]
    older = [
        _event("s", "CREATE_IN_PROGRESS", "User Initiated", kind=stack),
        _event("Former", "CREATE_FAILED", "of an earlier operation"),
    ]
    cloudformation.add_response(
        "describe_stack_events",
        {"StackEvents": newest_first, "NextToken": "more"},
        {"StackName": "s"},
    )
    cloudformation.add_response(
        "describe_stack_events",
        {"StackEvents": older, "NextToken": "never read"},
        {"StackName": "s", "NextToken": "more"},
    )

    failures = stacks.failures("s")

    assert [(f.resource, f.reason) for f in failures] == [
        ("First", "ResourceLimitExceeded: 0 left"),
        ("Second", "the key is disabled"),
    ]


def test_a_stack_that_is_gone_has_no_failures(cloudformation, stacks) -> None:
    cloudformation.add_client_error(
        "describe_stack_events", "ValidationError", "Stack [s] does not exist"
    )

    assert stacks.failures("s") == ()
