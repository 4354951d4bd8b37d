"""What the use cases answer is what the published models describe."""

from __future__ import annotations

from typing import Any

from lambdas.orchestrator.problems import problem_of
from mlops_framework.contracts import responses
from mlops_framework.contracts.responses import (
    BlueprintList,
    DeletionAnswer,
    PipelineList,
    PipelineStatus,
    PredecessorStatus,
    Problem,
)
from mlops_framework.errors import BlueprintUnknown, Fault, RequestInvalid
from mlops_framework.orchestration.code_pipeline import ActionState, CodePipelineState, StageState
from mlops_framework.orchestration.predecessor import predecessor_state
from mlops_framework.orchestration.provisioning import Outcome
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import ResourceFailure, Stack
from mlops_framework.orchestration.status import Phase, Seen, describe
from tests.contracts.orchestrator import REQUESTER, TRAINING, InMemoryWorld

RECORD = PipelineRecord(
    pipeline_id="income-training",
    kind="training",
    model_name="income",
    state=RecordState.APPLIED,
    revision=1,
    request_digest="d",
    request_key="requests/income-training/d.json",
    source_digest="s",
    plan_digest="p",
    stages=("dev",),
    requested_by="arn:aws:iam::111122223333:role/scientist",
    correlation_id="c",
    created_at="2026-01-01T00:00:00+00:00",
    updated_at="2026-01-01T00:00:00+00:00",
)
FAILED = CodePipelineState(
    name="mlops-dev-income-training",
    version=1,
    created="2026-01-01T00:00:00+00:00",
    updated="2026-01-01T00:00:00+00:00",
    stages=(
        StageState("Source", "Succeeded", "e1", (ActionState("Source", "Succeeded"),)),
        StageState("Dev", "Failed", "e1", (ActionState("ExecuteChangeSet", "Failed"),)),
    ),
)
SEEN = Seen(
    RECORD,
    Stack("mlops-dev-income-training-delivery", "arn", "CREATE_COMPLETE"),
    FAILED,
    {"dev": Stack("mlops-dev-income-training-dev", "arn", "ROLLBACK_COMPLETE")},
    {
        "mlops-dev-income-training-dev": (
            ResourceFailure(
                resource="Pipeline",
                type="AWS::SageMaker::Pipeline",
                status="CREATE_FAILED",
                reason="No such role.",
                at="2026-01-01T00:00:00+00:00",
            ),
        )
    },
)


def problem(fault: Exception) -> dict[str, Any]:
    return problem_of(fault, path="/provisionpipeline", correlation_id="c")


def test_a_status_is_as_published() -> None:
    status = PipelineStatus.model_validate(describe(SEEN, "mlops-dev"))

    assert status.problems[0].reason == "No such role."


def test_a_predecessor_status_is_as_published() -> None:
    document = {**predecessor_state(FAILED), **describe(SEEN, "mlops-dev")}

    assert PredecessorStatus.model_validate(document).stage_states[1]["stageName"] == "Dev"


def test_a_pipeline_that_is_not_there_yet_is_as_published() -> None:
    seen = Seen(RECORD, None, None, {}, {})

    PredecessorStatus.model_validate({**predecessor_state(None), **describe(seen, "mlops-dev")})


def test_the_published_statuses_and_outcomes_are_those_there_are() -> None:
    statuses = PipelineStatus.model_json_schema()["properties"]["status"]["enum"]
    outcomes = responses.ProvisionAnswer.model_json_schema()["properties"]["outcome"]["enum"]

    assert set(statuses) == {phase.value for phase in Phase}
    assert set(outcomes) == {outcome.value for outcome in Outcome}
    assert set(statuses) > responses.SETTLED


def test_every_fault_of_a_body_is_in_the_published_problem() -> None:
    faults = [Fault("a", "m", "x", "y"), Fault("b", "m", "x", "y")]

    document = Problem.model_validate(problem(RequestInvalid(faults)))

    assert document.faults is not None
    assert [fault.path for fault in document.faults] == ["a", "b"]
    assert document.detailed_message == document.detail


def test_an_unknown_blueprint_is_a_published_problem() -> None:
    document = Problem.model_validate(problem(BlueprintUnknown("x", ("a", "b"))))

    assert document.known == ("a", "b")


def test_an_unforeseen_fault_is_a_published_problem_without_insides() -> None:
    document = Problem.model_validate(problem(ZeroDivisionError("secret")))

    assert (document.status, "secret" in document.detail) == (500, False)


def test_lists_and_deletions_are_as_published() -> None:
    world = InMemoryWorld()
    world.orchestrator.provision(TRAINING, REQUESTER)
    world.settle()

    listed = PipelineList.model_validate(world.orchestrator.pipelines())
    offered = BlueprintList.model_validate(world.orchestrator.blueprints())
    deleted = DeletionAnswer.model_validate(world.orchestrator.delete("income-training", REQUESTER))

    assert [one.pipeline_id for one in listed.pipelines] == ["income-training"]
    assert "/blueprints/training/schema" in {one.schema_path for one in offered.blueprints}
    assert deleted.removes


def test_the_status_of_a_delivered_pipeline_is_as_published() -> None:
    world = InMemoryWorld()
    world.orchestrator.provision(TRAINING, REQUESTER)
    world.settle()

    document = world.orchestrator.predecessor_status({"pipeline_id": "income-training"})

    assert PredecessorStatus.model_validate(document).status == "Delivered"
