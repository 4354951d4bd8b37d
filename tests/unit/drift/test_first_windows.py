"""Without times in the baseline, how ordinary windows differ is learnt from the first ones."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta

import numpy as np
import pytest

from mlops_framework.drift import first_windows
from mlops_framework.drift.ageing import age_of
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.first_windows import FEWEST_GROUPS, GROUP, MOST, FirstWindows
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.tally import counted
from mlops_framework.drift.thresholds import Thresholds
from mlops_framework.drift.values import Numbers, Texts, Values
from mlops_framework.drift.windows import Task, Window, moment
from mlops_framework.testing.drift import MONITOR, InMemoryBucket
from tests.unit.drift.conftest import rows_of
from tests.unit.drift.test_service import NAME, World

FIRST = moment("2026-03-02T00:00:00Z")
CONFIG = replace(MONITOR, effect_threshold=0.02)
POLICY = Policy.of(CONFIG)
KEY = f"drift/{CONFIG.name}/kept/ordinary/windows.json"
LEARNT = GROUP * FEWEST_GROUPS


def rows(source: np.random.Generator, count: int, moved: np.ndarray) -> dict[str, Values]:
    """Five columns of numbers, and one of texts; ``moved`` in standard deviations."""
    columns: dict[str, Values] = {
        f"x{place}": Numbers(source.normal(moved[place], 1.0, count)) for place in range(5)
    }
    is_a = source.random(count) < 1 / (1 + np.exp(-2 * moved[5]))
    return columns | {"g": Texts(np.where(is_a, 0, 1), ("a", "b"))}


@pytest.fixture(scope="module")
def baseline() -> Baseline:
    columns = rows(np.random.default_rng(1), 20_000, np.zeros(6))
    return Baseline.of_columns(columns, source="rows of no time")


class Endpoint:
    """An endpoint whose hours differ, watched from its first one on."""

    def __init__(self, baseline: Baseline, seed: int, wobble: float = 0.05) -> None:
        self.baseline, self.bucket = baseline, InMemoryBucket()
        self.source, self.wobble = np.random.default_rng(seed), wobble
        self.hour = 0

    def profile(self, shift: float = 0.0, count: int = 2000) -> Profile:
        """The profile of an hour; ``shift`` moves the first column."""
        moved = self.source.normal(0, self.wobble, 6)
        moved[0] += shift
        columns = rows(self.source, count, moved)
        counts = (counted(one.spec, columns[one.spec.name]) for one in self.baseline.columns)
        return Profile(self.baseline.id, tuple(counts))

    def next(self, shift: float = 0.0) -> tuple[Baseline, Profile]:
        """What the next hour is judged by, and its profile."""
        task, profile = self.task(self.hour), self.profile(shift)
        self.hour += 1
        known = first_windows.learnt(self.bucket, CONFIG, self.baseline, task, profile)
        return known, profile

    def hours(self, number: int, shift: float = 0.0) -> list[bool]:
        """Whether the first column's drift was found in each of the next hours."""
        found = (judge(*self.next(shift), POLICY) for _ in range(number))
        return ["x0" in {test.column for test in judgement.breaches} for judgement in found]

    @staticmethod
    def task(hour: int, *, complete: bool = True) -> Task:
        start = FIRST + timedelta(hours=hour)
        return Task(Window(start, start + timedelta(hours=1)), ("a",), complete)

    def starts(self) -> Sequence[datetime]:
        document, _ = self.bucket.read_state(CONFIG.data_bucket, KEY)
        return [moment(start) for start in (document or {"windows": []})["windows"]]


def test_hours_that_always_differed_alarm_no_more_and_drift_does(baseline: Baseline) -> None:
    endpoint = Endpoint(baseline, 1)
    endpoint.hours(LEARNT + 8)

    ordinary = [endpoint.next() for _ in range(40)]
    quarter, half = endpoint.hours(12, shift=0.25), endpoint.hours(6, shift=0.5)

    alone = [judge(baseline, profile, POLICY).verdict for _, profile in ordinary]
    learnt = [judge(known, profile, POLICY).verdict for known, profile in ordinary]
    assert alone.count("drift") > 12
    assert learnt.count("drift") <= 1
    assert any(quarter[:6])
    assert sum(quarter) >= 3, "by single hours; evidence over hours adds up besides (slow_drift)"
    assert all(half)


def test_hours_are_calm_whatever_single_columns_are_held_to(baseline: Baseline) -> None:
    """A column's own limit of 0.02 is as fine as a monitor's."""
    limits = [{"column": "*", "share": 0.02}, {"column": "g", "test": "missing", "share": 0.3}]
    held = replace(MONITOR, thresholds=Thresholds.from_document(limits))
    endpoint = Endpoint(baseline, 1, wobble=0.08)
    alarms = 0
    for hour in range(12):
        profile = endpoint.profile()
        alarms += judge(baseline, profile, Policy.of(held)).verdict == "drift"
        first_windows.learnt(endpoint.bucket, held, baseline, endpoint.task(hour), profile)

    assert alarms > 3
    assert len(endpoint.starts()) == 12


def test_where_hours_are_alike_nothing_is_lost(baseline: Baseline) -> None:
    endpoint = Endpoint(baseline, 2, wobble=0.0)
    endpoint.hours(LEARNT + 4)

    assert sum(endpoint.hours(10, shift=0.2)) >= 9


def test_drift_from_the_first_hour_on_is_never_taken_for_ordinary(baseline: Baseline) -> None:
    endpoint = Endpoint(baseline, 3, wobble=0.02)

    found = endpoint.hours(LEARNT + 20, shift=0.18)

    assert len(endpoint.starts()) > LEARNT, "less than a tenth moved: they are calm"
    assert sum(found[-20:]) >= 18


@pytest.mark.parametrize("at", [12, 40])
def test_a_step_while_hours_are_learnt_from_stays_drift(baseline: Baseline, at: int) -> None:
    endpoint = Endpoint(baseline, 4, wobble=0.02)

    before, after = endpoint.hours(at), endpoint.hours(LEARNT + 20 - at, shift=0.2)

    assert not any(before)
    assert len(endpoint.starts()) > LEARNT
    assert sum(after[-20:]) >= 18


def test_only_the_first_calm_complete_windows_are_kept(baseline: Baseline) -> None:
    endpoint = Endpoint(baseline, 5)
    endpoint.hours(4)
    endpoint.hours(3, shift=1.0)
    thin, whole = endpoint.profile(count=100), endpoint.profile()
    for task, profile in ((endpoint.task(8), thin), (endpoint.task(9, complete=False), whole)):
        first_windows.learnt(endpoint.bucket, CONFIG, baseline, task, profile)

    assert endpoint.starts() == [FIRST + timedelta(hours=hour) for hour in range(4)]

    moved = endpoint.profile(shift=1.0)  # late captures make another window of the second hour
    first_windows.learnt(endpoint.bucket, CONFIG, baseline, endpoint.task(1), moved)
    assert endpoint.starts() == [FIRST + timedelta(hours=hour) for hour in (0, 2, 3)]


def test_no_more_than_a_week_of_hours_is_kept_and_the_earliest_of_all(baseline: Baseline) -> None:
    source = np.random.default_rng(6)
    known = FirstWindows.none(baseline)
    tables = tuple(source.integers(0, 9, (MOST, table.shape[1])) for table in known.tables)
    known = replace(
        known, starts=tuple(FIRST + timedelta(hours=n) for n in range(MOST)), tables=tables
    )
    profile = Endpoint(baseline, 6).profile()

    earlier = known.with_window(FIRST - timedelta(hours=1), profile)

    assert known.with_window(FIRST + timedelta(days=9), profile) is known
    assert earlier.with_window(FIRST - timedelta(hours=1), profile) is earlier
    assert len(earlier.starts) == MOST
    assert earlier.starts[0] == FIRST - timedelta(hours=1)
    assert earlier.tables[0][1:].tolist() == tables[0][:-1].tolist()
    assert earlier.tables[0][0].sum() == 2000
    document = json.loads(json.dumps(earlier.to_document()))
    again = FirstWindows.from_document(document, baseline, "a file")
    assert json.dumps(again.to_document()) == json.dumps(earlier.to_document())
    moved = replace(baseline, columns=baseline.columns[1:])
    assert FirstWindows.from_document(document, moved, "a file").starts == ()


def test_a_window_is_judged_by_those_before_it(baseline: Baseline) -> None:
    endpoint = Endpoint(baseline, 7)
    endpoint.hours(LEARNT + 10)
    document, _ = endpoint.bucket.read_state(CONFIG.data_bucket, KEY)
    known = FirstWindows.from_document(document, baseline, KEY)

    assert known.learnt(known.starts[LEARNT - 1]) is baseline
    between = known.learnt(known.starts[LEARNT]).columns[0].between
    assert between is not None
    assert between.hours == LEARNT - FEWEST_GROUPS + 1
    # A wobble of 0.05 standard deviations moves the mean midrank by about 0.05 / (2 sqrt(pi)).
    assert between.location == pytest.approx((0.05 * 0.2821) ** 2, rel=0.6)


def test_a_baseline_that_knows_its_hours_is_taken_as_it_is() -> None:
    source = np.random.default_rng(8)
    columns, hours = rows(source, 4000, np.zeros(6)), np.arange(4000) // 100
    timed = Baseline.of_columns(columns, hours=hours, source="hours")
    endpoint = Endpoint(timed, 8)

    known = first_windows.learnt(
        endpoint.bucket, CONFIG, timed, endpoint.task(0), endpoint.profile()
    )

    assert known is timed
    assert endpoint.starts() == []


def test_a_monitor_keeps_its_first_windows_from_its_first_evaluation_on() -> None:
    world = World()
    world.drift.build_baseline(NAME)
    world.evaluate("2026-03-01T12:00:00Z")
    world.capture("2026-03-01T14:05:00Z", rows_of(500, 2))
    world.evaluate("2026-03-01T15:15:00Z")

    assert world.document("kept/ordinary/windows.json")["windows"] == ["2026-03-01T14:00:00Z"]
    assert age_of(f"drift/{NAME}/kept/ordinary/windows.json") is None, "it is kept for good"
