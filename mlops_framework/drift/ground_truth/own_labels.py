"""Labels that captured records have themselves, known as soon as they are captured.

Whoever merges captures with ground truth (as Model Monitor's merge job does) writes records with a
``groundTruthData`` of their own; its form is that of :mod:`.labels`.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from mlops_framework.drift.capture import Truth
from mlops_framework.drift.ground_truth.label_data import LabelPlace, LabelUnreadable, labels_in
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.values import Texts, texts_of


def own_labels(rows: CapturedRows, attribute: str) -> tuple[Texts | None, int]:
    """The label of each row, empty where it has none.

    Args:
        rows: The rows.
        attribute: Where a row has its label: a position, a path into JSON, or empty for the first.

    Returns:
        ``None`` if no record has any; and how many rows have labels in their record that cannot be
        read, or that are not as many as its rows.
    """
    if not any(rows.truths):
        return None, 0
    place = LabelPlace.parse(attribute)
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


def _labels(truth: Truth, place: LabelPlace) -> Sequence[str]:
    """Of each row; none if they cannot be read."""
    plain = not any(sign in truth.data for sign in '",\n\r')
    if truth.encoding == "CSV" and plain and not place.position:
        return (truth.data.strip(),)
    try:
        return labels_in(truth.data, truth.encoding, place)
    except LabelUnreadable:
        return ()
