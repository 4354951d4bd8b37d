from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.code_pipeline import ActionState
from mlops_framework.orchestration.errors import PipelineUnknown
from mlops_framework.orchestration.provisioning import Outcome, Requester
from mlops_framework.orchestration.records import RecordState
from mlops_framework.orchestration.stack import ResourceFailure
from mlops_framework.testing.pipelines import stage_ran

ENDPOINT = ResourceFailure(
    "Endpoint", "AWS::SageMaker::Endpoint", "CREATE_FAILED", "ResourceLimitExceeded: 0 left", ""
)


def test_before_the_pipeline_exists_it_says_wait(world, training) -> None:
    world.stacks.looks = 5
    world.provision(training)

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Provisioning"
    assert status["delivery"]["status"] == "CREATE_IN_PROGRESS"
    assert status["stages"] == []
    assert status["next"].startswith("Wait")


def test_a_delivered_pipeline_shows_its_stages_and_their_outputs(world, training) -> None:
    world.deploy(training)
    world.stacks.place(world.DEV, outputs={"PipelineName": "mlops-test-income-training-dev"})

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Delivered"
    assert [stage["name"] for stage in status["stages"]] == ["Source", "Dev", "Prod"]
    assert status["stages"][1]["outputs"] == {"PipelineName": "mlops-test-income-training-dev"}
    assert status["problems"] == []


def test_a_resource_that_failed_is_named_with_the_services_own_reason(world, training) -> None:
    execute = ActionState("ExecuteChangeSet", "Failed", error="Stack operation failed")
    world.deploy(training, "Failed", execute)
    world.stacks.place(world.DEV, "ROLLBACK_COMPLETE", failures=(ENDPOINT,))

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Failed"
    assert status["problems"] == [
        {
            "stage": "Dev",
            "action": "ExecuteChangeSet",
            "resource": "Endpoint",
            "resource_type": "AWS::SageMaker::Endpoint",
            "reason": "ResourceLimitExceeded: 0 left",
            "next": status["next"],
            "link": status["link"],
        }
    ]
    assert status["message"] == "Dev/ExecuteChangeSet (Endpoint): ResourceLimitExceeded: 0 left"
    assert "send it again: that repairs the pipeline" in status["next"]


def test_a_check_that_failed_is_told_in_its_own_words(world, training) -> None:
    said = "Step Reject: quality gate not passed: accuracy is 0.61, required is at-least 0.7"
    verify = ActionState("Verify", "Failed", error_code="JobFailed", error=said)
    world.deploy(training, "Failed", verify)
    world.stacks.place(world.DEV)

    (problem,) = world.orchestrator.status("income-training")["problems"]

    assert (problem["stage"], problem["action"]) == ("Dev", "Verify")
    assert problem["reason"] == said
    assert problem["resource"] == world.DEV


def test_an_approval_that_waits_is_told(world, training) -> None:
    world.deploy(training)
    approve = ActionState("Approve", "InProgress")
    world.pipelines.place(
        world.CODE_PIPELINE,
        stage_ran("Source", "Succeeded"),
        stage_ran("Dev", "Succeeded"),
        stage_ran("Prod", "InProgress", approve),
    )

    status = world.orchestrator.status("income-training")

    assert status["status"] == "AwaitingApproval"
    assert "approve or reject" in status["next"]


def test_a_stage_of_an_earlier_execution_does_not_count_as_delivered(world, training) -> None:
    world.deploy(training)
    world.pipelines.place(
        world.CODE_PIPELINE,
        stage_ran("Source", "Succeeded", execution="new"),
        stage_ran("Dev", "Succeeded", execution="new"),
        stage_ran("Prod", "Failed", execution="old"),
    )

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Delivering"
    assert [stage["is_current"] for stage in status["stages"]] == [True, True, False]


def test_a_delivery_stack_that_failed_names_its_resource(world, training) -> None:
    role = ResourceFailure(
        "Pipeline", "AWS::CodePipeline::Pipeline", "CREATE_FAILED", "no role", ""
    )
    world.stacks.fails_to_create[world.DELIVERY] = role
    world.provision(training)

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Failed"
    assert status["problems"][0]["reason"] == "no role"


@pytest.mark.parametrize(
    ("state", "word"),
    [
        (RecordState.INTERRUPTED, "Interrupted"),
        (RecordState.DELETING, "Deleting"),
        (RecordState.DELETE_FAILED, "DeleteFailed"),
    ],
)
def test_what_the_record_says_comes_first(world, training, state, word) -> None:
    world.deploy(training)
    record = replace(world.records.get("income-training"), state=state, message="because")
    world.records.items["income-training"] = record

    status = world.orchestrator.status("income-training")

    assert status["status"] == word
    assert "because" in status["message"]


def test_the_predecessors_status_has_its_fields_and_no_approval_token(world, training) -> None:
    world.deploy(training, "Failed", ActionState("Verify", "Failed", error="why", changed_at="t"))

    status = world.orchestrator.predecessor_status({"pipeline_id": "income-training"})

    assert status["pipelineName"] == world.CODE_PIPELINE
    dev = status["stageStates"][1]
    assert dev["latestExecution"] == {"pipelineExecutionId": "execution-0", "status": "Failed"}
    assert dev["actionStates"][0]["latestExecution"]["errorDetails"]["message"] == "why"
    assert "token" not in str(status)


def test_the_predecessors_pipeline_id_was_the_stacks_arn_and_is_understood(world, training) -> None:
    world.deploy(training)
    arn = world.stacks.describe(world.DELIVERY).arn

    status = world.orchestrator.predecessor_status({"pipeline_id": arn})

    assert status["pipeline_id"] == "income-training"


@pytest.mark.parametrize("body", [None, [], {}, {"pipeline_id": 3}, {"pipeline_id": " "}])
def test_a_status_request_without_an_id_says_what_is_wanted(world, body) -> None:
    with pytest.raises(RequestInvalid) as refused:
        world.orchestrator.predecessor_status(body)

    assert refused.value.faults[0].path == "pipeline_id"


def test_the_status_of_a_pipeline_that_does_not_exist_is_unknown(world) -> None:
    with pytest.raises(PipelineUnknown, match="income-training"):
        world.orchestrator.status("income-training")


def test_pipelines_are_listed_a_page_at_a_time(world, training) -> None:
    for name in ("a", "b", "c"):
        world.provision({**training, "model_name": name})

    first = world.orchestrator.pipelines(limit=2)
    second = world.orchestrator.pipelines(limit=2, token=first["next_token"])

    listed = [entry["pipeline_id"] for page in (first, second) for entry in page["pipelines"]]
    assert sorted(listed) == ["a-training", "b-training", "c-training"]
    assert second["next_token"] == ""


def test_blueprints_are_listed_with_their_schemas(world) -> None:
    kinds = [entry["pipeline_type"] for entry in world.orchestrator.blueprints()["blueprints"]]

    assert "training" in kinds
    assert world.orchestrator.schema("training")["title"] == "training"


def _ran_at(world, moment: str, status: str = "Failed") -> None:
    source = ActionState("Source", "Succeeded", changed_at=moment)
    verify = ActionState("Verify", "Failed", error="no")
    world.pipelines.place(
        world.CODE_PIPELINE,
        stage_ran("Source", "Succeeded", source),
        stage_ran("Dev", status, verify),
        stage_ran("Prod", "", execution=""),
    )


def test_until_the_new_run_begins_the_old_runs_failure_is_not_shown_as_the_new_ones(
    world, training
) -> None:
    world.deploy(training, "Failed")
    _ran_at(world, "2026-01-01T00:00:30+00:00")
    world.clock.sleep(60)
    world.provision({**training, "volume_size_gb": 31})

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Delivering"
    assert status["problems"] == []
    _ran_at(world, "2026-01-01T00:01:01+00:00")
    assert world.orchestrator.status("income-training")["status"] == "Failed"


def test_the_same_request_before_the_new_run_begins_does_not_start_a_second_one(
    world, training
) -> None:
    world.deploy(training, "Failed")
    _ran_at(world, "2026-01-01T00:00:30+00:00")
    world.clock.sleep(60)
    changed = {**training, "volume_size_gb": 31}
    world.provision(changed)

    assert world.provision(changed).outcome is Outcome.UNCHANGED
    assert world.pipelines.started == {}


def test_what_failed_before_is_no_problem_of_a_deletion(world, training) -> None:
    world.deploy(training, "Failed", ActionState("Verify", "Failed", error="an old failure"))
    world.orchestrator.delete("income-training", Requester("bo", "2"))

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Deleting"
    assert status["problems"] == []


def test_a_delivered_pipeline_says_what_its_last_check_found(world, training) -> None:
    world.deploy(training)
    registered = ActionState("Verify", "Succeeded", summary="Registered income/3.")
    world.pipelines.place(
        world.CODE_PIPELINE,
        stage_ran("Source", "Succeeded"),
        stage_ran("Dev", "Succeeded", registered),
    )

    assert world.orchestrator.status("income-training")["message"] == "Registered income/3."
