"""The report as JSON and as a page."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from html import unescape
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.report import Evaluation, report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.windows import Task, Window, moment
from mlops_framework.testing.drift import MONITOR, capture_line
from tests.unit.drift.conftest import profile_of, profile_of_rows, rows_of

TASK = Task(Window.containing(moment("2026-03-01T14:00:00Z"), 60), ("a", "b"), True)
SCHEMA = json.loads(
    resources.files("mlops_framework.drift").joinpath("report.schema.json").read_text("utf-8")
)
STORED = Path(__file__).parent / "reports"
VOID = {"meta", "rect", "link", "br"}


class Page(HTMLParser):
    """Checks that a page is well formed, and collects what it shows and refers to."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.text: list[str] = []
        self.references: list[str] = []
        self.ids: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name in ("src", "href"):
                self.references.append(value or "")
            if name == "id":
                self.ids.append(value or "")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] != "style":
            self.text.append(data)


def evaluation(baseline: Baseline, profile: Profile, **changes: Any) -> Evaluation:
    policy = Policy.of(MONITOR)
    judgement = judge(baseline, profile, policy)
    findings = findings_of(judgement, baseline, profile, policy)
    return Evaluation(MONITOR, changes.get("task", TASK), baseline, profile, judgement, findings)


def healthy(baseline: Baseline) -> Profile:
    return profile_of_rows(baseline, rows_of(500, 2))


def drifted(baseline: Baseline) -> Profile:
    return profile_of_rows(baseline, rows_of(500, 2, shift=9, green=0.9))


def unreadable(baseline: Baseline) -> Profile:
    profiler = Profiler(baseline)
    for number in range(300):
        profiler.leave_out("bad-csv", f'<script>alert({number})</script>"&')
    return profiler.profile()


WORLDS = [healthy, drifted, unreadable, Profile.empty]


def read(page: str) -> Page:
    parsed = Page()
    parsed.feed(page)
    parsed.close()
    assert parsed.open == []
    return parsed


@pytest.mark.parametrize("world", WORLDS)
def test_every_report_is_of_the_schema_and_its_page_is_well_formed(
    baseline: Baseline, world: Any
) -> None:
    document = report_document(evaluation(baseline, world(baseline)))
    jsonschema.validate(json.loads(json.dumps(document, allow_nan=False)), SCHEMA)
    assert all(found["since"] for found in document["findings"])
    page = read(report_page(document))
    assert MONITOR.endpoint_name in page.text


def test_the_same_window_gives_the_same_bytes(baseline: Baseline) -> None:
    pages = {
        report_page(report_document(evaluation(baseline, drifted(baseline)))) for _ in range(2)
    }
    assert len(pages) == 1


def test_a_page_can_be_made_again_from_a_stored_report(baseline: Baseline) -> None:
    document = report_document(evaluation(baseline, drifted(baseline)))
    assert report_page(json.loads(json.dumps(document))) == report_page(document)


def test_a_report_that_was_stored_by_an_earlier_release_still_is_one() -> None:
    """Version 2 from before findings told since when, and quality was shown over time."""
    document = json.loads((STORED / "version-2-without-since.json").read_text("utf-8"))
    assert {"since", "sentence"} & document["findings"][0].keys() == {"sentence"}
    jsonschema.validate(document, SCHEMA)
    page = report_page(document)
    read(page)
    assert document["findings"][0]["sentence"] in unescape(re.sub("<[^>]+>", "", page))


def test_a_page_needs_no_network_and_runs_nothing(baseline: Baseline) -> None:
    text = report_page(report_document(evaluation(baseline, drifted(baseline))))
    page = read(text)
    assert all(reference.startswith("#") for reference in page.references)
    assert {reference[1:] for reference in page.references} <= set(page.ids)
    assert not re.search(r"<script|url\(|@import|https?://", text)


def test_a_page_fits_a_phone_and_wide_tables_scroll_by_themselves(baseline: Baseline) -> None:
    text = report_page(report_document(evaluation(baseline, drifted(baseline))))
    assert '<meta name="viewport" content="width=device-width, initial-scale=1">' in text
    assert "@media (max-width:520px)" in text
    tables = [place.start() for place in re.finditer("<table", text)]
    assert tables
    assert all(text[:at].endswith('<div class="scroll">') for at in tables)
    assert not re.search(r"(?<!-)width:\s*(?:[6-9]\d\d|\d{4,})px", text)


def test_what_comes_from_outside_is_escaped(baseline: Baseline) -> None:
    evil = '<img src=x onerror="1">'
    rows = [
        (row[0], row[1], evil if i % 3 == 0 else row[2]) for i, row in enumerate(rows_of(500, 2))
    ]
    csv = [
        capture_line(f'{row[0]},{row[1]},"{str(row[2]).replace(chr(34), chr(34) * 2)}"')
        for row in rows
    ]
    text = report_page(report_document(evaluation(baseline, profile_of(baseline, csv))))
    assert "<img" not in text
    assert "&lt;img" in text
    assert "<script" not in report_page(report_document(evaluation(baseline, unreadable(baseline))))


def test_the_worst_column_comes_first(baseline: Baseline) -> None:
    document = report_document(evaluation(baseline, drifted(baseline)))
    severities = [column["severity"] for column in document["columns"]]
    assert severities == sorted(severities, reverse=True)
    assert document["features"] == [
        column["name"] for column in document["columns"] if column["drifted"]
    ]


def test_the_summary_says_what_happened_in_a_sentence(baseline: Baseline) -> None:
    assert evaluation(baseline, healthy(baseline)).summary == (
        "No drift in 2026-03-01 14:00-15:00 UTC: 500 records look like the training data in all "
        "3 columns."
    )
    open_task = replace(TASK, complete=False)
    told = evaluation(baseline, drifted(baseline), task=open_task).summary
    assert told.startswith(
        "Drift in 2026-03-01 14:00-15:00 UTC (still open): 2 of 3 columns differ"
    )


def test_bars_add_up_to_all_records(baseline: Baseline) -> None:
    document = report_document(evaluation(baseline, drifted(baseline)))
    for column in document["columns"]:
        for side in ("baseline", "window"):
            assert sum(bar[side] for bar in column["bars"]) == pytest.approx(1.0, abs=1e-4)
    assert sum(bar["window"] for bar in document["predictions"][0]["bars"]) == pytest.approx(1.0)


def test_predictions_that_are_words_are_counted(baseline: Baseline) -> None:
    lines = [
        capture_line(row, prediction="yes" if i % 4 else "no")
        for i, row in enumerate(rows_of(400, 2))
    ]
    document = report_document(evaluation(baseline, profile_of(baseline, lines)))
    (prediction,) = document["predictions"]
    assert prediction["bars"] == [
        {"label": "yes", "window": 0.75},
        {"label": "no", "window": 0.25},
    ]


def test_the_page_says_what_is_watched_and_sorts_findings_by_it(baseline: Baseline) -> None:
    document = report_document(evaluation(baseline, drifted(baseline)))
    sentence = "Data capture went from 100 % to 20 % of the requests."
    other = document["findings"][0] | {"kind": "heartbeat", "sentence": sentence, "p_value": None}
    state = {
        "endpoint_status": "InService",
        "capture_enabled": True,
        "sampling_percentage": 20,
        "last_looked": None,
        "faults": ["sampling-changed"],
    }
    watched = document | {"findings": [*document["findings"], other], "heartbeat": state}
    text = " ".join(read(report_page(watched)).text)
    assert f"Columns: {len(document['findings'])}" in text
    assert "Data capture: 1" in text
    assert "Bias:" not in text
    assert text.index("income") < text.index(sentence)
    assert "its data capture on, 20 % of the requests" in text
