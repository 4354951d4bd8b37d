"""Evidence adds up: drift that no single window proves is found, and quiet traffic is quiet."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import numpy as np
import pytest

from mlops_framework.contracts.events import DriftDetail
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.evidence import evidence
from mlops_framework.drift.policy import Policy
from mlops_framework.drift.slow_drift import judge_sequence
from mlops_framework.drift.slow_drift_watch import SlowDriftWatcher
from mlops_framework.drift.statistics.e_detector import RATES, detect, standing
from mlops_framework.drift.windows import moment
from tests.unit.drift.conftest import profile_of_rows, rows_of
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

POLICY = Policy(effect_threshold=0.02, minimum_records=100)
SEQUENCE = f"drift/{NAME}/sequence.json"


def day_and_hour(number: int) -> str:
    return f"2026-03-{number // 24 + 1:02d}T{number % 24:02d}"


@pytest.fixture
def world() -> World:
    """A monitor of thin traffic that adds windows up."""
    world = World(replace(CONFIG, slow_drift=True, minimum_records=100, effect_threshold=0.02))
    world.drift = replace(world.drift, watchers=(SlowDriftWatcher(world.bucket),))
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T00:00:00Z")
    return world


def hours(world: World, first: int, last: int, **kwargs: float) -> list[str]:
    """Traffic and evaluation of some hours; the verdicts of their windows."""
    found = []
    for number in range(first, last):
        hour = day_and_hour(number)
        world.capture(f"{hour}:05:00Z", rows_of(120, 100 + number, **kwargs))
        found += world.evaluate(f"{day_and_hour(number + 1)}:15:00Z")
    return [verdict for _, verdict in found]


def test_the_detector_is_the_sum_of_all_bets_begun_so_far() -> None:
    scores = np.random.default_rng(1).normal(0.3, 1, (40, 3))
    found = detect(scores)
    for column in range(3):
        sums = []
        for rate in RATES:
            total = 0.0
            for score in scores[:, column]:
                total = (total + 1) * math.exp(rate * score - rate**2 / 2)
            sums.append(total)
        assert found.log_evidence[-1, column] == pytest.approx(math.log(sum(sums) / len(sums)))


def test_a_window_that_says_nothing_leaves_the_evidence_as_it_is() -> None:
    scores = np.array([[1.0], [np.nan], [2.0]])
    assert detect(scores).log_evidence[-1] == detect(scores[[0, 2]]).log_evidence[-1]
    assert (detect(np.full((2, 1), np.nan)).log_evidence == -math.inf).all()


def test_without_a_change_evidence_grows_by_at_most_one_a_window() -> None:
    windows, detectors, limit = 100, 4000, 1000.0
    scores = np.random.default_rng(2).normal(0, 1, (windows, detectors))
    reached = (detect(scores).log_evidence > math.log(limit)).any(axis=0)
    # The chance to be at the limit in any of the windows is at most windows / limit.
    assert reached.mean() < windows / limit


def test_an_alarm_stands_until_half_of_the_evidence_is_gone() -> None:
    evidence = np.array([[1.0, 9.0], [11.0, 9.0], [6.0, 9.0]])
    assert standing(evidence, 10.0).tolist() == [True, False]
    assert standing(np.append(evidence, [[4.0, 9.0]], axis=0), 10.0).tolist() == [False, False]


def test_the_beginning_of_a_change_is_found() -> None:
    scores = np.random.default_rng(3).normal(-0.5, 1, (60, 50))
    scores[40:] += 2.5
    assert np.median(np.abs(detect(scores).since - 40)) <= 1


def test_quiet_traffic_stays_quiet_for_days(baseline: Baseline) -> None:
    windows = {
        moment(f"{day_and_hour(number)}:00:00Z"): evidence(
            baseline, profile_of_rows(baseline, rows_of(120, 500 + number))
        )
        for number in range(72)
    }
    judged = judge_sequence(baseline, windows, POLICY)
    assert (judged.drifts, judged.windows) == ((), 72)
    assert judged.strongest < judged.limit - 5


def test_thin_traffic_that_drifts_a_little_is_found_after_some_hours(world: World) -> None:
    before = hours(world, 0, 12)
    assert set(before) == {"healthy"}
    verdicts = hours(world, 12, 40, shift=2.5)
    at = verdicts.index("drift")
    assert 2 <= at <= 20
    assert verdicts[at:] == ["drift"] * len(verdicts[at:])
    subjects = [subject for subject, _ in world.publisher.alerts]
    assert subjects[0] == f"[mlops-test] Slow drift on {NAME}: income"
    text = world.publisher.alerts[0][1]
    assert "Values of income are higher than in the training data" in text
    assert "this window does not prove it by itself" in text
    detail = next(d for kind, d in world.publisher.events if kind == "Drift Detected")
    assert detail["sections"]["slow-drift"] == {"verdict": "drift", "features": ["income"]}
    DriftDetail.model_validate(detail)
    path = detail["report"]["json_key"].removeprefix(f"drift/{NAME}/")
    (drift,) = world.document(path)["slow_drift"]["drifts"]
    assert drift["side"] == "location"
    assert abs((moment(drift["since"]) - moment("2026-03-01T12:00:00Z")).total_seconds()) <= 10800
    page = world.bucket.objects[BUCKET, detail["report"]["html_key"]]
    assert "<h2>Slow drift</h2>" in page


def test_a_late_object_replaces_what_its_window_said(world: World) -> None:
    hours(world, 0, 4)
    said = json.loads(world.bucket.objects[BUCKET, SEQUENCE])
    world.capture("2026-03-01T02:50:00Z", rows_of(50, 9), name="late")
    world.evaluate("2026-03-01T04:20:00Z")
    now = json.loads(world.bucket.objects[BUCKET, SEQUENCE])
    column = now["traits"].index("location:0:income")
    records = {start: row[column][1] for start, row in now["windows"].items()}
    assert list(records.values()) == [120, 120, 170, 120]
    assert now["windows"].keys() == said["windows"].keys()


def test_a_new_baseline_begins_anew(world: World) -> None:
    hours(world, 0, 4)
    key = CONFIG.baseline_data.removeprefix(f"s3://{BUCKET}/")
    lines = world.bucket.objects[BUCKET, key].splitlines(keepends=True)
    world.bucket.objects[BUCKET, key] = "".join(lines[:2000])
    world.drift.build_baseline(NAME)
    hours(world, 4, 5)
    assert len(json.loads(world.bucket.objects[BUCKET, SEQUENCE])["windows"]) == 1


def test_a_monitor_that_does_not_ask_for_it_keeps_nothing(world: World) -> None:
    plain = World(CONFIG)
    plain.drift = replace(plain.drift, watchers=(SlowDriftWatcher(plain.bucket),))
    plain.drift.build_baseline(NAME)
    plain.evaluate("2026-03-01T00:00:00Z")
    plain.capture("2026-03-01T01:05:00Z", rows_of(500, 2))
    plain.evaluate("2026-03-01T02:15:00Z")
    assert (BUCKET, SEQUENCE) not in plain.bucket.objects
    assert "slow_drift" not in plain.document("reports/2026/03/01/0100/report.json")


def test_silence_is_not_covered_up_by_drift_that_was_there_before(world: World) -> None:
    hours(world, 0, 12)
    assert hours(world, 12, 40, shift=2.5)[-1] == "drift"
    assert world.evaluate("2026-03-02T18:15:00Z")[-1] == ("17:00", "no-data")
    report = world.document("reports/2026/03/02/1700/report.json")
    assert [finding["kind"] for finding in report["findings"]] == ["data-quality"]
    assert report["slow_drift"]["drifts"]


def test_hours_that_went_wrong_are_not_held_against_the_good_ones_after_them(world: World) -> None:
    assert set(hours(world, 0, 12)) == {"healthy"}
    assert hours(world, 12, 14, shift=15) == ["drift"] * 2
    assert hours(world, 14, 24) == ["healthy"] * 10
    assert hours(world, 24, 30, shift=15) == ["drift"] * 6
    # Thin traffic needs hours to say that it is well again, too, but no days.
    assert hours(world, 30, 48)[10:] == ["healthy"] * 8
