"""Metrics of a model's quality from its sums, each with its standard error and interval."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np

from mlops_framework.drift.ground_truth.classes import NEGATIVE
from mlops_framework.drift.quality.class_scores import labelled_rows
from mlops_framework.drift.quality.exact import mean_of
from mlops_framework.drift.quality.histogram import NEGATIVE_LABEL, POSITIVE_LABEL
from mlops_framework.drift.quality.ranking import area_under_roc, average_precision
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.sums import Floats

Z: Final = 1.959963984540054
"""Intervals hold the true value 95 times of 100."""

ERRORS: Final = frozenset(
    {
        "false_positive_rate",
        "false_negative_rate",
        "log_loss",
        "brier",
        "mae",
        "mse",
        "rmse",
    }
)
"""Metrics that are worse the larger they are."""
UNBOUNDED: Final = frozenset({"log_loss", "brier", "mae", "mse", "rmse"})
"""Errors whose change is told as a share of what they were."""
WORDS: Final[Mapping[str, str]] = {
    "accuracy": "accuracy",
    "precision": "precision",
    "recall": "recall",
    "f1": "F1",
    "f0_5": "F0.5",
    "f2": "F2",
    "true_positive_rate": "true positive rate",
    "true_negative_rate": "true negative rate",
    "false_positive_rate": "false positive rate",
    "false_negative_rate": "false negative rate",
    "auc": "AUC (area under the ROC curve)",
    "pr_auc": "area under the precision-recall curve",
    "log_loss": "log loss",
    "brier": "Brier score",
    "weighted_precision": "weighted precision",
    "weighted_recall": "weighted recall",
    "weighted_f1": "weighted F1",
    "weighted_f0_5": "weighted F0.5",
    "weighted_f2": "weighted F2",
    "weighted_auc": "weighted AUC (each class against the rest)",
    "mae": "mean absolute error",
    "mse": "mean squared error",
    "rmse": "root mean squared error",
    "r2": "R squared",
}
_BETAS: Final = {"f1": 1.0, "f0_5": 0.5, "f2": 2.0}


@dataclass(frozen=True)
class Metric:
    """A metric of some rows.

    Attributes:
        value: Its value.
        error: Its standard error.
        low: Lower end of the 95 % interval.
        high: Upper end.
        hits: Of shares how many ...
        of: ... of how many; 0 of other metrics.
    """

    value: float
    error: float
    low: float
    high: float
    hits: int = 0
    of: int = 0


def metrics_of(sums: QualitySums) -> Mapping[str, Metric]:
    """Every metric that the sums allow, by name."""
    found = _METRICS[sums.problem_type](sums)
    return {name: one for name, one in found.items() if math.isfinite(one.value)}


def share(hits: int, of: int) -> Metric:
    """A share with Wilson's interval (Wilson 1927, JASA 22)."""
    if not of:
        return Metric(math.nan, math.nan, math.nan, math.nan)
    p = hits / of
    centre = (p + Z**2 / (2 * of)) / (1 + Z**2 / of)
    half = Z * math.sqrt(p * (1 - p) / of + Z**2 / (4 * of**2)) / (1 + Z**2 / of)
    error = math.sqrt(p * (1 - p) / of)
    return Metric(p, error, max(0.0, centre - half), min(1.0, centre + half), hits, of)


def measured(
    value: float, error: float, *, low: float = -math.inf, high: float = math.inf
) -> Metric:
    """A metric with the normal interval, cut at what it can be."""
    return Metric(value, error, max(low, value - Z * error), min(high, value + Z * error))


def confusion_of(sums: QualitySums) -> tuple[int, int, int, int]:
    """True positives, false positives, false negatives and true negatives of two classes."""
    cells = sums.confusion
    return (
        cells.get(("positive", "positive"), 0),
        cells.get((NEGATIVE, "positive"), 0),
        cells.get(("positive", NEGATIVE), 0),
        cells.get((NEGATIVE, NEGATIVE), 0),
    )


def f_beta(tp: float, fp: float, fn: float, beta: float, rows: float) -> Metric:
    """The F measure; its error by the delta method over the confusion matrix's shares."""
    b = beta * beta
    bottom = (1 + b) * tp + b * fn + fp
    if bottom <= 0:
        return Metric(math.nan, math.nan, math.nan, math.nan)
    value = (1 + b) * tp / bottom
    slopes = ((1 + b) * (1 - value), -value, -b * value)
    cells = (tp, fp, fn)
    square = sum(c * s * s for c, s in zip(cells, slopes, strict=True)) * rows
    first = sum(c * s for c, s in zip(cells, slopes, strict=True))
    error = math.sqrt(max(0.0, square - first * first) / rows) / bottom
    return measured(value, error, low=0.0, high=1.0)


def best_constant(sums: QualitySums) -> Mapping[str, float]:
    """What a classifier that always says the most frequent class would reach."""
    totals: dict[str, int] = {}
    for (label, _), count in sums.confusion.items():
        totals[label] = totals.get(label, 0) + count
    whole = sum(totals.values())
    if not whole:
        return {}
    label = max(sorted(totals), key=lambda name: totals[name])
    p = totals[label] / whole
    if sums.problem_type == "MulticlassClassification":
        return {
            "accuracy": p,
            "weighted_recall": p,
            "weighted_precision": p * p,
            "weighted_f1": p * 2 * p / (1 + p),
        }
    if label != "positive":
        return {"accuracy": p, "precision": 0.0, "recall": 0.0, "f1": 0.0}
    return {"accuracy": p, "precision": p, "recall": 1.0, "f1": 2 * p / (1 + p)}


def _binary(sums: QualitySums) -> dict[str, Metric]:
    tp, fp, fn, tn = confusion_of(sums)
    rows = tp + fp + fn + tn
    found = {
        "accuracy": share(tp + tn, rows),
        "precision": share(tp, tp + fp),
        "recall": share(tp, tp + fn),
        "true_positive_rate": share(tp, tp + fn),
        "true_negative_rate": share(tn, tn + fp),
        "false_positive_rate": share(fp, tn + fp),
        "false_negative_rate": share(fn, tp + fn),
    }
    found |= {name: f_beta(tp, fp, fn, beta, rows) for name, beta in _BETAS.items()}
    if not sums.scored:
        return found
    positives = sums.scores[POSITIVE_LABEL].sum(0).astype(np.float64)
    negatives = sums.scores[NEGATIVE_LABEL].sum(0).astype(np.float64)
    found["auc"] = measured(*area_under_roc(positives, negatives), low=0.0, high=1.0)
    found["pr_auc"] = measured(*average_precision(positives, negatives), low=0.0, high=1.0)
    for name, high in (("log_loss", math.inf), ("brier", 1.0)):
        mean, error = _mean(sums, name, f"{name}^2", sums.scored)
        found[name] = measured(mean, error, low=0.0, high=high)
    return found


def _multiclass(sums: QualitySums) -> dict[str, Metric]:
    names = sorted({name for pair in sums.confusion for name in pair})
    places = {name: place for place, name in enumerate(names)}
    cells = np.zeros((len(names), len(names)))
    for (label, prediction), count in sums.confusion.items():
        cells[places[label], places[prediction]] = count
    rows = cells.sum()
    if not rows:
        return {}
    hits = int(np.trace(cells))
    found = {"accuracy": share(hits, int(rows)), "weighted_recall": share(hits, int(rows))}
    found["weighted_precision"] = _weighted(cells / rows, int(rows), None)
    for name, beta in _BETAS.items():
        found[f"weighted_{name}"] = _weighted(cells / rows, int(rows), beta)
    scored = labelled_rows(sums.by_class)
    if scored:
        found["weighted_auc"] = _one_against_the_rest(sums)
        mean, error = _mean(sums, "log_loss", "log_loss^2", scored)
        found["log_loss"] = measured(mean, error, low=0.0)
    return found


def _one_against_the_rest(sums: QualitySums) -> Metric:
    """The AUC of each class against all others, weighted by how often it is the label.

    The same rows are in all of them, so that their errors are added up as if they went together:
    the interval is rather too wide. That the weights are of finitely many rows comes to it.
    """
    areas, errors, weights = [], [], []
    for counts in sums.by_class.values():
        positives = counts[POSITIVE_LABEL].sum(0).astype(np.float64)
        negatives = counts[NEGATIVE_LABEL].sum(0).astype(np.float64)
        area, error = area_under_roc(positives, negatives)
        if math.isfinite(area):
            areas.append(area)
            errors.append(error)
            weights.append(positives.sum())
    if not areas:
        return Metric(math.nan, math.nan, math.nan, math.nan)
    rows = sum(weights)
    shares = np.array(weights) / rows
    value = float((shares * areas).sum())
    spread = float((shares * (np.array(areas) - value) ** 2).sum()) / rows
    together = float((shares * errors).sum())
    return measured(value, math.sqrt(together**2 + spread), low=0.0, high=1.0)


def _weighted(cells: Floats, rows: int, beta: float | None) -> Metric:
    """Precision (``beta`` none) or F of each class, weighted by how often it is the label.

    The error is by the delta method: the derivative with respect to each cell's share.

    Args:
        cells: Shares, labels down and predictions across.
        rows: How many rows.
        beta: Of F.
    """
    labels, calls, hits = cells.sum(1), cells.sum(0), np.diag(cells)
    b = 0.0 if beta is None else beta * beta
    bottom = calls + b * labels
    top = (1 + b) * hits
    each = np.divide(top, bottom, out=np.zeros_like(top), where=bottom > 0)
    inverse = np.divide(1.0, bottom, out=np.zeros_like(bottom), where=bottom > 0)
    value = float((labels * each).sum())
    slopes = (each - labels * each * b * inverse)[:, None] - (labels * each * inverse)[None, :]
    slopes = slopes + np.diag(labels * (1 + b) * inverse)
    variance = float((cells * slopes**2).sum() - (cells * slopes).sum() ** 2)
    return measured(value, math.sqrt(max(0.0, variance) / rows), low=0.0, high=1.0)


def _regression(sums: QualitySums) -> dict[str, Metric]:
    rows = sums.compared
    if not rows:
        return {}
    mae, mae_error = _mean(sums, "|e|", "e^2", rows)
    mse, mse_error = _mean(sums, "e^2", "e^4", rows)
    rmse = math.sqrt(mse)
    found = {
        "mae": measured(mae, mae_error, low=0.0),
        "mse": measured(mse, mse_error, low=0.0),
        "rmse": measured(rmse, mse_error / (2 * rmse) if rmse else 0.0, low=0.0),
    }
    m = {name: mean_of(total, rows) for name, total in sums.exact.items()}
    mean = m["y"]
    variance = m["y^2"] - mean**2
    if variance > 1e-12 * max(m["y^2"], 1e-300):
        # Influence of a row: ((y - mean)^2 A / B - e^2) / B with A = mse and B = variance.
        fourth = m["y^4"] - 4 * mean * m["y^3"] + 6 * mean**2 * m["y^2"] - 3 * mean**4
        cross = m["e^2 y^2"] - 2 * mean * m["e^2 y"] + mean**2 * m["e^2"]
        ratio = mse / variance
        spread = m["e^4"] - 2 * ratio * cross + ratio**2 * fourth
        error = math.sqrt(max(0.0, spread) / rows) / variance
        found["r2"] = measured(1 - ratio, error, high=1.0)
    return found


def _mean(sums: QualitySums, name: str, square: str, rows: int) -> tuple[float, float]:
    """The mean of a sum's terms, and its standard error."""
    mean = mean_of(sums.exact.get(name, 0), rows)
    spread = mean_of(sums.exact.get(square, 0), rows) - mean**2
    return mean, math.sqrt(max(0.0, spread) / rows) if rows else math.nan


_METRICS: Final[Mapping[str, Callable[[QualitySums], dict[str, Metric]]]] = {
    "BinaryClassification": _binary,
    "MulticlassClassification": _multiclass,
    "Regression": _regression,
}
