"""Requesting, following and removing pipelines from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from mlops_framework.cli.__main__ import Tools
from mlops_framework.cli.waiting import SETTLED
from mlops_framework.contracts.responses import SETTLED as PUBLISHED
from tests.unit.cli.fakes import FakePlaces, sent, tools

Run = Callable[..., Result]
ACCEPTED = {
    "message": "success: stack creation started",
    "pipeline_id": "income-training",
    "outcome": "created",
}
STATUS = {
    "pipeline_id": "income-training",
    "status": "Delivered",
    "message": "Pipeline income-training is Delivered.",
    "next": "Nothing: the pipeline did what the request asks.",
    "requested_at": "2026-01-01T00:00:00+00:00",
    "stages": [
        {
            "name": "Dev",
            "is_current": True,
            "outputs": {"PipelineName": "mlops-dev-income-training-dev"},
            "actions": [
                {
                    "name": "Verify",
                    "status": "Succeeded",
                    "summary": "model registered [v1]",
                    "reason": "",
                    "changed_at": "2026-01-01T00:05:00+00:00",
                }
            ],
        }
    ],
    "problems": [],
}
FAILED = {
    **STATUS,
    "status": "Failed",
    "message": "Dev/ExecuteChangeSet (Endpoint): No capacity.",
    "problems": [
        {
            "stage": "Dev",
            "action": "ExecuteChangeSet",
            "resource": "Endpoint",
            "resource_type": "AWS::SageMaker::Endpoint",
            "reason": "No capacity.",
        }
    ],
}


def answering(status: int, document: Any) -> Callable[[Any], tuple[int, Any]]:
    return lambda _: (status, document)


def one_after_another(*documents: Any) -> Callable[[Any], tuple[int, Any]]:
    rest: Iterator[Any] = iter(documents)
    return lambda _: (200, next(rest))


@pytest.fixture
def request_file(tmp_path: Path) -> Path:
    file = tmp_path / "training.json"
    file.write_text(json.dumps({"pipeline_type": "training", "model_name": "income"}))
    return file


def test_a_request_is_sent_and_its_pipeline_told(run: Run, request_file: Path) -> None:
    used = tools({"POST /provisionpipeline": answering(202, ACCEPTED)})

    result = run("submit", str(request_file), using=used)

    assert result.exit_code == 0
    assert "mlops status income-training --wait" in result.stdout
    assert sent(used) == [
        ("POST /provisionpipeline", {"pipeline_type": "training", "model_name": "income"})
    ]


def test_json_output_is_the_document_and_nothing_else(run: Run, request_file: Path) -> None:
    used = tools({"POST /provisionpipeline": answering(202, ACCEPTED)})

    result = run("submit", str(request_file), "--json", using=used)

    assert json.loads(result.stdout) == ACCEPTED


def test_every_fault_that_the_api_tells_is_shown(run: Run, request_file: Path) -> None:
    faults = [
        {"path": "model_name", "message": "Too long.", "accepted": "short", "found": '"long"'},
        {"path": "image_uri", "message": "Required.", "accepted": "an image", "found": "nothing"},
    ]
    problem = {"title": "Request invalid", "status": 400, "detail": "2 faults", "faults": faults}
    used = tools({"POST /provisionpipeline": answering(400, problem)})

    result = run("submit", str(request_file), using=used)

    assert result.exit_code == 1
    assert result.stdout == ""
    for told in ("Request invalid (400)", "model_name", "Too long.", "accepted: an image"):
        assert told in result.stderr


def test_faults_are_json_too_when_asked_for(run: Run, request_file: Path) -> None:
    problem = {"title": "Pipeline busy", "status": 409, "detail": "Try later."}
    used = tools({"POST /provisionpipeline": answering(409, problem)})

    result = run("submit", str(request_file), "--json", using=used)

    assert result.exit_code == 1
    assert json.loads(result.stdout) == {"error": "Pipeline busy (409)", "message": "Try later."}


def test_an_api_that_does_not_answer_is_told_with_what_to_check(
    run: Run, request_file: Path
) -> None:
    result = run("submit", str(request_file), using=tools())

    assert result.exit_code == 1
    assert "The API does not answer" in result.stderr
    assert "mlops local status" in result.stderr


def test_an_answer_that_is_not_json_is_told(run: Run, request_file: Path) -> None:
    used = tools({"POST /provisionpipeline": answering(200, b"<html>")})

    result = run("submit", str(request_file), using=used)

    assert "not JSON" in result.stderr


def test_a_caller_without_permission_is_told_which_one(run: Run, request_file: Path) -> None:
    used = tools({"POST /provisionpipeline": answering(403, {"message": "Forbidden"})})

    result = run("submit", str(request_file), using=used)

    assert "execute-api:Invoke" in result.stderr


def test_a_missing_file_is_told_with_those_beside_it(run: Run, request_file: Path) -> None:
    result = run("submit", str(request_file.with_name("trainig.json")), using=tools())

    assert result.exit_code == 1
    assert "There is no file" in result.stderr
    assert "training.json" in result.stderr


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ('{\n  "a": 1,,\n}', "line 2, column 10"),
        ('{"a": 1, "a": 2}', "'a' is said twice"),
        ('{"a": NaN}', "NaN is no JSON value"),
        ("", "line 1, column 1"),
    ],
)
def test_malformed_json_is_told_with_its_place(
    run: Run, tmp_path: Path, text: str, told: str
) -> None:
    file = tmp_path / "request.json"
    file.write_text(text)
    used = tools()

    result = run("submit", str(file), using=used)

    assert result.exit_code == 1
    assert told in result.stderr
    assert sent(used) == []


def test_a_folder_or_bytes_are_no_request(run: Run, tmp_path: Path) -> None:
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")

    assert "is a folder" in run("submit", str(tmp_path), using=tools()).stderr
    assert "not UTF-8" in run("submit", str(tmp_path / "bytes.json"), using=tools()).stderr


def test_a_request_can_be_checked_without_the_api(run: Run, request_file: Path) -> None:
    used = tools()

    result = run("submit", str(request_file), "--check", using=used)

    assert result.exit_code == 1
    assert "training_data" in result.stderr
    assert sent(used) == []


def test_values_of_the_platform_are_filled_in(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"a": {"b": ["s3://{data-bucket-name}/x", 7]}}')
    used = tools({"POST /provisionpipeline": answering(202, ACCEPTED)})

    run("submit", str(file), using=used)

    assert sent(used)[0][1] == {"a": {"b": ["s3://the-data-bucket-name/x", 7]}}


def test_a_value_that_the_platform_does_not_publish_is_told(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text('{"a": "s3://{databucket}/x"}')

    result = run("submit", str(file), using=tools())

    assert "{databucket}" in result.stderr
    assert "{data-bucket-name}" in result.stderr


def test_an_environment_that_is_not_clear_is_asked_for(run: Run, request_file: Path) -> None:
    result = run("submit", str(request_file), using=Tools(places=FakePlaces(None)))

    assert "Which environment?" in result.stderr


def test_the_environment_may_come_from_the_shell(
    run: Run, request_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    used = tools({"POST /provisionpipeline": answering(202, ACCEPTED)})
    monkeypatch.setenv("MLOPS_ENV", "dev")

    run("submit", str(request_file), "--api-url", "https://x", using=used)

    places: Any = used.places
    assert places.asked == [("dev", "https://x")]


def test_a_status_shows_stages_outputs_and_the_next_step(run: Run) -> None:
    used = tools({"GET /pipelines/income-training": answering(200, STATUS)})

    result = run("status", "income-training", using=used)

    assert result.exit_code == 0
    for told in ("Delivered", "model registered [v1]", "PipelineName = mlops", "Next: Nothing"):
        assert told in result.stdout


def test_a_failed_pipeline_shows_resource_and_reason(run: Run) -> None:
    used = tools({"GET /pipelines/income-training": answering(200, FAILED)})

    result = run("status", "income-training", using=used)

    assert result.exit_code == 0, "asking worked"
    assert "Dev/ExecuteChangeSet AWS::SageMaker::Endpoint Endpoint\nNo capacity." in result.stdout
    assert result.stdout.count("No capacity.") == 1


@pytest.mark.parametrize(
    ("last", "code"), [("Delivered", 0), ("Failed", 1), ("Stopped", 1), ("AwaitingApproval", 3)]
)
def test_waiting_ends_with_the_pipeline(run: Run, last: str, code: int) -> None:
    states = [{**STATUS, "status": state} for state in ("Requested", "Delivering", last)]
    used = tools({"GET /pipelines/income-training": one_after_another(*states)})

    result = run("status", "income-training", "--wait", "--json", using=used)

    assert result.exit_code == code
    assert json.loads(result.stdout)["status"] == last


def test_the_execution_before_the_request_is_not_taken_for_its_result(run: Run) -> None:
    before = {**STATUS, "requested_at": "2026-01-02T00:00:00+00:00"}
    running = {**before, "status": "Delivering"}
    used = tools({"GET /pipelines/income-training": one_after_another(before, running, STATUS)})

    result = run("status", "income-training", "--wait", using=used)

    assert result.exit_code == 0
    assert len(sent(used)) == 3


def test_a_pipeline_that_never_starts_again_is_not_waited_for_forever(run: Run) -> None:
    before = {**STATUS, "requested_at": "2026-01-02T00:00:00+00:00"}
    used = tools({"GET /pipelines/income-training": answering(200, before)})

    assert run("status", "income-training", "--wait", using=used).exit_code == 0


def test_waiting_ends_in_time(run: Run) -> None:
    running = {**STATUS, "status": "Delivering"}
    used = tools({"GET /pipelines/income-training": answering(200, running)})

    result = run("status", "income-training", "--wait", "--timeout", "5", using=used)

    assert result.exit_code == 1
    assert "still Delivering" in result.stderr


def test_waiting_knows_the_statuses_that_the_api_publishes() -> None:
    assert SETTLED == PUBLISHED


def test_every_page_of_pipelines_is_listed(run: Run) -> None:
    def row(name: str) -> dict[str, str]:
        return {
            "pipeline_id": name,
            "pipeline_type": "training",
            "state": "applied",
            "updated_at": "2026",
            "requested_by": "me",
        }

    pages = {
        "GET /pipelines": answering(200, {"pipelines": [row("a")], "next_token": "t 1"}),
        "GET /pipelines?next_token=t+1": answering(200, {"pipelines": [row("b")]}),
    }

    result = run("pipelines", "list", "--json", using=tools(pages))

    assert [one["pipeline_id"] for one in json.loads(result.stdout)["pipelines"]] == ["a", "b"]
    assert "training" in run("pipelines", "list", using=tools(pages)).stdout


def test_an_empty_list_says_how_to_begin(run: Run) -> None:
    used = tools({"GET /pipelines": answering(200, {"pipelines": [], "next_token": ""})})

    assert "mlops submit FILE" in run("pipelines", "list", using=used).stdout


def test_a_deletion_is_asked_about_first(run: Run) -> None:
    used = tools()

    result = run("pipelines", "delete", "income-training", using=used, input="n\n")

    assert result.exit_code == 1
    assert sent(used) == []


def test_a_deletion_says_what_goes_and_what_stays(run: Run) -> None:
    answer = {
        "message": "Pipeline income-training is being deleted.",
        "pipeline_id": "income-training",
        "removes": ["stack-a"],
        "keeps": ["models"],
    }
    used = tools({"DELETE /pipelines/income-training": answering(202, answer)})

    result = run("pipelines", "delete", "income-training", "--yes", using=used)

    assert "removes: stack-a" in result.stdout
    assert "keeps: models" in result.stdout


def test_a_deletion_can_be_waited_for(run: Run) -> None:
    looks = iter([(200, {**STATUS, "status": "Deleting"}), (404, {"detail": "gone"})])
    answer = {"message": "m", "pipeline_id": "income-training", "removes": [], "keeps": []}
    used = tools(
        {
            "DELETE /pipelines/income-training": answering(202, answer),
            "GET /pipelines/income-training": lambda _: next(looks),
        }
    )

    result = run("pipelines", "delete", "income-training", "-y", "--wait", using=used)

    assert "income-training is gone." in result.stdout


def test_a_deletion_that_fails_says_why(run: Run) -> None:
    stuck = {
        **STATUS,
        "status": "DeleteFailed",
        "message": "Bucket not empty.",
        "next": "Empty it.",
    }
    answer = {"message": "m", "pipeline_id": "income-training", "removes": [], "keeps": []}
    used = tools(
        {
            "DELETE /pipelines/income-training": answering(202, answer),
            "GET /pipelines/income-training": answering(200, stuck),
        }
    )

    result = run("pipelines", "delete", "income-training", "-y", "--wait", using=used)

    assert result.exit_code == 1
    assert "Bucket not empty. Empty it." in result.stderr
