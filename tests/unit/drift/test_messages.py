"""What an event says of very many features."""

from __future__ import annotations

import json
from dataclasses import replace

from mlops_framework.contracts.events import DriftDetail
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.messages import event_detail
from mlops_framework.drift.retraining import RetrainingDecision
from mlops_framework.drift.sections import Section
from tests.unit.drift.conftest import profile_of_rows, rows_of
from tests.unit.drift.test_report import evaluation

REPORT = {"bucket": "data", "json_key": "r/report.json", "html_key": "r/report.html"}
ENTRY = 256 * 1024  # EventBridge's limit for one entry
ENVELOPE = 2_000


def test_an_event_names_the_worst_of_more_features_than_it_holds_and_counts_the_others(
    baseline: Baseline,
) -> None:
    found = evaluation(baseline, profile_of_rows(baseline, rows_of(500, 3, shift=9)))
    decision = RetrainingDecision(False, "One of the last windows drifted.")
    few = event_detail(found, decision, REPORT)
    assert (few["features"], "features_left_out" in few) == (["income"], False)

    columns = [f"größe_{number:05d}" for number in range(20_000)]
    worst_first = tuple(
        Finding(name, "values", "ks", 0.5, 0.0, 0.0, "It moved.") for name in columns
    )
    facets = tuple(columns[:9_000])
    section = Section(kind="bias", verdict="drift", features=facets)
    small = Section(kind="heartbeat", verdict="drift", features=("CAPTURE_OFF",))
    many = replace(found, findings=worst_first, sections=(section, small))
    detail = event_detail(many, decision, REPORT)

    assert 150_000 < len(json.dumps(detail).encode()) < ENTRY - ENVELOPE
    event = DriftDetail.model_validate(detail)
    named = len(event.features)
    assert named > 3_000
    assert list(event.features) == columns[:named]
    assert named + event.features_left_out == 20_000
    bias = event.sections["bias"]
    assert len(bias.features) + bias.features_left_out == 9_000
    assert detail["sections"]["heartbeat"] == {"verdict": "drift", "features": ["CAPTURE_OFF"]}
    assert detail["report"] == REPORT

    endless = Finding("x" * 300_000, "values", "ks", 0.5, 0.0, 0.0, "It moved.")
    unnamed = event_detail(replace(found, findings=(endless,)), decision, REPORT)
    assert (unnamed["features"], unnamed["features_left_out"]) == ([], 1)
