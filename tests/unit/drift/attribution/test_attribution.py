"""Attributions: the ranking's agreement, its uncertainty, and contributions that are right."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Sequence
from itertools import combinations
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.attribution.kernel_shap import Explained, coalitions, question
from mlops_framework.drift.attribution.ndcg import ndcg
from mlops_framework.drift.attribution.own_calls import TrafficOnly
from mlops_framework.drift.attribution.sums import GROUPS, AttributionSums, groups_of
from mlops_framework.drift.attribution.uncertainty import agreement
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.sums import Floats

SHAP = json.loads((Path(__file__).parent / "shap.json").read_text())


# --- the ranking


def test_the_same_ranking_agrees_fully_and_a_changed_one_less() -> None:
    known = np.array([3.0, 2.0, 1.0])
    assert ndcg(known, known) == 1.0
    assert ndcg(known, np.array([0.3, 0.2, 0.1])) == 1.0
    discounts = [1 / math.log2(i + 1) for i in (1, 2, 3)]
    best = 3 * discounts[0] + 2 * discounts[1] + discounts[2]
    turned = 1 * discounts[0] + 2 * discounts[1] + 3 * discounts[2]
    assert ndcg(known, np.array([1.0, 2.0, 3.0])) == pytest.approx(turned / best)
    assert ndcg(np.zeros(3), known) is None


@settings(max_examples=50, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=6))
def test_features_of_equal_attribution_share_their_places(pairs: list[tuple[int, int]]) -> None:
    known, now = (np.array(column, np.float64) for column in zip(*pairs, strict=True))
    found = ndcg(known, now)
    if not known.any():
        assert found is None
        return
    # The mean over all orders of the ties is what any order of the columns gives.
    order = np.random.default_rng(0).permutation(len(known))
    assert found == pytest.approx(ndcg(known[order], now[order]))
    assert 0 < found <= 1 + 1e-12


# --- sums

FEATURES = ("a", "b", "c")


def sums_of(values: Floats, first: int = 0) -> AttributionSums:
    identities = [f"row {first + place}" for place in range(len(values))]
    return AttributionSums.of_rows(FEATURES, values, groups_of(identities))


@settings(max_examples=30, deadline=None)
@given(
    st.lists(st.tuples(*[st.floats(-1e6, 1e6) | st.just(math.nan)] * 3), min_size=0, max_size=30),
    st.integers(0, 30),
    st.integers(0, 30),
)
def test_any_split_and_order_give_the_same_sums(
    rows: list[tuple[float, ...]], first: int, second: int
) -> None:
    values = np.array(rows, np.float64).reshape(-1, 3)
    one, two = sorted((first, second))
    parts = [sums_of(values[i:j], i) for i, j in ((0, one), (one, two), (two, len(rows)))]
    merged = parts[2].merged(parts[0]).merged(parts[1].merged(AttributionSums.empty(FEATURES)))
    whole = sums_of(values)
    assert merged == whole
    text = json.dumps(whole.to_document())
    assert AttributionSums.from_document(json.loads(text), "here") == whole
    assert whole.count + whole.left_out == len(rows)


def test_means_are_of_magnitudes_and_other_features_do_not_add_up() -> None:
    found = sums_of(np.array([[1.0, -2.0, 0.5], [3.0, 2.0, -0.5], [math.inf, 0, 0]]))
    assert found.means().tolist() == [2.0, 2.0, 0.5]
    assert found.left_out == 1
    with pytest.raises(ProfileMismatch, match="cannot be added"):
        found.merged(AttributionSums.empty(("a", "b")))


# --- uncertainty


def test_the_interval_holds_the_truth_and_narrows_with_rows() -> None:
    draw = np.random.default_rng(4)
    scale = np.array([1.0, 0.8, 0.1])
    known = np.array([0.8, 1.0, 0.1])  # the window's first two have changed places
    exact = ndcg(known, scale)
    assert exact is not None
    held = 0
    for run in range(40):
        found = agreement(known, sums_of(draw.normal(size=(300, 3)) * scale, run * 1000), 0.95)
        assert found is not None
        held += found.low - 1e-9 <= exact <= found.high + 1e-9
    assert held >= 36
    few = agreement(known, sums_of(draw.normal(size=(30, 3)) * scale), 0.95)
    many = agreement(known, sums_of(draw.normal(size=(3000, 3)) * scale), 0.95)
    assert few is not None
    assert many is not None
    assert many.high - many.low < few.high - few.low
    assert agreement(known, AttributionSums.empty(FEATURES), 0.95) is None


def test_the_same_sums_give_the_same_interval_and_a_sampled_baseline_widens_it() -> None:
    draw = np.random.default_rng(6)
    scale = np.array([1.0, 0.85, 0.1])
    before, now = (sums_of(draw.normal(size=(200, 3)) * s) for s in (scale, scale[[1, 0, 2]]))
    taken, sampled = agreement(before.means(), now, 0.95), agreement(before, now, 0.95)
    assert taken is not None
    assert sampled is not None
    assert agreement(before, now, 0.95) == sampled
    assert sampled.high - sampled.low > taken.high - taken.low


# --- contributions

Function = Callable[[Floats], Floats]


def explained(
    function: Function, row: Sequence[float], background: Floats, samples: int
) -> Explained:
    texts, others = list(map(repr, row)), [list(map(repr, r)) for r in background.tolist()]

    def predict(rows: Sequence[Sequence[str]]) -> Floats:
        return function(np.array([[float(v) for v in r] for r in rows]).reshape(-1, len(row)))

    asked = question(texts, others, samples, np.random.default_rng(1))
    prediction = float(function(np.array([row]))[0])
    expected = float(function(background).mean())
    return asked.answer(predict(asked.rows(others)), prediction, expected)


def shapley(function: Function, row: Floats, background: Floats) -> Floats:
    """By the definition: over every set of the other features."""
    count = len(row)

    def value(members: tuple[int, ...]) -> float:
        mixed = background.copy()
        mixed[:, list(members)] = row[list(members)]
        return float(function(mixed).mean())

    found = np.zeros(count)
    for one in range(count):
        others = [place for place in range(count) if place != one]
        for size in range(count):
            weight = math.factorial(size) * math.factorial(count - size - 1) / math.factorial(count)
            for members in combinations(others, size):
                found[one] += weight * (value((*members, one)) - value(members))
    return found


def surface(x: Floats) -> Floats:
    found: Floats = (
        x[:, 0] * x[:, 1] + 2 * np.sin(x[:, 2]) + np.maximum(x[:, 3], x[:, 4]) - x[:, 5] / 2
    )
    return found


@pytest.mark.parametrize("place", range(4))
def test_with_all_coalitions_contributions_are_shapley_values_and_shaps(place: int) -> None:
    background, row = np.array(SHAP["background"]), np.array(SHAP["rows"][place])
    found = explained(surface, row.tolist(), background, 62)
    assert found.contributions == pytest.approx(shapley(surface, row, background), abs=1e-6)
    assert found.contributions == pytest.approx(SHAP["contributions"][place], abs=1e-6)
    assert found.expected == pytest.approx(SHAP["expected"])


@pytest.mark.parametrize("samples", [2, 7, 30, 60])
def test_contributions_add_up_whatever_the_budget(samples: int) -> None:
    found = explained(surface, SHAP["rows"][0], np.array(SHAP["background"]), samples)
    assert found.contributions.sum() == pytest.approx(found.prediction - found.expected)


def test_a_sample_of_many_coalitions_comes_close() -> None:
    draw = np.random.default_rng(8)
    weights = draw.normal(size=12)

    def model(x: Floats) -> Floats:
        found: Floats = 1 / (1 + np.exp(-(x @ weights + x[:, 0] * x[:, 1])))
        return found

    row, background = draw.normal(size=12), draw.normal(size=(1, 12))
    exact = shapley(model, row, background)
    found = explained(model, row.tolist(), background, 400)
    assert np.abs(found.contributions - exact).max() < 0.03  # shap itself: 0.025
    assert len(coalitions(12, 400, draw)[0]) <= 400


def test_features_like_the_backgrounds_cost_nothing_and_contribute_nothing() -> None:
    background = np.array([[1.0, 2.0, 3.0]])
    asked = question(["1.0", "9", "3.0"], [["1.0", "2.0", "3.0"]], 100, np.random.default_rng(1))
    assert asked.rows([["1.0", "2.0", "3.0"]]) == []
    found = explained(lambda x: x.sum(1), [1.0, 9.0, 3.0], background, 100)
    assert found.contributions.tolist() == [0.0, 7.0, 0.0]
    same = explained(lambda x: x.sum(1), [1.0, 2.0, 3.0], background, 100)
    assert same.contributions.tolist() == [0.0, 0.0, 0.0]


# --- own calls


def line(inference_id: str | None, payload: str = "1,2") -> bytes:
    record = {
        "captureData": {"endpointInput": {"data": payload}},
        "eventMetadata": {"eventId": "e"} | ({"inferenceId": inference_id} if inference_id else {}),
    }
    return json.dumps(record).encode() + b"\n"


@pytest.mark.parametrize("size", [1, 7, 64, 10_000])
def test_own_calls_are_left_out_and_counted_wherever_the_text_is_cut(size: int) -> None:
    traffic = [line(None), line("order-7"), line(None, "mlops-shap-1"), line("x mlops-shap-1")]
    own = [line("mlops-shap-1"), line("mlops-shap-2")]
    broken = b'{"eventMetadata": {"inferenceId": "mlops-shap-3"\n'
    text = traffic[0] + own[0] + traffic[1] + traffic[2] + broken + own[1] + traffic[3]
    reader = TrafficOnly()
    kept = b"".join(reader.lines(text[i : i + size] for i in range(0, len(text), size)))
    assert kept == traffic[0] + traffic[1] + traffic[2] + broken + traffic[3]
    assert reader.left_out == 2
    assert b"".join(TrafficOnly().lines([own[0].rstrip(b"\n")])) == b""


def test_groups_are_even_and_the_same_everywhere() -> None:
    found = groups_of([f"row {place}" for place in range(6400)])
    assert np.bincount(found, minlength=GROUPS).min() > 60
    assert groups_of(["row 1"]).tolist() == [found[1]]
