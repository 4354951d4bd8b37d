"""Delivery runs a state machine and tells what became of it."""

from __future__ import annotations

import pytest

MACHINE = "arn:aws:states:us-east-1:111122223333:stateMachine:mlops-test-income-autopilot-dev"
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/3"


@pytest.fixture
def deployed(stage):
    stage.deploy(StateMachineArn=MACHINE, ModelPackageGroupName="income")
    return stage


def test_the_first_look_makes_the_group_starts_the_machine_and_goes_on(deployed) -> None:
    report = deployed.look("run-state-machine")

    (run,) = deployed.machines.runs
    assert report.result == "proceeds"
    assert report.token == {"execution": run}
    assert deployed.builds.groups == {"income"}


def test_a_job_that_is_delivered_twice_starts_one_execution(deployed) -> None:
    job = "11111111-abcd-4111-8111-111111111111"

    deployed.look("run-state-machine", job_id=job)
    deployed.look("run-state-machine", job_id=job)

    assert len(deployed.machines.runs) == 1


def test_what_it_registered_waits_for_approval(deployed) -> None:
    token = deployed.look("run-state-machine").token
    deployed.machines.finish("SUCCEEDED", output={"registered": {"ModelPackageArn": PACKAGE}})

    report = deployed.look("run-state-machine", token=dict(token))

    assert report.result == "succeeded"
    assert report.outputs == {"ModelPackageArn": PACKAGE}
    assert report.text == f"Registered {PACKAGE}; it waits for approval."


def test_a_search_that_trained_nothing_says_so(deployed) -> None:
    token = deployed.look("run-state-machine").token
    deployed.machines.finish("SUCCEEDED", output={"name": "income-1"})

    report = deployed.look("run-state-machine", token=dict(token))

    assert report.text == "The state machine finished and registered no model."


def test_its_error_and_cause_reach_the_caller(deployed) -> None:
    token = deployed.look("run-state-machine").token
    deployed.machines.finish("FAILED", error="BelowTheGate", cause="F1 is 0.5, at-least 0.8")

    report = deployed.look("run-state-machine", token=dict(token))

    assert report.result == "failed"
    assert report.text == "The state machine failed: BelowTheGate: F1 is 0.5, at-least 0.8"
