"""Baselines from what is at hand: one file or many, folders, patterns, traffic, tables."""

from __future__ import annotations

import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any, BinaryIO, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.baselines import Through, baseline_of_files
from mlops_framework.drift.captured_parts import captured_parts, found_columns
from mlops_framework.drift.errors import FileUnusable
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.training_columns import Part
from mlops_framework.drift_check.files import (
    Told,
    chunks,
    csv_header,
    expanded,
    format_of,
    reading,
)
from mlops_framework.drift_check.tables import memory_table

_BUFFER: Final = 1 << 18
_EVER: Final = (datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


def read_baseline(
    places: Sequence[Path],
    *,
    label: str,
    told: Told,
    time: str = "",
    columns: Sequence[str] = (),
    form: RecordForm | None = None,
    through: Through | None = None,
) -> Baseline:
    """The baseline that a file is, or is made from one file or many.

    Args:
        places: Files, folders (all below them) and patterns.
        label: Column to leave out; empty for none.
        told: Is told how far it is.
        time: Column with each row's time; empty for none.
        columns: Names of the columns of captured CSV.
        form: Where rows and values of JSON are.
        through: Sees the rows of tables first, and may take out columns that are no features.

    Raises:
        FileUnusable: If one cannot be read.
        BaselineInvalid: If they cannot become a baseline.
    """
    files = expanded(places)
    source = files[0].name if len(files) == 1 else f"{len(files)} files"
    form = form or RecordForm()
    formats = {}
    for path in files:
        with reading(path):
            formats[path] = format_of(path, many=len(files) > 1)
    captured = [path for path, found in formats.items() if found == "capture"]
    if captured and len(captured) < len(files):
        raise FileUnusable(f"{captured[0]} holds capture records and other files do not.")
    if columns and not captured:
        raise FileUnusable("--columns names the columns of capture records; these have names.")
    with reading(files[0]):
        for path, found in formats.items():
            if found == "csv":
                csv_header(path)
        if captured:
            return _captured(captured, source, label, columns, form, told)
        watched = _Watch(files, told)
        return baseline_of_files(
            [(str(path), partial(watched.opened, path)) for path in files],
            source=source,
            label_column=label,
            time_column=time,
            form=form.input,
            through=through,
        )


def baseline_of_table(
    data: Any, *, name: str, label: str, time: str = "", through: Through | None = None
) -> Baseline:
    """The baseline of a table in memory; see :func:`~.tables.memory_table`.

    Args:
        data: The table.
        name: What it is called in messages and reports.
        label: Column to leave out; empty for none.
        time: Column with each row's time; empty for none.
        through: Sees the rows first, and may take out columns that are no features.

    Raises:
        FileUnusable: If it cannot be read.
        BaselineInvalid: If it cannot become a baseline.
    """
    table = memory_table(data, name)
    parts = table.parts(lambda reason, beginning: None)
    rows = through(parts, name) if through else parts
    return Baseline.of_parts(rows, label_column=label, time_column=time, source=name)


def _captured(
    files: Sequence[Path],
    source: str,
    label: str,
    columns: Sequence[str],
    form: RecordForm,
    told: Told,
) -> Baseline:
    """The baseline of captured requests of all times."""
    specs = found_columns((partial(chunks, path, lambda _: None) for path in files), columns, form)
    if not specs:
        raise FileUnusable(
            f"No request of {source} can be read"
            + (f" as {len(columns)} columns: {', '.join(columns)}." if columns else ".")
        )
    left_out: Counter[str] = Counter()

    def parts() -> Iterator[Part]:
        for number, path in enumerate(files):
            share = partial(_part_of, told, number, len(files))
            yield from captured_parts(
                chunks(path, share),
                specs,
                form,
                since=_EVER[0],
                until=_EVER[1],
                time=datetime.fromtimestamp(path.stat().st_mtime, UTC),
                left_out=left_out,
            )

    return Baseline.of_parts(parts(), label_column=label, source=source)


def _part_of(told: Told, number: int, count: int, share: float) -> None:
    told((number + share) / count)


class _Watch:
    """Opens files one after the other and says how far all of them are read."""

    def __init__(self, files: Sequence[Path], told: Told) -> None:
        self._sizes = {path: path.stat().st_size for path in files}
        self._total = sum(self._sizes.values()) or 1
        self._told = told

    def opened(self, path: Path) -> BinaryIO:
        """A file at its beginning."""
        names = list(self._sizes)
        before = sum(self._sizes[name] for name in names[: names.index(path)])
        told, total = self._told, self._total

        class Watched(io.FileIO):
            def readinto(self, buffer: Any) -> int | None:
                told(min(1.0, (before + self.tell()) / total))
                return super().readinto(buffer)

        return io.BufferedReader(Watched(path, "rb"), _BUFFER)


def read_form(path: Path | None) -> RecordForm:
    """Where rows and values of JSON are, by a file that holds a monitor's ``records``.

    Raises:
        FileUnusable: If it cannot be read, or says something else.
    """
    if path is None:
        return RecordForm()
    with reading(path):
        try:
            return RecordForm.from_document(json.loads(path.read_text("utf-8-sig")))
        except ValueError as error:
            raise FileUnusable(f"{path} is no form of records: {error}.") from error
