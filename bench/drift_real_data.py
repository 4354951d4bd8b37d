"""False alarms on real data: random halves of a table, one the baseline, the other in windows.

Run from the checkout: ``.venv/bin/python bench/drift_real_data.py FILE [--group COLUMN=VALUE]``
(CSV or Parquet). A window that alarms is a false one: both halves are the same data.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyarrow import csv, parquet

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.drift_engine import POLICY  # noqa: E402
from mlops_framework.drift.baseline import Baseline  # noqa: E402
from mlops_framework.drift.policy import judge  # noqa: E402
from mlops_framework.drift.profile import Profile  # noqa: E402
from mlops_framework.drift.tally import counted  # noqa: E402
from mlops_framework.drift.values import Numbers, Values, texts_of  # noqa: E402


def column(values: pa.ChunkedArray) -> Values:
    """A column as the engine takes it."""
    if pa.types.is_integer(values.type) or pa.types.is_floating(values.type):
        return Numbers(values.cast(pa.float64()).to_numpy())
    return texts_of(["" if text is None else str(text) for text in values.to_pylist()])


def main() -> None:
    """Prints how many windows alarmed."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("file", type=Path)
    parser.add_argument("--group", help="COLUMN=VALUE: only these rows")
    parser.add_argument("--rows", type=int, default=1000, help="rows of a window")
    parser.add_argument("--halves", type=int, default=8, help="how many random halves")
    arguments = parser.parse_args()
    read = parquet.read_table if arguments.file.suffix == ".parquet" else csv.read_csv
    table = read(arguments.file)
    if arguments.group:
        name, _, value = arguments.group.partition("=")
        same = [str(found) == value for found in table[name].to_pylist()]
        table = table.filter(pa.array(same)).drop_columns([name])
    columns = {name: column(table[name]) for name in table.column_names}
    windows = alarms = 0
    for seed in range(arguments.halves):
        rows = np.random.default_rng(seed).permutation(len(table))
        half = len(rows) // 2
        parts = {name: values.at(rows[:half]) for name, values in columns.items()}
        baseline = Baseline.of_columns(parts, source=arguments.file.name)
        for begin in range(half, len(rows) - arguments.rows + 1, arguments.rows):
            window = rows[begin : begin + arguments.rows]
            counts = tuple(
                counted(c.spec, columns[c.spec.name].at(window)) for c in baseline.columns
            )
            judgement = judge(baseline, Profile(baseline.id, counts), POLICY)
            windows += 1
            alarms += judgement.verdict == "drift"
            for breach in judgement.breaches:
                print(f"half {seed}: {breach.column} {breach.test} {breach.effect:.4f}")
    print(f"{arguments.file.name}: {alarms} of {windows} windows of {arguments.rows:,} rows alarm")


if __name__ == "__main__":
    main()
