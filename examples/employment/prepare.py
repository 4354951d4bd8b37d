"""Splits the census records into what a model's life needs, and packs the scripts.

    python examples/employment/prepare.py [--source FILE] [--output FOLDER]

| file             | records                                         | columns            |
|------------------|-------------------------------------------------|--------------------|
| `train.csv`      | 70 % of 2015                                    | features and label |
| `evaluation.csv` | 20 % of 2015, held out                          | features and label |
| `baseline.csv`   | those of `train.csv`                            | features           |
| `healthy.csv`    | the other 10 % of 2015, as traffic              | features           |
| `drifted.csv`    | 2018, people over 60, as traffic                | features           |

A hash of a record's position in the source decides where it goes and in what order: the same on
every machine and with every version of every library, and the first rows of each file are a fair
sample of it. `source.tar.gz` holds the scripts of `source/`, the same bytes every time.

Needs pyarrow, nothing else.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import tarfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import pyarrow.parquet

HERE = Path(__file__).resolve().parent
LABEL = "employed"
FEATURES = (
    "AGEP",
    "SCHL",
    "MAR",
    "RELP",
    "DIS",
    "ESP",
    "CIT",
    "MIG",
    "MIL",
    "ANC",
    "NATIVITY",
    "DEAR",
    "DEYE",
    "DREM",
    "SEX",
    "RAC1P",
)
TRAINING = "train.csv"
EVALUATION = "evaluation.csv"
BASELINE = "baseline.csv"
HEALTHY = "healthy.csv"
DRIFTED = "drifted.csv"
ARCHIVE = "source.tar.gz"

SEED = "employment-1"
TRAINING_SHARE = 0.7
EVALUATION_SHARE = 0.2
RETIREMENT = 60

Record = Mapping[str, int]


def draw(position: int) -> float:
    """A number in [0, 1) that is the position's own, evenly spread over positions."""
    drawn = hashlib.blake2b(f"{SEED}/{position}".encode(), digest_size=8).digest()
    return int.from_bytes(drawn, "big") / 2**64


def destination(record: Record, drawn: float) -> str | None:
    """Tells which file a record belongs to.

    Args:
        record: Its columns.
        drawn: Its number of `draw`.

    Returns:
        The file's name, or None for a record that is not used.
    """
    if record["year"] == 2018 and record["AGEP"] > RETIREMENT:
        return DRIFTED
    if record["year"] != 2015:
        return None
    if drawn < TRAINING_SHARE:
        return TRAINING
    return EVALUATION if drawn < TRAINING_SHARE + EVALUATION_SHARE else HEALTHY


def split(records: Iterable[Record]) -> dict[str, list[Record]]:
    """Deals records out to the files, each file in the order of `draw`."""
    files: dict[str, list[Record]] = {name: [] for name in (TRAINING, EVALUATION, HEALTHY, DRIFTED)}
    numbered = ((draw(position), record) for position, record in enumerate(records))
    for drawn, record in sorted(numbered, key=lambda pair: pair[0]):
        name = destination(record, drawn)
        if name:
            files[name].append(record)
    return files


def write(path: Path, columns: Sequence[str], records: Iterable[Record]) -> None:
    """Writes a CSV file with a header row."""
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(columns)
        writer.writerows([record[column] for column in columns] for record in records)


def pack(folder: Path, archive: Path) -> None:
    """Packs a folder's Python files into a tar.gz whose bytes depend on their content alone."""
    with (
        archive.open("wb") as raw,
        gzip.GzipFile(filename="", fileobj=raw, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as members,
    ):
        for script in sorted(folder.glob("*.py")):
            entry = tarfile.TarInfo(script.name)
            entry.size = script.stat().st_size
            with script.open("rb") as content:
                members.addfile(entry, content)


def prepare(source: Path, output: Path) -> dict[str, int]:
    """Writes the CSV files and the source archive.

    Args:
        source: The parquet file of this example.
        output: The folder to write into; made if it is not there.

    Returns:
        The number of records in each CSV file, by its name.

    Raises:
        FileNotFoundError: There is no such source file.
        pyarrow.ArrowInvalid: It is not parquet, or lacks one of the columns.
    """
    table = pyarrow.parquet.read_table(source, columns=[*FEATURES, "year", LABEL])
    files = split(table.to_pylist())
    files[BASELINE] = files[TRAINING]
    output.mkdir(parents=True, exist_ok=True)
    for name, records in files.items():
        labelled = name in (TRAINING, EVALUATION)
        write(output / name, (*FEATURES, LABEL) if labelled else FEATURES, records)
    pack(HERE / "source", output / ARCHIVE)
    return {name: len(records) for name, records in files.items()}


def main() -> None:
    """Runs the command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--source", type=Path, default=HERE / "data" / "acs_employment_ma.parquet")
    parser.add_argument("--output", type=Path, default=HERE / "prepared")
    arguments = parser.parse_args()
    for name, records in prepare(arguments.source, arguments.output).items():
        print(f"{records:>7,} records  {arguments.output / name}")
    print(f"{'scripts':>15}  {arguments.output / ARCHIVE}")


if __name__ == "__main__":
    main()
