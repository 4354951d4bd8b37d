"""A push is planned, shown, and applied only as it was shown."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import unquote

import pytest

from lambdas.orchestrator.gitops import Desk, act
from mlops_framework.aws.pipeline_artifacts import Artifact
from mlops_framework.orchestration.git_delivery import GitDelivery, shortened
from mlops_framework.orchestration.links import ConsoleLinks
from tests.unit.orchestration.conftest import ANA, World


@dataclass
class Spy:
    """CodePipeline's answers and artifacts, kept."""

    repository: dict[str, str]
    plan: dict[str, str] = field(default_factory=dict)
    answers: list[tuple[str, dict[str, Any]]] = field(default_factory=list)

    def read(self, artifact: Artifact, *, below: str = "") -> dict[str, str]:
        return self.plan if artifact.key == "Plan" else self.repository

    def write(self, artifact: Artifact, files: dict[str, str]) -> None:
        self.plan = dict(files)

    def succeed(self, job_id: str, **said: Any) -> None:
        self.answers.append(("succeed", said))

    def proceed(self, job_id: str, **said: Any) -> None:
        self.answers.append(("proceed", said))

    def fail(self, job_id: str, **said: Any) -> None:
        self.answers.append(("fail", said))


def run(world: World, spy: Spy, step: str, *, prune: bool = False) -> tuple[str, dict[str, Any]]:
    """One action of the pipeline; what CodePipeline was answered."""
    delivery = GitDelivery(world.orchestrator, lambda keys: dict.fromkeys(keys, "data"))
    links = ConsoleLinks("eu-west-1")
    desk = Desk(delivery, spy, world.objects, spy, "artifacts", links.object)  # type: ignore[arg-type]
    asked = {"step": step, "source": "models", "folder": "pipelines/", "prune": prune}

    def artifact(name: str) -> list[dict[str, Any]]:
        return [{"location": {"s3Location": {"bucketName": "artifacts", "objectKey": name}}}]

    configuration = {"UserParameters": json.dumps({**asked, "execution": "e-1"})}
    data = {
        "actionConfiguration": {"configuration": configuration},
        "inputArtifacts": artifact("Source" if step == "plan" else "Plan"),
        "outputArtifacts": artifact("Plan"),
    }
    act({"id": "job-1", "data": data}, desk)
    return spy.answers[-1]


@pytest.fixture
def spy(training: dict[str, Any]) -> Spy:
    text = json.dumps({**training, "training_data": "s3://{data-bucket-name}/train/"})
    return Spy({"pipelines/income.json": text, "README.md": "", "other/x.yaml": "a: ["})


def test_a_push_is_planned_for_people_and_then_applied_with_its_origin(
    world: World, spy: Spy
) -> None:
    kind, said = run(world, spy, "plan")

    assert (kind, said["outputs"]["Changes"]) == ("succeed", "1")
    assert "+ income-training  income.json" in said["outputs"]["Summary"]
    key = unquote(said["outputs"]["Link"].partition("prefix=")[2])
    assert b"+ income-training" in world.objects.objects[key]
    assert world.records.items == {}

    assert run(world, spy, "apply")[0] == "succeed"
    record = world.records.items["income-training"]
    assert (record.origin, record.requested_by) == ("git:models", "git:models, execution e-1")


def test_a_fault_in_any_file_fails_the_plan_with_everything_said(world: World, spy: Spy) -> None:
    spy.repository |= {"pipelines/a.yaml": "a: 1\na: 2\n", "pipelines/b.yaml": "model_name: b\n"}

    kind, said = run(world, spy, "plan")

    assert kind == "fail"
    assert "2 faults in 2 files; nothing was changed." in said["message"]
    assert "a.yaml: a: Said twice" in said["message"]
    assert "b.yaml: pipeline_type" in said["message"]
    assert (spy.plan, world.stacks.calls) == ({}, [])


def test_what_changed_after_it_was_shown_is_not_applied(
    world: World, spy: Spy, training: dict[str, Any]
) -> None:
    run(world, spy, "plan")
    world.orchestrator.provision(training, ANA)
    world.stacks.calls.clear()

    kind, said = run(world, spy, "apply")

    assert (kind, world.stacks.calls) == ("fail", [])
    assert "Nothing was applied" in said["message"]


def test_a_file_that_is_gone_takes_its_pipeline_along_only_with_pruning(
    world: World, spy: Spy, training: dict[str, Any]
) -> None:
    run(world, spy, "plan")
    run(world, spy, "apply")
    churn = json.dumps({**training, "model_name": "churn"})
    spy.repository = {"pipelines/churn.json": churn}

    kept = run(world, spy, "plan")[1]["outputs"]["Summary"]
    run(world, spy, "plan", prune=True)
    run(world, spy, "apply", prune=True)

    assert "pruning is off" in kept
    assert world.teardowns.started == ["income-training"]


def test_a_folder_without_requests_is_refused_and_removes_nothing(world: World, spy: Spy) -> None:
    run(world, spy, "plan")
    run(world, spy, "apply")
    spy.repository = {"README.md": ""}

    kind, said = run(world, spy, "plan", prune=True)

    assert (kind, world.teardowns.started) == ("fail", [])
    assert "An empty folder removes nothing" in said["message"]


def test_long_plans_are_shortened_to_whole_lines() -> None:
    lines = [f"line {number}" for number in range(100)]

    text = shortened(lines, 80)

    assert len(text) <= 80
    assert text.splitlines()[-1] == f"… and {100 - len(text.splitlines()) + 1} more lines"
    assert shortened(lines[:3], 80) == "line 0\nline 1\nline 2"
