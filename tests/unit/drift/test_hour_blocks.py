"""The baseline keeps what every hour counted, and windows of any length are held against that."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift import hour_blocks
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.hour_blocks import MOST_COUNTS, HourBlocks, by_hour, hour_of
from mlops_framework.drift.packed_counts import packed, unpacked
from mlops_framework.drift.policy import Judgement, Policy, judge
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.tally import cells_of, counted
from mlops_framework.drift.training_tables import csv_parts
from mlops_framework.drift.values import Numbers, Texts, Values, texts_of
from mlops_framework.drift.windows import Window
from tests.unit.drift.test_service import BUCKET, CONFIG, NAME, World

MONDAY = datetime(2026, 3, 2, tzinfo=UTC)
FIRST = hour_of(MONDAY)
POLICY = Policy(effect_threshold=0.02, minimum_records=30)


def traffic(
    hours: Sequence[int], seed: int, *, shift: float = 0.0, rows: int = 100, rhythm: float = 0.5
) -> tuple[dict[str, Values], np.ndarray]:
    """Rows of two columns; nights and days differ by ``rhythm``, hours by a little more."""
    source = np.random.default_rng(seed)
    of_rows = np.repeat(np.asarray(hours), rows)
    wave = rhythm * np.sin(np.arange(24) / 24 * 2 * np.pi)
    own = {hour: wave[hour % 24] + source.normal(0, 0.05) for hour in hours}
    middle = np.array([own[hour] for hour in hours]).repeat(rows)
    is_a = source.random(len(middle)) < 0.5 + middle / 5
    columns: dict[str, Values] = {
        "x": Numbers(source.normal(middle + shift, 1.0)),
        "g": Texts(np.where(is_a, 0, 1), ("a", "b")),
    }
    return columns, of_rows


def four_weeks(rows: int = 100) -> Baseline:
    columns, hours = traffic(range(FIRST, FIRST + 28 * 24), 1, rows=rows)
    return Baseline.of_columns(columns, hours=hours, source="four weeks")


def window_of(baseline: Baseline, columns: dict[str, Values]) -> Profile:
    counts = (counted(column.spec, columns[column.spec.name]) for column in baseline.columns)
    return Profile(baseline.id, tuple(counts))


def judged(baseline: Baseline, start: int, hours: int, seed: int, shift: float = 0.0) -> Judgement:
    columns, _ = traffic(range(start, start + hours), seed, shift=shift)
    return judge(baseline, window_of(baseline, columns), Policy(effect_threshold=0.02))


def test_a_window_is_held_against_windows_of_its_own_length() -> None:
    hourly = four_weeks()
    daily = hourly.at_windows(1440)
    days = range(FIRST + 28 * 24, FIRST + 42 * 24, 24)

    quiet = [judged(daily, day, 24, day).verdict for day in days]
    moved = [judged(daily, day, 24, day, shift=0.25).verdict for day in days]
    unnoticed = [judged(hourly, day, 24, day, shift=0.25).verdict for day in days]

    assert set(quiet) == {"healthy"}
    assert set(moved) == {"drift"}, "days are alike, so a day that differs by 0.25 sd is found"
    assert "healthy" in unnoticed, "hours are not: nights and days hide it"


def test_longer_windows_differ_less_and_hours_are_as_they_were() -> None:
    baseline = four_weeks()

    between = [baseline.at_windows(minutes).columns[0].between for minutes in (60, 360, 1440)]

    hour, quarter, day = (found for found in between if found)
    assert (hour.hours, quarter.hours, day.hours) == (28 * 24, 28 * 4, 28)
    assert hour.location > quarter.location > 20 * day.location
    assert hour == baseline.columns[0].between
    assert baseline.at_windows(30) is baseline


def test_of_too_few_days_the_longest_part_of_a_day_is_taken() -> None:
    columns, hours = traffic(range(FIRST, FIRST + 7 * 24), 1)
    week = Baseline.of_columns(columns, hours=hours, source="a week").at_windows(1440)

    between = week.columns[0].between

    assert between is not None
    assert between.hours == 14, "half days: there are not eight whole ones"


def test_a_day_that_is_hardly_known_is_no_day() -> None:
    columns, hours = traffic(range(FIRST - 2, FIRST + 20 * 24 + 3), 1)
    baseline = Baseline.of_columns(columns, hours=hours, source="x").at_windows(1440)

    assert baseline.columns[0].between is not None
    assert baseline.columns[0].between.hours == 20


@pytest.mark.parametrize("minutes", [60, 240, 300, 1440, 2880, 10080])
def test_hours_are_joined_as_the_windows_of_a_monitor_lie(minutes: int) -> None:
    hours = np.arange(FIRST, FIRST + 22 * 24)
    blocks = HourBlocks.fitting(hours, [1])
    windows: dict[datetime, int] = {}
    for number in range(len(hours)):
        start = Window.containing(MONDAY + timedelta(hours=number), minutes).start
        windows[start] = windows.get(start, 0) + 1

    joined = blocks.joined(np.ones((len(hours), 1), np.int64), minutes // 60)

    whole = [n for n in windows.values() if 2 * n >= np.median(list(windows.values()))]
    assert joined[:, 0].tolist() == whole


def test_a_stored_baseline_keeps_its_hours_and_one_of_an_earlier_release_has_none() -> None:
    baseline = four_weeks(rows=30)
    document = json.loads(json.dumps(baseline.to_document()))

    again = Baseline.from_document(document, "a file")
    assert again == baseline
    assert again.at_windows(1440) == baseline.at_windows(1440)

    del document["hour_blocks"]
    for column in document["columns"]:
        del column["by_block"]
    earlier = Baseline.from_document(document, "a file")
    assert earlier.id == baseline.id
    assert earlier.at_windows(1440).columns[0].between == baseline.columns[0].between


def test_damaged_hours_are_named() -> None:
    baseline = four_weeks(rows=30)
    columns = tuple(replace(column, by_block="/w==") for column in baseline.columns)

    with pytest.raises(DocumentInvalid, match="four weeks is damaged"):
        replace(baseline, columns=columns).at_windows(1440)


def test_hours_are_the_same_however_the_training_data_is_split_into_files() -> None:
    columns, hours = traffic(range(FIRST, FIRST + 40), 3, rows=25)
    numbers, letters = columns["x"], columns["g"]
    assert isinstance(numbers, Numbers)
    assert isinstance(letters, Texts)
    lines = [
        f"{x:.3f},{letters.distinct[g]},{hour * 3600}\n"
        for x, g, hour in zip(numbers.values, letters.indices, hours, strict=True)
    ]

    def built(*cuts: int, backwards: bool = False) -> str:
        ends = [0, *cuts, len(lines)]
        files = [lines[a:b] for a, b in pairwise(ends)]
        parts = [
            part
            for file in (reversed(files) if backwards else files)
            for part in csv_parts(["x,g,at\n", *file], "x.csv")
        ]
        found = Baseline.of_parts(parts, label_column="", time_column="at", source="x.csv")
        assert found.blocks is not None
        return json.dumps(found.to_document())

    assert built() == built(1, 500, 501) == built(333, 666, backwards=True)


def test_the_counts_of_all_hours_are_the_counts_of_the_column() -> None:
    baseline = four_weeks(rows=30)
    blocks = baseline.blocks
    assert blocks is not None

    for column in baseline.columns:
        table = blocks.table(column.spec, column.counts, column.by_block)
        assert table.shape == (28 * 24, column.spec.cells)
        assert tuple(table.sum(0).tolist()) == column.counts.cells


def test_more_than_may_be_kept_is_kept_in_groups_of_cells_and_then_in_longer_blocks() -> None:
    year = np.arange(FIRST, FIRST + 366 * 24)
    kept = {
        (days, columns): HourBlocks.fitting(year[: days * 24], [131] * columns)
        for days in (7, 92, 366)
        for columns in (20, 200)
    }

    found = {asked: (blocks.length, blocks.groups) for asked, blocks in kept.items()}
    assert found == {
        (7, 20): (1, 0),
        (92, 20): (1, 32),
        (366, 20): (2, 16),
        (7, 200): (1, 32),
        (92, 200): (6, 16),
        (366, 200): (24, 16),
    }
    for (_, columns), blocks in kept.items():
        assert len(blocks.starts) * columns * (blocks.groups or 131) <= MOST_COUNTS
        assert HourBlocks.from_document(json.loads(json.dumps(blocks.to_document()))) == blocks


def test_groups_of_cells_say_the_same_of_days_as_all_cells() -> None:
    columns, hours = traffic(range(FIRST, FIRST + 28 * 24), 1)
    baseline = Baseline.of_columns(columns, hours=hours, source="x")
    column, values = baseline.columns[0], columns["x"]
    cells = cells_of(column.spec, values)
    exact = baseline.at_windows(360).columns[0].between
    coarse = HourBlocks.fitting(np.unique(hours), [column.spec.cells], most=28 * 24 * 16)

    text = coarse.counted(column.spec, column.counts, cells, hours)
    table = coarse.table(column.spec, column.counts, text)
    found = coarse.between(column.spec, table, 360)

    assert coarse.groups == table.shape[1] == 16
    assert exact is not None
    assert found is not None
    assert found.location == pytest.approx(exact.location, rel=0.03)
    assert len(text) < 28 * 24 * 16 * 1.4


def test_of_more_hours_than_can_be_looked_at_some_are_whatever_the_rows_order() -> None:
    hours = np.arange(5000).repeat(2)
    column = Baseline.of_columns({"g": texts_of([f"v{n}" for n in range(1000)])}, source="x")
    spec = column.columns[0].spec
    cells = np.arange(10_000) % 1000

    found = by_hour(cells, hours, spec)

    assert len(found) == hour_blocks.MOST_AT_ONCE // spec.cells < 5000
    assert (found.sum(1) == 2).all()
    assert np.array_equal(found, by_hour(cells[::-1], hours[::-1], spec))


def test_a_cell_is_the_one_that_counting_gives() -> None:
    rows = ["3", " 4.5", "", "none", "x", "1e300", "-7", "3.0", "TRUE", "true", "zebra"]
    data = {
        "numbers": texts_of([*map(str, range(300)), *rows]),
        "codes": texts_of([*["1", "2", "3"] * 100, *rows]),
        "texts": texts_of([*["red", "true"] * 150, *rows]),
        "many": texts_of([*map("id-{}".format, range(1100)), *["big"] * 200]),
    }
    for name, values in data.items():
        spec = Baseline.of_columns({name: values}, source="x").columns[0].spec
        for seen in (values, texts_of(rows), Numbers(np.array([3.0, np.nan, 1e300, -np.inf, 2]))):
            cells = cells_of(spec, seen)
            own = np.bincount(cells[cells >= 0], minlength=spec.cells)
            assert tuple(own.tolist()) == counted(spec, seen).cells


@given(st.lists(st.one_of(st.just(0), st.integers(0, 300), st.integers(0, 2**40)), max_size=60))
def test_packed_counts_are_read_as_they_were(counts: list[int]) -> None:
    found = np.array(counts, np.int64)

    assert unpacked(packed(found), len(counts)).tolist() == counts


def test_small_counts_take_a_byte_and_rows_of_zeros_another() -> None:
    counts = np.array([[1, 63, *[0] * 64, 5], [0] * 67], np.int64)

    assert len(packed(counts)) == 8  # four bytes


@pytest.mark.parametrize("text", ["gA==", "AA==", "AgIC", "?"])
def test_packed_counts_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"packed|base64|only"):
        unpacked(text, 2)


def with_outages(
    hours: range, seed: int, share: float, rows: int = 100
) -> tuple[Numbers, np.ndarray]:
    """A sensor that fails now and then: then half of an hour's values are missing."""
    source = np.random.default_rng(seed)
    fails = source.random(len(hours)) < share
    values = source.normal(size=(len(hours), rows))
    values[(source.random(values.shape) < 0.5) & fails[:, None]] = np.nan
    return Numbers(values.ravel()), np.array(hours).repeat(rows)


@pytest.mark.parametrize("minutes", [60, 1440])
def test_values_that_go_missing_together_now_and_then_are_ordinary(minutes: int) -> None:
    values, of_rows = with_outages(range(FIRST, FIRST + 28 * 24), 1, 0.1)
    built = Baseline.of_columns({"x": values}, hours=of_rows, source="x")
    stored = Baseline.from_document(json.loads(json.dumps(built.to_document())), "x")
    hours = minutes // 60

    def share_of_drift(baseline: Baseline, share: float) -> float:
        starts = range(FIRST + 28 * 24, FIRST + 68 * 24, 24)
        windows = [with_outages(range(s, s + hours), s, share)[0] for s in starts]
        profiles = (window_of(baseline, {"x": window}) for window in windows)
        judgements = [judge(baseline, profile, POLICY) for profile in profiles]
        return sum(judgement.verdict == "drift" for judgement in judgements) / len(starts)

    known, unknown = stored.at_windows(minutes), replace(built.columns[0], between=None)
    assert share_of_drift(known, 0.1) == 0
    assert share_of_drift(replace(built, columns=(unknown,)), 0.1) > 0.1
    if minutes > 60:
        assert share_of_drift(known, 1.0) == 1


def test_a_monitor_of_days_holds_each_against_the_days_of_its_training_data() -> None:
    baseline = four_weeks()
    world = World(config=replace(CONFIG, window_minutes=1440, minimum_records=200))
    text = json.dumps(baseline.to_document())
    world.bucket.write(BUCKET, f"drift/{NAME}/baseline.json", text, "application/json")
    now, _ = traffic(range(FIRST + 28 * 24, FIRST + 29 * 24), 5, rows=20)
    numbers, letters = now["x"], now["g"]
    assert isinstance(numbers, Numbers)
    assert isinstance(letters, Texts)
    rows = [
        (f"{x:.9f}", letters.distinct[g])
        for x, g in zip(numbers.values, letters.indices, strict=True)
    ]

    world.evaluate("2026-03-30T00:00:00Z")
    world.capture("2026-03-30T09:05:00Z", rows)
    world.evaluate("2026-03-31T01:00:00Z")

    report = world.document("reports/2026/03/30/0000/report.json")
    (x,) = (column for column in report["columns"] if column["name"] == "x")
    found = {test["test"]: test["p_value"] for test in x["tests"]}
    profile = window_of(baseline, {"x": texts_of([x for x, _ in rows]), "g": letters})
    daily = judge(baseline.at_windows(1440), profile, POLICY).tests
    expected = {test.test: test.p_value for test in daily if test.column == "x"}
    assert found == {name: pytest.approx(value, rel=1e-5) for name, value in expected.items()}
    assert "ordinary" in x["bars"][0]


def test_many_seldom_values_that_come_by_the_hour_are_ordinary() -> None:
    """The hour of day, and how far one sees: 10 on most days, less for hours in fog."""

    def rows_of(days: range) -> tuple[dict[str, Values], np.ndarray]:
        hours = np.arange(days.start * 24, days.stop * 24).repeat(40)
        source = np.random.default_rng(days.start)
        fog = source.random(len(days) * 24).repeat(40) < 0.2
        seen = np.where(fog, source.integers(1, 40, len(hours)) / 4, 10.0)
        return {"hour": Numbers((hours % 24).astype(np.float64)), "seen": Numbers(seen)}, hours

    columns, hours = rows_of(range(42))
    baseline = Baseline.of_columns(columns, hours=hours, source="x")
    later, _ = rows_of(range(42, 47))
    for start in range(0, len(later["hour"]), 40):
        window = {name: values.at(slice(start, start + 40)) for name, values in later.items()}
        assert judge(baseline, window_of(baseline, window), POLICY).breaches == ()


def judged_days(spread: float, days: range, *, wrong: float = 0.0) -> list[Judgement]:
    """Days of degrees whose middle differs by ``spread``, against forty others."""

    def rows_of(days: range, wrong: float) -> tuple[Numbers, np.ndarray]:
        source = np.random.default_rng(days.start)
        hours = np.arange(days.start * 24, days.stop * 24).repeat(20)
        level = source.normal(0, spread, len(days)).repeat(24 * 20)
        degrees = 10 + level + source.normal(0, 1, len(hours))
        degrees[source.random(len(hours)) < wrong] = 50.0
        return Numbers(degrees), hours

    values, hours = rows_of(range(40), 0.0)
    baseline = Baseline.of_columns({"x": values}, hours=hours, source="x").at_windows(1440)
    windows: list[dict[str, Values]] = [
        {"x": rows_of(range(day, day + 1), wrong)[0]} for day in days
    ]
    return [judge(baseline, window_of(baseline, window), POLICY) for window in windows]


def test_a_record_frost_is_no_drift() -> None:
    judgements = judged_days(5.0, range(100, 250))
    records = [test.effect for found in judgements for test in found.tests if test.test == "range"]

    assert max(records) > 0.5, "some days are colder than all of the training data"
    assert {found.verdict for found in judgements} == {"healthy"}


def test_a_wrong_unit_is_drift_however_the_days_differ_a_little() -> None:
    for found in judged_days(0.3, range(100, 110), wrong=0.06):
        assert "range" in [test.test for test in found.breaches]


@pytest.mark.parametrize("spread", [0.3, 0.5, 1.0])
def test_days_that_move_about_are_no_change_of_their_spread(spread: float) -> None:
    verdicts = [found.verdict for found in judged_days(spread, range(100, 400))]
    assert set(verdicts) == {"healthy"}
