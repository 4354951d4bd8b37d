"""A folder of requests: what would change is said before it does, with every fault there is."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from mlops_framework.orchestration.gitops import Change, FolderPlan, field_changes
from mlops_framework.orchestration.provisioning import Outcome, Requester
from mlops_framework.orchestration.records import RecordState
from tests.unit.orchestration.conftest import ANA, World

GIT = "git:models"
FROM_GIT = replace(ANA, origin=GIT)
OTHER = Requester("arn:aws:iam::111122223333:user/eva", "request-2", "folder:/home/eva/pipelines")


def planned(world: World, *, prune: bool = False, **files: Any) -> FolderPlan:
    return world.orchestrator.plan_folder(files, origin=GIT, prune=prune)


def changes(plan: FolderPlan) -> dict[str, Change]:
    return {change.pipeline_id: change.change for change in plan.changes}


@pytest.fixture
def deployed(world: World, training: dict[str, Any]) -> World:
    """income-training, applied from Git and delivered."""
    world.orchestrator.provision(training, FROM_GIT)
    world.run_pipeline()
    return world


def test_what_no_record_knows_is_added(world: World, training: dict[str, Any]) -> None:
    plan = planned(world, income=training, churn={**training, "model_name": "churn"})

    assert changes(plan) == {"churn-training": Change.ADD, "income-training": Change.ADD}
    assert plan.faults == ()
    assert world.records.items == {}, "planning changes nothing"


def test_the_same_folder_again_changes_nothing(deployed: World, training: dict[str, Any]) -> None:
    plan = planned(deployed, income=training)

    assert changes(plan) == {"income-training": Change.NONE}
    assert plan.effective == ()


def test_an_update_names_the_fields_that_change(deployed: World, training: dict[str, Any]) -> None:
    wanted = {**training, "instance_type": {"dev": "ml.m5.large", "prod": "ml.m5.4xlarge"}}

    (change,) = planned(deployed, income=wanted).changes

    told = {field.path: (field.before, field.after) for field in change.fields}
    assert change.change is Change.UPDATE
    assert told["instance_type.prod"] == ("nothing", '"ml.m5.4xlarge"')


def test_an_update_of_the_platform_itself_is_told_too(
    deployed: World, training: dict[str, Any]
) -> None:
    deployed.catalogue.blueprints["training"]["Description"] = "A newer release"

    (change,) = planned(deployed, income=training).changes

    assert (change.change, change.fields) == (Change.UPDATE, ())
    assert "template" in change.why


def test_a_request_that_stopped_half_way_is_applied_again(
    deployed: World, training: dict[str, Any]
) -> None:
    record = deployed.records.items["income-training"]
    deployed.records.items["income-training"] = replace(record, state=RecordState.INTERRUPTED)

    (change,) = planned(deployed, income=training).changes

    assert change.change is Change.UPDATE
    assert "half way" in change.why


@pytest.mark.parametrize(("prune", "change"), [(True, Change.REMOVE), (False, Change.KEEP)])
def test_a_pipeline_without_its_file_is_removed_only_with_pruning(
    deployed: World, training: dict[str, Any], prune: bool, change: Change
) -> None:
    plan = planned(deployed, prune=prune, churn={**training, "model_name": "churn"})

    assert changes(plan)["income-training"] is change


def test_pruning_leaves_alone_what_came_from_elsewhere(
    deployed: World, training: dict[str, Any]
) -> None:
    deployed.orchestrator.provision({**training, "model_name": "asked-by-hand"}, ANA)
    deployed.orchestrator.provision({**training, "model_name": "of-eva"}, OTHER)

    plan = planned(deployed, prune=True, income=training)

    assert changes(plan) == {"income-training": Change.NONE}


def test_a_pipeline_of_another_origin_is_taken_over_in_plain_sight(
    world: World, training: dict[str, Any]
) -> None:
    world.orchestrator.provision(training, OTHER)
    world.run_pipeline()

    (change,) = planned(world, income=training).changes
    done = world.orchestrator.provision(training, FROM_GIT)

    assert [(field.path, field.before, field.after) for field in change.fields] == [
        ("origin", '"folder:/home/eva/pipelines"', '"git:models"')
    ]
    assert done.outcome is Outcome.UNCHANGED, "nothing is deployed again for it"
    assert world.records.items["income-training"].origin == GIT
    assert changes(planned(world, income=training)) == {"income-training": Change.NONE}


def test_a_request_by_hand_leaves_the_pipeline_with_its_folder(
    deployed: World, training: dict[str, Any]
) -> None:
    deployed.orchestrator.provision({**training, "instance_type": "ml.m5.4xlarge"}, ANA)

    plan = planned(deployed, income=training)

    assert deployed.records.items["income-training"].origin == GIT
    assert changes(plan) == {"income-training": Change.UPDATE}


def test_every_fault_of_every_file_is_told_and_nothing_is_removed_meanwhile(
    deployed: World, training: dict[str, Any]
) -> None:
    plan = planned(
        deployed,
        prune=True,
        first={**training, "model_name": "Not A Name", "instance_typ": "ml.m5.large"},
        second={"pipeline_type": "trainin"},
        third={**training, "model_name": "churn"},
        fourth={**training, "model_name": "churn"},
    )

    told = {(fault.file, fault.path) for fault in plan.faults}
    assert {
        ("first", "model_name"),
        ("first", "instance_typ"),
        ("second", "pipeline_type"),
    } <= told
    assert [fault.message for fault in plan.faults if fault.file == "third"] == [
        "It asks for the pipeline churn-training, and so does fourth. One pipeline stands in one "
        "file: remove one of them, or give it another model_name."
    ]
    assert changes(plan)["income-training"] is Change.KEEP


def test_a_plan_that_was_approved_is_told_from_one_that_is_no_longer_so(
    deployed: World, training: dict[str, Any]
) -> None:
    wanted = {**training, "instance_type": "ml.m5.4xlarge"}
    approved = planned(deployed, income=wanted).digest

    assert planned(deployed, income=wanted).digest == approved
    deployed.orchestrator.provision({**training, "instance_type": "ml.m5.2xlarge"}, ANA)
    assert planned(deployed, income=wanted).digest != approved


def test_fields_are_compared_to_their_leaves() -> None:
    before = {"a": {"x": 1, "y": 2}, "b": [1], "c": {}}
    after = {"a": {"x": 1, "y": 3}, "b": [1, 2], "d": None}

    assert [(one.path, one.before, one.after) for one in field_changes(before, after)] == [
        ("a.y", "2", "3"),
        ("b", "[1]", "[1,2]"),
        ("c", "{}", "nothing"),
        ("d", "nothing", "null"),
    ]
