r"""Reading SageMaker's data capture: JSON lines that hold a request, a response, or both.

One line is one invocation::

    {"captureData": {"endpointInput":  {"observedContentType": "text/csv", "mode": "INPUT",
                                        "data": "42,3,1\n", "encoding": "CSV"},
                     "endpointOutput": {..., "mode": "OUTPUT", "data": "0.93", "encoding": "CSV"}},
     "eventMetadata": {"eventId": "...", "inferenceTime": "2026-03-01T14:07:31Z"},
     "eventVersion": "0"}

``encoding`` is ``CSV``, ``JSON`` or ``BASE64`` (the default for content types that the endpoint
configuration does not list) and may differ between the two sides; ``data`` is always a string and
may hold several rows. Key order is free; either side may be missing; batch and asynchronous
inference write ``batchTransformOutput``. Whatever cannot be read raises :class:`Unreadable` with
one of a fixed set of reasons, so that nothing is lost without being counted.
"""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple

import orjson

from mlops_framework.drift.values import category_of

Reason = Literal[
    "not-json",
    "no-capture-data",
    "no-input",
    "no-payload",
    "unknown-encoding",
    "bad-base64",
    "not-text",
    "bad-csv",
    "bad-json-payload",
    "nested-json",
    "field-count",
    "output-unreadable",
    "output-rows",
    "output-width",
    "no-time",
]

REASONS: Final[Mapping[str, str]] = {
    "not-json": "the line is not a JSON object",
    "no-capture-data": "the record has no captureData object",
    "no-input": "the request was not captured; add Input to the endpoint's CaptureOptions",
    "no-payload": "a captured side has no data string",
    "unknown-encoding": "the encoding is none of CSV, JSON, BASE64",
    "bad-base64": "the data says BASE64 and is not",
    "not-text": "the data is not UTF-8 text (an image or another binary format)",
    "bad-csv": "the payload is not CSV",
    "bad-json-payload": "the payload is neither JSON nor JSON lines",
    "nested-json": "the payload is nested JSON; flat objects, arrays and instances are read",
    "field-count": "a row has another number of fields than the baseline has columns",
    "output-unreadable": "the response is no table of values; predictions are left out",
    "output-rows": "the response has another number of rows than the request",
    "output-width": "the response has more than 32 values a row",
    "no-time": "eventMetadata.inferenceTime is not a time",
}

PREDICTION: Final = "prediction"
MOST_OUTPUTS: Final = 32
_CONTAINERS: Final = ("instances", "inputs", "predictions", "outputs", "rows")
_MEMBERS: Final = ("features", "values")
_FIRST: Final = (0,)

Row = Sequence[str]
"""The values of one row as text, in the baseline's column order; empty means missing."""


class Unreadable(Exception):
    """A record or a side of it that cannot be read; ``time`` is its moment, where known."""

    def __init__(self, reason: Reason, time: str | None = None) -> None:
        self.reason: Reason = reason
        self.time = time
        super().__init__(REASONS[reason])


class Invocation(NamedTuple):
    """One captured invocation (a tuple, since one is made per line).

    Attributes:
        time: ``eventMetadata.inferenceTime`` as written, or ``None``.
        inputs: Rows of the request; empty when it was not captured.
        outputs: Values of the response by output name, one list entry a row; empty when the
            response was not captured or could not be read.
        faults: Why rows or sides of an otherwise readable invocation were left out, one entry each.
        unexpected: Names of JSON members the baseline does not have.
        identity: ``inferenceId`` if the caller gave one, else ``eventId``: what labels name.
        places: Of each row of ``inputs`` its number in the request, from 0.
        payload_rows: Rows of the request, those left out included.
    """

    time: str | None
    inputs: tuple[Row, ...]
    outputs: Mapping[str, Sequence[str]]
    faults: tuple[Reason, ...] = ()
    unexpected: tuple[str, ...] = ()
    identity: str = ""
    places: Sequence[int] = ()
    payload_rows: int = 0


class _Inputs(NamedTuple):
    rows: tuple[Row, ...]
    faults: tuple[Reason, ...]
    unexpected: tuple[str, ...]
    places: Sequence[int]


class CaptureReader:
    """Reads capture lines of one endpoint.

    Args:
        columns: The baseline's column names in order; they name headerless payloads.
    """

    def __init__(self, columns: Sequence[str]) -> None:
        self._columns = tuple(columns)
        self._width = len(self._columns)
        self._known = frozenset(columns)

    def read(self, line: str | bytes) -> Invocation:
        """Read one line.

        Raises:
            Unreadable: If nothing of the request can be used.
        """
        try:
            record = _loaded(line)
        except (ValueError, RecursionError):
            raise Unreadable("not-json") from None
        if not isinstance(record, dict):
            raise Unreadable("not-json")
        metadata = record.get("eventMetadata")
        time = metadata.get("inferenceTime") if isinstance(metadata, dict) else None
        if time is not None and not isinstance(time, str):
            raise Unreadable("no-time")
        sides = record.get("captureData")
        if not isinstance(sides, dict):
            raise Unreadable("no-capture-data", time)
        request = sides.get("endpointInput")
        response = sides.get("endpointOutput") or sides.get("batchTransformOutput")
        try:
            if request is None:
                return _answer_alone(time, response, _identity(metadata))
            return self._invocation(time, request, response, _identity(metadata))
        except Unreadable as fault:
            raise Unreadable(fault.reason, time) from None

    def _invocation(
        self, time: str | None, request: Any, response: Any, identity: str
    ) -> Invocation:
        rows, faults, unexpected, places = self._inputs(_decoded(request))
        if not rows and faults:
            raise Unreadable(faults[0])
        outputs: Mapping[str, Sequence[str]] = {}
        in_payload = len(rows) + len(faults)
        if response is not None:
            try:
                outputs = _outputs(_decoded(response))
                if any(len(column) != in_payload for column in outputs.values()):
                    faults = (*faults, "output-rows")
            except Unreadable as fault:
                wide: Reason = "output-width"
                faults = (*faults, wide if fault.reason == wide else "output-unreadable")
        return Invocation(time, rows, outputs, faults, unexpected, identity, places, in_payload)

    def _inputs(self, payload: str | list[Any]) -> _Inputs:
        if isinstance(payload, str):
            table = _csv_rows(payload)
            if len(table) == 1 and len(table[0]) == self._width:  # by far the most frequent
                return _Inputs((table[0],), (), (), _FIRST)
            here = tuple(place for place, row in enumerate(table) if len(row) == self._width)
            wrong: Reason = "field-count"
            left_out = (wrong,) * (len(table) - len(here))
            return _Inputs(tuple(table[place] for place in here), left_out, (), here)
        good: list[Row] = []
        places: list[int] = []
        faults: list[Reason] = []
        unexpected: dict[str, None] = {}
        for place, item in enumerate(payload):
            try:
                if isinstance(item, dict):
                    good.append([_scalar(item.get(column)) for column in self._columns])
                    extra = item.keys() - self._known
                    unexpected.update({name: None for name in extra if item[name] is not None})
                elif isinstance(item, list):
                    if len(item) != self._width:
                        raise Unreadable("field-count")
                    good.append([_scalar(value) for value in item])
                else:
                    raise Unreadable("field-count" if self._width > 1 else "nested-json")
                places.append(place)
            except Unreadable as fault:
                faults.append(fault.reason)
        return _Inputs(tuple(good), tuple(faults), tuple(sorted(unexpected)), places)


def _answer_alone(time: str | None, response: Any, identity: str) -> Invocation:
    """A response whose request was not captured: nothing to compare, but labels may name it."""
    try:
        outputs = _outputs(_decoded(response)) if response is not None else {}
    except Unreadable:
        outputs = {}
    if not outputs:
        raise Unreadable("no-input")
    return Invocation(time, (), outputs, ("no-input",), (), identity)


def _loaded(text: str | bytes) -> Any:
    """A JSON value; what is not quite JSON (NaN, half a surrogate pair) as Python reads it."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def _identity(metadata: Any) -> str:
    if not isinstance(metadata, dict):
        return ""
    found = metadata.get("inferenceId") or metadata.get("eventId")
    return found if isinstance(found, str) else ""


def _decoded(side: Any) -> str | list[Any]:
    """A captured side as CSV text, or as a list of JSON rows (objects, or lists of scalars)."""
    data = side.get("data") if isinstance(side, dict) else None
    if not isinstance(data, str):
        raise Unreadable("no-payload")
    encoding = side.get("encoding")
    if encoding == "CSV":
        return data
    if encoding == "BASE64":
        try:
            data = base64.b64decode(data, validate=True).decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("not-text") from None
        except ValueError:  # binascii.Error, and its plain parent for what is not ASCII
            raise Unreadable("bad-base64") from None
        kind = str(side.get("observedContentType", "")).lower()
        looks_like_json = data.lstrip()[:1] in ("{", "[")
        encoding = "JSON" if "json" in kind or ("csv" not in kind and looks_like_json) else "CSV"
    if encoding == "CSV":
        return data
    if encoding == "JSON":
        return _json_rows(data)
    raise Unreadable("unknown-encoding")


def _csv_rows(text: str) -> list[list[str]]:
    if '"' not in text:
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        return [line.split(",") for line in text.split("\n") if line]
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        raise Unreadable("bad-csv") from None


def _json_rows(text: str) -> list[Any]:
    """The rows of a JSON or JSON lines payload."""
    try:
        value = _loaded(text)
    except RecursionError:
        raise Unreadable("nested-json") from None
    except ValueError:
        try:
            lines = [_loaded(line) for line in text.splitlines() if line.strip()]
        except (ValueError, RecursionError):
            raise Unreadable("bad-json-payload") from None
        return [row for line in lines for row in _rows_of(line)]
    return _rows_of(value)


def _rows_of(value: Any) -> list[Any]:
    if isinstance(value, dict):
        for name in _CONTAINERS:
            inner = value.get(name)
            if isinstance(inner, list):
                rows = inner if any(isinstance(item, (list, dict)) for item in inner) else None
                return [_members(row) for row in rows] if rows else [[item] for item in inner]
        return [_members(value)]
    if isinstance(value, list):
        if any(isinstance(item, (list, dict)) for item in value):
            return [_members(row) for row in value]
        return [value] if value else []
    return [[value]]


def _members(row: Any) -> Any:
    """A row that wraps its values in ``features`` or ``values`` unwrapped."""
    if isinstance(row, dict):
        for name in _MEMBERS:
            if isinstance(row.get(name), list):
                return row[name]
    return row


def _scalar(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise Unreadable("nested-json")
    return category_of(repr(value)) if isinstance(value, bool) else repr(value)


def _outputs(payload: str | list[Any]) -> dict[str, list[str]]:
    """The response by output name: ``prediction``, or ``prediction.0`` and so on for several."""
    rows = _csv_rows(payload) if isinstance(payload, str) else payload
    if len(rows) == 1 and len(rows[0]) == 1 and isinstance(rows[0], list):
        return {PREDICTION: [_scalar(rows[0][0]).strip()]}
    columns: dict[str, list[str]] = {}
    for place, row in enumerate(rows):
        if isinstance(row, dict):
            named = {output_name(name): _scalar(value) for name, value in row.items()}
        else:
            named = dict(zip(output_names(len(row)), map(_scalar, row), strict=True))
        if len(named) > MOST_OUTPUTS:
            raise Unreadable("output-width")
        for name, value in named.items():
            if name not in columns:
                columns[name] = [""] * place
            columns[name].append(value.strip())
        for column in columns.values():
            column.extend([""] * (place + 1 - len(column)))  # a member that others have
    if len(columns) > MOST_OUTPUTS:
        raise Unreadable("output-width")
    return columns


def output_name(member: str) -> str:
    """Column of a named member of a response."""
    plain = (PREDICTION, "predictions")
    return PREDICTION if member in plain else f"{PREDICTION}.{member[:60]}"


def output_names(width: int) -> Sequence[str]:
    """Columns of a response of so many values without names."""
    return [f"{PREDICTION}.{place}" for place in range(width)] if width > 1 else [PREDICTION]
