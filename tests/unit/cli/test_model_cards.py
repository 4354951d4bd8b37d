"""Keeping model cards from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from typer.testing import Result

from tests.unit.cli.fakes import tools

Run = Callable[..., Result]
DONE = {"message": "Model card c is created, version 1, Draft.", "name": "c", "arn": "a"}


def test_a_card_is_created_from_a_file_with_the_platforms_values(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "card.json"
    metrics = {"name": "e", "metric_file_s3_url": "s3://{data-bucket-name}/e.json"}
    file.write_text(json.dumps({"name": "c", "evaluation_details": [metrics]}))
    using = tools({"POST /model-cards": lambda body: (201, {**DONE, "sent": body})})

    result = run("model-card", "create", str(file), "--json", using=using)

    (evaluation,) = json.loads(result.stdout)["sent"]["evaluation_details"]
    assert evaluation["metric_file_s3_url"] == "s3://the-data-bucket-name/e.json"


def test_a_card_is_shown_line_by_line(run: Run) -> None:
    content = {
        "intended_uses": {"risk_rating": "Low"},
        "evaluation_details": [
            {
                "name": "e",
                "metric_groups": [
                    {"name": "g", "metric_data": [{"name": "auc", "value": 0.9, "type": "number"}]}
                ],
            }
        ],
    }
    card = {"name": "c", "version": 2, "status": "Approved", "content": content}
    using = tools({"GET /model-cards/c?version=2": lambda _: (200, card)})

    result = run("model-card", "show", "c", "--version", "2", using=using)

    assert "c, version 2: Approved" in result.stdout
    assert "intended_uses.risk_rating" in result.stdout
    assert "metric_data.0.auc" in result.stdout
    assert "0.9" in result.stdout


def test_a_list_follows_every_page(run: Run) -> None:
    def page(name: str, token: str) -> dict[str, object]:
        card = {"name": name, "status": "Draft", "created_at": "1", "modified_at": ""}
        return {"model_cards": [card], "next_token": token}

    using = tools(
        {
            "GET /model-cards": lambda _: (200, page("b", "t")),
            "GET /model-cards?next_token=t": lambda _: (200, page("a", "")),
        }
    )

    listed = json.loads(run("model-card", "list", "--json", using=using).stdout)

    assert [one["name"] for one in listed["model_cards"]] == ["b", "a"]


def test_status_export_and_deletion_say_what_happened(run: Run) -> None:
    using = tools(
        {
            "PATCH /model-cards/c": lambda body: (200, {"message": f"now {body['status']}"}),
            "POST /model-cards/c/exports": lambda _: (200, {"message": "at s3://b/c.pdf"}),
            "DELETE /model-cards/c": lambda _: (200, {"message": "gone"}),
        }
    )

    assert "now Approved" in run("model-card", "status", "c", "Approved", using=using).stdout
    assert "s3://b/c.pdf" in run("model-card", "export", "c", using=using).stdout
    assert "gone" in run("model-card", "delete", "c", using=using).stdout


def test_a_card_request_may_be_submitted_as_before(run: Run, tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps({"pipeline_type": "create_model_card", "name": "c"}))
    using = tools({"POST /provisionpipeline": lambda _: (200, DONE)})

    result = run("submit", str(file), using=using)

    assert result.exit_code == 0
    assert "Model card c is created" in result.stdout
