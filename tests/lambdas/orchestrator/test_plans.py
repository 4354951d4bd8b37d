"""``POST /plans`` and what of a folder a request carries with it."""

from __future__ import annotations

import pytest

from mlops_framework.contracts.responses import FolderPlanAnswer

GIT = "git:models"


def test_a_folder_is_planned_and_nothing_is_changed(api, training) -> None:
    files = {"income.yaml": training, "bad.yaml": {"pipeline_type": "trainin"}}

    answer = api("POST", "/plans", {"origin": GIT, "files": files})

    plan = FolderPlanAnswer.model_validate(answer.body)
    assert answer.status == 200
    assert [(one.pipeline_id, one.change) for one in plan.changes] == [("income-training", "add")]
    assert [(one.file, one.path) for one in plan.faults] == [("bad.yaml", "pipeline_type")]
    assert api("GET", "/pipelines").body["pipelines"] == []


def test_a_request_that_stands_in_a_folder_is_recorded_with_it(api, training) -> None:
    api("POST", "/provisionpipeline", training, query={"origin": GIT})

    (listed,) = api("GET", "/pipelines").body["pipelines"]
    plan = api("POST", "/plans", {"origin": GIT, "prune": True, "files": {}}).body

    assert listed["origin"] == GIT
    assert [one["change"] for one in plan["changes"]] == ["remove"]


@pytest.mark.parametrize(
    ("body", "paths"),
    [
        ({"origin": "models", "files": {}}, {"origin"}),
        ({"origin": GIT, "files": [], "prune": "yes", "folder": 1}, {"files", "prune", "folder"}),
        ([], {"", "origin", "files"}),
        ({"origin": f"git:{'x' * 300}", "files": {}}, {"origin"}),
    ],
)
def test_what_is_wrong_with_the_folder_itself_is_told_at_once(api, body, paths) -> None:
    answer = api("POST", "/plans", body)

    assert answer.status == 400
    assert {fault["path"] for fault in answer.body["faults"]} == paths


def test_an_origin_without_a_kind_is_refused_before_anything_is_made(api, training) -> None:
    answer = api("POST", "/provisionpipeline", training, query={"origin": "models"})

    assert answer.status == 400
    assert api.stacks.calls == []
