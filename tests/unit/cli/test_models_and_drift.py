"""Approving models and reading drift reports from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from typer.testing import Result

from tests.unit.cli.fakes import FakeModelRegistry, FakeS3, tools

Run = Callable[..., Result]
ARN = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/1"
BUCKET = "the-data-bucket-name"
REPORT = {
    "verdict": "drift",
    "summary": "Drift: 1 of 2 columns differ.",
    "window": {"start": "2026-01-01T00:00:00Z", "end": "2026-01-01T01:00:00Z"},
    "findings": [
        {
            "kind": "data-quality",
            "sentence": "AGEP moved up by 30.",
            "since": "2025-12-31T20:00:00Z",
        }
    ],
    "columns": [
        {
            "name": "AGEP",
            "drifted": True,
            "baseline": {"mean": 40.0},
            "window": {"mean": 70.5},
            "tests": [
                {"test": "location", "effect": 0.9, "threshold": 0.1},
                {"test": "missing", "effect": 0.0, "threshold": 0.005},
            ],
        },
        {
            "name": "SEX",
            "drifted": False,
            "baseline": {"mean": None},
            "window": {"mean": None},
            "tests": [],
        },
    ],
}


def reported(document: dict[str, Any]) -> dict[str, Any]:
    folder = "drift/income/reports/w"
    where = {
        "bucket": BUCKET,
        "json_key": f"{folder}/report.json",
        "html_key": f"{folder}/report.html",
    }
    latest = {"verdict": document["verdict"], "report": where}
    objects = {
        (BUCKET, "drift/income/latest.json"): json.dumps(latest).encode(),
        (BUCKET, where["json_key"]): json.dumps(document).encode(),
        (BUCKET, where["html_key"]): b"<html>AGEP</html>",
    }
    return {"s3": FakeS3(objects)}


def test_a_model_is_approved_and_read_back(run: Run) -> None:
    registry = FakeModelRegistry({ARN: "PendingManualApproval"})

    result = run(
        "approve", ARN, "--because", "good", "--json", using=tools(clients={"sagemaker": registry})
    )

    assert json.loads(result.stdout) == {"model_package_arn": ARN, "status": "Approved"}
    assert registry.reasons == {ARN: "good"}


def test_a_model_can_be_rejected(run: Run) -> None:
    registry = FakeModelRegistry({ARN: "PendingManualApproval"})

    result = run("approve", ARN, "--reject", using=tools(clients={"sagemaker": registry}))

    assert "is Rejected" in result.stdout


def test_an_approval_that_does_not_stick_is_told(run: Run) -> None:
    registry = FakeModelRegistry({ARN: "PendingManualApproval"}, stubborn=True)

    result = run("approve", ARN, using=tools(clients={"sagemaker": registry}))

    assert result.exit_code == 1
    assert "is PendingManualApproval, although" in result.stderr


def test_what_is_no_model_package_is_refused_before_any_call(run: Run) -> None:
    result = run("approve", "income/1", using=tools())

    assert result.exit_code == 2
    assert "model-package/<group>/<version>" in result.stderr


def test_drift_is_shown_worst_first_and_is_exit_status_two(run: Run) -> None:
    result = run("drift", "report", "income", using=tools(clients=reported(REPORT)))

    assert result.exit_code == 2
    for told in ("1 of 2 columns differ", "AGEP", "70.5", "location", "moved up by 30", "Report: "):
        assert told in result.stdout
    assert "So it is since 2025-12-31 20:00 UTC." in result.stdout
    assert f"s3://{BUCKET}/drift/income/reports/w/report.html" in result.stdout


@pytest.mark.parametrize("verdict", ["healthy", "no-data", "insufficient-data"])
def test_a_verdict_without_drift_is_exit_status_zero(run: Run, verdict: str) -> None:
    document = {**REPORT, "verdict": verdict, "findings": [], "columns": []}

    result = run("drift", "report", "income", "--json", using=tools(clients=reported(document)))

    assert result.exit_code == 0
    assert json.loads(result.stdout)["verdict"] == verdict


def test_the_page_of_a_report_can_be_saved(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "new" / "report.html"

    run("drift", "report", "income", "--html", str(page), using=tools(clients=reported(REPORT)))

    assert page.read_bytes() == b"<html>AGEP</html>"


def test_a_monitor_that_has_not_reported_is_told_with_the_reasons(run: Run) -> None:
    result = run("drift", "report", "income", using=tools(clients={"s3": FakeS3({})}))

    assert result.exit_code == 1
    assert "drift/income/latest.json" in result.stderr
    assert "nothing was evaluated yet" in result.stderr


def test_a_page_that_cannot_be_saved_loses_no_verdict(run: Run, tmp_path: Path) -> None:
    (tmp_path / "taken").write_text("a file")
    page = tmp_path / "taken" / "report.html"

    told = run(
        "drift", "report", "income", "--html", str(page), using=tools(clients=reported(REPORT))
    )

    assert told.exit_code == 2
    assert "AGEP" in told.stdout
    assert "page was not written" in told.stderr


def judged(hour: int, verdict: str) -> tuple[tuple[str, str], bytes]:
    """A report of a window, as the service stores it."""
    document = {
        **REPORT,
        "verdict": verdict,
        "features": ["AGEP"] if verdict == "drift" else [],
        "window": {
            "start": f"2026-03-01T{hour:02}:00:00Z",
            "end": f"2026-03-01T{hour + 1:02}:00:00Z",
            "complete": True,
        },
        "captures": {"rows": 1000},
        "columns": [],
        "findings": [],
    }
    key = f"drift/income/reports/2026/03/01/{hour:02}00/report.json"
    return (BUCKET, key), json.dumps(document).encode()


def test_the_windows_of_a_time_are_shown_oldest_first(run: Run, tmp_path: Path) -> None:
    page = tmp_path / "history.html"
    s3 = FakeS3(dict([judged(9, "drift"), judged(10, "healthy"), judged(8, "healthy")]))
    clients = {"s3": s3}
    span = ("--from", "2026-03-01", "--to", "2026-03-01T10:00:00Z")

    shown = run(
        "drift", "history", "income", *span, "--html", str(page), using=tools(clients=clients)
    )
    later = ("--from", "2026-03-01T10:00:00Z", "--to", "2026-03-02", "--json")
    healthy = run("drift", "history", "income", *later, using=tools(clients=clients))
    before = ("--from", "2025-01-01", "--to", "2025-01-02")
    nothing = run("drift", "history", "income", *before, using=tools(clients=clients))

    assert (shown.exit_code, healthy.exit_code, nothing.exit_code) == (2, 0, 1), shown.stderr
    lines = [line for line in shown.stdout.splitlines() if "2026-03-01T" in line]
    assert [line.split()[0] for line in lines] == ["2026-03-01T08:00:00Z", "2026-03-01T09:00:00Z"]
    assert "AGEP" in lines[1]
    assert f"Page: {page}" in shown.stdout
    assert page.read_text().startswith("<!doctype html>")
    assert [each["start"] for each in json.loads(healthy.stdout)["windows"]] == [
        "2026-03-01T10:00:00Z"
    ]
    assert "No window of income between 2025-01-01" in nothing.stderr
