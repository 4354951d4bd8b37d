"""Bias metrics: as Clarify's own library computes them, and with intervals that hold."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.bias.condition import Condition
from mlops_framework.drift.bias.counts import (
    MOST_GROUPS,
    BiasCounts,
    Counting,
    FacetCounts,
    Quad,
    count_rows,
)
from mlops_framework.drift.bias.flip_test import flip_test, standardised
from mlops_framework.drift.bias.judging import compare
from mlops_framework.drift.bias.metrics import LABEL_FREE, METRICS, entropy, measures
from mlops_framework.drift.bias.pretraining import LABEL_METRICS, label_measures
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.values import Numbers, texts_of

CLARIFY = json.loads((Path(__file__).parent / "smclarify.json").read_text())
ONE = Condition(values=("1",))
COUNTING = Counting((("facet", ONE),), ONE, ONE, "group")

Row = tuple[str, int, int, int]
"""Group, in the facet, label, prediction."""


def counted(rows: Sequence[Row], counting: Counting = COUNTING) -> BiasCounts:
    columns = {
        "group": texts_of([row[0] for row in rows]),
        "facet": Numbers(np.array([row[1] for row in rows], np.float64)),
    }
    labels = texts_of([str(row[2]) for row in rows])
    return count_rows(counting, columns, texts_of([str(row[3]) for row in rows]), labels)


def values(counts: BiasCounts) -> dict[str, float | None]:
    found = [*measures(counts.facets[0], confidence=0.95, grouped=True)]
    found.append(entropy(counts, confidence=0.95))
    return {m.metric: m.estimate.value if m.estimate else None for m in found}


@pytest.mark.parametrize("table", CLARIFY["tables"])
def test_every_metric_is_what_clarifys_library_says(table: dict[str, object]) -> None:
    rows = [tuple(row[:4]) for row in table["rows"] for _ in range(row[4])]  # type: ignore[attr-defined]
    found, expected = values(counted(rows)), dict(table["post"])  # type: ignore[call-overload]
    if found["TE"] is None:  # the library takes 0 false negatives / 0 false positives for 0
        assert not any(row[1] and row[2] != row[3] for row in table["rows"])  # type: ignore[attr-defined]
        del found["TE"], expected["TE"]
    assert found == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("table", CLARIFY["tables"])
def test_the_metrics_of_training_data_are_what_clarifys_library_says(
    table: dict[str, object],
) -> None:
    sides: list[dict[str, int]] = [{}, {}]
    groups: dict[str, list[int]] = {}
    for group, inside, label, _, count in table["rows"]:  # type: ignore[attr-defined]
        sides[inside][str(label)] = sides[inside].get(str(label), 0) + count
        groups.setdefault(group, [0] * 4)[2 * inside + label] += count
    found = label_measures(
        sides[0], sides[1], ONE, {name: Quad(*quad) for name, quad in groups.items()}
    )
    assert [measure.metric for measure in found] == list(LABEL_METRICS)
    assert {m.metric: m.value for m in found} == pytest.approx(table["pre"], abs=1e-12)


@pytest.mark.parametrize("case", CLARIFY["flips"])
def test_the_flip_test_is_clarifys_with_the_sign_of_its_documentation(
    case: dict[str, object],
) -> None:
    found = flip_test(
        np.array(case["rows"], np.float64),
        np.array(case["inside"], bool),
        np.array(case["good"], bool),
        confidence=0.95,
    )
    assert found.estimate is not None
    assert found.estimate.value == pytest.approx(-float(case["FT"]))  # type: ignore[arg-type]


def test_the_flip_test_is_positive_where_the_facet_fares_worse_than_its_neighbours() -> None:
    rows = np.repeat(np.arange(20.0)[:, None], 2, axis=0)
    inside = np.tile([True, False], 20)
    found = flip_test(rows, inside, ~inside, confidence=0.95)
    assert found.estimate is not None
    assert found.estimate.value == 1.0
    assert flip_test(rows, inside | True, inside, confidence=0.95).undefined == (
        "the sample has no rows outside the facet"
    )
    kept, complete = standardised(np.array([[1.0, 5.0], [3.0, 5.0], [np.nan, 5.0]]))
    assert kept.tolist() == [[-1.0, 0.0], [1.0, 0.0]]
    assert complete.tolist() == [True, True, False]


def test_a_metric_without_a_value_says_why_and_is_never_zero() -> None:
    nobody = measures(FacetCounts(), confidence=0.95, grouped=True)
    assert [measure.estimate for measure in nobody] == [None] * len(nobody)
    assert all(measure.undefined for measure in nobody)

    all_bad = counted([("x", inside, 1, 0) for inside in (0, 1) for _ in range(5)])
    found = {m.metric: m for m in measures(all_bad.facets[0], confidence=0.95, grouped=True)}
    assert found["DI"].undefined == "nobody outside the facet was predicted good"
    assert found["TE"].undefined == "there is no false positive in the facet"
    assert found["DAR"].undefined == "no labelled row outside the facet was predicted good"
    assert found["SD"].undefined == "no label in the facet is bad"
    assert found["CDDPL"].undefined == "in no group were some predicted good and others bad"
    assert found["DPPL"].estimate is not None
    assert (found["DPPL"].estimate.value, found["DPPL"].estimate.low < 0) == (0.0, True)
    assert "false negative" in entropy(all_bad, confidence=0.95).undefined


def test_without_labels_the_label_free_metrics_are_there_and_only_they() -> None:
    rows = [("x", i % 2, 0, i % 3 == 0) for i in range(60)]
    counts = count_rows(
        COUNTING,
        {"facet": texts_of([str(r[1]) for r in rows]), "group": texts_of(["x"] * 60)},
        texts_of([str(int(r[3])) for r in rows]),
    )
    found = measures(counts.facets[0], confidence=0.95, grouped=True)
    assert {m.metric for m in found if m.estimate} == LABEL_FREE - {"FT"}


def test_more_groups_than_anybody_conditions_on_are_told_and_not_kept() -> None:
    counts = counted([(f"g{i}", i % 2, 1, i % 3 == 0) for i in range(MOST_GROUPS + 1)])
    found = {m.metric: m for m in measures(counts.facets[0], confidence=0.95, grouped=True)}
    assert counts.facets[0].groups == {}
    assert found["CDDPL"].undefined == f"the group column has more than {MOST_GROUPS} values"
    ungrouped = measures(counts.facets[0], confidence=0.95, grouped=False)
    assert "no group column is configured" in next(
        m.undefined for m in ungrouped if m.metric == "CDDPL"
    )


# Coverage. Rates outside and inside the facet: (good labels, true positive, false positive).
_WORLDS = {
    "large": (600, 400, (0.5, 0.8, 0.2), (0.4, 0.7, 0.3)),
    "small and uneven": (120, 60, (0.6, 0.9, 0.15), (0.3, 0.75, 0.25)),
}


@pytest.mark.parametrize("world", _WORLDS)
def test_intervals_hold_the_truth_as_often_as_they_say(world: str) -> None:
    size_a, size_d, *rates = _WORLDS[world]
    source = np.random.default_rng(7)
    draws = 600

    def cells(base: float, tpr: float, fpr: float) -> list[float]:
        bad, good = 1 - base, base
        return [bad * (1 - fpr), bad * fpr, good * (1 - tpr), good * tpr]

    a, d = (np.array(cells(*rate)) for rate in rates)
    large = 10**9
    truth = _counts((a * large).round(), (d * large * size_d / size_a).round())
    hits = dict.fromkeys((*METRICS[:11], "GE"), 0)
    expected = {m.metric: m.estimate for m in _measured(truth)}
    for first, second in zip(
        source.multinomial(size_a, a, draws), source.multinomial(size_d, d, draws), strict=True
    ):
        for measure in _measured(_counts(first, second)):
            exact, found = expected[measure.metric], measure.estimate
            assert exact is not None
            assert found is not None
            hits[measure.metric] += found.low <= exact.value <= found.high
    covered = {metric: count / draws for metric, count in hits.items()}
    assert min(covered.values()) >= 0.93, covered
    assert max(covered.values()) <= 0.99, covered


def test_few_and_rare_rows_alarm_no_more_often_than_the_level_says() -> None:
    source = np.random.default_rng(1)
    sizes, shares = (300, 60), np.array([0.855, 0.045, 0.03, 0.07])  # 1 in 9 predicted good
    settings = BiasSettings.from_document({"facets": [{"column": "s", "values": [1]}]})
    before = {"s 1": _measured(_counts(shares * 3 * 10**8, shares * 6 * 10**7))[:-1]}
    draws, alarms = 1500, dict.fromkeys(METRICS[:11], 0)
    for first, second in zip(*(source.multinomial(n, shares, draws) for n in sizes), strict=True):
        found = {"s 1": _measured(_counts(first, second))[:-1]}
        for one in compare(found, before, settings):
            alarms[one.measure.metric] += one.p_value < 0.01
    assert max(alarms.values()) <= 30, alarms  # 15 expected of the level


def _counts(a: np.ndarray, d: np.ndarray) -> BiasCounts:  # type: ignore[type-arg]
    """Counts of (bad, bad), (bad, good), (good, bad), (good, good), in one group each half."""
    first, second = ([int(x) for x in side] for side in (a, d))
    quad = Quad(
        first[0] + first[2], first[1] + first[3], second[0] + second[2], second[1] + second[3]
    )
    facet = FacetCounts((*first, 0, 0, *second, 0, 0), 0, {"x": quad})
    return BiasCounts("", (facet,), (*map(int.__add__, first, second), 0, 0))


def _measured(counts: BiasCounts) -> list:  # type: ignore[type-arg]
    return [
        *measures(counts.facets[0], confidence=0.95, grouped=True),
        entropy(counts, confidence=0.95),
    ]


def test_intervals_are_about_as_wide_as_a_bootstraps() -> None:
    source = random.Random(3)
    rows = [
        (source.choice("xyz"), int(source.random() < 0.4), label, int(source.random() < p))
        for _ in range(700)
        for label, p in [source.choice([(1, 0.75), (0, 0.3)])]
    ]
    drawn = np.random.default_rng(3)
    replicates: dict[str, list[float]] = {}
    for _ in range(200):
        sample = [rows[i] for i in drawn.integers(0, len(rows), len(rows))]
        for metric, value in values(counted(sample)).items():
            assert value is not None
            replicates.setdefault(metric, []).append(value)
    found = counted(rows)
    for measure in (
        *measures(found.facets[0], confidence=0.95, grouped=True),
        entropy(found, confidence=0.95),
    ):
        assert measure.estimate is not None
        width = measure.estimate.high - measure.estimate.low
        low, high = np.quantile(replicates[measure.metric], [0.025, 0.975])
        assert width == pytest.approx(high - low, rel=0.3), measure.metric


_ROW = st.tuples(
    st.sampled_from(["x", "y", ""]), st.integers(0, 1), st.integers(0, 1), st.integers(0, 1)
)


@settings(max_examples=60, deadline=None)
@given(st.lists(_ROW, max_size=30), st.lists(st.integers(0, 3), min_size=30, max_size=30))
def test_any_split_and_any_order_give_the_same_counts(rows: list[Row], places: list[int]) -> None:
    parts = [[row for row, p in zip(rows, places, strict=False) if p == part] for part in range(4)]
    whole = counted(rows)
    merged = counted(parts[3])
    for part in (1, 0, 2):
        merged = counted(parts[part]).merged(merged)
    assert merged.to_document() == whole.to_document()
    assert whole.merged(BiasCounts.empty(COUNTING)) == whole
    assert BiasCounts.from_document(json.loads(json.dumps(whole.to_document())), "here") == whole


def test_dropping_groups_does_not_depend_on_the_order_either() -> None:
    parts = [counted([(f"{p}-{i}", 1, 1, 1) for i in range(MOST_GROUPS // 2 + 1)]) for p in "ab"]
    small = counted([("z", 0, 0, 0)])
    one = parts[0].merged(parts[1]).merged(small)
    assert one == small.merged(parts[1]).merged(parts[0])
    assert one.facets[0].too_many_groups


def test_counts_of_other_settings_do_not_add_up() -> None:
    other = Counting((("facet", Condition(above=0)),), ONE, ONE)
    with pytest.raises(ProfileMismatch, match="cannot be added"):
        counted([]).merged(BiasCounts.empty(other))


def test_values_compare_however_they_are_written() -> None:
    texts = texts_of(["1", "1.0", " 2 ", "True", "true", "", "nan"])
    assert Condition(values=("1", "true")).marks(texts).tolist() == [1, 1, 0, 1, 1, -1, -1]
    numbers = Numbers(np.array([40.0, 40.5, np.nan]))
    assert Condition(above=40).marks(numbers).tolist() == [0, 1, -1]
    assert Condition(up_to=40).marks(numbers).tolist() == [1, 0, -1]
    assert Condition(above=40).marks(texts_of(["41", "many", ""])).tolist() == [1, -1, -1]


def test_rows_without_a_prediction_or_a_facet_are_counted_apart() -> None:
    counts = count_rows(
        COUNTING,
        {"facet": texts_of(["1", "", "0", "1"]), "group": texts_of(["x"] * 4)},
        texts_of(["1", "1", "", "0"]),
        texts_of(["1", "0", "1", ""]),
    )
    assert counts.unpredicted == 1
    assert counts.facets[0].unknown == 1
    assert counts.outcomes == (1, 1, 0, 0, 0, 1)
    assert counts.facets[0].outcomes(facet=True) == (1, 0, 0, 0, 0, 1)
    assert count_rows(COUNTING, {}, texts_of(["1", "0"])).facets[0].unknown == 2
