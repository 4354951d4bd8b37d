"""Labels that captured records have themselves, known as soon as they are captured.

Whoever merges captures with ground truth (as Model Monitor's merge job does) writes records with a
``groundTruthData`` of their own; its form is that of :mod:`.labels`.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

import numpy as np

from mlops_framework.drift.capture import Truth
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.values import Texts, texts_of


def own_labels(rows: CapturedRows, position: str) -> tuple[Texts | None, int]:
    """The label of each row, empty where it has none.

    Args:
        rows: The rows.
        position: Position of the label among the fields of a row; empty for the first.

    Returns:
        ``None`` if no record has any; and how many rows have labels in their record that cannot be
        read, or that are not as many as its rows.
    """
    if not any(rows.truths):
        return None, 0
    place = int(position) if position.isdigit() else 0
    labels = [""] * len(rows)
    misfits = 0
    starts = np.flatnonzero(np.diff(rows.records, prepend=-1))
    ends = np.append(starts[1:], len(rows)).astype(np.int64)
    records, places = rows.records[starts].tolist(), rows.places.tolist()
    for record, start, end in zip(records, starts.tolist(), ends.tolist(), strict=True):
        truth = rows.truths[record]
        if truth is None:
            continue
        found = _labels(truth, place)
        # As many as the record has rows; those behind its last readable row are not known.
        if len(found) == places[end - 1] + 1:
            labels[start:end] = [found[row] for row in places[start:end]]
        else:
            misfits += end - start
    return texts_of(labels), misfits


def _labels(truth: Truth, place: int) -> Sequence[str]:
    """Of each row; none if they cannot be read."""
    if truth.encoding != "CSV":
        return ()
    if not place and not any(sign in truth.data for sign in '",\n\r'):
        return (truth.data.strip(),)
    try:
        table = list(csv.reader(io.StringIO(truth.data, newline=""), strict=True))
    except csv.Error:
        return ()
    table = [row for row in table if row] or [[""]]
    return () if any(len(row) <= place for row in table) else [row[place].strip() for row in table]
