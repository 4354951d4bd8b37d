"""The labels in the data of one ground truth record: CSV, JSON, or CSV in BASE64."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Self

from mlops_framework.drift.json_paths import JsonPath

Reason = Literal["label-encoding", "label-json", "label-base64", "label-column"]

REASONS: Final[Mapping[str, str]] = {
    "label-encoding": "the encoding is none of CSV, JSON and BASE64",
    "label-json": "the data is not JSON",
    "label-base64": "the data is not CSV in BASE64",
    "label-column": "a row has no label where label_attribute says",
}
_MARK: Final = "\ufeff"


class LabelUnreadable(Exception):
    """Data without a label for each row.

    Attributes:
        reason: Why.
    """

    def __init__(self, reason: Reason) -> None:
        super().__init__(REASONS[reason])
        self.reason: Reason = reason


@dataclass(frozen=True)
class LabelPlace:
    """Where a row has its label.

    Attributes:
        position: Of a row of several fields, which of them it is, from 0.
        path: Of JSON, what leads to it; ``None`` where the position does.
    """

    position: int = 0
    path: JsonPath | None = None

    @classmethod
    def parse(cls, attribute: str) -> Self:
        """Read ``label_attribute``: a position, a path into JSON, or nothing.

        Raises:
            ValueError: If it is none; says what is accepted.
        """
        if attribute.isdecimal() or not attribute:
            return cls(int(attribute or 0))
        return cls(path=JsonPath.parse(attribute))


def labels_in(data: Any, encoding: Any, place: LabelPlace) -> Sequence[str]:
    """The label of each row, empty where it has none.

    CSV has a line a row. JSON is a row, or a list of them; a row is a label, an object with it, or
    a list of fields. A path through every item of a list (``[*]``) leads from the whole value to
    all labels.

    Args:
        data: Text; of JSON the value itself, too.
        encoding: ``CSV``, ``JSON``, or ``BASE64`` for CSV in it.
        place: Where a row has its label.

    Raises:
        LabelUnreadable: If there is not a label for each row.
    """
    match encoding:
        case "CSV":
            return _of_csv(data, place)
        case "BASE64":
            return _of_csv(_plain(data), place)
        case "JSON":
            value = _value(data) if isinstance(data, str) else data
            return [_text(one) for one in _of_json(value, place)]
        case _:
            raise LabelUnreadable("label-encoding")


def _of_csv(text: str, place: LabelPlace) -> Sequence[str]:
    try:
        table = [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        raise LabelUnreadable("label-column") from None
    table = table or [[""]]
    # A path leads nowhere in CSV; a line of one field is the label all the same.
    if any(len(row) <= place.position or (place.path and len(row) > 1) for row in table):
        raise LabelUnreadable("label-column")
    return [row[place.position].strip() for row in table]


def _plain(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode("utf-8").removeprefix(_MARK)
    except ValueError:
        raise LabelUnreadable("label-base64") from None


def _value(text: str) -> Any:
    """A JSON value; numbers as they are written, so that nobody's spelling of a class is lost."""
    try:
        return _decoder.decode(text.removeprefix(_MARK).strip())
    except RecursionError:
        raise LabelUnreadable("label-json") from None
    except ValueError:
        lines = [line for line in text.split("\n") if line.strip()]
    try:
        found = [_decoder.decode(line.strip()) for line in lines]
    except (ValueError, RecursionError):
        raise LabelUnreadable("label-json") from None
    if not found:
        raise LabelUnreadable("label-json")
    return found


def _of_json(value: Any, place: LabelPlace) -> Sequence[Any]:
    if place.path is not None and place.path.lists:
        labels = place.path.find(value)
    else:
        rows = value if isinstance(value, list) else [value]
        labels = [_of_row(row, place) for row in rows]
    # A path that leads nowhere is another thing than a row whose label nobody knows.
    nowhere = place.path is not None and all(label is None for label in labels or ())
    if not labels or nowhere:
        raise LabelUnreadable("label-column")
    found: Sequence[Any] = labels
    return found


def _of_row(row: Any, place: LabelPlace) -> Any:
    if not isinstance(row, list | dict):
        if place.position:
            raise LabelUnreadable("label-column")
        return row
    if place.path is not None:
        return place.path.find(row)
    fields = list(row.values()) if isinstance(row, dict) else row
    named = isinstance(row, dict) and len(fields) != 1  # members of an object have no order
    if named or len(fields) <= place.position:
        raise LabelUnreadable("label-column")
    return fields[place.position]


def _text(label: Any) -> str:
    if label is None:
        return ""
    if isinstance(label, bool):
        return "true" if label else "false"
    if isinstance(label, list | dict):
        raise LabelUnreadable("label-column")
    return str(label).strip()


_decoder: Final = json.JSONDecoder(parse_float=str, parse_int=str, parse_constant=lambda _: None)
