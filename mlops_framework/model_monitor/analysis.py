"""Completes Clarify's configuration with what a request need not say: columns and the model.

Source: SageMaker developer guide, "Analysis Configuration Files". A captured request has no header
row, so the runs need the names of the columns; the baseline data has one, and a job that is given
names as well would take that row for data.
"""

from __future__ import annotations

import copy
import csv
import io
from collections.abc import Mapping, Sequence
from typing import Any, Final

from mlops_framework.model_monitor.errors import AnalysisInvalid

VERSION: Final = 1


def columns_in(text: str, uri: str) -> tuple[str, ...]:
    """The columns that the first line of a CSV file names.

    Args:
        text: The file's beginning.
        uri: Where it is, for the message.

    Raises:
        AnalysisInvalid: There is no first line, or it is longer than what was read.
    """
    end = text.find("\n")
    line = text if end < 0 else text[: end + 1]
    row = next(csv.reader(io.StringIO(line)), [])
    if not row or (end < 0 and text.count('"') % 2):
        raise AnalysisInvalid(f"{uri} does not begin with a header row of CSV; give headers.")
    return tuple(name.strip() for name in row)


def completed(
    document: Mapping[str, Any], *, columns: Sequence[str], model: str
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The configurations of the baseline job and of the runs.

    Args:
        document: What the request's contract wrote: ``baseline`` and ``monitor``.
        columns: Of the baseline data, in order; empty where the request named them, or none.
        model: Name of the model to ask; empty where the request named it.

    Raises:
        AnalysisInvalid: The document is of another version, or the label is no column.
    """
    if document.get("version") != VERSION:
        raise AnalysisInvalid(
            f"The analysis has version {document.get('version')!r}, this code reads {VERSION}: "
            "send the request again."
        )
    baseline, monitor = (copy.deepcopy(dict(document[name])) for name in ("baseline", "monitor"))
    if model:
        baseline.setdefault("predictor", {})["model_name"] = model
        if "predictor" in monitor:
            monitor["predictor"]["model_name"] = model
    if columns:
        label = _label(baseline.get("label", 0), columns)
        if "label" in monitor:
            monitor["label"] = label
            monitor["headers"] = list(columns)
        else:
            monitor["headers"] = [name for name in columns if name != label]
    return baseline, monitor


def _label(label: str | int, columns: Sequence[str]) -> str:
    known = f"The baseline data has the columns {', '.join(columns)}."
    if isinstance(label, int):
        if label >= len(columns):
            raise AnalysisInvalid(f"label is {label}, a position behind the last. {known}")
        return columns[label]
    if label not in columns:
        raise AnalysisInvalid(f"label is {label!r}, which is no column. {known}")
    return label
