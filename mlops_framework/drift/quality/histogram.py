"""The histogram of a probability: rows by label, prediction and 1,024th of the probability."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

BINS: Final = 1024
NEGATIVE_LABEL, POSITIVE_LABEL, NO_LABEL = 0, 1, 2

Counts: TypeAlias = NDArray[np.int64]


def no_scores() -> Counts:
    """Of no rows: by label (negative, positive, none), prediction (negative, positive) and bin."""
    return np.zeros((3, 2, BINS), np.int64)


def cells_of(counts: Counts) -> list[list[int]]:
    """What is not 0, as JSON."""
    return [[*place, int(counts[tuple(place)])] for place in np.argwhere(counts).tolist()]


def counts_of(cells: Sequence[Sequence[Any]]) -> Counts:
    """Read what :func:`cells_of` gave."""
    counts = no_scores()
    for label, predicted, cell, count in cells:
        counts[label, predicted, cell] = count
    return counts
