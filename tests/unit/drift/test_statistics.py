"""Each statistic against scipy's value on the same data, and against what it must mean."""

from __future__ import annotations

import math
import random
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.statistics.chi_square import chi_square
from mlops_framework.drift.statistics.jensen_shannon import jensen_shannon
from mlops_framework.drift.statistics.kolmogorov_smirnov import kolmogorov_smirnov
from mlops_framework.drift.statistics.out_of_range import out_of_range
from mlops_framework.drift.statistics.population_stability import population_stability
from mlops_framework.drift.statistics.rank_location import rank_location
from mlops_framework.drift.statistics.rank_scale import rank_scale
from mlops_framework.drift.statistics.rate import rate_change
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.statistics.unseen_mass import unseen_mass
from mlops_framework.drift.statistics.wasserstein import wasserstein

BASELINE = [120, 340, 280, 160, 70, 30]
WINDOW = [20, 55, 60, 48, 12, 5]

GOLDEN = {
    "wilcoxon_z": 2.001211977131846,
    "wilcoxon_p": 0.045369550780206415,
    "mood_z": 1.30196527357624,
    "ks_d": 0.085,
    "chi2": 9.52128667869387,
    "chi2_p": 0.1463135691024158,
    "rate_p": 3.18005798318631e-06,
    "rare_p": 4.941764960507062e-05,
}
"""scipy 1.17.1: mannwhitneyu (asymptotic, no continuity), mood, ks_2samp, chi2_contingency."""

counts = st.lists(st.integers(0, 200), min_size=6, max_size=6).filter(any)


def test_rank_location_is_the_wilcoxon_test_with_ties() -> None:
    found = rank_location(BASELINE, WINDOW)
    assert found.statistic == pytest.approx(GOLDEN["wilcoxon_z"], rel=1e-9)
    assert found.p_value == pytest.approx(GOLDEN["wilcoxon_p"], rel=1e-9)


def test_rank_scale_is_moods_test_when_nothing_is_tied() -> None:
    source = random.Random(5)
    values = [(source.gauss(0, 1), 0) for _ in range(40)]
    values += [(source.gauss(0, 2), 1) for _ in range(30)]
    labels = [label for _, label in sorted(values)]
    found = rank_scale([1 - label for label in labels], labels)
    assert found.statistic == pytest.approx(GOLDEN["mood_z"], rel=1e-9)


def test_kolmogorov_smirnov_is_the_largest_difference_of_the_shares_below() -> None:
    found = kolmogorov_smirnov(BASELINE, WINDOW)
    assert found.effect == pytest.approx(GOLDEN["ks_d"], rel=1e-12)


def test_chi_square_pools_cells_that_expect_fewer_than_five() -> None:
    found = chi_square([*BASELINE, 3, 1, 2], [*WINDOW, 0, 1, 0])
    assert found is not None
    assert found.statistic == pytest.approx(GOLDEN["chi2"], rel=1e-9)
    assert found.p_value == pytest.approx(GOLDEN["chi2_p"], rel=1e-9)


def test_chi_square_has_nothing_to_say_about_a_single_category() -> None:
    assert chi_square([500], [80]) is None


def test_chi_square_of_many_categories_has_no_effect_when_nothing_changed() -> None:
    source = random.Random(3)
    baseline, window = [0] * 400, [0] * 400
    for _ in range(40_000):
        baseline[source.randrange(400)] += 1
    for _ in range(8_000):
        window[source.randrange(400)] += 1
    found = chi_square(baseline, window)
    assert found is not None
    assert found.effect < 0.01, "the raw distance would be about 0.09, all of it noise"


@pytest.mark.parametrize("test", [rank_location, rank_scale, chi_square])
@pytest.mark.parametrize("flags", [40, 200, 2000])
def test_a_flag_that_is_seldom_set_alarms_no_more_often_than_the_level_says(
    test: Callable[[list[int], list[int]], Outcome | None], flags: int
) -> None:
    """All ways in which flags of 20,200 rows fall among the 200 of a window."""
    rows, size = 20_200, 200
    alarms = 0.0
    for hits in range(min(size, flags) + 1):
        found = test([rows - size - flags + hits, flags - hits], [size - hits, hits])
        if found is not None and found.p_value <= 1e-4:
            ways = math.comb(flags, hits) * math.comb(rows - flags, size - hits)
            alarms += ways / math.comb(rows, size)
    assert 0 < alarms < 1.3e-4, "the normal law alone gives up to 70 times the level"


def test_a_rate_that_stays_is_not_significant_and_one_that_triples_is() -> None:
    assert rate_change(100, 10_000, 11, 1000).p_value > 0.5
    changed = rate_change(100, 10_000, 30, 1000)
    assert changed.p_value == pytest.approx(GOLDEN["rate_p"], rel=1e-9)
    assert changed.effect == pytest.approx(0.02)


def test_rare_events_are_compared_exactly() -> None:
    assert rate_change(0, 10_000, 3, 300).p_value == pytest.approx(GOLDEN["rare_p"], rel=1e-9)


def test_a_rate_near_one_is_as_significant_as_its_complement_near_zero() -> None:
    nearly_all = rate_change(9_990, 10_000, 280, 300)
    nearly_none = rate_change(10, 10_000, 20, 300)
    assert nearly_all.p_value == pytest.approx(nearly_none.p_value, rel=1e-9)


def test_values_that_a_finite_baseline_must_miss_are_no_surprise() -> None:
    many_rare = unseen_mass(12, 1000, singletons=150, doubletons=40, baseline_records=10_000)
    all_common = unseen_mass(12, 1000, singletons=0, doubletons=0, baseline_records=10_000)
    assert many_rare.p_value > 0.5
    assert all_common.p_value < 1e-6
    assert all_common.effect == pytest.approx(0.012)


def test_a_category_that_a_small_baseline_happened_to_miss_is_no_surprise() -> None:
    assert unseen_mass(100, 2000, singletons=0, doubletons=0, baseline_records=100).p_value > 1e-3
    assert unseen_mass(100, 2000, singletons=0, doubletons=0, baseline_records=500).p_value < 1e-9


def test_one_value_beyond_the_range_is_weak_evidence_and_five_are_strong() -> None:
    assert out_of_range(0, 0, 1000, 10_000).p_value == 1.0
    assert out_of_range(1, 0, 1000, 10_000).p_value > 0.1
    assert out_of_range(0, 5, 1000, 10_000).p_value < 2e-5


@given(counts)
def test_equal_samples_are_never_different(sample: list[int]) -> None:
    assert rank_location(sample, sample).p_value == 1.0
    assert rank_scale(sample, sample).p_value == 1.0
    assert kolmogorov_smirnov(sample, sample).p_value == 1.0
    assert population_stability(sample, sample) == 0.0
    assert jensen_shannon(sample, sample) == 0.0
    assert wasserstein(sample, sample, [float(i) for i in range(6)]) == 0.0


@given(counts, counts)
def test_effects_and_probabilities_are_shares(one: list[int], other: list[int]) -> None:
    for test in (rank_location, rank_scale, kolmogorov_smirnov, chi_square):
        found = test(one, other)
        if found is not None:
            assert 0.0 <= found.p_value <= 1.0
            assert 0.0 <= found.effect <= 1.0
    assert 0.0 <= jensen_shannon(one, other) <= 1.0 + 1e-12


@given(counts, counts)
def test_ranks_only_know_order_so_reversing_it_turns_the_sign(
    one: list[int], other: list[int]
) -> None:
    forward = rank_location(one, other).statistic
    backward = rank_location(one[::-1], other[::-1]).statistic
    assert forward == pytest.approx(-backward, abs=1e-9)


def test_wasserstein_is_the_distance_that_everything_moved() -> None:
    assert wasserstein([10, 0, 0], [0, 0, 5], [0.0, 1.0, 7.0]) == pytest.approx(7.0)


def test_nothing_in_common_is_a_jensen_shannon_distance_of_one() -> None:
    assert jensen_shannon([10, 0], [0, 5]) == pytest.approx(1.0)
