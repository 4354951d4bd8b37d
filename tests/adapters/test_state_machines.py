"""Step Functions of the local AWS, as delivery sees it."""

from __future__ import annotations

import json
import time
from typing import Any

import pytest

from mlops_framework.aws.state_machines import StepFunctions
from mlops_framework.delivery.state_machine import MachineRun
from mlops_framework.orchestration.errors import ServiceRefused

ENDS = {"Type": "Succeed"}
FAILS = {"Type": "Fail", "Error": "BelowTheGate", "Cause": "F1 is 0.5"}


@pytest.fixture
def machines(emulator: Any) -> StepFunctions:
    return StepFunctions(emulator("stepfunctions"))


@pytest.fixture
def make(emulator: Any) -> Any:
    """Makes a machine of states; its ARN."""

    def machine(name: str, **states: Any) -> str:
        first = next(iter(states))
        answer = emulator("stepfunctions").create_state_machine(
            name=name,
            roleArn="arn:aws:iam::111122223333:role/mlops/machine",
            definition=json.dumps({"StartAt": first, "States": states}),
        )
        return str(answer["stateMachineArn"])

    return machine


def ended(machines: StepFunctions, execution: str) -> MachineRun:
    deadline = time.monotonic() + 20
    while time.monotonic() < deadline:
        run = machines.look(execution)
        if run.status != "RUNNING":
            return run
        time.sleep(0.05)
    raise AssertionError(f"{execution} did not end")


def test_what_a_machine_ends_with_is_read(machines: StepFunctions, make: Any) -> None:
    package = {"registered": {"ModelPackageArn": "arn"}}
    first = {"Type": "Pass", "Parameters": package, "Next": "Ends"}

    run = ended(machines, machines.start(make("ends", First=first, Ends=ENDS), name="1" * 64))

    assert run.status == "SUCCEEDED"
    assert run.output == package


def test_error_and_cause_of_a_failure_are_read(machines: StepFunctions, make: Any) -> None:
    run = ended(machines, machines.start(make("fails", Fails=FAILS), name="a" * 64))

    assert (run.status, run.error, run.cause) == ("FAILED", "BelowTheGate", "F1 is 0.5")


def test_the_same_name_is_the_same_execution(machines: StepFunctions, make: Any) -> None:
    machine = make("waits", Waits={"Type": "Wait", "Seconds": 30, "Next": "Ends"}, Ends=ENDS)

    first, again = (machines.start(machine, name="b" * 64) for _ in range(2))

    assert first == again


def test_a_machine_that_is_not_there_is_refused_in_the_services_words(
    machines: StepFunctions,
) -> None:
    gone = "arn:aws:states:us-east-1:111122223333:stateMachine:gone"

    with pytest.raises(ServiceRefused, match="StateMachine"):
        machines.start(gone, name="c" * 64)


def test_a_machine_that_asks_sagemaker_for_what_is_not_carried_says_what_to_do(
    machines: StepFunctions, make: Any
) -> None:
    search = {
        "Type": "Task",
        "Resource": "arn:aws:states:::aws-sdk:sagemaker:createAutoMLJobV2",
        "Parameters": {
            "AutoMLJobName": "churn",
            "AutoMLJobInputDataConfig": [
                {
                    "ChannelType": "training",
                    "DataSource": {
                        "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://data/churn/"}
                    },
                }
            ],
            "OutputDataConfig": {"S3OutputPath": "s3://models/churn"},
            "AutoMLProblemTypeConfig": {"TabularJobConfig": {"TargetAttributeName": "churned"}},
            "RoleArn": "arn:aws:iam::111122223333:role/mlops/search",
        },
        "End": True,
    }

    run = ended(machines, machines.start(make("searches", Search=search), name="d" * 64))

    assert run.error == "SageMaker.NotCarriedByLocalAws"
    assert "Autopilot (CreateAutoMLJobV2)" in run.cause
    assert "'tuning' request" in run.cause
