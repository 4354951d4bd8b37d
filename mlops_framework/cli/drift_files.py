"""Data files for ``mlops drift``: what a file is, and its records as the engine reads them."""

from __future__ import annotations

import codecs
import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, Literal

from mlops_framework.drift.baseline import KIND, Baseline
from mlops_framework.drift.blocks import BLOCK
from mlops_framework.drift.checking import (
    ColumnsDiffer,
    Counted,
    count_captures,
    count_table,
)
from mlops_framework.drift.model_monitor_files import is_statistics
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.training_tables import text_of_value
from mlops_framework.errors import FrameworkFault

Format = Literal["csv", "capture", "json-lines", "parquet", "baseline", "statistics"]
Told = Callable[[float], None]
"""Is told how much of a file has been read, 0..1."""

_HEAD_BYTES: Final = 1 << 16
_LARGEST_BASELINE: Final = 1 << 28
_TELL_EVERY: Final = 5_000
_BATCH_ROWS: Final = 20_000
_ACCEPTED: Final = "CSV with a header line, Parquet, or capture records as JSON lines"


class FileUnusable(FrameworkFault):
    """A file is missing, empty or of a form that is not read, or cannot be written."""


@dataclass(frozen=True)
class Table:
    """A table whose values are text, missing ones empty.

    Attributes:
        header: Column names.
        rows: The rows, read as they are asked for.
    """

    header: tuple[str, ...]
    rows: Iterable[Sequence[str]]


def count(path: Path, baseline: Baseline, *, told: Told, form: RecordForm | None = None) -> Counted:
    """Count a file's records on the baseline.

    Args:
        path: The file.
        baseline: What to count on.
        told: Is told how far it is.
        form: Where rows and values of JSON are.

    Raises:
        FileUnusable: If nothing in it can be read.
        ColumnsDiffer: If it lacks columns of the baseline.
    """
    with reading(path):
        time = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        match format_of(path):
            case "baseline":
                raise FileUnusable(f"{path} is a baseline; give it as --baseline.")
            case "capture":
                counted = count_captures(chunks(path, told), baseline, time=time, form=form)
            case "json-lines" | "statistics":
                raise FileUnusable(f"{path} is no table and no capture; expected {_ACCEPTED}.")
            case "parquet":
                counted = _counted(_parquet(path, told), baseline, path, time)
            case "csv":
                counted = _counted(_csv(path, told), baseline, path, time)
    if counted.profile.left_out and not counted.profile.rows:
        from mlops_framework.cli.drift_words import left_out

        reasons = "\n".join(left_out(counted.profile))
        raise FileUnusable(
            f"No record of {path} could be read. The baseline has {len(baseline.columns)} "
            f"columns: {', '.join(baseline.names)}.\n{reasons}"
        )
    return counted


def write_text(path: Path, text: str, *, never_over: Iterable[Path]) -> None:
    """Write a file and its folder; the files that were read are never overwritten.

    Raises:
        FileUnusable: If it is one of them, or cannot be written.
    """
    if any(path.resolve() == other.resolve() for other in never_over):
        raise FileUnusable(f"{path} is what was read; name another file to write.")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8", errors="replace")
    except OSError as error:
        raise FileUnusable(f"{path} cannot be written: {error.strerror}.") from error


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what reading can raise into words."""
    try:
        yield
    except FileNotFoundError:
        raise FileUnusable(f"There is no file {path}.") from None
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnusable(
            f"{path} is not UTF-8 text ({error.object[error.start : error.start + 1]!r} is not); "
            "save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise FileUnusable(f"{path} is not CSV: {error}.") from error


def format_of(path: Path, *, many: bool = False) -> Format:
    """What a file is, by its content.

    Args:
        path: The file.
        many: Whether it is one of many.

    Raises:
        FileUnusable: If it is nothing that is read.
    """
    if path.is_dir():
        raise FileUnusable(f"{path} is a folder; give one file (cat joins JSON lines).")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise FileUnusable(f"{path} is empty; expected {_ACCEPTED}.")
    if head.startswith(b"PAR1"):
        return "parquet"
    packed = " It is gzip; unpack it first." if head.startswith(b"\x1f\x8b") else ""
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise FileUnusable(f"{path} is not UTF-8 text.{packed} Expected {_ACCEPTED}.")
    start = text.lstrip()[:1]
    if start == "[":
        return "json-lines"
    found = _json_format(path) if start == "{" else "csv"
    if many and found in ("baseline", "statistics"):
        raise FileUnusable(f"{path} is a whole baseline; it has to be the only file.")
    return found


def _json_format(path: Path) -> Format:
    with path.open(encoding="utf-8-sig", errors="replace") as file:
        first = next(line for line in file if line.strip())
    document: Any
    try:
        document = json.loads(first)
    except ValueError:
        if path.stat().st_size > _LARGEST_BASELINE:
            return "capture"
        try:
            document = json.loads(path.read_text("utf-8-sig"))
        except ValueError:
            return "capture"
    if not isinstance(document, dict) or "captureData" in document or "eventMetadata" in document:
        return "capture"
    if is_statistics(document):
        return "statistics"
    if document.get("kind") == KIND:
        return "baseline"
    if str(document.get("kind", "")).startswith("mlops-"):
        raise FileUnusable(
            f"{path} says it is {document['kind']!r}; expected {_ACCEPTED}, or {KIND!r}."
        )
    return "json-lines"


def _counted(table: Table, baseline: Baseline, path: Path, time: datetime) -> Counted:
    try:
        return count_table(table.header, table.rows, baseline, source=str(path), time=time)
    except ColumnsDiffer as fault:
        told = [str(fault), f"Its columns: {', '.join(table.header)}."]
        if len(fault.missing) == len(baseline.names):
            told.append("It has none of the baseline's; is its first line a header?")
        elif len(fault.missing) == 1:
            told.append(f"If {fault.missing[0]} is the label: --label {fault.missing[0]}.")
        raise FileUnusable("\n".join(told)) from fault


def _csv(path: Path, told: Told) -> Table:
    header = csv_header(path)
    rows = csv.reader(_lines(path, told, errors="strict"))
    next(row for row in rows if row)
    return Table(header, rows)


def csv_header(path: Path) -> tuple[str, ...]:
    """The names in the first line; data there is refused."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        header = tuple(name.strip() for name in next(row for row in csv.reader(file) if row))
    alone = header[0] if len(header) == 1 else ""
    separator = next((sign for sign in ";\t|" if sign in alone), "")
    if separator:
        raise FileUnusable(f"{path} is separated by {separator!r}; expected commas.")
    if all(_is_number(name) for name in header):
        shown = ",".join(header[:6])
        raise FileUnusable(
            f"{path} has no header: its first line is data ({shown}). Put the column names there."
        )
    return header


def _is_number(text: str) -> bool:
    try:
        float(text)
    except ValueError:
        return False
    return True


def _lines(path: Path, told: Told, *, errors: str) -> Iterator[str]:
    """A text file's lines, ends kept; says how far it is."""
    size = path.stat().st_size or 1
    with path.open("rb") as raw:
        text = io.TextIOWrapper(raw, "utf-8-sig", errors=errors, newline="")
        for number, line in enumerate(text, 1):
            if number % _TELL_EVERY == 0:
                told(raw.tell() / size)
            yield line
    told(1.0)


def chunks(path: Path, told: Told) -> Iterator[bytes]:
    """A file's bytes in parts, without a byte order mark; says how far it is."""
    size = path.stat().st_size or 1
    with path.open("rb") as file:
        if file.read(len(codecs.BOM_UTF8)) != codecs.BOM_UTF8:
            file.seek(0)
        while chunk := file.read(BLOCK):
            yield chunk
            told(file.tell() / size)
    told(1.0)


def _parquet(path: Path, told: Told) -> Table:
    try:
        import pyarrow
        import pyarrow.parquet
    except ImportError:
        raise FileUnusable(
            f"{path} is Parquet, which pyarrow reads, and pyarrow is not installed. Install it "
            "(pip install pyarrow), or give CSV."
        ) from None
    try:
        file = pyarrow.parquet.ParquetFile(path)
    except pyarrow.ArrowException as error:
        raise FileUnusable(f"{path} is damaged Parquet: {error}") from error
    schema = file.schema_arrow
    types = pyarrow.types
    unread = [
        f"{field.name} ({field.type})"
        for field in schema
        if types.is_nested(field.type)
        or types.is_binary(field.type)
        or types.is_large_binary(field.type)
    ]
    if unread:
        raise FileUnusable(
            f"{path}: columns of numbers, text, truth values and times are compared; these are "
            f"not: {', '.join(unread)}."
        )
    total = file.metadata.num_rows or 1

    def rows() -> Iterator[Sequence[str]]:
        read = 0
        try:
            for batch in file.iter_batches(_BATCH_ROWS):
                columns = [list(map(text_of_value, column.to_pylist())) for column in batch.columns]
                yield from zip(*columns, strict=True)
                read += batch.num_rows
                told(read / total)
        except pyarrow.ArrowException as error:
            raise FileUnusable(f"{path} is damaged Parquet: {error}") from error

    return Table(tuple(schema.names), rows())
