"""Small worlds for the drift tests."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.capture import CaptureReader
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.testing.drift import capture_line

Row = tuple[object, ...]


def rows_of(count: int, seed: int, *, shift: float = 0.0, green: float = 0.5) -> list[Row]:
    """Rows of income (continuous), children (codes) and colour (text)."""
    source = random.Random(seed)
    return [
        (
            round(source.gauss(40 + shift, 10), 3),
            min(source.randrange(4), source.randrange(6)),
            "green" if source.random() < green else source.choice(["red", "blue"]),
        )
        for _ in range(count)
    ]


def csv_of(rows: Sequence[Row]) -> list[str]:
    """The rows as CSV lines with header and a label column at the end."""
    return [
        "income,children,colour,label\n",
        *(f"{','.join(map(str, row))},1\n" for row in rows),
    ]


def profile_of(baseline: Baseline, lines: Sequence[str]) -> Profile:
    """The profile of readable capture lines."""
    reader, profiler = CaptureReader(baseline.names), Profiler(baseline)
    for line in lines:
        profiler.add(reader.read(line), line)
    return profiler.profile()


def profile_of_rows(baseline: Baseline, rows: Sequence[Row]) -> Profile:
    """The profile of rows sent one by one as CSV."""
    return profile_of(baseline, [capture_line(row) for row in rows])


@pytest.fixture(scope="session")
def baseline() -> Baseline:
    """Five thousand rows of training data."""
    return Baseline.of_csv(csv_of(rows_of(5000, 1)), label_column="label", source="train.csv")
