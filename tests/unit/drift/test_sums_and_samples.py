from __future__ import annotations

import math
import random
from collections import Counter
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.columns import ColumnSpec, top_categories
from mlops_framework.drift.distinct import KEPT, Distinct, DistinctCounter, hashes_of
from mlops_framework.drift.sample import Sample
from mlops_framework.drift.sums import exponent_of, in_units, whole_sum
from mlops_framework.drift.tally import counted
from mlops_framework.drift.values import texts_of

finite = st.floats(-1e100, 1e100, allow_nan=False)
texts = st.lists(st.text(max_size=4), max_size=60)


def total(values: list[float], exponent: int) -> int:
    largest = max(map(abs, values), default=0.0)
    return whole_sum(np.array(values, np.float64), exponent, largest)


@given(st.lists(finite, max_size=40), st.integers(-20, 60))
def test_a_sum_is_that_of_the_rounded_values_exactly(values: list[float], exponent: int) -> None:
    scaled = (Fraction(value) * Fraction(2) ** exponent for value in values)
    assert total(values, exponent) == sum(round(value) for value in scaled)


@given(st.lists(finite, max_size=40), st.randoms(use_true_random=False), st.integers(0, 40))
def test_a_sum_knows_neither_order_nor_split(
    values: list[float], source: random.Random, cut: int
) -> None:
    shuffled = source.sample(values, len(values))
    assert total(shuffled[:cut], 40) + total(shuffled[cut:], 40) == total(values, 40)


@given(st.floats(1e-40, 1e60))
def test_rounding_is_far_below_the_spread(spread: float) -> None:
    exponent = exponent_of(spread)
    assert math.isclose(in_units(total([spread], exponent), exponent), spread, rel_tol=1e-12)


def sample(items: list[str]) -> Sample:
    counts: dict[str, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return Sample(5).added(counts)


@given(texts, st.integers(0, 60), st.integers(0, 60))
def test_a_sample_merges_in_any_order_to_the_sample_of_the_whole(
    items: list[str], first: int, second: int
) -> None:
    low, high = sorted((first, second))
    a, b, c = sample(items[:low]), sample(items[low:high]), sample(items[high:])
    whole = sample(items)
    assert a.merged(b).merged(c) == whole
    assert c.merged(a.merged(b)) == whole
    assert b.merged(c.merged(a)) == whole


@given(texts)
def test_counts_in_a_sample_are_exact(items: list[str]) -> None:
    for text, count in sample(items).counts.items():
        assert count == items.count(text)


def test_a_sample_says_whether_it_is_everything() -> None:
    assert sample(["a", "b", "a"]).complete
    assert not sample([str(number) for number in range(20)]).complete


def distinct(values: list[int]) -> Distinct:
    return Distinct.of(hashes_of(np.array(values, np.float64)))


@given(st.lists(st.integers(0, 500), max_size=600), st.integers(0, 600))
def test_distinct_values_are_counted_alike_however_they_are_split(
    values: list[int], cut: int
) -> None:
    whole = distinct(values)
    assert distinct(values[:cut]).merged(distinct(values[cut:])) == whole
    counter = DistinctCounter()
    for begin in range(0, len(values), 37):
        counter.add(hashes_of(np.array(values[begin : begin + 37], np.float64)))
    assert counter.result() == whole
    if len(set(values)) < KEPT:
        assert whole.estimate == len(set(values))


def test_many_distinct_values_are_estimated() -> None:
    assert math.isclose(distinct(list(range(100_000))).estimate, 100_000, rel_tol=0.3)


@given(st.lists(st.sampled_from("abcdefgh"), max_size=80), st.integers(1, 4))
def test_top_categories_are_exact_and_none_left_out_is_above_the_bound(
    values: list[str], buckets: int
) -> None:
    spec = ColumnSpec("x", "categories", categories=("a", "b"), buckets=buckets)
    found, bound = top_categories(spec, counted(spec, texts_of(values)), 3)
    truth = Counter(values)
    assert all(truth[text] == count for text, count in found)
    assert [count for _, count in found] == sorted((n for _, n in found), reverse=True)
    if buckets > 1:
        assert all(truth[text] <= bound for text in truth.keys() - {"a", "b"})
    else:  # of so few values every one is known
        assert bound == 0
