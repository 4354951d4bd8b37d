"""What a local file is, told by its content, and its text and bytes with progress."""

from __future__ import annotations

import codecs
import csv
import gzip
import io
import json
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO, Final, Literal, cast

from mlops_framework.drift.baseline import KIND
from mlops_framework.drift.baselines import of_baseline
from mlops_framework.drift.blocks import BLOCK
from mlops_framework.drift.errors import FileUnusable
from mlops_framework.drift.model_monitor_files import is_constraints, is_statistics

Format = Literal["csv", "capture", "json-lines", "parquet", "baseline", "statistics", "constraints"]
Told = Callable[[float], None]
"""Is told how much has been read, 0..1."""

GZIP: Final = b"\x1f\x8b"
ACCEPTED: Final = "CSV with a header line, JSON lines, Parquet, or capture records as JSON lines"
_HEAD_BYTES: Final = 1 << 16
_LARGEST_DOCUMENT: Final = 1 << 28
_TELL_EVERY: Final = 5_000
_WHOLE: Final = ("baseline", "statistics", "constraints")


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn what reading can raise into words."""
    try:
        yield
    except FileNotFoundError:
        raise FileUnusable(f"There is no file {path}.") from None
    except (gzip.BadGzipFile, EOFError) as error:
        raise FileUnusable(f"{path} is damaged gzip: {error}") from error
    except OSError as error:
        raise FileUnusable(f"{path} cannot be read: {error.strerror or error}.") from error
    except UnicodeDecodeError as error:
        raise FileUnusable(
            f"{path} is not UTF-8 text ({error.object[error.start : error.start + 1]!r} is not); "
            "save it as UTF-8."
        ) from error
    except csv.Error as error:
        raise FileUnusable(f"{path} is not CSV: {error}.") from error


def expanded(places: Sequence[Path]) -> list[Path]:
    """The files that places name: files as they are, all below folders, all that fit a pattern.

    In a folder that Model Monitor's baseline job wrote, these are its statistics.

    Raises:
        FileUnusable: If a folder or a pattern names none, or a place is no local one.
    """
    files: dict[Path, None] = {}
    for place in places:
        if str(place).startswith("s3:/"):
            raise FileUnusable(
                f"{str(place).replace('s3:/', 's3://', 1)} is not a local file, and only local "
                "files are read. Copy it first: aws s3 cp (or aws s3 sync for a folder)."
            )
        if place.is_dir():
            found = sorted(
                path
                for path in place.rglob("*")
                if path.is_file()
                and not any(part[0] in "._" for part in path.relative_to(place).parts)
                and path.suffix != ".html"  # reports, where somebody keeps them beside the data
            )
            found = [Path(name) for name in of_baseline([path.as_posix() for path in found])]
        elif not place.exists() and any(sign in str(place) for sign in "*?["):
            pattern = str(place.relative_to(place.anchor))
            found = sorted(path for path in Path(place.anchor).glob(pattern) if path.is_file())
        else:
            found = [place]
        if not found:
            raise FileUnusable(f"There is no file {'in' if place.is_dir() else 'like'} {place}.")
        files.update(dict.fromkeys(found))
    return list(files)


def format_of(path: Path, *, many: bool = False) -> Format:
    """What a file is, by its content; gzip is looked into.

    Args:
        path: The file.
        many: Whether it is one of many.

    Raises:
        FileUnusable: If it is nothing that is read.
    """
    with opened(path) as file:
        head = file.read(_HEAD_BYTES)
    if not head.strip():
        raise FileUnusable(f"{path} is empty; expected {ACCEPTED}.")
    if head.startswith(b"PAR1"):
        return "parquet"
    try:
        text = codecs.getincrementaldecoder("utf-8-sig")().decode(head)
    except UnicodeDecodeError:
        text = "\0"
    if "\0" in text:
        raise FileUnusable(f"{path} is not UTF-8 text. Expected {ACCEPTED}.")
    start = text.lstrip()[:1]
    if start == "[":
        return "json-lines"
    found = _json_format(path) if start == "{" else "csv"
    if many and found in _WHOLE:
        raise FileUnusable(f"{path} is a whole baseline; it has to be the only file.")
    return found


def _json_format(path: Path) -> Format:
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", "replace") as text:
        first = next(line for line in text if line.strip())
        document: Any
        try:
            document = json.loads(first)
        except ValueError:
            try:
                document = json.loads(first + text.read(_LARGEST_DOCUMENT))
            except ValueError:
                return "capture"
    if not isinstance(document, dict) or "captureData" in document or "eventMetadata" in document:
        return "capture"
    if is_statistics(document):
        return "statistics"
    if is_constraints(document):
        return "constraints"
    if document.get("kind") == KIND:
        return "baseline"
    if "pipeline_type" in document:
        raise FileUnusable(f"{path} is a request and holds no data; give it with --config.")
    if str(document.get("kind", "")).startswith("mlops-"):
        raise FileUnusable(
            f"{path} says it is {document['kind']!r}; expected {ACCEPTED}, or {KIND!r}."
        )
    return "json-lines"


@contextmanager
def opened(path: Path, raw: list[BinaryIO] | None = None) -> Iterator[BinaryIO]:
    """A file at its beginning, unpacked if it is gzip.

    Args:
        path: The file.
        raw: Gets the file as it lies on the disk, whose position says how far it is read.
    """
    with path.open("rb") as file:
        packed = file.read(len(GZIP)) == GZIP
        file.seek(0)
        if raw is not None:
            raw.append(file)
        yield cast(BinaryIO, gzip.GzipFile(fileobj=file)) if packed else file


def lines(path: Path, told: Told) -> Iterator[str]:
    """A text file's lines, ends kept; says how far it is."""
    size, raw = path.stat().st_size or 1, list[BinaryIO]()
    with opened(path, raw) as file:
        text = io.TextIOWrapper(file, "utf-8-sig", newline="")
        for number, line in enumerate(text, 1):
            if number % _TELL_EVERY == 0:
                told(min(1.0, raw[0].tell() / size))
            yield line
    told(1.0)


def chunks(path: Path, told: Told) -> Iterator[bytes]:
    """A file's bytes in parts, without a byte order mark; says how far it is."""
    size, raw = path.stat().st_size or 1, list[BinaryIO]()
    with opened(path, raw) as file:
        first = True
        while chunk := file.read(BLOCK):
            yield chunk.removeprefix(codecs.BOM_UTF8) if first else chunk
            first = False
            told(min(1.0, raw[0].tell() / size))
    told(1.0)


def csv_header(path: Path) -> tuple[str, ...]:
    """The names in the first line.

    Raises:
        FileUnusable: If it holds data, or is separated by something else than commas.
    """
    with opened(path) as file, io.TextIOWrapper(file, "utf-8-sig", newline="") as text:
        header = tuple(name.strip() for name in next(row for row in csv.reader(text) if row))
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
