"""Approval of a model starts its delivery; rejection of the one in service takes it back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from lambdas.orchestrator.approvals import decide
from mlops_framework.orchestration.errors import PipelineBusy
from mlops_framework.orchestration.model_approvals import ModelApprovals, Started, Word
from mlops_framework.orchestration.records import RecordState
from mlops_framework.testing.pipelines import stage_ran
from tests.unit.orchestration.conftest import ANA, World

GROUP = "income"
ENDPOINT = "income-realtime-endpoint"
CODE_PIPELINE = f"mlops-test-{ENDPOINT}"


@pytest.fixture
def serving() -> dict[str, Any]:
    return {
        "pipeline_type": "realtime-endpoint",
        "model_name": "income",
        "model_package_group": GROUP,
    }


@pytest.fixture
def served(world: World, serving: dict[str, Any]) -> World:
    """Version 1 is approved and delivered."""
    world.models.decide(GROUP, 1)
    world.provision(serving)
    settle(world)
    return world


def settle(world: World) -> None:
    world.stacks.describe(f"{CODE_PIPELINE}-delivery")
    stages = [stage_ran(name, "Succeeded") for name in ("Source", "Dev", "Prod")]
    world.pipelines.place(CODE_PIPELINE, *stages)
    for stage in ("dev", "prod"):
        world.stacks.place(f"{CODE_PIPELINE}-{stage}")


def decided(world: World, version: int, word: Word) -> tuple[Started, ...]:
    """Somebody says a word in the registry, and EventBridge tells."""
    package = world.models.decide(GROUP, version, word)
    detail = {
        "ModelPackageGroupName": GROUP,
        "ModelPackageArn": package,
        "ModelApprovalStatus": word,
    }
    event = {"id": "event-1", "detail": detail}
    return decide(event, approvals=ModelApprovals(world.orchestrator))


def version_served(world: World) -> str:
    request = json.loads(world.records.items[ENDPOINT].request)
    return str(request["model_package_name"]).rpartition("/")[2]


def test_an_approval_delivers_the_new_version_with_the_same_request(served: World) -> None:
    before = served.objects.objects[f"pipelines/{ENDPOINT}/source.zip"]

    (started,) = decided(served, 2, "Approved")

    assert (started.pipeline_id, started.outcome) == (ENDPOINT, "updated")
    assert version_served(served) == "2"
    assert served.objects.objects[f"pipelines/{ENDPOINT}/source.zip"] != before
    assert served.records.items[ENDPOINT].requested_by.startswith("approval of arn:aws:sagemaker")


def test_a_rejection_of_the_version_in_service_goes_back_to_the_one_before(served: World) -> None:
    decided(served, 2, "Approved")
    settle(served)

    (started,) = decided(served, 2, "Rejected")

    assert started.outcome == "updated"
    assert version_served(served) == "1"


def test_a_word_on_a_version_that_is_not_served_changes_nothing(served: World) -> None:
    decided(served, 3, "Approved")
    settle(served)

    assert [one.outcome for one in decided(served, 2, "Approved")] == ["unchanged"]
    assert [one.outcome for one in decided(served, 2, "Rejected")] == ["unchanged"]
    assert version_served(served) == "3"


def test_with_nothing_approved_any_more_the_last_one_goes_on_serving_and_it_is_told(
    served: World,
) -> None:
    (started,) = decided(served, 1, "Rejected")

    (name, detail) = served.events.published[-1]
    assert started.outcome == "refused"
    assert version_served(served) == "1"
    assert name == "Pipeline Start Refused"
    assert "Approve one" in detail["reason"]


def test_only_pipelines_that_serve_the_group_are_started(
    served: World, serving: dict[str, Any], training: dict[str, Any]
) -> None:
    pinned = served.models.decide("pinned", 1)
    del serving["model_package_group"]
    served.provision({**serving, "model_name": "pinned", "model_package_name": pinned})
    # It registers in the group, and serves nothing of it.
    served.provision({**training, "model_package_group": GROUP})

    assert [one.pipeline_id for one in decided(served, 2, "Approved")] == [ENDPOINT]


def test_a_pipeline_that_is_being_removed_is_left_alone(served: World) -> None:
    record = served.records.items[ENDPOINT]
    served.records.items[ENDPOINT] = replace(record, state=RecordState.DELETING)

    assert decided(served, 2, "Approved") == ()


def test_a_busy_pipeline_has_the_event_delivered_again_and_does_not_hold_up_the_others(
    served: World, serving: dict[str, Any]
) -> None:
    served.provision({**serving, "model_name": "other"})
    record = served.records.items[ENDPOINT]
    until = served.clock().replace(year=2999).isoformat()
    served.records.items[ENDPOINT] = replace(record, state=RecordState.APPLYING, lease_until=until)

    with pytest.raises(PipelineBusy, match=ENDPOINT):
        decided(served, 2, "Approved")

    other = json.loads(served.records.items["other-realtime-endpoint"].request)
    assert other["model_package_name"].endswith("/2")


def test_a_request_for_a_group_that_has_nothing_approved_is_refused_with_what_to_do(
    world: World, serving: dict[str, Any]
) -> None:
    with pytest.raises(Exception, match="No version of the model package group 'income'"):
        world.orchestrator.provision(serving, ANA)

    assert world.stacks.calls == []
