"""Why a captured record, a row or a side of it could not be read: a fixed set of reasons."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Literal

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
    "no-rows",
    "field-count",
    "output-unreadable",
    "output-rows",
    "output-width",
    "no-time",
    "time-off",
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
    "nested-json": "a value is an object or a list; say in records where the values are",
    "no-rows": "the payload has nothing where records says that its rows are",
    "field-count": "a row has another number of fields than the baseline has columns",
    "output-unreadable": "the response is no table of values; predictions are left out",
    "output-rows": "the response has another number of rows than the request",
    "output-width": "the response has more than 32 values a row",
    "no-time": "eventMetadata.inferenceTime is not a time",
    "time-off": "eventMetadata.inferenceTime is far off the time in the object's key",
}


class Unreadable(Exception):
    """A record or a side of it that cannot be read; ``time`` is its moment, where known."""

    def __init__(self, reason: Reason, time: str | None = None) -> None:
        self.reason: Reason = reason
        self.time = time
        super().__init__(REASONS[reason])
