"""Probabilities of several classes: each class against the rest, as sums that add up exactly.

Of each class there is the histogram that two classes have: rows by whether the label is this class,
whether the prediction is, and 1,024th of its probability. One-against-the-rest metrics follow from
it as of two classes, and what the probability of a predicted class is worth, too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

import numpy as np

from mlops_framework.drift.ground_truth.answers import Probabilities
from mlops_framework.drift.quality.exact import exact_sum
from mlops_framework.drift.quality.histogram import (
    BINS,
    NEGATIVE_LABEL,
    NO_LABEL,
    POSITIVE_LABEL,
    Counts,
)
from mlops_framework.drift.values import Texts

_SMALLEST: Final = 1e-15
"""Probabilities are held this far from 0 in the log loss, as scikit-learn does."""


def counted_classes(
    classes: Sequence[str], scores: Mapping[str, Probabilities], labels: Texts, predictions: Texts
) -> tuple[Mapping[str, Counts], Mapping[str, int]]:
    """Count rows with probabilities.

    Args:
        classes: The classes that are counted; only rows that have all their probabilities are.
        scores: Probabilities by class, NaN where a row has none.
        labels: Classes, empty where there is none.
        predictions: Likewise.

    Returns:
        Rows by class; by label (another, this one, none), prediction (another, this one) and
        1,024th of the probability. And exact sums of the log loss of rows whose label is one of
        the classes, and of its square.
    """
    good = np.full(len(labels), bool(classes) and set(classes) <= scores.keys())
    for name in classes if good.all() else ():
        good &= ~np.isnan(scores[name])
    if not good.any():
        return {}, {}
    counted: dict[str, Counts] = {}
    losses = []
    for name in classes:
        score = scores[name].astype(np.float64)
        label = _states(labels, name)
        predicted = np.array([text == name for text in predictions.distinct], np.int64)
        cell = np.minimum((np.where(good, score, 0.0) * BINS).astype(np.int64), BINS - 1)
        flat = (label * 2 + predicted[predictions.indices]) * BINS + cell
        counts = np.bincount(flat[good], minlength=6 * BINS).reshape(3, 2, BINS)
        counted[name] = counts
        losses.append(-np.log(np.maximum(score[good & (label == POSITIVE_LABEL)], _SMALLEST)))
    loss = np.concatenate(losses)
    return counted, {"log_loss": exact_sum(loss), "log_loss^2": exact_sum(loss**2)}


def labelled_rows(by_class: Mapping[str, Counts]) -> int:
    """Rows with probabilities whose label is one of the classes."""
    return sum(int(counts[POSITIVE_LABEL].sum()) for counts in by_class.values())


def promised_rows(by_class: Mapping[str, Counts]) -> int:
    """Rows without a label whose prediction has a probability."""
    return sum(int(counts[NO_LABEL, 1].sum()) for counts in by_class.values())


def _states(labels: Texts, name: str) -> np.ndarray:
    codes = [
        NO_LABEL if not text else POSITIVE_LABEL if text == name else NEGATIVE_LABEL
        for text in labels.distinct
    ]
    states: np.ndarray = np.array(codes, np.int64)[labels.indices]
    return states
