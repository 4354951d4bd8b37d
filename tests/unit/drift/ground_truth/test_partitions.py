"""Windows joined part by part give what joining everything at once gives, to the last count."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.ground_truth.answers import normalised
from mlops_framework.drift.ground_truth.joined import join
from mlops_framework.drift.ground_truth.labels import Labels
from mlops_framework.drift.ground_truth.partitions import Part, join_part, read_tables
from mlops_framework.drift.ground_truth.settings import GroundTruth, ProblemType
from mlops_framework.drift.ground_truth.tables import (
    FACET,
    PROBABILITY,
    Table,
    column_of,
    table_bytes,
)
from mlops_framework.drift.outcomes.sums import OutcomeSums
from mlops_framework.drift.values import Numbers, texts_of
from mlops_framework.testing.drift import InMemoryBucket
from tests.unit.drift.test_service import CONFIG

BIAS = BiasSettings.from_document(
    {
        "facets": [{"column": "sex", "values": ["f"]}],
        "flip_test_columns": ["sex", "age"],
        "flip_test_rows": 50,
    }
)


def objects(dice: random.Random, problem: ProblemType) -> list[Table]:
    """Objects of records of one to three rows, some ids in several of them, some records without.

    Columns of facets and probabilities by class are kept since some object or other.
    """
    since = dice.randrange(4)
    return [captured(dice, problem, facet=number >= since) for number in range(4)]


def captured(dice: random.Random, problem: ProblemType, *, facet: bool) -> Table:
    ids: list[str] = []
    records: list[int] = []
    places: list[int] = []
    for record in range(dice.randrange(30)):
        identity = dice.choice(["", *(f"id{dice.randrange(60)}" for _ in range(5))])
        size = dice.choice([1, 1, 2, 3])
        ids += [identity] * size
        records += [record] * size
        places += range(size)
    count = len(ids)
    scores = np.array([dice.choice([np.nan, dice.random()]) for _ in range(count)])
    regression = problem == "Regression"
    predictions = Numbers(scores * 9) if regression else texts_of(dice.choices("012", k=count))
    columns = {
        "id": pa.array(ids, pa.string()),
        "record": pa.array(records, pa.int32()),
        "row": pa.array(places, pa.int32()),
        "minute": pa.array([202603011400 + record % 3 for record in records], pa.int64()),
        "prediction": column_of(predictions),
        "score": pa.array(scores, pa.float64()),
    }
    if facet:
        columns[f"{FACET}sex"] = column_of(texts_of(dice.choices(["f", "m", ""], k=count)))
        ages = np.array([float(dice.randrange(90)) for _ in range(count)])
        columns[f"{FACET}age"] = column_of(Numbers(ages))
        said = {name: np.array(dice.choices([np.nan, 0.3, 0.33, 0.4], k=count)) for name in "012"}
        for name, probabilities in normalised(said).items():
            columns[f"{PROBABILITY}{name}"] = pa.array(probabilities)
    return Table(columns)


def sent(dice: random.Random) -> list[Labels]:
    """Files of labels: repeated, conflicting, of another number of rows, of unknown records."""
    return [of_file(dice) for _ in range(dice.randrange(4))]


def of_file(dice: random.Random) -> Labels:
    ids: list[str] = []
    rows: list[int] = []
    of: list[int] = []
    for _ in range(dice.randrange(60)):
        size = dice.choice([1, 1, 1, 2, 3])
        ids += [f"id{dice.randrange(80)}"] * size
        rows += range(size)
        of += [size] * size
    return Labels.of_lists(ids, rows, of, dice.choices(["0", "1", "1.0", "2", ""], k=len(ids)), {})


PROBLEMS: Sequence[ProblemType] = (
    "BinaryClassification",
    "MulticlassClassification",
    "Regression",
)


@settings(max_examples=60)
@given(
    st.integers(0, 2**32), st.integers(1, 7), st.sampled_from(PROBLEMS), st.sampled_from([5, 10**6])
)
def test_the_parts_of_a_window_add_up_to_the_window(
    seed: int, of: int, problem: ProblemType, most_rows: int
) -> None:
    dice = random.Random(seed)
    several = {name: name for name in "012"} if problem == "MulticlassClassification" else {}
    truth = GroundTruth(problem_type=problem, probabilities=several)
    config = replace(CONFIG, ground_truth=truth, bias=BIAS)
    tables, labels = objects(dice, problem), sent(dice)
    whole, parts = OutcomeSums(), OutcomeSums()
    everything = join(tables, labels, classes=truth.classes)
    if everything is not None:
        whole = OutcomeSums.of_rows(everything, config)
    for number in range(of):
        for rows in join_part(
            iter(tables),
            iter(labels),
            Part(number, of),
            classes=truth.classes,
            most_rows=most_rows,
        ):
            parts = parts.merged(OutcomeSums.of_rows(rows, config))
    assert json.dumps(parts.to_document()) == json.dumps(whole.to_document())
    assert parts.counts.rows == sum(map(len, tables))


def test_rows_without_an_id_are_spread_over_the_parts_and_in_none_twice() -> None:
    table = captured(random.Random(7), "Regression", facet=False)
    nameless = Table({**table.columns, "id": pa.array([""] * len(table), pa.string())})
    sizes = [len(Part(number, 3).rows(nameless)) for number in range(3)]
    assert sum(sizes) == len(table)
    assert min(sizes) > 0


@pytest.mark.parametrize("count", [1, 7, 300])
def test_stored_tables_are_read_in_their_order_some_megabytes_at_a_time(count: int) -> None:
    asked: list[int] = []

    class Counted(InMemoryBucket):
        def read_bytes(self, bucket: str, keys: Sequence[str]) -> Any:
            asked.append(len(keys))
            return super().read_bytes(bucket, keys)

    bucket = Counted()
    keys = [f"{number:03}" for number in range(count)]
    for number, key in enumerate(keys):
        if number != 5:  # one vanished
            data = table_bytes(Table({"id": pa.array([key])}))
            bucket.write_bytes("b", key, data, "x")
    found: Iterator[Table] = read_tables(bucket, "b", keys)
    assert [table.columns["id"][0].as_py() for table in found] == [k for k in keys if k != "005"]
    assert max(asked) <= 100
