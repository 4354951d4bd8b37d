"""Outcomes add up: any split of the rows and any order of merging give the same bytes."""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from functools import reduce

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.bias.flip_sample import FlipSample
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import DocumentInvalid, ProfileMismatch
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth, ProblemType
from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.quality.sums import MOST_CLASSES, OTHERS, QualitySums
from mlops_framework.drift.values import Numbers, texts_of
from tests.unit.drift.test_service import CONFIG

BIAS = BiasSettings.from_document(
    {
        "facets": [{"column": "colour", "values": ["green"]}, {"column": "age", "above": 40}],
        "group_column": "town",
        "flip_test_columns": ["age", "income"],
        "flip_test_rows": 50,
    }
)

Row = tuple[int, str, str, float, str, str, str, str]
"""Identity (0 for none), prediction, label, probability, colour, age, income, town."""

number = st.sampled_from(["", "40", "41.5", "39", "-0.0", "abc", "1e300"])
row = st.tuples(
    st.integers(0, 5) | st.integers(1, 2**64 - 1),
    st.sampled_from(["0", "1", "2", ""]),
    st.sampled_from(["0", "1", "2", ""]),
    st.floats(0, 1) | st.sampled_from([float("nan"), 7.0]),
    st.sampled_from(["green", "red", ""]),
    number,
    number,
    st.integers(0, 300).map(str),
)


def config_of(problem: ProblemType) -> MonitorConfig:
    truth = GroundTruth(problem_type=problem, inference_attribute="0")
    return replace(CONFIG, ground_truth=truth, bias=BIAS)


def joined(rows: Sequence[Row], problem: ProblemType) -> JoinedRows:
    columns = list(zip(*rows, strict=True)) or [()] * 8
    identities, predictions, labels, scores, *facets = columns
    numeric = problem == "Regression"

    def read(texts: Sequence[str]) -> Numbers:
        return Numbers(np.array([float(text or "nan") for text in texts], np.float64))

    found = JoinedRows.of_columns(
        read(predictions) if numeric else classes_of(texts_of(predictions)),
        read(labels) if numeric else classes_of(texts_of(labels)),
        scores=np.array(scores, np.float64),
        facets={
            name: texts_of(values)
            for name, values in zip(("colour", "age", "income", "town"), facets, strict=True)
        },
    )
    return replace(found, hashes=np.array(identities, np.uint64))


def text_of(sums: OutcomeSums) -> str:
    return json.dumps(sums.to_document(), sort_keys=True)


@settings(max_examples=60, deadline=None)
@given(
    st.lists(row, max_size=120),
    st.sampled_from(["BinaryClassification", "MulticlassClassification", "Regression"]),
    st.randoms(use_true_random=False),
    st.integers(1, 4),
)
def test_any_split_and_any_merge_order_give_the_same_sums(
    rows: list[Row], problem: ProblemType, source: random.Random, parts: int
) -> None:
    config = config_of(problem)
    whole = text_of(OutcomeSums.of_rows(joined(rows, problem), config))
    shuffled = source.sample(rows, len(rows))
    tree = [OutcomeSums.of_rows(joined(shuffled[n::parts], problem), config) for n in range(parts)]
    while len(tree) > 1:
        tree.append(tree.pop(source.randrange(len(tree))).merged(tree.pop(0)))
    assert text_of(tree[0]) == whole
    read = OutcomeSums.from_document(json.loads(whole), "a part")
    assert text_of(read) == whole


def test_more_classes_than_are_told_apart_add_up_too() -> None:
    source = random.Random(4)
    truth = GroundTruth(problem_type="MulticlassClassification", inference_attribute="0")
    names = [f"class {number:03}" for number in range(260)]
    drawn = [(source.choice(names), source.choice([*names, ""])) for _ in range(3000)]

    def counted(part: Sequence[tuple[str, str]]) -> QualitySums:
        labels, predictions = (texts_of([pair[side] for pair in part]) for side in (0, 1))
        return QualitySums.of(JoinedRows.of_columns(predictions, labels), truth)

    whole = counted(drawn)
    assert {name for pair in whole.confusion for name in pair} == {*names[:MOST_CLASSES], OTHERS}
    parts = [counted(drawn[at : at + 37]) for at in range(0, 3000, 37)]
    source.shuffle(parts)
    assert reduce(QualitySums.merged, parts) == whole


def test_the_sample_for_the_flip_test_is_drawn_by_lot_and_whole_where_rows_are_few() -> None:
    draw = np.random.default_rng(3)
    hashes = draw.integers(1, 2**63, 5000, dtype=np.uint64)
    good = (np.arange(5000) % 2).astype(np.int8)
    income = Numbers(np.arange(5000.0))
    sample = FlipSample.of_rows(400, hashes, good, [good], [income, None])
    assert len(sample) == 400
    assert sample.numbers(0).mean() == pytest.approx(2500, abs=250)
    assert sample.good.tolist() == (sample.inside(0) == 1).tolist()
    assert np.isnan(sample.numbers(1)).all()
    few = FlipSample.of_rows(400, hashes[:50], good[:50], [good[:50]], [income.at(slice(50))])
    assert sorted(few.numbers(0)) == list(range(50))


def test_sums_of_other_settings_do_not_add_up() -> None:
    sums = OutcomeSums.of_rows(
        joined([], "BinaryClassification"), config_of("BinaryClassification")
    )
    other = replace(BIAS, flip_test_rows=60)
    found = OutcomeSums.of_rows(
        joined([], "BinaryClassification"), replace(config_of("BinaryClassification"), bias=other)
    )
    with pytest.raises(ProfileMismatch, match="profile the captures again"):
        sums.merged(found)


def test_what_only_judges_leaves_the_counting_as_it_is() -> None:
    config = config_of("BinaryClassification")
    assert config.ground_truth is not None
    stricter = replace(
        config,
        ground_truth=replace(config.ground_truth, minimum_labels=500, thresholds={"auc": 0.9}),
        bias=replace(BIAS, minimum_effect=0.2),
    )
    assert counting_id(stricter) == counting_id(config)
    other = replace(config.ground_truth, positive_label="yes")
    assert counting_id(replace(config, ground_truth=other)) != counting_id(config)
    assert counting_id(replace(config, bias=replace(BIAS, flip_test_rows=60))) != counting_id(
        config
    )
    assert counting_id(CONFIG) == ""


def test_damaged_sums_are_named() -> None:
    document = OutcomeSums.of_rows(
        joined([], "BinaryClassification"), config_of("BinaryClassification")
    ).to_document()
    with pytest.raises(DocumentInvalid, match="a part says kind"):
        OutcomeSums.from_document(document | {"version": 9}, "a part")
    document["flips"]["rows"] = "AAAA"
    with pytest.raises(DocumentInvalid, match="a part is damaged"):
        OutcomeSums.from_document(document, "a part")
