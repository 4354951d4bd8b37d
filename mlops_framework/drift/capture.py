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
inference write ``batchTransformOutput``. Records that were merged with ground truth have
``"groundTruthData": {"data": "1", "encoding": "CSV"}`` beside ``captureData``. Whatever cannot be
read raises :class:`~mlops_framework.drift.unreadable.Unreadable` with one of a fixed set of
reasons, so that nothing is lost without being counted.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from json import dumps
from typing import Any, Final, NamedTuple

from mlops_framework.drift.json_paths import JsonPath
from mlops_framework.drift.payload_rows import (
    csv_rows,
    header_places,
    json_rows,
    loaded,
    text_and_kind,
)
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.unreadable import REASONS, Reason, Unreadable
from mlops_framework.drift.values import category_of

PREDICTION: Final = "prediction"
MOST_OUTPUTS: Final = 32
_FIRST: Final = (0,)

Row = Sequence[str]
"""The values of one row as text, in the baseline's column order; empty means missing."""


class Truth(NamedTuple):
    """The labels of one record, as they are written.

    Attributes:
        data: A line for each row.
        encoding: How.
    """

    data: str
    encoding: str


class Invocation(NamedTuple):
    """One captured invocation (a tuple, since one is made per line).

    Attributes:
        time: ``eventMetadata.inferenceTime`` as written, or ``None``.
        inputs: Rows of the request; empty when it was not captured.
        outputs: Values of the response by output name, one list entry a row; empty when the
            response was not captured or could not be read.
        faults: Why rows or sides of an otherwise readable invocation were left out, one entry each.
        unexpected: Names of members the baseline does not have, each once for every row that has
            it.
        identity: ``inferenceId`` if the caller gave one, else ``eventId``: what labels name.
        places: Of each row of ``inputs`` its number in the request, from 0.
        payload_rows: Rows of the request, those left out included.
        truth: The labels that the record itself has; ``None`` for none.
    """

    time: str | None
    inputs: tuple[Row, ...]
    outputs: Mapping[str, Sequence[str]]
    faults: tuple[Reason, ...] = ()
    unexpected: tuple[str, ...] = ()
    identity: str = ""
    places: Sequence[int] = ()
    payload_rows: int = 0
    truth: Truth | None = None


class Inputs(NamedTuple):
    """The rows of one request; see :class:`Invocation`."""

    rows: tuple[Row, ...]
    faults: tuple[Reason, ...]
    unexpected: tuple[str, ...]
    places: Sequence[int]


class CaptureReader:
    """Reads capture lines of one endpoint.

    Args:
        columns: The baseline's column names in order; they name headerless payloads.
        form: Where rows and values are, if not where they usually are.
    """

    def __init__(self, columns: Sequence[str], form: RecordForm | None = None) -> None:
        self._columns = tuple(columns)
        self._width = len(self._columns)
        self._form = form or RecordForm()
        self._known = frozenset(columns) | self._form.input.spoken_of
        self._declared = tuple(self._form.input.columns.get(name) for name in columns)

    def read(self, line: str | bytes) -> Invocation:
        """Read one line.

        Raises:
            Unreadable: If nothing of the request can be used.
        """
        try:
            record = loaded(line)
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
                found = self._answer_alone(time, response, _identity(metadata))
            else:
                found = self._invocation(time, request, response, _identity(metadata))
            truth = truth_of(record)
            return found if truth is None else found._replace(truth=truth)
        except Unreadable as fault:
            raise Unreadable(fault.reason, time) from None

    def rows(self, text: str, *, json: bool) -> Inputs:
        """The rows of one request.

        Raises:
            Unreadable: If the text is not what it should be.
        """
        if json:
            return self._json_inputs(json_rows(text, self._form.input))
        return self._csv_inputs(csv_rows(text))

    def answers(self, text: str, rows: int | None, *, json: bool) -> dict[str, list[str]]:
        """The response's values by output name, one each row.

        Args:
            text: The response.
            rows: Rows of the request, if it is known.
            json: Whether it is JSON.

        Raises:
            Unreadable: If it is no table of values.
        """
        if not json:
            return _outputs(csv_rows(text), rows, {})
        form = self._form.output
        return _outputs(json_rows(text, form), rows, form.columns)

    def _invocation(
        self, time: str | None, request: Any, response: Any, identity: str
    ) -> Invocation:
        text, json = text_and_kind(request)
        rows, faults, unexpected, places = self.rows(text, json=json)
        if not rows and faults:
            raise Unreadable(faults[0])
        outputs: Mapping[str, Sequence[str]] = {}
        in_payload = len(rows) + len(faults)
        if response is not None:
            try:
                text, json = text_and_kind(response)
                outputs = self.answers(text, in_payload, json=json)
                if any(len(column) != in_payload for column in outputs.values()):
                    faults = (*faults, "output-rows")
            except Unreadable as fault:
                wide: Reason = "output-width"
                faults = (*faults, wide if fault.reason == wide else "output-unreadable")
        return Invocation(time, rows, outputs, faults, unexpected, identity, places, in_payload)

    def _answer_alone(self, time: str | None, response: Any, identity: str) -> Invocation:
        """A response whose request was not captured: nothing to compare, but labels may name it."""
        try:
            text, json = text_and_kind(response)
            outputs = self.answers(text, None, json=json)
        except Unreadable:
            outputs = {}
        if not outputs:
            raise Unreadable("no-input")
        return Invocation(time, (), outputs, ("no-input",), (), identity)

    def _csv_inputs(self, table: Sequence[Row]) -> Inputs:
        width, order, unexpected = self._width, None, tuple[str, ...]()
        if table and (order := header_places(table[0], self._columns)) is not None:
            names = {field.strip() for field in table[0]}
            width, unexpected = len(table[0]), tuple(sorted(names - self._known - {""}))
            table = table[1:]
        if len(table) == 1 and len(table[0]) == width and order is None:  # by far the most frequent
            return Inputs((table[0],), (), (), _FIRST)
        here = tuple(place for place, row in enumerate(table) if len(row) == width)
        wrong: Reason = "field-count"
        left_out = (wrong,) * (len(table) - len(here))
        rows = tuple(table[place] for place in here)
        if order is not None:
            rows = tuple([row[place] for place in order] for row in rows)
        return Inputs(rows, left_out, unexpected * len(rows), here)

    def _json_inputs(self, payload: Sequence[Any]) -> Inputs:
        good: list[Row] = []
        places: list[int] = []
        faults: list[Reason] = []
        unexpected: list[str] = []
        for place, item in enumerate(payload):
            try:
                if isinstance(item, dict):
                    good.append(self._members(item))
                    extra = item.keys() - self._known
                    unexpected += [name for name in extra if item[name] is not None]
                elif isinstance(item, list):
                    if len(item) != self._width:
                        raise Unreadable("field-count")
                    good.append([scalar(value) for value in item])
                else:
                    raise Unreadable("field-count" if self._width > 1 else "nested-json")
                places.append(place)
            except Unreadable as fault:
                faults.append(fault.reason)
        return Inputs(tuple(good), tuple(faults), tuple(sorted(unexpected)), places)

    def _members(self, item: dict[str, Any]) -> Row:
        return [
            scalar(item.get(column) if path is None else path.find(item))
            for column, path in zip(self._columns, self._declared, strict=True)
        ]


def truth_of(record: Mapping[str, Any]) -> Truth | None:
    """The labels that a record has beside what was captured; ``None`` for none."""
    truth = record.get("groundTruthData")
    if not isinstance(truth, dict) or truth.get("data") is None:
        return None
    data = truth["data"]
    written = data if isinstance(data, str) else dumps(data)
    return Truth(written, str(truth.get("encoding", "")))


def _identity(metadata: Any) -> str:
    if not isinstance(metadata, dict):
        return ""
    found = metadata.get("inferenceId") or metadata.get("eventId")
    return found if isinstance(found, str) else ""


def scalar(value: Any) -> str:
    """A JSON value as text.

    Raises:
        Unreadable: If it is an object or a list.
    """
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        raise Unreadable("nested-json")
    return category_of(repr(value)) if isinstance(value, bool) else repr(value)


def _outputs(
    rows: Sequence[Any], asked: int | None, declared: Mapping[str, JsonPath]
) -> dict[str, list[str]]:
    """The response by output name: ``prediction``, or ``prediction.0`` and so on for several."""
    if len(rows) == 1 and isinstance(rows[0], list) and not declared:
        if len(rows[0]) == 1:
            return {PREDICTION: [scalar(rows[0][0]).strip()]}
        if asked is not None and 1 < asked == len(rows[0]):
            # One list of as many values as there were rows: a prediction each.
            rows = [[value] for value in rows[0]]
    columns: dict[str, list[str]] = {}
    for place, row in enumerate(rows):
        if declared:
            named = {output_name(name): scalar(path.find(row)) for name, path in declared.items()}
        elif isinstance(row, dict):
            named = {output_name(name): scalar(value) for name, value in row.items()}
        elif isinstance(row, list) and row:
            named = dict(zip(output_names(len(row)), map(scalar, row), strict=True))
        else:
            raise Unreadable("nested-json")
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


__all__ = [
    "MOST_OUTPUTS",
    "PREDICTION",
    "REASONS",
    "CaptureReader",
    "Inputs",
    "Invocation",
    "Reason",
    "Row",
    "Truth",
    "Unreadable",
    "output_name",
    "output_names",
    "scalar",
    "truth_of",
]
