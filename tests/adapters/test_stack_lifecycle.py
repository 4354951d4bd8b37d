"""One suite for the port ``StackGateway``: in memory and on the local AWS's CloudFormation."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any

import pytest

from mlops_framework.aws.stacks import CloudFormationStacks
from mlops_framework.orchestration.errors import PipelineBusy
from mlops_framework.orchestration.patience import Patience
from mlops_framework.orchestration.ports import StackGateway
from mlops_framework.orchestration.stack import Condition, ResourceFailure, Stack
from mlops_framework.testing.stacks import InMemoryStacks

ROLE = "arn:aws:iam::111122223333:role/mlops/delivery"
TOPIC = json.dumps(
    {
        "Parameters": {"PipelineId": {"Type": "String"}},
        "Resources": {
            "Topic": {
                "Type": "AWS::SNS::Topic",
                "Properties": {"DisplayName": {"Ref": "PipelineId"}},
            }
        },
    }
)
BROKEN = json.dumps(
    {
        "Parameters": {"PipelineId": {"Type": "String"}},
        "Resources": {
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {
                    "ProductionVariants": [
                        {
                            "ModelName": "no-such-model",
                            "VariantName": "AllTraffic",
                            "InstanceType": "ml.m5.large",
                            "InitialInstanceCount": 1,
                            "InitialVariantWeight": 1,
                        }
                    ]
                },
            }
        },
    }
)


def _change(
    template: str = TOPIC, pipeline: str = "a-training", token: str = "t1"
) -> dict[str, Any]:
    return {
        "template": template,
        "parameters": {"PipelineId": pipeline},
        "tags": {"team": "platform"},
        "role_arn": ROLE,
        "token": token,
    }


def _settled(stacks: StackGateway, name: str) -> Stack | None:
    return Patience(time.sleep, 20).until(
        stacks, name, lambda seen: seen is None or seen.condition is not Condition.BUSY
    )


@pytest.fixture
def name() -> str:
    return f"mlops-test-{uuid.uuid4().hex[:8]}-delivery"


@pytest.fixture(params=["memory", "emulator"])
def stacks(request, name) -> StackGateway:
    if request.param == "emulator":
        return CloudFormationStacks(request.getfixturevalue("emulator")("cloudformation"))
    memory = InMemoryStacks()
    memory.fails_to_create[f"{name}-broken"] = ResourceFailure(
        "Config", "AWS::SageMaker::EndpointConfig", "CREATE_FAILED", "Could not find model", ""
    )
    return memory


def test_a_stack_comes_into_being_with_its_parameters(stacks, name) -> None:
    assert stacks.describe(name) is None

    stacks.create(name, **_change())

    stack = _settled(stacks, name)
    assert stack.condition is Condition.DEPLOYED
    assert stack.parameters == {"PipelineId": "a-training"}


def test_a_second_stack_of_a_name_is_a_conflict(stacks, name) -> None:
    stacks.create(name, **_change())

    with pytest.raises(PipelineBusy):
        stacks.create(name, **_change(token="t2"))


def test_an_update_without_a_difference_is_none(stacks, name) -> None:
    stacks.create(name, **_change())
    _settled(stacks, name)

    assert stacks.update(name, **_change(token="t2")) is False


def test_an_update_with_a_difference_is_carried_out(stacks, name) -> None:
    stacks.create(name, **_change())
    _settled(stacks, name)

    assert stacks.update(name, **_change(pipeline="b-training", token="t2")) is True
    assert _settled(stacks, name).parameters == {"PipelineId": "b-training"}


def test_a_deleted_stack_is_gone_and_deleting_nothing_is_fine(stacks, name) -> None:
    stacks.create(name, **_change())
    _settled(stacks, name)

    stacks.delete(name)

    assert _settled(stacks, name) is None
    stacks.delete(name)


def test_a_creation_that_fails_leaves_a_wreck_that_names_the_cause(stacks, name) -> None:
    stacks.create(f"{name}-broken", **_change(BROKEN))

    wreck = _settled(stacks, f"{name}-broken")

    assert wreck.condition is Condition.WRECKED
    (failure,) = stacks.failures(f"{name}-broken")
    assert (failure.resource, failure.type) == ("Config", "AWS::SageMaker::EndpointConfig")
    assert "Could not find model" in failure.reason


def test_a_wreck_can_be_removed_and_made_again(stacks, name) -> None:
    stacks.create(f"{name}-broken", **_change(BROKEN))
    _settled(stacks, f"{name}-broken")
    if isinstance(stacks, InMemoryStacks):
        stacks.fails_to_create.clear()

    stacks.delete(f"{name}-broken")
    assert _settled(stacks, f"{name}-broken") is None
    stacks.create(f"{name}-broken", **_change(token="t2"))

    assert _settled(stacks, f"{name}-broken").condition is Condition.DEPLOYED


def _steps(key: str, bucket: str, *, broken: bool = False) -> str:
    """A pipeline that is read from an object; and something after it that cannot be made."""
    definition = {"PipelineDefinitionS3Location": {"Bucket": bucket, "Key": key}}
    steps = {
        "Type": "AWS::SageMaker::Pipeline",
        "Properties": {
            "PipelineName": {"Ref": "PipelineId"},
            "PipelineDefinition": definition,
            "RoleArn": ROLE,
        },
    }
    after = {**json.loads(BROKEN)["Resources"]["Config"], "DependsOn": ["Steps"]}
    resources = {"Steps": steps, **({"Config": after} if broken else {})}
    return json.dumps({"Parameters": {"PipelineId": {"Type": "String"}}, "Resources": resources})


def test_a_rollback_that_fails_again_goes_on_without_what_holds_it(
    stacks, name, request, new_bucket
) -> None:
    if isinstance(stacks, InMemoryStacks):
        held = ResourceFailure("Steps", "AWS::SageMaker::Pipeline", "UPDATE_FAILED", "gone", "")
        stacks.place(name, "UPDATE_ROLLBACK_FAILED")
        stacks.fails_to_roll_back[name] = held
    else:
        emulator = request.getfixturevalue("emulator")
        s3, bucket = emulator("s3"), new_bucket(emulator)
        end = {"Name": "End", "Type": "Fail", "Arguments": {"ErrorMessage": "never run"}}
        for key in ("one", "two"):
            definition = json.dumps({"Version": "2020-12-01", "Steps": [end]})
            s3.put_object(Bucket=bucket, Key=key, Body=definition)
        stacks.create(name, **_change(_steps("one", bucket), name))
        assert _settled(stacks, name).condition is Condition.DEPLOYED
        s3.delete_object(Bucket=bucket, Key="one")
        stacks.update(name, **_change(_steps("two", bucket, broken=True), name, "t2"))
        assert _settled(stacks, name).condition is Condition.STUCK

    stacks.continue_rollback(name)
    time.sleep(0.5)  # The emulator says so a moment after it has taken the call.
    assert _settled(stacks, name).condition is Condition.STUCK
    (held,) = stacks.rollback_failures(name)
    stacks.continue_rollback(name, skip=(held.resource,))
    time.sleep(0.5)

    assert held.resource == "Steps"
    assert _settled(stacks, name).condition is Condition.ROLLED_BACK
