"""Captured requests as parts of a table, so that traffic can be a baseline."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import numpy as np

from mlops_framework.drift.batches import NO_TIME, Batch, BatchReader, moment_of
from mlops_framework.drift.capture import CaptureReader
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.hour_blocks import hour_of
from mlops_framework.drift.payload_rows import csv_rows, json_rows, loaded, text_and_kind
from mlops_framework.drift.profiling import minute_of
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.scanning import Marks, Places
from mlops_framework.drift.training_columns import Part
from mlops_framework.drift.unreadable import Unreadable
from mlops_framework.drift.windows import instant

_TOGETHER: Final = 10_000
_TRIED: Final = 1_000
Chunks = Callable[[], Iterable[bytes]]


def found_columns(
    objects: Iterable[Chunks], names: Sequence[str], form: RecordForm
) -> tuple[ColumnSpec, ...]:
    """The columns of requests, by the first one that can be read.

    Numbers of JSON are columns of numbers; fields of CSV are texts, whatever they hold.

    Args:
        objects: Captures; only as much as is needed is read.
        names: What the columns are called, if it is known.
        form: Where rows and values are.

    Returns:
        The columns; none if no request could be read.
    """
    for line in _first_lines(objects):
        try:
            record = loaded(line)
            text, json = text_and_kind(record["captureData"]["endpointInput"])
            row = (json_rows(text, form.input) if json else csv_rows(text))[0]
        except (ValueError, TypeError, KeyError, IndexError, RecursionError, Unreadable):
            continue
        values: Mapping[str, Any]
        if isinstance(row, dict):
            declared = {name: path.find(row) for name, path in form.input.columns.items()}
            own = {n: v for n, v in row.items() if n not in form.input.spoken_of}
            values = declared | own
            values = {name: values.get(name) for name in names} if names else values
        elif isinstance(row, list) and (not names or len(names) == len(row)):
            called = names or [f"_c{place}" for place in range(len(row))]
            values = dict(zip(called, row, strict=True))
        else:
            continue
        return tuple(
            ColumnSpec(name, "numeric" if _is_number(value) else "categories")
            for name, value in values.items()
        )
    return ()


def captured_parts(
    chunks: Iterable[bytes],
    specs: Sequence[ColumnSpec],
    form: RecordForm,
    *,
    since: datetime,
    until: datetime,
    time: datetime,
    left_out: Counter[str],
) -> Iterator[Part]:
    """The requests of a capture object, with the hour of each.

    Args:
        chunks: The object's text.
        specs: The columns.
        form: Where rows and values are.
        since: First moment of the requests that are wanted.
        until: Moment behind the last one.
        time: Moment of records without one of their own.
        left_out: Counts what could not be read, by reason.
    """
    names = [spec.name for spec in specs]
    first, last, usual = (_number(moment) for moment in (since, until, time))
    reader = CaptureReader(names, form)
    rows: list[Sequence[str]] = []
    minutes: list[int] = []

    def wanted(found: Places) -> tuple[Places, Marks]:
        own = np.where(found == NO_TIME, usual, found)
        return own, (own >= first) & (own < last)

    def held() -> Part:
        columns = zip(*rows, strict=True)
        hours = _hours(np.array(minutes, np.int64))
        return Part(dict(zip(names, columns, strict=True)), len(rows), hours=hours)

    for found in BatchReader(specs, form).read(chunks):
        if isinstance(found, Batch):
            own, chosen = wanted(found.minutes)
            kept = np.flatnonzero(chosen)
            part = {n: v.at(kept) for n, v in zip(names, found.columns, strict=True)}
            yield Part(part, len(kept), hours=_hours(own[kept]))
            continue
        if not found.strip():
            continue
        try:
            invocation = reader.read(found)
            minute = minute_of(invocation.time)
        except Unreadable as fault:
            left_out[fault.reason] += 1
            continue
        left_out.update(reason for reason in invocation.faults if not reason.startswith("output"))
        own, chosen = wanted(np.array([minute], np.int64))
        if chosen[0]:
            rows += invocation.inputs
            minutes += [int(own[0])] * len(invocation.inputs)
        if len(rows) >= _TOGETHER:
            yield held()
            rows, minutes = [], []
    if rows:
        yield held()


def _first_lines(objects: Iterable[Chunks]) -> Iterator[bytes]:
    tried = 0
    for chunks in objects:
        rest = b""
        for chunk in chunks():
            *lines, rest = (rest + chunk).split(b"\n")
            for line in lines:
                tried += 1
                if tried > _TRIED:
                    return
                yield line
        yield rest


def _is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _hours(minutes: Places) -> Places:
    """The hour of each row, counted from 1970."""
    found, places = np.unique(minutes // 100, return_inverse=True)
    hours = [hour_of(moment_of(hour * 100)) for hour in found.tolist()]
    return np.array(hours, np.int64)[places]


def _number(moment: datetime) -> int:
    return minute_of(instant(moment))
