from __future__ import annotations

import random
from fractions import Fraction

from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.sample import Sample
from mlops_framework.drift.sums import add, exact_sum, exact_weighted_sum

finite = st.floats(-1e100, 1e100, allow_nan=False)
texts = st.lists(st.text(max_size=4), max_size=60)


@given(st.lists(finite, max_size=40))
def test_a_sum_is_exact(values: list[float]) -> None:
    assert sum(map(Fraction, exact_sum(values))) == sum(map(Fraction, values))


@given(st.lists(finite, max_size=40), st.randoms(use_true_random=False), st.integers(0, 40))
def test_a_sum_knows_neither_order_nor_split(
    values: list[float], source: random.Random, cut: int
) -> None:
    whole = exact_sum(values)
    shuffled = source.sample(values, len(values))
    assert add(exact_sum(shuffled[:cut]), exact_sum(shuffled[cut:])) == whole


@given(st.dictionaries(finite, st.integers(1, 50), max_size=8))
def test_weights_are_repetitions(weights: dict[float, int]) -> None:
    repeated = [value for value, weight in weights.items() for _ in range(weight)]
    assert exact_weighted_sum(weights) == exact_sum(repeated)


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
