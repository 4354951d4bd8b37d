"""Attributions of windows of captured traffic: found in the answers, or asked of the endpoint."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import jsonschema
import numpy as np
import pytest

from mlops_framework.drift.attribution.explaining import PredictionRefused, typical_row
from mlops_framework.drift.attribution.kernel_shap import Row
from mlops_framework.drift.attribution.own_calls import PREFIX
from mlops_framework.drift.attribution.sampled_rows import SampledRows
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.attribution.watcher import AttributionWatcher
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.report_attribution import attribution_page
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.sums import Floats
from mlops_framework.testing.drift import InMemoryMonitors, capture_line
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_report import SCHEMA, read
from tests.unit.drift.test_service import CONFIG, NAME, World


def by_income(rows: Sequence[Row]) -> list[float]:
    return [float(row[0]) / 40 + 0.1 * float(row[1]) for row in rows]


def by_children(rows: Sequence[Row]) -> list[float]:
    return [3 * float(row[1]) + (1 if row[2] == "green" else 0) for row in rows]


@dataclass
class Model:
    """An endpoint that answers at once, and counts."""

    function: Callable[[Sequence[Row]], list[float]] = by_income
    calls: int = 0
    asked: int = 0
    refuses: str = ""
    seconds: float = 0.0
    now: float = 0.0
    columns: list[tuple[str, ...]] = field(default_factory=list)

    def predict(self, config: MonitorConfig, rows: Sequence[Row], columns: Sequence[str]) -> Floats:
        if self.refuses:
            raise PredictionRefused(self.refuses)
        self.calls, self.asked, self.now = (
            self.calls + 1,
            self.asked + len(rows),
            self.now + self.seconds,
        )
        self.columns.append(tuple(columns))
        return np.array(self.function(rows))


def world_of(model: Model | None, **members: Any) -> World:
    settings = AttributionSettings.from_document(members)
    world = World(replace(CONFIG, attribution=settings))
    watcher = AttributionWatcher(world.bucket, model, lambda: model.now if model else 0.0)
    world.drift = replace(world.drift, watchers=(watcher,))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T08:00:00Z")
    return world


def hour_of(
    world: World, hour: int, answer: Callable[[int], object] = lambda place: 0.5, rows: int = 300
) -> Any:
    """An hour's traffic, judged; the report's section."""
    time = f"2026-03-01T{hour:02}:05:00Z"
    lines = []
    for place, row in enumerate(rows_of(rows, hour)):
        line = json.loads(capture_line(row, answer(place), time=time))
        line["eventMetadata"]["eventId"] = f"{hour}-{place}"
        lines.append(json.dumps(line))
    world.capture_lines(time, lines)
    world.evaluate(f"2026-03-01T{hour + 1:02}:15:00Z")
    report = world.document(f"reports/2026/03/01/{hour:02}00/report.json")
    jsonschema.validate(report, SCHEMA)
    assert attribution_page(report["attribution"]) in report_page(report)
    read(report_page(report))
    return report["attribution"]


OUTPUTS = {"income": "prediction.1", "children": "prediction.2", "colour": "prediction.3"}


def attributed(*sizes: float) -> Callable[[int], str]:
    draw = np.random.default_rng(1)

    def answer(place: int) -> str:
        return ",".join(map(str, [0.5, *(draw.normal(size=3) * sizes).round(4)]))

    return answer


def test_attributions_in_the_answers_are_compared_with_those_at_training_time() -> None:
    given = {"income": 0.8, "children": -0.3, "colour": 0.05}
    world = world_of(None, source="captured", outputs=OUTPUTS, baseline=given)
    same = hour_of(world, 8, attributed(0.8, 0.3, 0.05))
    assert same["ndcg"]["value"] == 1
    assert same["reference"] == "the request's baseline"
    assert [one["name"] for one in same["features"]] == ["income", "children", "colour"]
    other = hour_of(world, 9, attributed(0.05, 0.3, 0.8))
    assert other["ndcg"]["high"] < 0.9
    report = world.document("reports/2026/03/01/0900/report.json")
    assert report["verdict"] == "drift"
    finding = next(one for one in report["findings"] if one["kind"] == "attribution")
    assert (
        "weigh otherwise than in the request's baseline: colour (4.3 % before"
        in finding["sentence"]
    )
    assert world.publisher.alerts[-1][0].endswith("decides by other features than before")
    page = attribution_page(other)
    assert "NDCG 0." in page
    assert "<svg" in page


def test_without_a_baseline_the_first_window_is_what_later_ones_are_compared_with() -> None:
    world = world_of(None, source="captured", outputs=OUTPUTS)
    first = hour_of(world, 8, attributed(0.8, 0.3, 0.05))
    assert (first["reference"], first["ndcg"]) == (None, None)
    assert "nothing to compare them with yet" in attribution_page(first)
    second = hour_of(world, 9, attributed(0.8, 0.3, 0.05))
    assert second["reference"] == "the window that began 2026-03-01T08:00:00Z"
    assert second["ndcg"]["value"] == 1


def test_attributions_may_be_nested_where_the_request_says() -> None:
    paths = {name: f"explained[0].{name}" for name in ("income", "children", "colour")}
    given = {"income": 0.8, "children": 0.3, "colour": 0.05}
    named = {name: f"prediction.{name}" for name in given}
    world = world_of(None, source="captured", outputs=named, baseline=given)
    form = RecordForm.from_document({"output": {"columns": paths}})
    config = replace(world.config, records=form)
    world.drift = replace(world.drift, monitors=InMemoryMonitors({NAME: config}))
    time = "2026-03-01T08:05:00Z"
    lines = []
    for place, row in enumerate(rows_of(300, 8)):
        line = json.loads(capture_line(row, time=time))
        answer = {"score": 0.5, "explained": [{"income": 0.1, "children": 0.2, "colour": -0.9}]}
        line["captureData"]["endpointOutput"] |= {
            "data": json.dumps(answer),
            "encoding": "JSON",
            "observedContentType": "application/json",
        }
        line["eventMetadata"]["eventId"] = f"e{place}"
        lines.append(json.dumps(line))
    world.capture_lines(time, lines)
    world.evaluate("2026-03-01T09:15:00Z")
    found = world.document("reports/2026/03/01/0800/report.json")["attribution"]
    assert (found["rows"], found["left_out"]) == (300, 0)
    assert {one["name"]: one["window"] for one in found["features"]} == pytest.approx(
        {"income": 0.1, "children": 0.2, "colour": 0.9}
    )


def test_rows_without_attributions_are_counted_and_too_few_give_no_verdict() -> None:
    world = world_of(None, source="captured", outputs=OUTPUTS, minimum_rows=200)
    some = attributed(0.8, 0.3, 0.05)
    found = hour_of(world, 8, lambda place: some(place) if place % 2 else "0.5,,,")
    assert (found["rows"], found["left_out"]) == (150, 150)
    assert found["note"] == "150 rows have attributions; 200 needed."


def test_the_endpoint_is_asked_once_a_window_within_its_budget_and_drift_is_found() -> None:
    model = Model()
    world = world_of(model, source="endpoint", rows=40, samples=20)
    first = hour_of(world, 8)
    assert first["rows"] == 40
    assert first["endpoint"]["predictions"] == model.asked <= 40 * 21 + 1
    assert first["endpoint"]["calls"] == model.calls
    assert set(model.columns) == {("income", "children", "colour")}
    top = max(first["features"], key=lambda one: float(one["window"]))
    assert top["name"] == "income"
    assert hour_of(world, 9)["ndcg"]["value"] > 0.99
    asked, model.function = model.calls, by_children
    changed = hour_of(world, 10)
    assert changed["ndcg"]["high"] < 0.9
    assert model.calls > asked
    assert world.document("reports/2026/03/01/1000/report.json")["verdict"] == "drift"


def test_a_window_judged_again_is_not_asked_about_again_unless_its_sample_changed() -> None:
    model = Model()
    world = world_of(model, source="endpoint", rows=40, samples=20)
    first = hour_of(world, 8)
    asked = model.calls
    world.evaluate(since="2026-03-01T08:00:00Z", until="2026-03-01T09:00:00Z")
    assert model.calls == asked
    again = world.document("reports/2026/03/01/0800/report.json")["attribution"]
    assert again["endpoint"] == first["endpoint"]
    late = [capture_line(row, time="2026-03-01T08:09:00Z") for row in rows_of(200, 77)]
    lines = [line.replace("3f0c2a8e", f"{place:08x}") for place, line in enumerate(late)]
    world.capture_lines("2026-03-01T08:09:00Z", lines, name="late")
    world.evaluate("2026-03-01T09:30:00Z")
    assert model.calls > asked


@pytest.mark.parametrize("refusal", ["The endpoint is not in service.", "The model answered 400."])
def test_an_endpoint_that_does_not_answer_is_told_and_judges_nothing(refusal: str) -> None:
    world = world_of(Model(refuses=refusal), source="endpoint", rows=40, samples=20)
    found = hour_of(world, 8)
    assert found["ndcg"] is None
    assert found["note"] == f"0 rows have attributions; 30 needed. {refusal}"
    assert world.document("reports/2026/03/01/0800/report.json")["verdict"] == "healthy"


def test_the_time_set_aside_is_not_exceeded_by_more_than_a_call() -> None:
    model = Model(seconds=4)
    world = world_of(model, source="endpoint", rows=400, samples=50, seconds=10)
    found = hour_of(world, 8, rows=600)
    assert model.now <= 20
    assert 30 <= found["rows"] < 400
    assert "explained: the time set aside for it was over." in found["note"]


def test_the_time_is_shared_by_the_windows_of_an_evaluation() -> None:
    model = Model(seconds=4)
    world = world_of(model, source="endpoint", rows=40, samples=20, seconds=10)
    for hour in (8, 9, 10, 11):
        hour_of(world, hour)
    model.seconds, model.function = 9, by_children
    for hour in (8, 9, 10, 11):  # late captures: all four are judged, and asked about, again
        late = [capture_line(row, time=f"2026-03-01T{hour:02}:09:00Z") for row in rows_of(90, hour)]
        lines = [line.replace("3f0c2a8e", f"{place:08x}") for place, line in enumerate(late)]
        world.capture_lines(f"2026-03-01T{hour:02}:09:00Z", lines, name="late")
    before = model.now
    world.evaluate("2026-03-01T13:15:00Z")
    assert model.now - before <= 10 + 9
    notes = [
        world.document(f"reports/2026/03/01/{hour:02}00/report.json")["attribution"]["note"]
        for hour in (8, 9, 10, 11)
    ]
    assert any("Nothing was asked: the time set aside for it was over." in note for note in notes)


def test_nobody_is_asked_before_the_window_is_complete() -> None:
    model = Model()
    world = world_of(model, source="endpoint", rows=40, samples=20)
    world.capture("2026-03-01T08:05:00Z", rows_of(300, 8))
    world.evaluate("2026-03-01T08:20:00Z")
    found = world.document("reports/2026/03/01/0800/report.json")["attribution"]
    assert found["note"] == "The endpoint is asked when the window is complete."
    assert model.calls == 0


def test_calls_of_the_monitor_itself_are_counted_and_are_no_traffic() -> None:
    world = world_of(Model(), source="endpoint", rows=40, samples=20)
    time = "2026-03-01T08:05:00Z"
    lines = []
    for place, row in enumerate(rows_of(300, 8)):
        line = json.loads(capture_line(row, time=time))
        if place % 3 == 0:
            line["eventMetadata"]["inferenceId"] = f"{PREFIX}{place}"
        lines.append(json.dumps(line))
    profiled = world.capture_lines(time, lines)
    assert (profiled.rows, profiled.left_out, profiled.own_calls) == (200, 0, 100)
    assert (NAME, {"OwnCallsLeftOut": 100.0}) in world.metrics.values


def test_the_row_that_stands_for_unknown_features_is_typical() -> None:
    known = world_of(Model(), source="endpoint").drift.build_baseline(NAME)
    income, children, colour = typical_row(known)
    assert float(income) == pytest.approx(40, abs=1)
    assert (children, colour) == ("1", "green")


def test_samples_merge_to_the_same_rows_in_any_order() -> None:
    def part(names: str) -> SampledRows:
        found = SampledRows(3)
        for name in names:
            one = SampledRows(3, 1, ((ord(name) * 7919 % 101, name, (name, "1")),))
            found = found.merged(one)
        return found

    whole = part("abcdefgh")
    assert part("hgf").merged(part("dca")).merged(part("be")) == whole
    assert whole.seen == 8
    assert len(whole.rows) == 3
    stored = SampledRows(3, 1, SampledRows.from_document(whole.to_document(), "x").rows)
    assert [row[1:] for row in stored.rows] == [row[1:] for row in whole.rows]


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({}, "source is missing; accepted is captured or endpoint"),
        ({"source": "x"}, "source is 'x'; accepted is captured or endpoint"),
        ({"source": "captured"}, "outputs is missing: name the response column"),
        ({"source": "endpoint", "outputs": OUTPUTS}, "outputs is for source captured"),
        ({"source": "endpoint", "rows": 1000, "samples": 5000}, "rows x samples is 5,000,000"),
        ({"source": "endpoint", "minimum_rows": 60}, "only 50 rows are explained"),
        ({"source": "endpoint", "seconds": 600}, "accepted is a whole number from 1 to 60"),
        ({"source": "captured", "outputs": OUTPUTS, "baseline": {"a": 1}}, "other features"),
        ({"source": "endpoint", "baseline": {"a": "x"}}, "baseline.a is 'x'; accepted is a number"),
        ({"source": "endpoint", "content_type": "x"}, "content_type is 'x'"),
        ({"source": "endpoint", "alpha": 1}, "alpha is not known; accepted are baseline"),
    ],
)
def test_settings_that_cannot_be_are_refused(document: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        AttributionSettings.from_document(document)
