"""Every state in which CloudFormation leaves a stack after a failure: the right body repairs it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from mlops_framework.orchestration.code_pipeline import ActionState
from mlops_framework.orchestration.errors import (
    PipelineBroken,
    PipelineBusy,
    ServiceUnavailable,
    TakenOver,
)
from mlops_framework.orchestration.links import ConsoleLinks, LocalLinks
from mlops_framework.orchestration.provisioning import Outcome, Requester
from mlops_framework.orchestration.records import RecordState
from mlops_framework.orchestration.stack import ResourceFailure
from mlops_framework.testing.pipelines import stage_ran

ANA = Requester("arn:aws:iam::111122223333:user/ana", "request-2")
REFUSED = ResourceFailure("Pipeline", "AWS::CodePipeline::Pipeline", "CREATE_FAILED", "no", "")
HELD = ResourceFailure("Endpoint", "AWS::SageMaker::Endpoint", "UPDATE_FAILED", "no config", "")
FULL = ResourceFailure("Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "it is not empty", "")
WRECKS = ["CREATE_FAILED", "ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "DELETE_FAILED"]


@pytest.mark.parametrize("status", [*WRECKS, "REVIEW_IN_PROGRESS"])
def test_a_delivery_stack_that_cannot_be_updated_is_made_again(world, training, status) -> None:
    world.deploy(training)
    world.stacks.place(world.DELIVERY, status)
    world.stacks.calls.clear()

    done = world.provision(training)

    assert done.outcome is Outcome.REPAIRED
    assert world.stacks.calls == [("delete", world.DELIVERY), ("create", world.DELIVERY)]
    assert world.stacks.describe(world.DELIVERY).status == "CREATE_COMPLETE"


@pytest.mark.parametrize("status", WRECKS)
def test_a_stage_that_cannot_be_updated_is_removed_and_delivered_again(
    world, training, status
) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, status)

    done = world.provision({**training, "volume_size_gb": 31})

    assert done.outcome is Outcome.UPDATED
    assert ("delete", world.DEV) in world.stacks.calls
    assert world.stacks.describe(world.DEV) is None


def test_a_stack_whose_rollback_failed_is_rolled_back_and_brought_up_to_date(
    world, training
) -> None:
    world.deploy(training)
    world.stacks.place(
        world.DELIVERY, "UPDATE_ROLLBACK_FAILED", parameters={"PipelineId": "income-training"}
    )
    world.stacks.looks = 2

    done = world.provision(training)

    assert done.outcome is Outcome.REPAIRED
    assert world.stacks.calls[0] == ("continue_rollback", world.DELIVERY)
    assert world.stacks.describe(world.DELIVERY).status == "UPDATE_COMPLETE"


def test_what_cannot_be_rolled_back_is_left_as_it_is_and_the_stage_delivered_again(
    world, training
) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, "UPDATE_ROLLBACK_FAILED")
    world.stacks.fails_to_roll_back[world.DEV] = HELD

    done = world.provision(training)

    assert done.outcome is Outcome.RESTARTED
    assert world.stacks.skipped == {world.DEV: ("Endpoint",)}
    assert world.stacks.describe(world.DEV).status == "UPDATE_ROLLBACK_COMPLETE"
    assert world.pipelines.state(world.CODE_PIPELINE).status == "InProgress"


def test_a_rollback_that_fails_whatever_is_skipped_is_told_with_the_next_step(
    world, training, monkeypatch
) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, "UPDATE_ROLLBACK_FAILED")
    world.stacks.fails_to_roll_back[world.DEV] = HELD
    monkeypatch.setattr(world.stacks, "rollback_failures", lambda name: ())

    with pytest.raises(PipelineBroken, match="no config") as broken:
        world.provision(training)

    assert "Remove the cause" in broken.value.next_step
    status = world.orchestrator.status("income-training")
    assert status["status"] == "Interrupted"
    assert status["problems"][0]["resource"] == "Endpoint"
    assert "continues the rollback" in status["next"]


def test_a_delivery_stack_that_cannot_be_rolled_back_is_made_again(
    world, training, monkeypatch
) -> None:
    world.deploy(training)
    world.stacks.place(world.DELIVERY, "UPDATE_ROLLBACK_FAILED")
    world.stacks.fails_to_roll_back[world.DELIVERY] = REFUSED
    monkeypatch.setattr(world.stacks, "rollback_failures", lambda name: ())

    assert world.provision(training).outcome is Outcome.REPAIRED
    assert world.stacks.describe(world.DELIVERY).status == "CREATE_COMPLETE"


@pytest.mark.parametrize("status", [*WRECKS, "UPDATE_ROLLBACK_FAILED", None])
def test_a_stage_that_broke_after_it_was_delivered_is_never_called_provisioned(
    world, training, status
) -> None:
    world.deploy(training)
    if status:
        world.stacks.place(world.PROD, status, reason="somebody was here")
    else:
        del world.stacks.stacks[world.PROD]

    broken = world.orchestrator.status("income-training")
    done = world.provision(training)

    assert broken["status"] == "Failed"
    assert broken["problems"][0]["resource"] == world.PROD
    assert done.outcome is Outcome.REPAIRED
    assert world.pipelines.state(world.CODE_PIPELINE).status == "InProgress"


def test_a_removal_that_is_under_way_is_waited_for(world, training) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, "ROLLBACK_COMPLETE")
    world.stacks.looks = 3
    world.stacks.delete(world.DEV)

    world.provision(training)

    assert world.stacks.describe(world.DEV) is None
    assert world.clock.slept


def test_what_cannot_be_removed_is_told_with_resource_reason_and_next_step(world, training) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, "ROLLBACK_FAILED")
    world.stacks.fails_to_delete[world.DEV] = FULL

    with pytest.raises(PipelineBroken, match=r"Bucket \(AWS::S3::Bucket\): it is not empty"):
        world.provision(training)
    status = world.orchestrator.status("income-training")
    world.stacks.fails_to_delete.clear()
    repaired = world.provision(training)

    assert "it is not empty" in status["message"]
    assert repaired.outcome is Outcome.RESTARTED


def test_an_update_that_was_given_up_is_told_and_tried_again(world, training) -> None:
    world.deploy(training)
    world.catalogue.deliveries["training"]["Description"] = "one more approval"
    world.stacks.fails_to_update[world.DELIVERY] = REFUSED

    with pytest.raises(PipelineBroken, match=r"UPDATE_ROLLBACK_COMPLETE: Pipeline .*: no"):
        world.provision(training)
    status = world.orchestrator.status("income-training")
    world.stacks.fails_to_update.clear()

    assert (status["status"], status["problems"][0]["resource"]) == ("Interrupted", "Pipeline")
    assert world.provision(training).outcome is Outcome.UPDATED
    assert world.stacks.describe(world.DELIVERY).status == "UPDATE_COMPLETE"
    assert world.orchestrator.status("income-training")["status"] == "Delivered"


def _slow_update(world, training) -> dict:
    world.deploy(training)
    world.catalogue.deliveries["training"]["Description"] = "one more approval"
    world.stacks.looks = 50
    return {**training, "volume_size_gb": 31}


def test_a_request_that_needs_longer_is_accepted_and_goes_on_by_itself(world, training) -> None:
    changed = _slow_update(world, training)

    accepted = world.provision(changed)
    waiting = world.orchestrator.status("income-training")
    ((pipeline, revision),) = world.continuations.started
    done = world.orchestrator.go_on(pipeline, revision, seconds=600)

    assert accepted.outcome is Outcome.CONTINUES
    assert "UPDATE_IN_PROGRESS" in accepted.message
    assert (waiting["status"], "UPDATE_IN_PROGRESS" in waiting["message"]) == ("Requested", True)
    assert done.outcome is Outcome.UPDATED
    assert len(world.objects.versions[world.SOURCE]) == 2
    assert world.records.get("income-training").requested_by.endswith("user/ana")


def test_it_goes_on_run_after_run(world, training) -> None:
    world.provision(_slow_update(world, training))

    outcomes = []
    while not outcomes or outcomes[-1] is Outcome.CONTINUES:
        pipeline, revision = world.continuations.started[-1]
        outcomes.append(world.orchestrator.go_on(pipeline, revision, seconds=20).outcome)

    assert outcomes == [*[Outcome.CONTINUES] * (len(outcomes) - 1), Outcome.UPDATED]
    assert len(outcomes) > 2


def test_another_request_meanwhile_is_told_what_is_going_on_and_since_when(world, training) -> None:
    world.provision(_slow_update(world, training))

    with pytest.raises(PipelineBusy, match=r"waits for the stack .* UPDATE_IN_PROGRESS") as busy:
        world.provision({**training, "volume_size_gb": 77})

    running = busy.value.running
    assert (running.what, running.correlation_id) == ("request", "request-1")
    assert running.since == world.records.get("income-training").updated_at


def test_of_two_runs_of_the_same_request_one_goes_on(world, training) -> None:
    world.provision(_slow_update(world, training))
    ((pipeline, revision),) = world.continuations.started
    world.orchestrator.go_on(pipeline, revision, seconds=600)

    with pytest.raises(TakenOver):
        world.orchestrator.go_on(pipeline, revision, seconds=600)


def test_a_request_that_cannot_go_on_says_why(world, training) -> None:
    changed = _slow_update(world, training)
    world.stacks.fails_to_update[world.DELIVERY] = REFUSED
    world.provision(changed)
    ((pipeline, revision),) = world.continuations.started

    with pytest.raises(PipelineBroken):
        world.orchestrator.go_on(pipeline, revision, seconds=600)

    status = world.orchestrator.status("income-training")
    assert status["status"] == "Interrupted"
    assert status["problems"][0]["reason"] == "no"
    name, told = world.events.published[-1]
    assert (name, told["requested_by"]) == ("Pipeline Start Refused", ANA.identity)
    assert "UPDATE_ROLLBACK_COMPLETE" in told["reason"]


def test_a_request_that_cannot_be_handed_over_is_freed(world, training, monkeypatch) -> None:
    refusal = ServiceUnavailable("Lambda", "Invoke", "TooManyRequests", "slow down")

    def refuse(pipeline_id, revision):
        raise refusal

    monkeypatch.setattr(world.continuations, "start", refuse)

    with pytest.raises(ServiceUnavailable):
        world.provision(_slow_update(world, training))
    assert world.records.get("income-training").state is RecordState.INTERRUPTED


def test_a_request_whose_worker_died_is_told_and_anybody_may_go_on(world, training) -> None:
    changed = _slow_update(world, training)
    world.provision(changed)
    world.stacks.stacks[world.DELIVERY].looks = 0
    world.clock.sleep(timedelta(minutes=6).total_seconds())

    status = world.orchestrator.status("income-training")

    assert status["status"] == "Interrupted"
    assert "send the request again" in status["next"]
    assert world.provision(changed).outcome is Outcome.UPDATED


def test_the_same_request_while_its_stack_is_being_made_is_no_conflict(world, training) -> None:
    world.stacks.looks = 9
    world.provision(training)

    again = world.provision(training)

    assert again.outcome is Outcome.UNCHANGED
    assert "is being set up as requested" in again.message


def test_a_deletion_that_failed_is_told_as_failed_with_the_reason(world, training) -> None:
    world.deploy(training)
    world.stacks.fails_to_delete[world.PROD] = FULL
    world.orchestrator.delete("income-training", ANA)
    world.teardown.run("income-training", seconds=60)

    status = world.orchestrator.status("income-training")

    assert status["status"] == "DeleteFailed"
    (problem,) = status["problems"]
    assert (problem["resource"], problem["reason"]) == ("Bucket", "it is not empty")
    assert "send DELETE again" in status["next"]


def test_a_deletion_that_failed_unseen_is_told_as_failed_too(world, training) -> None:
    world.deploy(training)
    world.orchestrator.delete("income-training", ANA)
    before = (world.clock() - timedelta(minutes=1)).isoformat()
    after = (world.clock() + timedelta(minutes=1)).isoformat()

    world.stacks.place(world.PROD, "DELETE_FAILED", failures=(replace(FULL, at=before),))
    world.clock.sleep(90)
    earlier = world.orchestrator.status("income-training")["status"]
    world.stacks.place(world.PROD, "DELETE_FAILED", failures=(replace(FULL, at=after),))
    at_once = world.orchestrator.status("income-training")["status"]
    world.clock.sleep(90)
    now = world.orchestrator.status("income-training")

    assert (earlier, at_once) == ("Deleting", "Deleting")
    assert (now["status"], now["problems"][0]["resource"]) == ("DeleteFailed", "Bucket")


def test_the_body_sent_again_after_a_failed_deletion_brings_the_pipeline_back(
    world, training
) -> None:
    world.deploy(training)
    world.stacks.fails_to_delete[world.PROD] = FULL
    world.orchestrator.delete("income-training", ANA)
    world.teardown.run("income-training", seconds=60)
    world.stacks.fails_to_delete.clear()

    done = world.provision(training)

    assert done.outcome is Outcome.REPAIRED
    assert world.stacks.describe(world.DELIVERY).status == "CREATE_COMPLETE"
    assert world.records.get("income-training").state is RecordState.APPLIED


def test_links_lead_to_the_console_or_to_the_local_aws() -> None:
    arn = "arn:aws:cloudformation:eu-west-1:111122223333:stack/s/0"
    cloud, china = ConsoleLinks("eu-west-1"), ConsoleLinks("cn-north-1", "aws-cn")

    assert cloud.stack(arn).startswith("https://eu-west-1.console.aws.amazon.com/cloudformation/")
    assert cloud.stack(arn).endswith(
        "stackId=arn%3Aaws%3Acloudformation%3Aeu-west-1%3A111122223333%3Astack%2Fs%2F0"
    )
    assert cloud.pipeline("p").endswith("/codesuite/codepipeline/pipelines/p/view?region=eu-west-1")
    assert china.pipeline("p").startswith("https://console.amazonaws.cn/")
    assert "StackName=s" in LocalLinks("http://127.0.0.1:4566/").stack("s")


def test_a_delivery_stack_that_could_not_be_made_beside_somebodys_pipeline_says_why(
    world, training
) -> None:
    """The name is taken: what CodePipeline shows of it is older than the request."""
    world.stacks.fails_to_create[world.DELIVERY] = REFUSED
    before = (world.clock() - timedelta(hours=1)).isoformat()
    world.pipelines.place(
        world.CODE_PIPELINE,
        stage_ran("Source", "Succeeded", ActionState("Source", "Succeeded", changed_at=before)),
    )
    world.provision(training)

    status = world.orchestrator.status("income-training")

    assert (status["status"], status["problems"][0]["reason"]) == ("Failed", "no")
