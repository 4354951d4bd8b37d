from __future__ import annotations

import csv
import io
import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from examples.employment.prepare import FEATURES

from .conftest import EXAMPLE, Trained

Run = Callable[..., subprocess.CompletedProcess[str]]
Ask = Callable[[Sequence[tuple[str, str, str]]], list[list[str]]]

EMPLOYEE = (41, 21, 1, 0, 2, 0, 1, 1, 4, 1, 1, 2, 2, 2, 2, 1)
CHILD = (6, 4, 5, 2, 2, 1, 1, 1, 0, 1, 1, 2, 2, 2, 1, 1)
AS_CSV = ",".join(map(str, EMPLOYEE)) + "\n" + ",".join(map(str, CHILD)) + "\n"


def value(evaluation: dict[str, Any], metric: str) -> float:
    return float(evaluation["metrics"][metric]["value"])


def test_eight_thousand_records_are_enough_to_pass_the_gate(evaluation: dict[str, Any]) -> None:
    """Measured 0.823 on 2 cores; all 48,079 records give 0.828."""
    request = json.loads((EXAMPLE / "requests" / "training.json").read_text())

    assert value(evaluation, "accuracy") >= 0.81 > request["quality_threshold"]
    assert value(evaluation, "accuracy") - value(evaluation, "majority_class_accuracy") > 0.3
    assert value(evaluation, "roc_auc") > 0.89


def test_the_training_log_says_what_was_learned_from(trained: Trained) -> None:
    assert "8000 records, 16 features" in trained.log
    assert "60 trees" in trained.log


def test_every_metric_has_the_form_that_the_quality_gate_reads(evaluation: dict[str, Any]) -> None:
    assert {"accuracy", "balanced_accuracy", "roc_auc", "log_loss"} <= set(evaluation["metrics"])
    for metric in evaluation["metrics"].values():
        assert set(metric) == {"value"}
        assert isinstance(metric["value"], float)
    assert evaluation["rows"] == 13_946


def test_the_report_compares_the_groups_of_both_sensitive_attributes(
    evaluation: dict[str, Any],
) -> None:
    groups = evaluation["groups"]

    assert set(groups["SEX"]) == {"1", "2"}
    assert {"1", "2", "6", "8", "9"} <= set(groups["RAC1P"])
    for rates in groups.values():
        assert sum(group["rows"] for group in rates.values()) == evaluation["rows"]
        assert all(0 <= group["selection_rate"] <= 1 for group in rates.values())
    women, men = groups["SEX"]["2"], groups["SEX"]["1"]
    assert value(evaluation, "sex_selection_rate_gap") == pytest.approx(
        abs(women["selection_rate"] - men["selection_rate"]), abs=1e-6
    )


def test_a_csv_request_is_answered_line_by_line(ask: Ask) -> None:
    ((body, content_type),) = ask([(AS_CSV, "text/csv", "text/csv")])

    answers = list(csv.reader(io.StringIO(body)))
    assert content_type == "text/csv"
    assert [label for label, _ in answers] == ["1", "0"]
    assert float(answers[0][1]) > 0.7
    assert float(answers[1][1]) < 0.01


def test_every_form_of_a_request_gets_the_same_answer(ask: Ask) -> None:
    people = [dict(zip(FEATURES, row, strict=True)) for row in (EMPLOYEE, CHILD)]
    backwards = [dict(reversed(person.items())) for person in people]
    header = ",".join(FEATURES)
    requests = [
        (AS_CSV, "text/csv"),
        (f"{header}\n{AS_CSV}", "text/csv; charset=utf-8"),
        (json.dumps({"instances": people}), "application/json"),
        (json.dumps(backwards), "application/json"),
        (json.dumps([EMPLOYEE, CHILD]), "application/json"),
        ("\n".join(json.dumps(person) for person in people), "application/jsonlines"),
    ]

    answers = ask([(body, kind, "application/json") for body, kind in requests])

    assert {content_type for _, content_type in answers} == {"application/json"}
    assert len({body for body, _ in answers}) == 1
    predictions = json.loads(answers[0][0])["predictions"]
    assert [prediction["label"] for prediction in predictions] == [1, 0]


def test_a_bad_request_is_refused_with_what_is_accepted(ask: Ask) -> None:
    refusals = {
        ("1,2,3\n", "text/csv"): "expected 16 values",
        ("", "text/csv"): "body is empty",
        ("<x/>", "application/xml"): "use text/csv, application/json or application/jsonlines",
        ('{"instances": []}', "application/json"): "at least one person",
        ('[{"AGEP": 41}]', "application/json"): "the request lacks SCHL, MAR",
        (AS_CSV.replace("41", "forty"), "text/csv"): "forty",
    }

    answers = ask([(body, content_type, "text/csv") for body, content_type in refusals])

    for told, (verdict, reason) in zip(refusals.values(), answers, strict=True):
        assert verdict == "refused"
        assert told in reason


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (None, "expected CSV files with a header row, found nothing"),
        ("AGEP,SEX\n41,2\n", "no column 'employed' among AGEP, SEX"),
        ("AGEP,employed\n41,1\n", "must hold both 0 and 1, found [1]"),
    ],
)
def test_training_data_that_cannot_be_learned_from_is_named(
    run_script: Run, tmp_path: Path, content: str | None, told: str
) -> None:
    if content:
        (tmp_path / "train.csv").write_text(content)

    done = run_script(
        EXAMPLE / "source" / "train.py", environment={"SM_CHANNEL_TRAINING": str(tmp_path)}
    )

    assert done.returncode != 0
    assert told in done.stderr


def test_evaluation_data_without_a_feature_is_named(
    run_script: Run, trained: Trained, tmp_path: Path
) -> None:
    header = ",".join((*FEATURES[1:], "employed"))
    (tmp_path / "evaluation.csv").write_text(f"{header}\n{','.join('1' * 16)}\n")

    done = run_script(
        *(EXAMPLE / "source" / "evaluate.py", "--model", trained.model, "--test", tmp_path)
    )

    assert done.returncode != 0
    assert "the evaluation data lacks the columns AGEP" in done.stderr
