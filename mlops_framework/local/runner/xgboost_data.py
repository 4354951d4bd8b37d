"""Data as SageMaker's XGBoost algorithm reads it: CSV and LIBSVM, the label in front.

Source: SageMaker developer guide, "Input/Output interface for the XGBoost algorithm".
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from scipy import sparse

from .errors import UserError

_CSV = ("csv", "text/csv")
_LIBSVM = ("libsvm", "text/libsvm", "text/x-libsvm")
_ELSEWHERE = ("parquet", "recordio-protobuf", "application/x-parquet")
_SHOWN = 60


def format_of(content_type: str | None) -> str:
    """``csv`` or ``libsvm``; the algorithm takes LIBSVM where a channel names no type.

    Raises:
        UserError: it is another one.
    """
    plain = (content_type or "libsvm").partition(";")[0].strip().lower()
    if plain in _CSV:
        return "csv"
    if plain in _LIBSVM:
        return "libsvm"
    if plain in _ELSEWHERE or plain.endswith("recordio-protobuf"):
        raise UserError(
            f"The content type {content_type!r} is not carried by the local AWS. "
            "Use csv or libsvm here; the same job takes it in an AWS account."
        )
    raise UserError(
        f"{content_type} is not an accepted ContentType: {', '.join((*_CSV, *_LIBSVM))}."
    )


def read_channel(folder: Path, content_type: str | None, *, weights: bool = False) -> Any:
    """A channel as a matrix with labels.

    Args:
        folder: the channel's files, at any depth.
        content_type: the channel's.
        weights: whether the second column of CSV holds weights.

    Raises:
        UserError: there is no data in it, or it cannot be read.
    """
    form = format_of(content_type)
    files = [
        file
        for file in sorted(folder.rglob("*"))
        if file.is_file() and not file.name.startswith((".", "_"))
    ]
    lines = list(_lines(files))
    if not lines:
        raise UserError(f"No data in the channel {folder.name!r}.")
    if form == "libsvm":
        labels, given, matrix = _libsvm(lines, labelled=True)
        return xgboost.DMatrix(matrix, label=labels, weight=given)
    table = _csv(lines)
    front = 2 if weights else 1
    if table.shape[1] <= front:
        raise UserError(
            f"The channel {folder.name!r} has {table.shape[1]} column(s): the label"
            f"{', the weight' if weights else ''} and at least one feature are needed."
        )
    return xgboost.DMatrix(
        table[:, front:], label=table[:, 0], weight=table[:, 1] if weights else None
    )


def read_request(body: bytes, content_type: str | None) -> Any:
    """A request for predictions as a matrix; it has no labels.

    Raises:
        UserError: it is not of an accepted type, or cannot be read.
    """
    form = format_of(content_type or "text/csv")
    lines = [("the request", n, text) for n, text in enumerate(body.decode().split("\n"), 1)]
    lines = [line for line in lines if line[2].strip()]
    if form == "libsvm":
        return xgboost.DMatrix(_libsvm(lines, labelled=False)[2])
    return xgboost.DMatrix(_csv(lines))


Line = tuple[str, int, str]


def _lines(files: Iterable[Path]) -> Iterator[Line]:
    for file in files:
        with file.open(encoding="utf-8") as text:
            for number, line in enumerate(text, 1):
                if line.strip():
                    yield file.name, number, line


def _csv(lines: list[Line]) -> Any:
    delimiter = _delimiter(lines[0][2])
    rows = []
    for (name, number, _), cells in zip(
        lines, csv.reader((line[2] for line in lines), delimiter=delimiter), strict=True
    ):
        rows.append([_number(cell, name, number) for cell in cells])
        if len(cells) != len(rows[0]):
            raise UserError(
                f"{name}, line {number}: {len(cells)} columns, and {len(rows[0])} before."
            )
    return np.asarray(rows, dtype=np.float32)


def _delimiter(line: str) -> str:
    return next((mark for mark in (",", "\t", ";", "|", " ") if mark in line.strip()), ",")


def _number(cell: str, name: str, line: int) -> float:
    text = cell.strip()
    if not text:
        return float("nan")
    try:
        return float(text)
    except ValueError:
        raise UserError(
            f"{name}, line {line}: {text[:_SHOWN]!r} is no number. The algorithm takes CSV without "
            "a header row, the label in the first column."
        ) from None


def _libsvm(lines: list[Line], *, labelled: bool) -> tuple[Any, Any, Any]:
    """Labels, weights if there are any, and features by their index, counted from 0."""
    labels, weights, rows, columns, values = [], [], [], [], []
    for row, (name, number, line) in enumerate(lines):
        front, *pairs = line.split()
        if not labelled and ":" in front:
            pairs, front = [front, *pairs], "0"
        try:
            label, _, weight = front.partition(":")
            labels.append(float(label))
            weights.append(float(weight) if weight else 1.0)
            for index, value in (pair.split(":") for pair in pairs):
                rows.append(row)
                columns.append(int(index))
                values.append(float(value))
        except ValueError:
            raise UserError(
                f"{name}, line {number}: {line.strip()[:_SHOWN]!r} is not in LIBSVM format, "
                "<label> <index>:<value> …"
            ) from None
    matrix = sparse.csr_matrix(
        (np.asarray(values, np.float32), (rows, columns)),
        shape=(len(lines), max(columns, default=-1) + 1),
    )
    weighted = any(weight != 1.0 for weight in weights)
    return labels, weights if weighted else None, matrix
