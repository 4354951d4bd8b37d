"""Windows joined part by part give what joining everything at once gives, to the last count."""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mlops_framework.drift.bias.condition import Condition
from mlops_framework.drift.bias.counts import BiasCounts, Counting, count_rows
from mlops_framework.drift.ground_truth.joined import JoinCounts, JoinedRows, join
from mlops_framework.drift.ground_truth.labels import Labels
from mlops_framework.drift.ground_truth.partitions import Part, join_part, read_tables
from mlops_framework.drift.ground_truth.settings import GroundTruth, ProblemType
from mlops_framework.drift.ground_truth.tables import FACET, Table, column_of, table_bytes
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.values import Numbers, texts_of
from mlops_framework.testing.drift import InMemoryBucket

COUNTING = Counting(
    facets=(("sex", Condition(values=("f",))),),
    prediction=Condition(values=("1",)),
    label=Condition(values=("1",)),
)


def objects(dice: random.Random, problem: ProblemType) -> list[Table]:
    """Objects of records of one to three rows, some ids in several of them, some records without.

    The column ``sex`` is asked for since some object or other.
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


@dataclass
class Added:
    """What is counted of joined rows, merged over the parts."""

    settings: GroundTruth
    quality: list[QualitySums] = field(default_factory=list)
    bias: list[BiasCounts] = field(default_factory=list)
    counts: JoinCounts = field(default_factory=JoinCounts)

    def add(self, rows: JoinedRows | None) -> None:
        if rows is not None:
            self.quality.append(QualitySums.of(rows, self.settings))
            self.bias.append(count_rows(COUNTING, rows.facets, rows.predictions, rows.labels))
            self.counts = self.counts.merged(rows.counts)

    def documents(self) -> list[Any]:
        none = QualitySums(self.settings.problem_type)
        quality = reduce(QualitySums.merged, self.quality, QualitySums.of(NOTHING, self.settings))
        bias = reduce(BiasCounts.merged, self.bias, BiasCounts.empty(COUNTING))
        assert quality.problem_type == none.problem_type
        return [quality.to_document(), bias.to_document(), self.counts]


NOTHING = JoinedRows.of_columns(texts_of([]), texts_of([]))
PROBLEMS: Sequence[ProblemType] = (
    "BinaryClassification",
    "MulticlassClassification",
    "Regression",
)


@given(st.integers(0, 2**32), st.integers(1, 9), st.sampled_from(PROBLEMS))
def test_the_parts_of_a_window_add_up_to_the_window(
    seed: int, of: int, problem: ProblemType
) -> None:
    dice = random.Random(seed)
    settings = GroundTruth(problem_type=problem)
    tables, labels = objects(dice, problem), sent(dice)
    whole, parts = Added(settings), Added(settings)
    whole.add(join(tables, labels, classes=settings.classes))
    for number in range(of):
        part = Part(number, of)
        parts.add(join_part(iter(tables), iter(labels), part, classes=settings.classes))
    assert parts.documents() == whole.documents()
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
