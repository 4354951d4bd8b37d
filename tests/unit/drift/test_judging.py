"""From a profile to a verdict and to sentences."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.findings import Finding, findings_of, number, percent
from mlops_framework.drift.policy import Policy, judge, q_values
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.testing.drift import capture_line
from tests.unit.drift.conftest import Row, csv_of, profile_of, profile_of_rows, rows_of

POLICY = Policy()


def findings(baseline: Baseline, profile: Profile, policy: Policy = POLICY) -> list[Finding]:
    return list(findings_of(judge(baseline, profile, policy), baseline, profile, policy))


def sentence(baseline: Baseline, rows: list[Row], column: str) -> str:
    found = findings(baseline, profile_of_rows(baseline, rows))
    return " | ".join(finding.sentence for finding in found if finding.column == column)


def test_traffic_like_the_training_data_is_healthy(baseline: Baseline) -> None:
    verdicts = [
        judge(baseline, profile_of_rows(baseline, rows_of(400, seed)), POLICY).verdict
        for seed in range(100, 180)
    ]
    assert set(verdicts) == {"healthy"}


def test_only_the_column_that_moved_is_named(baseline: Baseline) -> None:
    found = findings(baseline, profile_of_rows(baseline, rows_of(1000, 2, shift=6)))
    assert [finding.column for finding in found] == ["income"]
    assert (
        "income moved up: the average went from 39.99 to 46.2 (+0.6 standard" in found[0].sentence
    )
    assert found[0].q_value is not None
    assert found[0].q_value < 1e-6


def test_a_column_of_identifiers_drawn_from_the_same_pool_is_healthy() -> None:
    source = random.Random(6)

    def drawn(count: int) -> list[str]:
        return [f"id{source.randrange(3000)}" for _ in range(count)]

    base = Baseline.of_csv(
        ["account\n", *(f"{name}\n" for name in drawn(20_000))], label_column="", source="x"
    )
    for _ in range(20):
        profile = profile_of(base, [capture_line([name]) for name in drawn(3000)])
        assert judge(base, profile, Policy(effect_threshold=0.02)).verdict == "healthy"
    others = profile_of(base, [capture_line([f"id{number % 40}"]) for number in range(3000)])
    assert judge(base, others, POLICY).verdict == "drift"


def test_a_significant_change_too_small_to_matter_is_healthy(baseline: Baseline) -> None:
    profile = profile_of_rows(baseline, rows_of(20_000, 2, shift=1))
    judgement = judge(baseline, profile, POLICY)
    location = next(t for t in judgement.tests if (t.column, t.test) == ("income", "location"))
    assert location.q_value < 0.001
    assert judgement.verdict == "healthy"
    assert judge(baseline, profile, Policy(effect_threshold=0.01)).verdict == "drift"


def test_shares_of_categories_that_changed_are_told_both_ways(baseline: Baseline) -> None:
    told = sentence(baseline, rows_of(1000, 2, green=0.9), "colour")
    assert "colour is more often 'green'" in told
    assert "less often" in told


def test_few_codes_are_told_by_their_shares(baseline: Baseline) -> None:
    rows = [(income, 3, colour) for income, _, colour in rows_of(500, 2)]
    assert "children is more often 3 (" in sentence(baseline, rows, "children")


def test_a_wider_spread_around_the_same_middle_is_found() -> None:
    source = random.Random(8)
    base = Baseline.of_csv(
        ["x\n", *(f"{source.gauss(0, 1)}\n" for _ in range(5000))], label_column="", source="x"
    )
    profile = profile_of(base, [capture_line([source.gauss(0, 2)]) for _ in range(800)])
    found = findings(base, profile)
    values = next(finding for finding in found if finding.aspect == "values")
    assert "x spread out: the standard deviation went from 0.99" in values.sentence


def lopsided(seed: int, count: int = 3000) -> list[float]:
    source = random.Random(seed)
    return [source.lognormvariate(0, 0.5) for _ in range(count)]


def values_told(before: list[float], now: list[float]) -> tuple[str, str]:
    """Test and sentence of what values of one column differ by."""
    base = Baseline.of_csv(
        ["x\n", *(f"{value}\n" for value in before)], label_column="", source="x"
    )
    found = findings(base, profile_of(base, [capture_line([value]) for value in now]))
    values = next(finding for finding in found if finding.aspect == "values")
    return values.test, values.sentence


def test_a_lopsided_column_that_spreads_out_around_its_average_is_told_so() -> None:
    """Its ranks move down, since most of its values lie below the average."""
    average = sum(lopsided(1)) / 3000
    test, told = values_told(
        lopsided(1), [average + 1.6 * (value - average) for value in lopsided(2)]
    )
    assert test == "scale"
    assert told.startswith("x spread out: the standard deviation went from 0.6")


def test_values_that_went_where_their_average_did_not_are_told_by_the_middle() -> None:
    source = random.Random(3)
    before = [source.gauss(0, 1) + 200 * (place % 100 == 0) for place in range(3000)]
    test, told = values_told(before, [source.gauss(0.5, 1) for _ in range(1000)])
    assert test == "location"
    assert told.startswith("x moved up: ")
    assert "70.4 % of the values lie above the training data's middle, where 50.0 % did" in told
    assert "though the average went from 1.99 to 0.5425" in told


@pytest.mark.parametrize(
    ("centre", "spread", "told"),
    [(42.36, 0.001, "from 42.36 to 42.361 "), (1e9, 1.0, "from 1,000,000,000 to 1,000,000,001 ")],
)
def test_numbers_have_the_digits_by_which_they_differ(
    centre: float, spread: float, told: str
) -> None:
    source = random.Random(3)
    before = [round(source.gauss(centre, spread), 6) for _ in range(3000)]
    now = [round(source.gauss(centre + spread, spread), 6) for _ in range(500)]
    _, sentence_told = values_told(before, now)
    assert told in sentence_told


def test_missing_values_are_a_finding_of_their_own(baseline: Baseline) -> None:
    rows = [("" if i % 20 == 0 else r[0], r[1], r[2]) for i, r in enumerate(rows_of(1000, 2))]
    told = sentence(baseline, rows, "income")
    assert told == "income is missing in 5.0 % of the records; in the training data in 0.0 %."


def test_text_in_a_numeric_column_is_quoted(baseline: Baseline) -> None:
    rows = [("12 k$" if i % 10 == 0 else r[0], *r[1:]) for i, r in enumerate(rows_of(1000, 2))]
    assert "is not a number in 10.0 %" in sentence(baseline, rows, "income")
    assert "for example '12 k$'" in sentence(baseline, rows, "income")


def test_categories_never_seen_in_training_are_named(baseline: Baseline) -> None:
    rows = [(*r[:2], "mauve" if i % 25 == 0 else r[2]) for i, r in enumerate(rows_of(1000, 2))]
    told = sentence(baseline, rows, "colour")
    assert told == (
        "colour holds values the training data never had in 4.0 % of the records, "
        "for example 'mauve'."
    )


def test_codes_never_seen_in_training_are_told_with_the_range(baseline: Baseline) -> None:
    rows = [(r[0], 7 if i % 25 == 0 else r[1], r[2]) for i, r in enumerate(rows_of(1000, 2))]
    assert "(window 0 to 7, training data 0 to 3)" in sentence(baseline, rows, "children")


def test_codes_between_those_of_the_training_data_are_told_by_their_neighbours() -> None:
    lines = ["x\n", *(f"{number % 10 * 0.5}\n" for number in range(1000))]
    base = Baseline.of_csv(lines, label_column="", source="x")
    rows = [[number % 10 * 0.5 if number % 9 else 3.2] for number in range(900)]
    window = profile_of(base, [capture_line(row) for row in rows])
    said = {found.test: found.sentence for found in findings(base, window)}
    assert said["unseen"].endswith("most often between 3 and 3.5, which are neighbours there.")


def test_values_beyond_the_training_range_are_found(baseline: Baseline) -> None:
    rows = [(r[0] * 1000 if i % 50 == 0 else r[0], *r[1:]) for i, r in enumerate(rows_of(1000, 2))]
    assert "2.0 % of the records lie beyond" in sentence(baseline, rows, "income")


def test_of_what_always_goes_on_it_is_said_how_to_leave_it_out() -> None:
    source = random.Random(3)

    def row(number: int) -> Row:
        return (number, f"2026-{number // 100 + 1:02d}-01", round(source.gauss(0, 1), 3))

    rows = [",".join(map(str, row(number))) + "\n" for number in range(600)]
    base = Baseline.of_csv(["row,day,x\n", *rows], label_column="", source="x")
    later = profile_of_rows(base, [row(number) for number in range(600, 900)])
    said = {found.test: found.sentence for found in findings(base, later)}
    advice = "which always go on; ignored_columns leaves it out."
    assert said["range"].endswith(f"numbers of rows, identifiers and times, {advice}")
    assert said["unseen"].endswith(f"It looks like dates and times, {advice}")


def test_no_records_are_a_finding_and_never_healthy(baseline: Baseline) -> None:
    profile = Profile.empty(baseline)
    assert judge(baseline, profile, POLICY).verdict == "no-data"
    (found,) = findings(baseline, profile)
    assert found.aspect == "heartbeat"
    assert "data capture is on" in found.sentence


def test_few_records_give_no_verdict(baseline: Baseline) -> None:
    profile = profile_of_rows(baseline, rows_of(199, 2, shift=30))
    assert judge(baseline, profile, POLICY).verdict == "insufficient-data"
    (found,) = findings(baseline, profile)
    assert found.sentence == "Only 199 records arrived; a verdict needs at least 200."


def test_traffic_that_cannot_be_read_is_drift_of_the_format(baseline: Baseline) -> None:
    profiler = Profiler(baseline)
    for _ in range(300):
        profiler.leave_out("field-count", capture_line("1,2"))
    profile = profiler.profile()
    assert judge(baseline, profile, POLICY).verdict == "drift"
    (found,) = findings(baseline, profile)
    assert "300 of 300 captured requests could not be read" in found.sentence
    assert "another number of fields" in found.sentence


def test_responses_that_cannot_be_read_do_not_count_against_the_requests(
    baseline: Baseline,
) -> None:
    lines = [capture_line(row, prediction="a\nb") for row in rows_of(300, 2)]
    profile = profile_of(baseline, lines)
    assert profile.unreadable == {"output-rows": 300}
    assert judge(baseline, profile, POLICY).verdict == "healthy"


def test_a_column_that_is_missing_everywhere_does_not_stop_the_others(baseline: Baseline) -> None:
    rows = [("", r[1], r[2]) for r in rows_of(400, 2)]
    found = findings(baseline, profile_of_rows(baseline, rows))
    assert [(finding.column, finding.aspect) for finding in found] == [("income", "missing")]


def test_the_worst_finding_comes_first(baseline: Baseline) -> None:
    rows = [(r[0], 3, r[2]) for r in rows_of(800, 2, shift=3)]
    effects = [finding.effect for finding in findings(baseline, profile_of_rows(baseline, rows))]
    assert len(effects) == 2
    assert effects == sorted(effects, reverse=True)


def test_adjusted_p_values_are_benjamini_and_hochbergs() -> None:
    """Worked by hand: p (sorted) times 5 over its rank, then the running minimum from the end."""
    assert q_values([0.04, 0.001, 0.03, 0.5, 0.01]) == pytest.approx(
        [0.05, 0.005, 0.05, 0.5, 0.025]
    )


@given(st.lists(st.floats(0, 1), min_size=1, max_size=40))
def test_adjusted_p_values_keep_the_order_and_are_never_smaller(p_values: list[float]) -> None:
    adjusted = q_values(p_values)
    for p, q in zip(p_values, adjusted, strict=True):
        assert p <= q <= 1.0
    ordered = [q for _, q in sorted(zip(p_values, adjusted, strict=True))]
    assert ordered == sorted(ordered)


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.0, "3"), (0.123456, "0.1235"), (1234567.0, "1,234,567"), (12345.6, "12,346"), (None, "–")],
)
def test_numbers_are_written_for_people(value: float | None, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("share", "text"),
    [
        (0.0, "0.0 %"),
        (0.0004, "under 0.1 %"),
        (0.1234, "12.3 %"),
        (0.99999, "over 99.9 %"),
        (1.0, "100.0 %"),
    ],
)
def test_shares_are_not_rounded_to_none_or_all(share: float, text: str) -> None:
    assert percent(share) == text


def test_a_baseline_of_every_kind_survives_a_window_without_valid_values() -> None:
    base = Baseline.of_csv(csv_of(rows_of(300, 4)), label_column="label", source="x")
    profile = profile_of_rows(base, [("", "", "")] * 300)
    assert judge(base, profile, POLICY).verdict == "drift"
