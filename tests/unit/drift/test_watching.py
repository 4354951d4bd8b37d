"""What a watcher adds to a window: a section, its share of the verdict, news that re-open it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from mlops_framework.contracts.events import DriftDetail
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.sections import Section
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.watching import ReportFile, Scene
from mlops_framework.drift.windows import Window
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import CONFIG, LIKE, NAME, UNLIKE, World


@dataclass
class Scores:
    """A watcher of something that is as bad as the test says, by window; silent otherwise."""

    found: dict[str, float] = field(default_factory=dict)
    days: int = 3

    def reach(self, config: MonitorConfig) -> timedelta:
        return timedelta(days=self.days)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        known = {w: self.found[w.path] for w in profiles if w.path in self.found}
        return {window: str(p_value) for window, p_value in known.items()}

    def look(self, scene: Scene) -> Score | None:
        return Score(float(scene.news)) if scene.news else None


@dataclass(frozen=True)
class Score:
    p_value: float

    @property
    def claims(self) -> Sequence[Claim]:
        outcome = Outcome(0.0, self.p_value, 0.2)
        return [Claim("model-quality", "accuracy", "rate", outcome, 0.05)]

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        (one,) = judged
        sentence = "Accuracy fell."
        finding = Finding(
            "accuracy", "metric", "rate", 0.2, self.p_value, one.q_value, sentence, "model-quality"
        )
        return Section(
            kind="model-quality",
            verdict="drift" if one.breached else "healthy",
            features=("accuracy",) if one.breached else (),
            findings=(finding,) if one.breached else (),
            alarm="Model quality dropped on employment-dev",
            recovered="Model quality of employment-dev is back to normal",
            metrics={"Accuracy": 0.7},
        )


@dataclass(frozen=True)
class Notes:
    """Writes a file beside each report."""

    def files(self, evaluation: Evaluation, report: Mapping[str, Any]) -> Sequence[ReportFile]:
        return [ReportFile("note.txt", str(report["verdict"]), "text/plain")]


@pytest.fixture
def scores() -> Scores:
    return Scores()


@pytest.fixture
def world(scores: Scores) -> World:
    world = World()
    world.drift = replace(world.drift, watchers=(scores,), filers=(Notes(),))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    return world


def test_news_of_a_window_re_open_it_and_its_section_can_make_it_drift(
    world: World, scores: Scores
) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    scores.found["2026/03/01/1400"] = 1e-9
    assert world.evaluate("2026-03-03T09:15:00Z") == [("14:00", "drift"), ("08:00", "no-data")]
    assert world.evaluate("2026-03-03T09:16:00Z") == []
    report = world.document("reports/2026/03/01/1400/report.json")
    assert (report["verdict"], report["features"]) == ("drift", [])
    assert report["findings"][0]["kind"] == "model-quality"
    assert "Accuracy fell." in report["summary"]
    subjects = [subject for subject, _ in world.publisher.alerts]
    assert subjects[0] == "[mlops-test] Model quality dropped on employment-dev"
    detected = next(d for t, d in world.publisher.events if t == "Drift Detected")
    assert detected["sections"] == {"model-quality": {"verdict": "drift", "features": ["accuracy"]}}
    DriftDetail.model_validate(detected)
    assert detected["retraining"]["requested"]


def test_without_news_windows_older_than_a_day_are_left_in_peace(
    world: World, scores: Scores
) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.capture("2026-03-01T15:05:00Z", LIKE)
    scores.found["2026/03/01/1400"] = 0.5
    judged = world.evaluate("2026-03-03T09:15:00Z")
    assert judged == [("14:00", "healthy"), ("08:00", "no-data")]


def test_people_are_told_once_of_a_drop_that_goes_through_many_late_windows(
    world: World, scores: Scores
) -> None:
    for hour in range(13, 20):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    for hour in range(14, 18):
        scores.found[f"2026/03/01/{hour}00"] = 1e-9
    assert len(world.evaluate("2026-03-01T20:16:00Z")) == 4
    assert len(world.publisher.alerts) == 1
    scores.found["2026/03/01/1800"] = 0.5
    world.evaluate("2026-03-01T20:17:00Z")
    subject, text = world.publisher.alerts[-1]
    assert subject == "[mlops-test] Model quality of employment-dev is back to normal"
    assert "Report: s3://" in text


def test_news_of_earlier_windows_repeat_nothing_that_people_know(
    world: World, scores: Scores
) -> None:
    for hour in range(13, 17):
        world.capture(f"2026-03-01T{hour}:05:00Z", LIKE)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    for hour in (16, 15, 14):
        scores.found[f"2026/03/01/{hour}00"] = 1e-9
        assert world.evaluate("2026-03-01T17:16:00Z") == [(f"{hour}:00", "drift")]
    assert len(world.publisher.alerts) == 1


def test_a_section_neither_hides_drift_of_columns_nor_is_hidden_by_it(
    world: World, scores: Scores
) -> None:
    scores.found["2026/03/01/1400"] = 1e-9
    world.capture("2026-03-01T14:05:00Z", UNLIKE)
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "drift")]
    subjects = [subject for subject, _ in world.publisher.alerts]
    assert subjects == [
        "[mlops-test] Drift on employment-dev: income",
        "[mlops-test] Model quality dropped on employment-dev",
    ]
    assert "Accuracy" not in world.publisher.alerts[0][1]
    assert world.metrics.values[-1][1]["Accuracy"] == 0.7


def test_a_claim_is_weighed_among_all_tests_of_the_window(world: World, scores: Scores) -> None:
    """Significant by itself (0.0005 < 0.001), and not among some fifteen tests."""
    scores.found["2026/03/01/1400"] = 0.0005
    world.capture("2026-03-01T14:05:00Z", rows_of(500, 2))
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "healthy")]


def test_too_little_traffic_to_compare_columns_still_has_its_section(
    world: World, scores: Scores
) -> None:
    scores.found["2026/03/01/1400"] = 1e-9
    world.capture("2026-03-01T14:05:00Z", LIKE[:50])
    assert world.evaluate("2026-03-01T15:15:00Z") == [("14:00", "drift")]


def test_further_files_lie_beside_the_report(world: World) -> None:
    world.capture("2026-03-01T14:05:00Z", LIKE)
    world.evaluate("2026-03-01T15:15:00Z")
    key = f"drift/{NAME}/reports/2026/03/01/1400/note.txt"
    assert world.bucket.objects["mlops-test-data", key] == "healthy"


def test_a_report_shows_how_the_windows_before_it_went(world: World, scores: Scores) -> None:
    for hour, rows in ((13, LIKE), (14, UNLIKE), (15, LIKE)):
        world.capture(f"2026-03-01T{hour}:05:00Z", rows)
        world.evaluate(f"2026-03-01T{hour + 1}:15:00Z")
    report = world.document("reports/2026/03/01/1500/report.json")
    assert [(one["start"][11:13], one["verdict"], one["columns"]) for one in report["recent"]] == [
        ("13", "healthy", 0),
        ("14", "drift", 1),
    ]
    page = world.bucket.objects[
        CONFIG.data_bucket, f"drift/{NAME}/reports/2026/03/01/1500/report.html"
    ]
    assert "1 of the last 3 windows drifted" in page
    first = world.document("reports/2026/03/01/1300/report.json")
    assert "recent" not in first
