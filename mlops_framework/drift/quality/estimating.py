"""Quality without labels: what the probabilities themselves promise, once they are calibrated.

A calibrated probability of 0.8 is right in 8 of 10 cases, so that the expected confusion matrix of
rows without labels follows from their probabilities alone (*confidence-based performance
estimation*; W. Kuberski, J. Bialek and others, NannyML documentation, "How it works: performance
estimation"). It follows the true quality as long as only the traffic changes (covariate shift); it
cannot see that the same requests have other answers now (concept drift), which labels alone show.

What a probability is worth is learnt from labelled rows: the share of positives per 1,024th of the
score, made monotonous by pooling adjacent violators (isotonic regression; Zadrozny and Elkan 2002).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlops_framework.drift.quality.histogram import (
    BINS,
    NEGATIVE_LABEL,
    NO_LABEL,
    POSITIVE_LABEL,
    Counts,
)
from mlops_framework.drift.quality.metrics import Metric, f_beta, measured
from mlops_framework.drift.quality.ranking import area_under_roc
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Indices

FEWEST_LABELS: Final = 200
"""Fewer labelled rows with a probability calibrate nothing."""
_STEP: Final = 1e-3
_MOST_OF: Final = 0.95


@dataclass(frozen=True)
class Calibration:
    """What a probability is worth.

    Attributes:
        positive: Share of positives by 1,024th of the probability.
        block: Of each 1,024th the number of its block: neighbours that share one value.
        labels: Of each block, how many labels it was learnt from.
    """

    positive: Floats
    block: Indices
    labels: Floats

    @classmethod
    def learnt(cls, scores: Counts) -> Calibration | None:
        """From labelled rows; ``None`` if there are too few, or all of one class."""
        positives = scores[POSITIVE_LABEL].sum(0).astype(np.float64)
        negatives = scores[NEGATIVE_LABEL].sum(0).astype(np.float64)
        totals = positives + negatives
        if totals.sum() < FEWEST_LABELS or not positives.sum() or not negatives.sum():
            return None
        used = np.flatnonzero(totals)
        ends, shares, weights = _pooled(positives[used], totals[used])
        # A block reaches half way to the next one: bins without labels are with their neighbours.
        last = used[np.array(ends) - 1]
        first = used[np.array([0, *ends[:-1]])]
        edges = (last[:-1] + first[1:] + 1) // 2
        block = np.searchsorted(edges, np.arange(BINS), side="right")
        return cls(np.array(shares)[block], block, np.array(weights))

    def shifted(self, block: int, step: float) -> Floats:
        """The shares with one block's moved."""
        moved: Floats = np.where(self.block == block, self.positive + step, self.positive)
        return moved


def _pooled(positives: Floats, totals: Floats) -> tuple[list[int], list[float], list[float]]:
    """Pool adjacent violators: where blocks end, their shares, and their weights."""
    ends: list[int] = []
    hits: list[float] = []
    weights: list[float] = []
    for place in range(len(totals)):
        ends.append(place + 1)
        hits.append(float(positives[place]))
        weights.append(float(totals[place]))
        while len(ends) > 1 and hits[-2] * weights[-1] >= hits[-1] * weights[-2]:
            end, hit, weight = ends.pop(), hits.pop(), weights.pop()
            ends[-1], hits[-1], weights[-1] = end, hits[-1] + hit, weights[-1] + weight
    return ends, [hit / weight for hit, weight in zip(hits, weights, strict=True)], weights


def estimated(scores: Counts, calibration: Calibration) -> Mapping[str, Metric]:
    """Accuracy, F1 and AUC that the rows without labels promise, with their errors.

    The error has two parts: that the rows' true labels are random given their probabilities, and
    that the calibration was learnt from finitely many labels (the delta method over its blocks).
    """
    rows = scores[NO_LABEL].astype(np.float64)
    total = rows.sum()
    if total < FEWEST_LABELS:
        return {}
    found = {}
    for name, metric in _METRICS.items():
        value, variance = _with_variance(metric, rows, calibration)
        if math.isfinite(value):
            found[name] = measured(value, math.sqrt(variance), low=0.0, high=1.0)
    return found


def estimated_of_classes(
    rows: Mapping[str, Counts], reference: Mapping[str, Counts]
) -> Mapping[str, Metric]:
    """The accuracy that rows without labels promise where there are several classes.

    What the probability of a predicted class is worth is learnt from reference rows with the same
    prediction: it follows the true accuracy when classes become more or less frequent, and asks for
    no other probability to be calibrated (top-label calibration; Gupta and Ramdas 2022). Classes
    with too few labels, or whose predictions were all right, are learnt together.

    Args:
        rows: What was counted of the rows, by class.
        reference: What was counted of labelled rows.
    """
    own, rest = {}, []
    for name in sorted(rows):
        calls = _calls(reference[name]) if name in reference else None
        calibration = None if calls is None else Calibration.learnt(calls)
        if calibration is None:
            rest.append(name)
        else:
            own[name] = (_calls(rows[name]), calibration)
    groups = list(own.values())
    known = [_calls(reference[name]) for name in rest if name in reference]
    shared = Calibration.learnt(np.sum(known, axis=0)) if known else None
    if rest and shared is not None:
        groups.append((np.sum([_calls(rows[name]) for name in rest], axis=0), shared))
    counts = [float(calls[NO_LABEL].sum()) for calls, _ in groups]
    asked = sum(float(one[NO_LABEL, 1].sum()) for one in rows.values())
    total = sum(counts)
    # Rows of classes that nothing is known of are left out, as long as they are few.
    if total < max(FEWEST_LABELS, _MOST_OF * asked):
        return {}
    value = variance = 0.0
    for count, (calls, calibration) in zip(counts, groups, strict=True):
        if count:
            one, spread = _with_variance(_accuracy, calls[NO_LABEL].astype(float), calibration)
            value += one * count / total
            variance += spread * (count / total) ** 2
    return {"accuracy": measured(value, math.sqrt(variance), low=0.0, high=1.0)}


def _calls(scores: Counts) -> Counts:
    """The rows in which the class is the prediction."""
    calls = scores.copy()
    calls[:, 0] = 0
    return calls


def _with_variance(
    metric: Callable[[Floats, Floats], tuple[float, float]], rows: Floats, calibration: Calibration
) -> tuple[float, float]:
    """A metric of rows without labels, and the square of its error."""
    value, sampling = metric(rows, calibration.positive)
    if not math.isfinite(value):
        return value, math.nan
    variance = sampling**2
    for block in np.unique(calibration.block[np.flatnonzero(rows.sum(0))]).tolist():
        p = float(calibration.positive[np.argmax(calibration.block == block)])
        labels = calibration.labels[block]
        # Blocks of one class alone are not certain either (rule of succession).
        smooth = (p * labels + 1) / (labels + 2)
        step = _STEP if p + _STEP <= 1 else -_STEP
        slope = (metric(rows, calibration.shifted(block, step))[0] - value) / step
        variance += slope**2 * smooth * (1 - smooth) / labels
    return value, variance


def _accuracy(rows: Floats, positive: Floats) -> tuple[float, float]:
    right = rows[1] * positive + rows[0] * (1 - positive)
    variance = (rows.sum(0) * positive * (1 - positive)).sum()
    total = rows.sum()
    return float(right.sum() / total), float(math.sqrt(variance) / total)


def _f1(rows: Floats, positive: Floats) -> tuple[float, float]:
    tp, fp = (rows[1] * positive).sum(), (rows[1] * (1 - positive)).sum()
    fn = (rows[0] * positive).sum()
    found = f_beta(float(tp), float(fp), float(fn), 1.0, float(rows.sum()))
    return found.value, found.error


def _auc(rows: Floats, positive: Floats) -> tuple[float, float]:
    scored = rows.sum(0)
    return area_under_roc(scored * positive, scored * (1 - positive))


_METRICS: Final[Mapping[str, Callable[[Floats, Floats], tuple[float, float]]]] = {
    "accuracy": _accuracy,
    "f1": _f1,
    "auc": _auc,
}


__all__ = ["FEWEST_LABELS", "Calibration", "estimated", "estimated_of_classes"]
