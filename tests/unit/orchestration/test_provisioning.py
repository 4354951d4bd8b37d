from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

import pytest

from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.errors import (
    CatalogueInvalid,
    PipelineBusy,
    RecordChanged,
    ServiceUnavailable,
)
from mlops_framework.orchestration.provisioning import Outcome
from mlops_framework.orchestration.records import RecordState


def test_a_new_request_makes_record_document_source_and_delivery_stack(world, training) -> None:
    done = world.provision(training)

    planned = world.plan(training)
    assert (done.pipeline_id, done.outcome) == ("income-training", Outcome.CREATED)
    assert done.message == "success: stack creation started"
    assert world.objects.objects[world.SOURCE] == planned.source
    assert world.stacks.calls == [("create", world.DELIVERY)]
    made = world.stacks.stacks[world.DELIVERY]
    assert made.role_arn == world.ROLE
    assert made.stack.parameters == {"PipelineId": "income-training"}
    record = world.records.get("income-training")
    assert record.state is RecordState.APPLIED
    assert record.plan_digest == planned.digest
    assert record.stages == ("dev", "prod")


def test_the_request_document_says_who_asked_for_what_and_when(world, training) -> None:
    world.provision(training)

    document = json.loads(world.objects.objects[world.plan(training).request_key])
    assert document["requested_by"].endswith("user/ana")
    assert document["requested_at"] == "2026-01-01T00:00:00+00:00"
    assert document["correlation_id"] == "request-1"
    assert document["request"]["model_name"] == "income"


def test_the_request_document_is_never_written_over(world, training) -> None:
    world.deploy(training)
    key = world.plan(training).request_key
    training_again = {**training, "volume_size_gb": 99}
    world.deploy(training_again)

    world.clock.sleep(1000)
    world.provision(training)

    assert len(world.objects.versions[key]) == 1


def test_an_event_tells_the_account(world, training) -> None:
    world.provision(training)

    ((detail_type, detail),) = world.events.published
    assert detail_type == "Pipeline Requested"
    assert (detail["pipeline_id"], detail["outcome"]) == ("income-training", "created")


def test_an_event_that_cannot_be_published_does_not_fail_the_request(world, training) -> None:
    world.events.failure = ServiceUnavailable("EventBridge", "PutEvents", "Throttling", "slow down")

    assert world.provision(training).outcome is Outcome.CREATED
    assert world.records.get("income-training").state is RecordState.APPLIED


def test_the_same_request_again_changes_nothing(world, training) -> None:
    world.deploy(training)
    before = world.records.get("income-training")

    done = world.provision(dict(reversed(training.items())))

    assert done.outcome is Outcome.UNCHANGED
    assert world.stacks.calls == []
    assert world.records.get("income-training") == before
    assert len(world.objects.versions[world.SOURCE]) == 1


def test_a_changed_request_puts_a_new_source_and_leaves_the_stack_alone(world, training) -> None:
    world.deploy(training)

    done = world.provision({**training, "volume_size_gb": 31})

    assert done.outcome is Outcome.UPDATED
    assert done.message.endswith("Updating template parameters.")
    assert len(world.objects.versions[world.SOURCE]) == 2
    assert world.stacks.describe(world.DELIVERY).status == "CREATE_COMPLETE"


def test_a_changed_delivery_template_is_deployed_before_the_new_source_starts_it(
    world, training
) -> None:
    world.deploy(training)
    world.catalogue.deliveries["training"]["Description"] = "one more approval"
    world.stacks.looks = 2

    done = world.provision({**training, "volume_size_gb": 31})

    assert done.outcome is Outcome.UPDATED
    assert world.stacks.describe(world.DELIVERY).status == "UPDATE_COMPLETE"
    assert world.clock.slept
    assert len(world.objects.versions[world.SOURCE]) == 2


def test_nothing_is_created_when_the_plan_is_refused(world, training) -> None:
    world.catalogue.deliveries["training"]["Description"] = "x" * 60_000

    with pytest.raises(CatalogueInvalid):
        world.provision(training)

    assert not world.records.items
    assert not world.objects.objects
    assert not world.stacks.calls


def test_a_request_while_another_is_applied_is_refused_naming_the_other(world, training) -> None:
    world.deploy(training)
    record = world.records.get("income-training")
    until = (world.clock() + timedelta(seconds=60)).isoformat()
    world.records.items["income-training"] = replace(
        record, state=RecordState.APPLYING, lease_until=until
    )

    with pytest.raises(PipelineBusy, match="by arn:aws:iam::111122223333:user/ana"):
        world.provision({**training, "volume_size_gb": 31})


def test_a_claim_whose_owner_died_lapses(world, training) -> None:
    world.deploy(training)
    record = world.records.get("income-training")
    until = (world.clock() + timedelta(seconds=60)).isoformat()
    world.records.items["income-training"] = replace(
        record, state=RecordState.APPLYING, lease_until=until
    )
    world.clock.sleep(61)

    assert world.provision(training).outcome is Outcome.UPDATED


def test_of_two_requests_at_the_same_moment_one_wins(world, training) -> None:
    class Raced(type(world.records)):
        def put(self, record, *, expected_revision):
            raise RecordChanged(record.pipeline_id)

    world.records = Raced()

    with pytest.raises(PipelineBusy, match="came first"):
        world.provision(training)
    assert not world.stacks.calls
    assert not world.objects.objects


def test_a_delivery_stack_in_progress_is_left_alone(world, training) -> None:
    world.stacks.looks = 9
    world.provision(training)

    with pytest.raises(PipelineBusy, match="CREATE_IN_PROGRESS"):
        world.provision({**training, "volume_size_gb": 31})

    assert len(world.objects.versions[world.SOURCE]) == 1


def test_a_pipeline_that_somebody_deleted_by_hand_is_made_again(world, training) -> None:
    world.deploy(training)
    world.pipelines.states.clear()

    assert world.provision(training).outcome is Outcome.REPAIRED


def test_a_source_that_somebody_deleted_by_hand_is_put_again(world, training) -> None:
    world.deploy(training, "Failed")
    world.objects.delete(world.SOURCE)

    world.provision(training)

    assert world.objects.exists(world.SOURCE)


def test_the_same_request_after_a_failed_run_runs_the_pipeline_again(world, training) -> None:
    world.deploy(training, "Failed")

    done = world.provision(training)

    assert done.outcome is Outcome.RESTARTED
    assert world.pipelines.state(world.CODE_PIPELINE).status == "InProgress"
    assert len(world.objects.versions[world.SOURCE]) == 1


def test_a_stage_that_waits_for_its_change_set_is_left_alone(world, training) -> None:
    world.deploy(training, "Failed")
    world.stacks.place(world.DEV, "REVIEW_IN_PROGRESS")

    world.provision(training)

    assert ("delete", world.DEV) not in world.stacks.calls


def test_a_fault_half_way_frees_the_claim_and_the_same_request_finishes(world, training) -> None:
    put = world.objects.put

    def out_of_order(*arguments, **named):
        raise ServiceUnavailable("S3", "PutObject", "SlowDown", "later")

    world.objects.put = out_of_order
    with pytest.raises(ServiceUnavailable):
        world.provision(training)
    assert world.records.get("income-training").state is RecordState.INTERRUPTED
    world.objects.put = put

    assert world.provision(training).outcome is Outcome.REPAIRED
    assert world.stacks.describe(world.DELIVERY).status == "CREATE_COMPLETE"


def test_a_stage_that_left_the_environment_stays_in_the_record_so_that_it_is_removed(
    world, training
) -> None:
    world.deploy(training)
    world.environment = replace(world.environment, stages=("dev", "live"))

    world.provision(training)

    assert world.records.get("income-training").stages == ("prod", "dev", "live")


def test_nothing_is_provisioned_while_the_pipeline_is_deleted(world, training) -> None:
    world.deploy(training)
    record = world.records.get("income-training")
    world.records.items["income-training"] = replace(record, state=RecordState.DELETING)

    with pytest.raises(PipelineBusy, match="is being deleted"):
        world.provision(training)


def test_an_unknown_kind_is_a_fault_of_the_body_that_names_the_known_ones(world, training) -> None:
    with pytest.raises(RequestInvalid) as refused:
        world.provision({**training, "pipeline_type": "trainings"})

    (fault,) = refused.value.faults
    assert fault.path == "pipeline_type"
    assert "Did you mean 'training'?" in fault.message


def test_a_stack_that_went_back_to_what_is_wanted_needs_nothing(world, training) -> None:
    world.deploy(training)
    world.stacks.stacks[world.DELIVERY].stack = replace(
        world.stacks.describe(world.DELIVERY), status="UPDATE_ROLLBACK_COMPLETE"
    )

    assert world.provision(training).outcome is Outcome.UNCHANGED
    assert world.orchestrator.status("income-training")["status"] == "Delivered"
