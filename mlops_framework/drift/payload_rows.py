"""One captured side as rows: CSV text as lists of texts, JSON as objects or lists of values."""

from __future__ import annotations

import base64
import csv
import io
import json
from collections.abc import Sequence
from typing import Any, Final

import orjson

from mlops_framework.drift.record_forms import SideForm
from mlops_framework.drift.unreadable import Unreadable

CONTAINERS: Final = ("instances", "inputs", "predictions", "outputs", "rows")
"""Members that may hold a payload's rows; the first one that holds a list does."""
MEMBERS: Final = ("features", "values")
"""Members that may hold a row's values."""
_MARK: Final = "\ufeff"


def text_and_kind(side: Any) -> tuple[str, bool]:
    """The text of a captured side, without a byte order mark, and whether it is JSON.

    Raises:
        Unreadable: If there is none, or its encoding cannot be read.
    """
    data = side.get("data") if isinstance(side, dict) else None
    if not isinstance(data, str):
        raise Unreadable("no-payload")
    encoding = side.get("encoding")
    if encoding == "BASE64":
        try:
            data = base64.b64decode(data, validate=True).decode("utf-8")
        except UnicodeDecodeError:
            raise Unreadable("not-text") from None
        except ValueError:  # binascii.Error, and its plain parent for what is not ASCII
            raise Unreadable("bad-base64") from None
        data = data.removeprefix(_MARK)
        kind = str(side.get("observedContentType", "")).lower()
        looks_like_json = data.lstrip()[:1] in ("{", "[")
        return data, "json" in kind or ("csv" not in kind and looks_like_json)
    if encoding not in ("CSV", "JSON"):
        raise Unreadable("unknown-encoding")
    return data.removeprefix(_MARK), encoding == "JSON"


def csv_rows(text: str) -> list[list[str]]:
    """The rows of CSV; empty lines are none.

    Raises:
        Unreadable: If it is not CSV.
    """
    if '"' not in text:
        if "\r" in text:
            text = text.replace("\r\n", "\n")
        return [line.split(",") for line in text.split("\n") if line]
    try:
        return [row for row in csv.reader(io.StringIO(text, newline=""), strict=True) if row]
    except csv.Error:
        raise Unreadable("bad-csv") from None


def json_rows(text: str, form: SideForm) -> list[Any]:
    """The rows of a JSON or JSON lines payload: objects, or lists of values.

    Raises:
        Unreadable: If it is neither, or nothing is where the form says.
    """
    try:
        values = [loaded(text)]
    except RecursionError:
        raise Unreadable("nested-json") from None
    except ValueError:
        try:
            values = [loaded(line) for line in text.split("\n") if line.strip()]
        except (ValueError, RecursionError):
            raise Unreadable("bad-json-payload") from None
        if not values:
            raise Unreadable("bad-json-payload") from None
    rows_of = _declared_rows if form.declared else _usual_rows
    return [row for value in values for row in rows_of(value, form)]


def loaded(text: str | bytes) -> Any:
    """A JSON value; what is not quite JSON (NaN, half a surrogate pair) as Python reads it."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text if isinstance(text, str) else text.decode("utf-8", "replace"))


def _declared_rows(value: Any, form: SideForm) -> list[Any]:
    found = form.rows.find(value)
    if found is None:
        raise Unreadable("no-rows")
    if not form.rows.lists:
        several = isinstance(found, list) and any(isinstance(one, (list, dict)) for one in found)
        found = found if several and form.values is None else [found]
    if form.values is not None:
        found = [form.values.find(row) for row in found]
    return [row if isinstance(row, (list, dict)) else [row] for row in found]


def _usual_rows(value: Any, _: SideForm) -> list[Any]:
    if isinstance(value, dict):
        for name in CONTAINERS:
            inner = value.get(name)
            if isinstance(inner, list):
                rows = inner if any(isinstance(item, (list, dict)) for item in inner) else None
                return [_unwrapped(row) for row in rows] if rows else [[item] for item in inner]
        return [_unwrapped(value)]
    if isinstance(value, list):
        if any(isinstance(item, (list, dict)) for item in value):
            return [_unwrapped(row) for row in value]
        return [value] if value else []
    return [[value]]


def _unwrapped(row: Any) -> Any:
    """A row that wraps its values in ``features`` or ``values`` without that."""
    if isinstance(row, dict):
        for name in MEMBERS:
            if isinstance(row.get(name), list):
                return row[name]
    return row


def header_places(first: Sequence[str], columns: Sequence[str]) -> list[int] | None:
    """Where each column stands if a row is a header that names them all; else ``None``."""
    if len(first) < len(columns) or columns[0] not in (names := [field.strip() for field in first]):
        return None
    found = {name: place for place, name in reversed(list(enumerate(names)))}
    if not all(column in found for column in columns):
        return None
    return [found[column] for column in columns]
