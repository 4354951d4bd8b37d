from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mlops_framework.orchestration.errors import (
    PipelineBusy,
    PipelineUnknown,
    ServiceRefused,
    ServiceUnavailable,
)
from mlops_framework.orchestration.provisioning import Requester
from mlops_framework.orchestration.records import RecordState
from mlops_framework.orchestration.stack import ResourceFailure
from mlops_framework.orchestration.teardown import Removal
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue

BO = Requester("arn:aws:iam::111122223333:user/bo", "request-2")


@pytest.fixture
def deployed(world, training):
    world.deploy(training)
    world.stacks.place(world.DEV)
    world.stacks.place(world.PROD)
    return world


def test_delete_marks_the_pipeline_starts_the_removal_and_says_what_goes_and_stays(
    deployed,
) -> None:
    said = deployed.orchestrator.delete("income-training", BO)

    assert deployed.teardowns.started == ["income-training"]
    assert deployed.records.get("income-training").state is RecordState.DELETING
    assert said["removes"] == [deployed.DELIVERY, deployed.PROD, deployed.DEV]
    assert any("request documents" in kept for kept in said["keeps"])
    assert any("AWS::SageMaker::ModelPackageGroup Group" in kept for kept in said["keeps"])


def test_who_deleted_it_stays_beside_the_requests(deployed) -> None:
    deployed.orchestrator.delete("income-training", BO)
    deployed.teardown.run("income-training", seconds=60)

    (key,) = [key for key in deployed.objects.objects if "/deleted-" in key]
    assert json.loads(deployed.objects.objects[key])["deleted_by"].endswith("user/bo")
    assert any(key.startswith("requests/income-training/") for key in deployed.objects.objects)


def test_the_pipeline_goes_first_then_the_stages_last_one_first(deployed) -> None:
    deployed.orchestrator.delete("income-training", BO)

    removed = deployed.teardown.run("income-training", seconds=60)

    assert removed.removal is Removal.FINISHED
    assert [name for call, name in deployed.stacks.calls if call == "delete"] == [
        deployed.DELIVERY,
        deployed.PROD,
        deployed.DEV,
    ]
    assert not deployed.stacks.stacks
    assert deployed.records.get("income-training") is None
    assert not deployed.objects.exists(deployed.SOURCE)
    assert deployed.objects.versions[deployed.SOURCE]
    assert deployed.events.published[-1][0] == "Pipeline Removed"


def test_a_removal_that_needs_longer_goes_on_in_the_next_run(deployed) -> None:
    deployed.orchestrator.delete("income-training", BO)
    deployed.stacks.looks = 5

    outcomes = [deployed.teardown.run("income-training", seconds=4).removal for _ in range(9)]

    assert outcomes[0] is Removal.CONTINUES
    assert outcomes[-1] is Removal.FINISHED
    assert not deployed.stacks.stacks


def test_a_stack_that_will_not_go_is_told_with_resource_and_reason(deployed) -> None:
    why = ResourceFailure("Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "it is not empty", "")
    deployed.stacks.fails_to_delete[deployed.PROD] = why
    deployed.orchestrator.delete("income-training", BO)

    removed = deployed.teardown.run("income-training", seconds=60)

    assert removed.removal is Removal.FAILED
    record = deployed.records.get("income-training")
    assert record.state is RecordState.DELETE_FAILED
    assert "Bucket (AWS::S3::Bucket): it is not empty" in record.message
    assert deployed.stacks.describe(deployed.DEV) is not None


def test_a_service_that_refuses_the_removal_ends_it_with_its_reason(deployed, monkeypatch) -> None:
    def refuse(name: str) -> None:
        raise ServiceRefused("CloudFormation", "DeleteStack", "ValidationError", "no such role")

    monkeypatch.setattr(deployed.stacks, "delete", refuse)
    deployed.orchestrator.delete("income-training", BO)

    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FAILED
    status = deployed.orchestrator.status("income-training")
    assert (status["status"], "no such role" in status["message"]) == ("DeleteFailed", True)


def test_a_service_that_does_not_answer_is_asked_again(deployed, monkeypatch) -> None:
    def throttle(name: str) -> None:
        raise ServiceUnavailable("CloudFormation", "DeleteStack", "Throttling", "slow down")

    with monkeypatch.context() as patch:
        patch.setattr(deployed.stacks, "delete", throttle)
        deployed.orchestrator.delete("income-training", BO)
        first = deployed.teardown.run("income-training", seconds=60)

    assert first.removal is Removal.CONTINUES
    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FINISHED


def test_a_removal_that_never_began_is_told_and_can_be_asked_for_again(
    deployed, monkeypatch
) -> None:
    def refuse(pipeline_id: str) -> None:
        raise ServiceUnavailable("Lambda", "Invoke", "TooManyRequests", "slow down")

    with monkeypatch.context() as patch:
        patch.setattr(deployed.teardowns, "start", refuse)
        with pytest.raises(ServiceUnavailable):
            deployed.orchestrator.delete("income-training", BO)

    assert deployed.orchestrator.status("income-training")["status"] == "DeleteFailed"
    deployed.orchestrator.delete("income-training", BO)
    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FINISHED


def test_delete_again_goes_on_after_a_failure(deployed) -> None:
    why = ResourceFailure("Bucket", "AWS::S3::Bucket", "DELETE_FAILED", "it is not empty", "")
    deployed.stacks.fails_to_delete[deployed.PROD] = why
    deployed.orchestrator.delete("income-training", BO)
    deployed.teardown.run("income-training", seconds=60)
    deployed.stacks.fails_to_delete.clear()

    deployed.orchestrator.delete("income-training", BO)

    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FINISHED


def test_a_stack_in_progress_is_waited_for_before_it_is_deleted(deployed) -> None:
    deployed.stacks.place(deployed.DEV, "CREATE_IN_PROGRESS")
    kept = deployed.stacks.stacks[deployed.DEV]
    kept.becomes, kept.looks = "CREATE_COMPLETE", 3
    deployed.orchestrator.delete("income-training", BO)

    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FINISHED
    # Soon at first, then less and less often.
    assert sorted(set(deployed.clock.slept)) == [0.25, 0.5, 1.0]


def test_a_second_run_finds_nothing_to_do(deployed) -> None:
    deployed.orchestrator.delete("income-training", BO)
    deployed.teardown.run("income-training", seconds=60)

    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FINISHED


def test_a_pipeline_that_nobody_deleted_is_not_removed_by_a_stray_event(deployed) -> None:
    assert deployed.teardown.run("income-training", seconds=60).removal is Removal.FAILED
    assert deployed.stacks.describe(deployed.PROD) is not None


def test_a_pipeline_that_does_not_exist_cannot_be_deleted(world) -> None:
    with pytest.raises(PipelineUnknown, match="GET /pipelines"):
        world.orchestrator.delete("income-training", BO)


def test_delete_waits_for_a_request_that_is_being_applied(deployed) -> None:
    record = deployed.records.get("income-training")
    until = (deployed.clock() + timedelta(seconds=30)).isoformat()
    deployed.records.items["income-training"] = replace(
        record, state=RecordState.APPLYING, lease_until=until
    )

    with pytest.raises(PipelineBusy, match="is being applied"):
        deployed.orchestrator.delete("income-training", BO)


def test_a_pipeline_of_a_blueprint_that_is_no_longer_enabled_can_be_deleted(
    deployed, registry
) -> None:
    others = [b for b in registry.blueprints if b.kind != "training"]
    deployed.catalogue = InMemoryCatalogue(Registry(others))

    assert deployed.orchestrator.delete("income-training", BO)["removes"]
