"""Each problem of the API tells what, why, what to do next and where to look, and is described."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from lambdas.orchestrator.handler import build_app
from lambdas.orchestrator.problems import TABLE, problem_of
from mlops_framework.contracts.gateway_problems import GATEWAY_PROBLEMS
from mlops_framework.contracts.responses import Problem
from mlops_framework.orchestration.errors import PipelineBroken
from mlops_framework.testing.events import FakeContext, api_event

PAGE = (Path(__file__).resolve().parents[3] / "docs" / "problems.md").read_text()
PUBLIC = [kind for kind in TABLE if kind.name != "access-refused"]


@pytest.mark.parametrize("kind", PUBLIC, ids=lambda kind: kind.name)
def test_every_problem_is_described_where_its_documentation_says(kind) -> None:
    assert f"\n## {kind.name}\n" in PAGE
    assert f"| [{kind.name}](#{kind.name}) | {kind.status.value} |" in PAGE


@pytest.mark.parametrize("problem", GATEWAY_PROBLEMS, ids=lambda problem: problem.name)
def test_what_api_gateway_refuses_by_itself_has_the_same_form(problem) -> None:
    document = {**problem.to_document(), "instance": "", "detailedMessage": ""}

    told = Problem.model_validate(document)

    assert f"| [{problem.name}](#{problem.name}) | {told.status} |" in PAGE
    assert told.next.endswith(".")


def test_no_problem_is_described_that_there_is_not() -> None:
    known = {kind.name for kind in PUBLIC} | {problem.name for problem in GATEWAY_PROBLEMS}

    assert set(re.findall(r"^## (.+)$", PAGE, re.MULTILINE)) == known


@pytest.mark.parametrize("kind", TABLE, ids=lambda kind: kind.name)
def test_every_problem_says_what_to_do_next_and_where_to_look(kind) -> None:
    fault = kind.fault.__new__(kind.fault)
    Exception.__init__(fault, "what happened")
    fault.__dict__ |= {"faults": (), "known": (), "running": None, "retry_after": 5}

    document = Problem.model_validate(
        problem_of(fault, path="/provisionpipeline", correlation_id="c", base="https://api/v1")
    )

    assert document.next.endswith((".", "function."))
    assert document.link.startswith(("https://api/v1/", "docs/problems.md#"))
    assert document.type.rpartition(":")[2] == document.documentation.partition("#")[2]


def test_a_conflict_says_what_runs_since_when_and_where_to_watch_it(api, training) -> None:
    api.stacks.looks = 9
    api("POST", "/provisionpipeline", training)

    answer = api("POST", "/provisionpipeline", {**training, "volume_size_gb": 31})

    assert answer.status == 409
    running = answer.body["running"]
    assert (running["what"], running["state"]) == ("stack", "CREATE_IN_PROGRESS")
    assert running["since"] == "2026-01-01T00:00:00+00:00"
    assert answer.body["link"] == "/pipelines/income-training"
    assert str(answer.body["retry_after"]) == answer.headers["Retry-After"]
    assert answer.headers["Content-Type"] == "application/problem+json"


def test_a_pipeline_that_cannot_be_mended_brings_its_own_next_step() -> None:
    fault = PipelineBroken("It is held.", next_step="Empty the bucket.", pipeline_id="a-training")

    document = problem_of(fault, path="/provisionpipeline", correlation_id="c", base="https://api")

    assert (document["status"], document["next"]) == (409, "Empty the bucket.")
    assert document["link"] == "https://api/pipelines/a-training"
    assert "retry_after" not in document


def test_a_link_is_an_address_where_the_api_says_what_its_address_is(api) -> None:
    event = api_event("GET", "/pipelines/none-training")
    event["requestContext"]["domainName"] = "api0.execute-api.eu-west-1.amazonaws.com"

    answer = build_app(api.service).resolve(event, FakeContext())

    link = json.loads(answer["body"])["link"]
    assert link == "https://api0.execute-api.eu-west-1.amazonaws.com/prod/pipelines"
