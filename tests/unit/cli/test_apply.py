"""``mlops apply``: a folder is planned, shown, and applied only when somebody says so."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.cli.__main__ import Tools
from mlops_framework.cli.waiting import Clock
from tests.unit.cli.conftest import Run
from tests.unit.cli.fakes import Route, sent, tools

ORIGIN = "git:models"
PROVISION = "POST /provisionpipeline?origin=git%3Amodels"
DELETE = "DELETE /pipelines/old-training"
NOTHING: dict[str, Any] = {"origin": ORIGIN, "prune": False, "digest": "d", "faults": []}


def change(pipeline: str, what: str, file: str = "", **more: Any) -> dict[str, Any]:
    identity = {"pipeline_id": pipeline, "pipeline_type": "training", "change": what}
    return {**identity, "file": file, "fields": [], "why": "", **more}


ADD = change("income-training", "add", "income.yaml")
UPDATE = change(
    "churn-training",
    "update",
    "team/churn.json",
    fields=[{"path": "instance_type.prod", "before": '"a"', "after": '"b"'}],
)
REMOVE = change("old-training", "remove", why="No file asks for it any more.")


def platform(*changes: Mapping[str, Any], **more: Route) -> Tools:
    answer = {"outcome": "created", "message": "success: stack creation started"}
    routes = {
        "POST /plans": lambda _: (200, {**NOTHING, "changes": list(changes)}),
        PROVISION: lambda body: (202, {**answer, "pipeline_id": f"{body['model_name']}-training"}),
        DELETE: lambda _: (202, {"message": "Pipeline old-training is being deleted."}),
        **more,
    }
    return tools(routes)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "team").mkdir()
    (tmp_path / "income.yaml").write_text("model_name: income\ndata: s3://{data-bucket-name}/x\n")
    (tmp_path / "team" / "churn.json").write_text('{"model_name": "churn"}')
    (tmp_path / "README.md").write_text("Our pipelines.")
    return tmp_path


def paths(used: Tools) -> list[str]:
    return [path for path, _ in sent(used)]


def test_the_plan_says_what_happens_to_which_field_and_changes_nothing(
    run: Run, folder: Path
) -> None:
    used = platform(ADD, UPDATE, REMOVE)

    result = run("apply", str(folder), "--plan", "--origin", ORIGIN, using=used)

    assert result.exit_code == 0, result.output
    assert "+ income-training  income.yaml" in result.stdout
    assert 'instance_type.prod: "a" -> "b"' in result.stdout
    assert "Plan: 1 to add, 1 to update, 1 to remove." in result.stdout
    assert paths(used) == ["POST /plans"]


def test_the_platform_is_sent_every_file_with_the_platforms_values_in_it(
    run: Run, folder: Path
) -> None:
    used = platform()

    run("apply", str(folder), "--plan", "--prune", using=used)

    ((_, body),) = sent(used)
    assert body == {
        "origin": f"folder:{folder}",
        "prune": True,
        "files": {
            "income.yaml": {"model_name": "income", "data": "s3://the-data-bucket-name/x"},
            "team/churn.json": {"model_name": "churn"},
        },
    }


def test_yes_applies_each_change_with_its_origin(run: Run, folder: Path) -> None:
    used = platform(ADD, UPDATE, REMOVE, change("same-training", "no change", "x.yaml"))

    result = run("apply", str(folder), "--yes", "--json", "--origin", ORIGIN, using=used)

    assert paths(used) == ["POST /plans", PROVISION, PROVISION, DELETE]
    applied = json.loads(result.stdout)["applied"]
    assert [one["outcome"] for one in applied] == ["created", "created", "removed"]


@pytest.mark.parametrize(("answer", "calls"), [("y\n", 2), ("n\n", 1)])
def test_without_a_word_it_asks(run: Run, folder: Path, answer: str, calls: int) -> None:
    used = platform(ADD)

    run("apply", str(folder), "--origin", ORIGIN, using=used, input=answer)

    assert len(sent(used)) == calls


def test_faults_of_files_and_of_requests_are_told_together_and_nothing_is_applied(
    run: Run, folder: Path
) -> None:
    (folder / "broken.yaml").write_text("a: 1\na: 2\n")
    fault = {"file": "income.yaml", "path": "model_name", "message": "Not a name."}
    planned = {**NOTHING, "changes": [ADD], "faults": [{**fault, "accepted": "x", "found": "y"}]}
    used = platform(**{"POST /plans": lambda _: (200, planned)})

    result = run("apply", str(folder), "--yes", "--json", using=used)

    told = json.loads(result.stdout)
    assert result.exit_code == 1
    assert told["message"] == "2 faults in 2 of 3 files. Nothing was changed."
    assert [one["path"] for one in told["faults"]] == ["broken.yaml: a", "income.yaml: model_name"]
    assert paths(used) == ["POST /plans"]


def test_one_that_is_refused_does_not_keep_the_others_from_being_applied(
    run: Run, folder: Path
) -> None:
    busy = (409, {"title": "Pipeline busy", "detail": "Another request is being applied."})
    used = platform(REMOVE, ADD, **{DELETE: lambda _: busy})

    result = run("apply", str(folder), "--yes", "--origin", ORIGIN, using=used)

    assert result.exit_code == 1
    assert "income-training: success" in result.stdout
    assert "Another request is being applied." in result.stdout
    assert "1 pipeline could not be changed: old-training" in result.stderr


@pytest.mark.parametrize(
    ("files", "told"), [({}, "holds no request file"), (None, "There is no folder")]
)
def test_an_empty_folder_is_refused_before_it_could_remove_anything(
    run: Run, tmp_path: Path, files: object, told: str
) -> None:
    folder = tmp_path if files is not None else tmp_path / "gone"
    used = platform()

    result = run("apply", str(folder), "--yes", "--prune", using=used)

    assert result.exit_code == 1
    assert told in result.stderr
    assert sent(used) == []


def test_watching_plans_again_only_when_a_file_changes_and_survives_a_fault(
    run: Run, folder: Path
) -> None:
    used, looks = platform(ADD), []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        if len(looks) == 2:
            (folder / "income.yaml").write_text("a: 1\na: 2\n")
        if len(looks) == 3:
            (folder / "income.yaml").write_text("model_name: income\n")
        if len(looks) == 5:
            raise KeyboardInterrupt

    used = replace(used, clock=Clock(now=lambda: 0.0, sleep=sleep))

    result = run("apply", str(folder), "--yes", "--watch", "--origin", ORIGIN, using=used)

    assert result.exit_code == 0, result.output
    assert "Said twice" in result.stderr
    # First look, the faulty file, the repaired one; the second and the last look saw no change.
    assert paths(used) == ["POST /plans", PROVISION, "POST /plans", "POST /plans", PROVISION]


def test_what_is_busy_is_tried_again_when_watching_and_told_otherwise(
    run: Run, folder: Path
) -> None:
    moment, tries = [0.0], []

    def provision(body: Any) -> tuple[int, Any]:
        tries.append(moment[0])
        if len(tries) < 3:
            return 409, {"title": "Pipeline busy", "detail": "It moves.", "retry_after": 30}
        return 202, {"pipeline_id": "income-training", "message": "ok", "outcome": "updated"}

    def sleep(seconds: float) -> None:
        moment[0] += seconds
        if moment[0] > 50:
            raise KeyboardInterrupt

    used = platform(ADD, **{PROVISION: provision})

    once = run("apply", str(folder), "--yes", "--origin", ORIGIN, using=used)
    used = replace(used, clock=Clock(now=lambda: moment[0], sleep=sleep))
    watched = run("apply", str(folder), "--yes", "--watch", "--origin", ORIGIN, using=used)

    assert once.exit_code == 1
    assert "again in 30 seconds" in " ".join(once.stderr.split())
    assert watched.exit_code == 0, watched.output
    assert tries == [0.0, 0.0, 30.0]


def test_a_folder_that_is_emptied_while_it_is_watched_is_told_once(run: Run, folder: Path) -> None:
    looks: list[float] = []

    def sleep(seconds: float) -> None:
        looks.append(seconds)
        for file in [each for each in folder.rglob("*") if each.is_file()]:
            file.unlink()
        if len(looks) == 4:
            raise KeyboardInterrupt

    used = replace(platform(ADD), clock=Clock(now=lambda: 0.0, sleep=sleep))

    result = run("apply", str(folder), "--yes", "--watch", "--origin", ORIGIN, using=used)

    assert result.exit_code == 0, result.output
    assert result.stderr.count("An empty folder removes") == 1


@pytest.mark.parametrize("flags", [["--plan", "--yes"], ["--watch"]])
def test_flags_that_contradict_each_other_are_refused(
    run: Run, folder: Path, flags: list[str]
) -> None:
    assert run("apply", str(folder), *flags, using=platform()).exit_code == 2
