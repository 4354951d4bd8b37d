"""What profiling capture JSON lines costs in CPU, against decoding the same lines.

Run from a checkout that has been set up: ``.venv/bin/python bench/drift_profile.py [--rows N]``.
The yardstick is ``json.loads`` of every line, which any reader of captures pays; with orjson
installed, ``orjson.loads`` is measured as well. Both see the same lines in the same process, in
turn; CPU seconds of this process are counted, so waiting for others is not; the figures to quote
are the ratios. Bounded: at most 100,000 rows and five turns.
"""

from __future__ import annotations

import argparse
import csv
import importlib
import io
import json
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mlops_framework.drift.baseline import Baseline  # noqa: E402
from mlops_framework.drift.profiling import profile_lines  # noqa: E402
from mlops_framework.testing.drift import capture_line  # noqa: E402

TURNS = 5
COLUMNS = 20
MOST_ROWS = 100_000
TRAINING_ROWS = 20_000
NOON = datetime(2026, 3, 1, 12, tzinfo=UTC)
COLOURS = [f"colour {number}" for number in range(30)]

Make = Callable[[random.Random], object]


def continuous(source: random.Random) -> object:
    """A number that hardly ever comes twice."""
    return round(source.gauss(40, 10), 4)


def code(source: random.Random) -> object:
    """One of few numbers."""
    return min(source.randrange(40), source.randrange(60))


def text(source: random.Random) -> object:
    """One of few texts."""
    return source.choice(COLOURS)


CASES: dict[str, list[Make]] = {
    "20 continuous columns": [continuous] * COLUMNS,
    "20 columns of codes": [code] * COLUMNS,
    "20 columns: 10 continuous, 6 codes, 4 text": [*[continuous] * 10, *[code] * 6, *[text] * 4],
}


def table(columns: list[Make], rows: int, seed: int) -> Iterator[list[object]]:
    """Rows of a case, the same for the same seed."""
    source = random.Random(seed)
    for _ in range(rows):
        yield [make(source) for make in columns]


def baseline_of(columns: list[Make]) -> Baseline:
    """The baseline of a case."""
    buffer = io.StringIO()
    writer = csv.writer(buffer)
    writer.writerow([f"c{number}" for number in range(len(columns))])
    writer.writerows(table(columns, TRAINING_ROWS, 1))
    return Baseline.of_csv(buffer.getvalue().splitlines(True), label_column="", source="bench")


def cpu(work: Callable[[], object]) -> float:
    """CPU seconds of this process for a piece of work."""
    start = time.process_time()
    work()
    return time.process_time() - start


def decode(loads: Callable[[str], object], lines: list[str]) -> Callable[[], object]:
    """Decoding every line and keeping nothing."""

    def work() -> None:
        for line in lines:
            loads(line)

    return work


def main() -> None:
    """Prints the table of ``docs/performance.md``."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rows", type=int, default=50_000)
    rows = min(parser.parse_args().rows, MOST_ROWS)
    yardsticks: dict[str, Callable[[str], object]] = {"json.loads": json.loads}
    try:
        yardsticks["orjson.loads"] = importlib.import_module("orjson").loads
    except ImportError:
        print("orjson is not installed; its column is left out\n", file=sys.stderr)
    print(
        f"{rows:,} capture lines of one row, CSV payload, median of {TURNS} turns, "
        f"Python {sys.version.split()[0]}\n"
    )
    heads = "".join(f" {name} CPU s | ratio to {name} |" for name in yardsticks)
    print(f"| lines of | profile CPU s | rows a CPU second |{heads}")
    print("|---|---|---|" + "---|---|" * len(yardsticks))
    for name, columns in CASES.items():
        baseline = baseline_of(columns)
        lines = [capture_line(row) for row in table(columns, rows, 2)]
        profiled: list[float] = []
        decoded: dict[str, list[float]] = {key: [] for key in yardsticks}

        def profile(lines: list[str] = lines, baseline: Baseline = baseline) -> object:
            return profile_lines(lines, baseline, minutes=60, time=NOON)

        for _ in range(TURNS):
            for key, loads in yardsticks.items():
                decoded[key].append(cpu(decode(loads, lines)))
            profiled.append(cpu(profile))
        seconds = statistics.median(profiled)
        shown = ""
        for times in decoded.values():
            ratio = statistics.median(p / d for p, d in zip(profiled, times, strict=True))
            shown += f" {statistics.median(times):.2f} | {ratio:.1f} |"
        print(f"| {name} | {seconds:.2f} | {rows / seconds:,.0f} |{shown}")


if __name__ == "__main__":
    main()
