"""Capture lines as batches of columns: by their layout where they have one, else one by one.

A block of whole lines is scanned for the layouts known so far; lines that have one give their
payloads as one text, which Arrow turns into columns. What is left over goes to the real parser:
lines of no known layout, payloads with quotes or escapes in them, rows of another width. Both ways
count the same (a property test compares them).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from types import ModuleType
from typing import Final

import numpy as np

from mlops_framework.drift.blocks import Block, blocks, lines_of
from mlops_framework.drift.capture import (
    MOST_OUTPUTS,
    PREDICTION,
    Truth,
    output_name,
    output_names,
)
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.decoding import Decoded, Undecodable, csv_columns, csv_outputs
from mlops_framework.drift.payload_rows import loaded
from mlops_framework.drift.payloads import Payloads, gathered, payloads_of
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.record_layout import RecordLayout, learn
from mlops_framework.drift.scanning import Bytes, Marks, Places, Scan, Spans, matrix, scan
from mlops_framework.drift.values import MISSING_NUMBER, Values

_MOST_LAYOUTS: Final = 8
_FEWEST: Final = 4
"""Fewer lines than this are not worth a layout."""
_TIME: Final = b"0000-00-00T00:00:00Z"
_ZEROS: Final = np.frombuffer(_TIME, np.uint8)
_IS_DIGIT: Final = np.array([sign == ord("0") for sign in _TIME])
_DIGITS, _SIGNS = np.flatnonzero(_IS_DIGIT), np.flatnonzero(~_IS_DIGIT)
_WEIGHTS: Final = 10 ** np.arange(11, -1, -1, dtype=np.int64)

NO_TIME: Final = -1
ANY_MINUTE: Final = (0, 10**12)
"""First and last minute where a record may have any."""


@dataclass(frozen=True)
class Batch:
    """Rows of many records.

    Attributes:
        columns: The baseline's columns, in its order.
        outputs: Columns of the responses by name, as long as the rows.
        minutes: The minute of each row's record as the number ``yyyymmddHHMM``, UTC; ``NO_TIME``
            where the record has none.
        invocations: The minute of each record.
        truths: Called for the labels that the records themselves have, likewise; none if they have
            none.
        unexpected: Members of requests that the baseline does not have: which rows have them.
        records: Which of the records each row belongs to.
        ids: Called for the ids of the records: ``inferenceId`` where there is one, else
            ``eventId``. Valid only until the next batch is asked for.
    """

    columns: tuple[Values, ...]
    outputs: Mapping[str, Values]
    minutes: Places
    invocations: Places
    records: Places
    ids: Callable[[], Sequence[str]]
    truths: Callable[[], Sequence[Truth | None]] = tuple
    unexpected: Mapping[str, Marks] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.minutes)

    def part(self, rows: Places, invocations: Places) -> Batch:
        """Some rows of it."""
        return Batch(
            tuple(column.at(rows) for column in self.columns),
            {name: column.at(rows) for name, column in self.outputs.items()},
            self.minutes[rows],
            invocations,
            self.records[rows],
            self.ids,
            self.truths,
            {name: marks[rows] for name, marks in self.unexpected.items()},
        )


class BatchReader:
    """Reads the captures of one endpoint.

    Args:
        specs: The baseline's columns in order.
        form: Where rows and values are, if not where they usually are.
        within: First and last minute that records may have, as ``yyyymmddHHMM``; lines of others
            are for the real parser.
    """

    def __init__(
        self,
        specs: Sequence[ColumnSpec],
        form: RecordForm | None = None,
        within: tuple[int, int] = ANY_MINUTE,
    ) -> None:
        self._within = within
        self._specs = tuple(specs)
        self._form = form or RecordForm()
        # A line that names all columns names the longest. Where a name stands for a number that is
        # none, Arrow stumbles over it, so that it need not be looked for in every payload.
        self._name = max((spec.name for spec in specs), key=len, default="").encode()
        stumbles = any(spec.ordered and not _is_number(spec.name) for spec in specs)
        self._header = b"" if stumbles else self._name
        self._layouts: list[RecordLayout] = []
        self._refused = 0

    def read(self, chunks: Iterable[bytes]) -> Iterator[Batch | bytes]:
        """Batches, and between them the lines that are for the real parser.

        Args:
            chunks: Parts of the text, cut anywhere.
        """
        for block in blocks(chunks):
            yield from self._block(block)

    def _block(self, block: Block) -> Iterator[Batch | bytes]:
        data = block.data
        starts, ends, sound = lines_of(data)
        rest = np.flatnonzero(sound)
        slow = [np.flatnonzero(~sound)]
        known = 0
        while len(rest):
            if known == len(self._layouts) and not self._learnt(data, starts[rest], ends[rest]):
                break  # no layout that is not known yet
            layout = self._layouts[known]
            known += 1
            found = scan(data, starts[rest], ends[rest], layout)
            if not len(found.lines):
                continue
            lines = rest[found.lines]
            batch, good = self._batch(data, found, layout)
            if batch is not None:
                yield batch
            slow.append(lines[~good])
            rest = rest[:0] if len(lines) == len(rest) else np.delete(rest, found.lines)
        for line in np.sort(np.concatenate([*slow, rest])).tolist():
            yield data[starts[line] : ends[line]].tobytes()

    def _learnt(self, data: Bytes, starts: Places, ends: Places) -> bool:
        """Whether one of the lines, the first if possible, taught another layout."""
        if len(starts) < _FEWEST:
            return False
        for line in (0, len(starts) // 2, len(starts) - 1):
            if len(self._layouts) + self._refused >= _MOST_LAYOUTS:
                return False
            layout = learn(data[starts[line] : ends[line]].tobytes())
            if layout is not None and layout not in self._layouts:
                self._layouts.append(layout)
                return True
            self._refused += 1
        return False

    def _batch(self, data: Bytes, found: Scan, layout: RecordLayout) -> tuple[Batch | None, Marks]:
        """The columns of the lines that have a layout, and which of them are in it."""
        good = np.ones(len(found.lines), bool)
        minutes = _minutes(data, found.spans.get("time"), good, self._within)
        # Leaving lines out may show others that have to be: twice is enough for what occurs.
        for _ in range(3):
            kept = np.flatnonzero(good)
            if not len(kept):
                break
            try:
                batch, wrong = self._columns(data, found, layout, kept, minutes)
            except Undecodable:
                break
            if batch is not None:
                return batch, good
            good[kept[wrong]] = False
        return None, np.zeros(len(found.lines), bool)

    def _columns(
        self, data: Bytes, found: Scan, layout: RecordLayout, kept: Places, minutes: Places
    ) -> tuple[Batch | None, Places]:
        """A batch of the kept lines, or which of them stand in its way."""
        request = payloads_of(
            data, found.spans["input"].at(kept), layout.request, header=self._header
        )
        if len(request.wrong):
            return None, request.wrong
        decoded = (
            _json().json_columns(request.text, self._specs, self._form.input)
            if request.json
            else csv_columns(request.text, self._specs, header=self._name)
        )
        lines = np.repeat(np.arange(len(kept)), request.rows)
        records, wrong = _records(decoded, lines)
        if len(wrong):
            return None, wrong
        if any(len(column) != len(records) for column in decoded.columns):
            raise Undecodable
        outputs: Mapping[str, Values] = {}
        if layout.response is not None:
            response = payloads_of(data, found.spans["output"].at(kept), layout.response)
            if len(response.wrong):
                return None, response.wrong
            rows = np.bincount(records, minlength=len(kept))
            outputs, wrong = self._outputs(response, rows)
            if len(wrong):
                return None, wrong
        return Batch(
            decoded.columns,
            outputs,
            minutes[kept][records],
            minutes[kept],
            records,
            lambda: _ids(data, found, kept),
            lambda: _truths(data, found, kept, layout.truth),
            decoded.unexpected,
        ), kept[:0]

    def _outputs(self, response: Payloads, rows: Places) -> tuple[Mapping[str, Values], Places]:
        """Columns of the responses, or the records that have another number of rows or values.

        Args:
            response: The responses.
            rows: Rows of each record's request.
        """
        lines = np.repeat(np.arange(len(rows)), response.rows)
        if response.json:
            members, decoded = _json().json_outputs(response.text, self._form.output)
            outputs = {_output_name(name): values for name, values in members.items()}
            if len(outputs) != len(members):
                raise Undecodable
        else:
            wrong = np.flatnonzero(response.rows != rows)
            if len(wrong):
                return {}, wrong
            decoded = csv_outputs(response.text)
            names = output_names(len(decoded.columns))
            outputs = dict(zip(names, decoded.columns, strict=True))
        if len(outputs) > MOST_OUTPUTS:
            raise Undecodable
        records, wrong = _records(decoded, lines)
        if not len(wrong):
            wrong = np.flatnonzero(np.bincount(records, minlength=len(rows)) != rows)
        if len(wrong):
            return {}, wrong
        if any(len(values) != len(records) for values in outputs.values()):
            raise Undecodable
        return outputs, wrong


def _records(decoded: Decoded, lines: Places) -> tuple[Places, Places]:
    """The record of each row; and the records that have lines which are not like the others."""
    if decoded.wrong:
        if max(decoded.wrong) >= len(lines):
            raise Undecodable
        return lines, np.unique(lines[list(decoded.wrong)])
    if decoded.rows is None:
        return lines, lines[:0]
    if len(decoded.rows) != len(lines):
        raise Undecodable
    return np.repeat(lines, decoded.rows), lines[:0]


def _is_number(name: str) -> bool:
    """Whether a name could be taken for a number, or for a missing one."""
    if name.strip().lower() in MISSING_NUMBER:
        return True
    try:
        float(name)
    except ValueError:
        return False
    return True


def _output_name(member: str) -> str:
    if not member:
        return PREDICTION
    return f"{PREDICTION}.{member}" if member.isdecimal() else output_name(member)


def _minutes(data: Bytes, spans: Spans | None, good: Marks, within: tuple[int, int]) -> Places:
    """The minute of each line as ``yyyymmddHHMM``; lines of another form or time are bad."""
    if spans is None:
        return np.full(len(good), NO_TIME, np.int64)
    good &= spans.ends - spans.starts == len(_TIME)
    minutes = np.zeros(len(good), np.int64)
    found = matrix(data, spans.starts[good], len(_TIME))
    digits = found[:, _DIGITS] - np.uint8(ord("0"))
    form = (digits < 10).all(1)
    form &= (found[:, _SIGNS] == _ZEROS[_SIGNS]).all(1)
    form &= digits[:, 12] < 6  # seconds
    minutes[good] = digits[:, :12].astype(np.int64) @ _WEIGHTS
    for minute in np.unique(minutes[good][form]).tolist():
        if not (within[0] <= minute <= within[1] and _is_minute(minute)):
            form &= minutes[good] != minute
    good[good] = form
    return minutes


def moment_of(minute: int) -> datetime:
    """The moment that ``yyyymmddHHMM`` stands for.

    Raises:
        ValueError: If it is none.
    """
    date, time = divmod(minute, 10_000)
    return datetime(
        date // 10_000, date // 100 % 100, date % 100, time // 100, time % 100, tzinfo=UTC
    )


@lru_cache(maxsize=4096)
def _is_minute(minute: int) -> bool:
    try:
        return bool(moment_of(minute))
    except ValueError:
        return False


def _ids(data: Bytes, found: Scan, kept: Places) -> Sequence[str]:
    own, events = found.spans.get("inference-id"), found.spans.get("event-id")
    spans = own or events
    if spans is None:
        return [""] * len(kept)
    ids = _texts(data, spans.at(kept))
    if own is None or events is None or all(ids):
        return ids
    others = _texts(data, events.at(kept))
    return [one or other for one, other in zip(ids, others, strict=True)]


def _truths(data: Bytes, found: Scan, kept: Places, encoding: str) -> Sequence[Truth | None]:
    spans = found.spans.get("label")
    if spans is None:
        return ()
    return [Truth(text, encoding) for text in _texts(data, spans.at(kept))]


def _texts(data: Bytes, spans: Spans) -> Sequence[str]:
    """Strings of JSON as they are meant."""
    text, _ = gathered(data, spans.starts, spans.ends)
    found = text.tobytes().decode().split("\n")[:-1]
    return [loaded(f'"{one}"') if "\\" in one else one for one in found]


def _json() -> ModuleType:
    """Decoding of JSON, loaded by the first one: CSV does not wait 40 ms for Arrow's functions."""
    from mlops_framework.drift import json_decoding

    return json_decoding
