"""When bias is a finding: against the baseline, against policy, and what a monitor may say."""

from __future__ import annotations

import math

import numpy as np
import pytest

from mlops_framework.drift.bias.counts import FacetCounts
from mlops_framework.drift.bias.judging import Comparison, compare
from mlops_framework.drift.bias.metrics import Measure, Metric, measures
from mlops_framework.drift.bias.settings import BiasSettings


def settings_of(**members: object) -> BiasSettings:
    return BiasSettings.from_document({"facets": [{"column": "sex", "values": [2]}], **members})


def proportions(rest: float, facet: float, rows: int) -> tuple[Measure, ...]:
    """Measures of predictions alone."""
    a, d = round(rest * rows), round(facet * rows)
    counts = FacetCounts((0, 0, 0, 0, rows - a, a, 0, 0, 0, 0, rows - d, d))
    return measures(counts, confidence=0.95, grouped=False)


def compared(
    now: tuple[Measure, ...], before: tuple[Measure, ...] = (), **members: object
) -> dict[tuple[Metric, str], Comparison]:
    found = compare({"sex 2": now}, {"sex 2": before}, settings_of(**members))
    return {(one.measure.metric, one.rule): one for one in found}


def test_more_bias_than_the_baseline_is_found_whichever_side_it_is_on() -> None:
    before = proportions(0.5, 0.45, 20_000)
    for now in (proportions(0.6, 0.4, 4000), proportions(0.4, 0.6, 4000)):
        found = compared(now, before)
        for metric in ("DPPL", "DI"):
            one = found[metric, "baseline"]
            assert one.p_value < 1e-6
            assert one.apart
            assert one.excess > one.needed
        assert found["DPPL", "baseline"].excess == pytest.approx(0.15)
        assert (found["DPPL", "baseline"].low, found["DPPL", "baseline"].high) == pytest.approx(
            (-0.05, 0.05)
        )


def test_less_bias_than_the_baseline_is_none_even_with_the_other_sign() -> None:
    found = compared(proportions(0.48, 0.52, 4000), proportions(0.6, 0.4, 20_000))
    assert all(one.p_value > 0.5 and one.excess == 0 and not one.apart for one in found.values())


def test_a_few_rows_prove_nothing() -> None:
    found = compared(proportions(0.6, 0.4, 30), proportions(0.5, 0.5, 20_000))
    assert found["DPPL", "baseline"].p_value > 0.01
    assert found["DPPL", "baseline"].excess == pytest.approx(0.2)


def test_a_small_baseline_is_not_taken_for_the_truth() -> None:
    now = proportions(0.5, 0.44, 100_000)
    sure, unsure = (
        compared(now, proportions(0.5, 0.5, n))["DPPL", "baseline"] for n in (10**6, 200)
    )
    assert sure.p_value < 1e-6 < 0.05 < unsure.p_value


def test_policy_holds_whatever_the_baseline_was() -> None:
    before = proportions(0.6, 0.4, 20_000)
    found = compared(before, before, thresholds={"DPPL": 0.1, "DI": 0.8})
    assert found["DPPL", "baseline"].p_value == pytest.approx(0.5)
    assert found["DPPL", "policy"].p_value < 1e-6
    assert found["DPPL", "policy"].apart
    four_fifths = found["DI", "policy"]
    assert (four_fifths.low, four_fifths.high) == pytest.approx((0.8, 1.25))
    assert four_fifths.excess == pytest.approx(math.log(0.8 / (0.4 / 0.6)))
    assert four_fifths.needed == 0


def test_without_baseline_and_policy_nothing_is_judged() -> None:
    assert compared(proportions(0.9, 0.1, 4000)) == {}


@pytest.mark.parametrize("facet", [0.6, 0.5])
def test_windows_as_biased_or_as_fair_as_the_baseline_rarely_alarm(facet: float) -> None:
    source = np.random.default_rng(11)
    alarms = 0
    for _ in range(400):
        pairs = ((5000, 0.6), (5000, facet), (800, 0.6), (800, facet))
        shares = [source.binomial(n, p) / n for n, p in pairs]
        before = proportions(shares[0], shares[1], 5000)
        found = compared(proportions(shares[2], shares[3], 800), before)["DPPL", "baseline"]
        alarms += found.p_value < 0.05
    assert 8 <= alarms <= 32  # 20 expected: the p-value is one


def test_settings_survive_their_document() -> None:
    made = settings_of(
        facets=[{"column": "sex", "values": ["2"]}, {"column": "age", "above": 40}],
        prediction={"above": 0.7},
        label={"values": ["yes"]},
        group_column="region",
        thresholds={"DI": 0.8, "TE": 2},
        minimum_effect=0.02,
        flip_test_columns=["age", "hours"],
        flip_test_rows=500,
    )
    assert BiasSettings.from_document(made.to_document()) == made
    assert [facet.name for facet in made.facets] == ["sex 2", "age above 40"]
    assert made.counting.id != settings_of().counting.id
    assert settings_of().counting.prediction == settings_of().label


@pytest.mark.parametrize(
    ("members", "message"),
    [
        ({"facets": []}, "facets needs 1 to 20 groups"),
        ({"facets": [{"column": "a"}]}, r"facets\[0\]: exactly one is needed"),
        ({"facets": [{"column": "a", "above": 1, "values": ["2"]}]}, "exactly one is needed"),
        ({"facets": [{"values": ["2"]}]}, r"facets\[0\] has no column"),
        ({"facets": [{"column": "a", "above": "x"}]}, "above is 'x'; accepted is a number"),
        ({"facets": [{"column": "a", "above": 1}] * 2}, "facets names a group twice"),
        ({"thresholds": {"DPL": 1}}, "thresholds names 'DPL'; accepted are DPPL, DI"),
        ({"thresholds": {"DI": 1.2}}, "thresholds.DI is 1.2; accepted is a number from 0.001 to 1"),
        ({"confidence": 1}, "confidence is 1; accepted is a number from 0.5 to 0.9999"),
        ({"group": "x"}, "group is not known; accepted are"),
        ({"label": 1}, "label is no object"),
    ],
)
def test_settings_that_cannot_be_are_refused_with_what_is_accepted(
    members: dict[str, object], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        settings_of(**members)
