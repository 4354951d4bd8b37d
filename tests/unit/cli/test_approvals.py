"""A person's word on what a pipeline waits for."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from tests.unit.cli.conftest import Run
from tests.unit.cli.fakes import tools


@dataclass
class FakeCodePipeline:
    """One pipeline whose second stage waits, unless it does not."""

    waits: bool = True
    asked: list[str] = field(default_factory=list)
    answers: list[dict[str, Any]] = field(default_factory=list)

    def get_pipeline_state(self, *, name: str) -> dict[str, Any]:
        self.asked.append(name)
        waiting = {"status": "InProgress", "token": "t-1"} if self.waits else {"status": "Failed"}
        return {
            "stageStates": [
                {
                    "stageName": "Plan",
                    "latestExecution": {"status": "Succeeded"},
                    "actionStates": [
                        {
                            "actionName": "Plan",
                            "latestExecution": {
                                "status": "Succeeded",
                                "summary": "Plan: 2 to add.",
                            },
                        }
                    ],
                },
                {
                    "stageName": "Apply",
                    "latestExecution": {"status": waiting["status"]},
                    "actionStates": [
                        {"actionName": "Approve", "latestExecution": waiting},
                        {"actionName": "Apply"},
                    ],
                },
            ]
        }

    def list_action_executions(self, *, pipelineName: str, maxResults: int) -> dict[str, Any]:
        variables = {"Summary": "Plan: 2 to add.\n+ a-training", "Link": "https://console/plan"}
        told = {"output": {"outputVariables": variables}} if "git_" in pipelineName else {}
        return {"actionExecutionDetails": [{"actionName": "Source", **told}]}

    def put_approval_result(self, **answer: Any) -> None:
        self.answers.append(answer)


@pytest.mark.parametrize(
    ("identity", "name"),
    [("git:models", "mlops-test-git_models"), ("income-training", "mlops-test-income-training")],
)
def test_what_waits_is_approved(run: Run, identity: str, name: str) -> None:
    codepipeline = FakeCodePipeline()
    used = tools(clients={"codepipeline": codepipeline})

    result = run("pipelines", "approve", identity, "--yes", "--because", "seen", using=used)

    assert result.exit_code == 0, result.output
    assert codepipeline.asked == [name]
    (answer,) = codepipeline.answers
    assert (answer["stageName"], answer["actionName"], answer["token"]) == (
        *("Apply", "Approve", "t-1"),
    )
    assert answer["result"] == {"status": "Approved", "summary": "seen"}


@pytest.mark.parametrize(
    ("identity", "shown"),
    [
        ("git:models", ["Plan: 2 to add.", "+ a-training", "In full: https://console/plan"]),
        ("income-training", ["Plan/Plan: Plan: 2 to add."]),
    ],
)
def test_before_it_is_asked_what_is_at_stake_is_shown_and_no_is_no(
    run: Run, identity: str, shown: list[str]
) -> None:
    codepipeline = FakeCodePipeline()
    used = tools(clients={"codepipeline": codepipeline})

    result = run("pipelines", "approve", identity, using=used, input="n\n")

    assert result.exit_code == 1
    assert [line for line in shown if line not in result.stderr] == []
    assert codepipeline.answers == []


def test_it_can_be_rejected(run: Run) -> None:
    codepipeline = FakeCodePipeline()
    used = tools(clients={"codepipeline": codepipeline})

    result = run("pipelines", "approve", "git:models", "--reject", "-y", "--json", using=used)

    assert json.loads(result.stdout)["status"] == "Rejected"
    assert codepipeline.answers[0]["result"]["status"] == "Rejected"


def test_where_nothing_waits_it_says_how_things_stand(run: Run) -> None:
    used = tools(clients={"codepipeline": FakeCodePipeline(waits=False)})

    result = run("pipelines", "approve", "git:models", using=used)

    assert result.exit_code == 1
    assert "Nothing of git:models waits for approval" in result.stderr
    assert "Apply Failed" in result.stderr
