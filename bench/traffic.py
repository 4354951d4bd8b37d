"""Seeded tables and the traffic that captures them, for the benches: 15 numeric and 5 text columns.

The current table differs from the reference in four columns: the mean of n00 by 0.25 standard
deviations, the variance of n05 by half, ten percentage points between two categories of c1, and
missing values of n10 (5 % for 1 %).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

CATEGORIES: Final = (2, 5, 12, 100, 5000)
NUMERIC: Final = tuple(f"n{number:02d}" for number in range(15))
TEXT: Final = tuple(f"c{number}" for number in range(len(CATEGORIES)))
_CHUNK: Final = 50_000


def table(rows: int, *, seed: int, drift: bool) -> pa.Table:
    """A table of ``rows`` rows; the same seed gives the same table."""
    source = np.random.default_rng(seed)
    columns: dict[str, Any] = {}
    for name, values in _numbers(source, rows, drift=drift).items():
        columns[name] = pa.array(_six_digits(values), from_pandas=True)
    for name, size in zip(TEXT, CATEGORIES, strict=True):
        weights = 1.0 / np.arange(1, size + 1) ** 1.1
        weights /= weights.sum()
        if drift and name == "c1":
            weights[0], weights[3] = weights[0] - 0.1, weights[3] + 0.1
        texts = pa.array([f"{name}_{number}" for number in range(size)])
        columns[name] = texts.take(pa.array(source.choice(size, size=rows, p=weights)))
    return pa.table(columns)


def write_captures(found: pa.Table, path: Path, *, seed: int) -> None:
    """Write a table as SageMaker captures it: one CSV row a record, JSON lines."""
    source = np.random.default_rng(seed)
    with path.open("w", encoding="utf-8", newline="\n") as file:
        for start in range(0, found.num_rows, _CHUNK):
            part = found.slice(start, _CHUNK)
            texts = [_texts(part[name]) for name in found.column_names]
            rows = zip(*texts, strict=True)
            scores = source.random(part.num_rows)
            for number, (row, score) in enumerate(zip(rows, scores, strict=True)):
                file.write(_record(",".join(row), score, start + number))


def make(folder: Path, rows: int) -> None:
    """Write reference, current and captures of the current table, unless they are there."""
    done = folder / f"rows-{rows}"
    if done.exists():
        return
    folder.mkdir(parents=True, exist_ok=True)
    pq.write_table(table(rows, seed=1, drift=False), folder / "reference.parquet")
    current = table(rows, seed=2, drift=True)
    pq.write_table(current, folder / "current.parquet")
    write_captures(current, folder / "captures.jsonl", seed=7)
    done.touch()


def _numbers(
    source: np.random.Generator, rows: int, *, drift: bool
) -> dict[str, NDArray[np.float64]]:
    def either(share: float, one: Any, other: Any) -> NDArray[np.float64]:
        return np.where(source.random(rows) < share, one, other)

    made = {
        "n00": source.normal(52.5 if drift else 50.0, 10, rows),
        "n01": source.lognormal(3, 1, rows),
        "n02": source.exponential(2.0, rows),
        "n03": source.uniform(0, 1, rows),
        "n04": source.poisson(4, rows).astype(float),
        "n05": source.normal(0, 1.5**0.5 if drift else 1.0, rows),
        "n06": either(0.6, 0.0, source.gamma(2, 30, rows)),
        "n07": source.standard_t(3, rows),
        "n08": either(0.5, source.normal(-2, 1, rows), source.normal(3, 0.5, rows)),
        "n09": source.beta(2, 5, rows),
        "n10": source.normal(0, 1, rows),
        "n11": source.integers(18, 90, rows).astype(float),
        "n12": source.gamma(0.5, 1000, rows),
        "n13": source.normal(1e6, 1e3, rows),
        "n14": either(0.3, 1.0, 0.0),
    }
    for name, share in {"n01": 0.01, "n06": 0.002, "n10": 0.05 if drift else 0.01}.items():
        made[name][source.random(rows) < share] = np.nan
    return made


def _six_digits(values: NDArray[np.float64]) -> NDArray[np.float64]:
    """Numbers as clients send them: six significant digits."""
    with np.errstate(divide="ignore", invalid="ignore"):
        places = 5 - np.floor(np.log10(np.abs(np.where(values == 0, 1.0, values))))
        above, below = 10.0 ** np.maximum(places, 0), 10.0 ** np.maximum(-places, 0)
        # Divided by a whole power of ten, the nearest number to the decimal comes out.
        return np.round(values * above / below) / above * below


def _texts(column: pa.ChunkedArray) -> list[str]:
    if pa.types.is_floating(column.type):
        return ["" if value is None else f"{value:.6g}" for value in column.to_pylist()]
    return [str(value) for value in column.to_pylist()]


def _record(row: str, score: float, number: int) -> str:
    second = number % 86_400
    time = f"2026-01-05T{second // 3600:02d}:{second // 60 % 60:02d}:{second % 60:02d}Z"
    event = f"{number:08x}-0000-4000-8000-{number:012x}"
    side = {"observedContentType": "text/csv", "encoding": "CSV"}
    document = {
        "captureData": {
            "endpointInput": {**side, "mode": "INPUT", "data": row},
            "endpointOutput": {**side, "mode": "OUTPUT", "data": f"{score:.10f}"},
        },
        "eventMetadata": {"eventId": event, "inferenceTime": time},
        "eventVersion": "0",
    }
    return json.dumps(document, separators=(",", ":")) + "\n"
