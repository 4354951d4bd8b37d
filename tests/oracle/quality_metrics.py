"""Run by the oracle's interpreter: scikit-learn's and scipy's word on predictions and labels.

Reads ``{"binary": {"y", "p"}, "many": {"y", "said"}, "several": {"y", "p"}, "regression": {"y",
"said"}, "shares": […]}`` and writes the same metrics as the engine has them.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import numpy as np
from scipy import stats
from sklearn import isotonic, metrics


def binary(y: Any, p: Any) -> dict[str, float]:
    said = p >= 0.5
    tn, fp, fn, tp = metrics.confusion_matrix(y, said).ravel()
    return {
        "accuracy": metrics.accuracy_score(y, said),
        "precision": metrics.precision_score(y, said),
        "recall": metrics.recall_score(y, said),
        "f1": metrics.f1_score(y, said),
        "f0_5": metrics.fbeta_score(y, said, beta=0.5),
        "f2": metrics.fbeta_score(y, said, beta=2),
        "true_positive_rate": tp / (tp + fn),
        "true_negative_rate": tn / (tn + fp),
        "false_positive_rate": fp / (fp + tn),
        "false_negative_rate": fn / (fn + tp),
        "auc": metrics.roc_auc_score(y, p),
        "pr_auc": metrics.average_precision_score(y, p),
        "log_loss": metrics.log_loss(y, p),
        "brier": metrics.brier_score_loss(y, p),
    }


def many(y: Any, said: Any) -> dict[str, float]:
    weighted = {"average": "weighted", "zero_division": 0.0}
    return {
        "accuracy": metrics.accuracy_score(y, said),
        "weighted_recall": metrics.recall_score(y, said, **weighted),
        "weighted_precision": metrics.precision_score(y, said, **weighted),
        "weighted_f1": metrics.f1_score(y, said, **weighted),
        "weighted_f0_5": metrics.fbeta_score(y, said, beta=0.5, **weighted),
        "weighted_f2": metrics.fbeta_score(y, said, beta=2, **weighted),
    }


def several(y: Any, p: Any) -> dict[str, float]:
    several = {"multi_class": "ovr", "average": "weighted"}
    return {
        **many(y, p.argmax(1)),
        "weighted_auc": metrics.roc_auc_score(y, p, **several),
        "log_loss": metrics.log_loss(y, p),
    }


def regression(y: Any, said: Any) -> dict[str, float]:
    mse = metrics.mean_squared_error(y, said)
    return {
        "mae": metrics.mean_absolute_error(y, said),
        "mse": mse,
        "rmse": mse**0.5,
        "r2": metrics.r2_score(y, said),
    }


def shares(pairs: Any) -> list[list[float]]:
    """Wilson's interval, and the one-sided exact test of 0.8, of each (hits, of)."""
    found = []
    for hits, of in pairs:
        test = stats.binomtest(hits, of, 0.8, alternative="less")
        interval = stats.binomtest(hits, of).proportion_ci(method="wilson")
        found.append([interval.low, interval.high, test.pvalue])
    return found


def main() -> None:
    given = {
        name: {key: np.array(values) for key, values in columns.items()}
        for name, columns in json.load(sys.stdin).items()
    }
    pooled = isotonic.IsotonicRegression().fit_transform(given["binary"]["p"], given["binary"]["y"])
    answer = {
        "binary": binary(**given["binary"]),
        "many": many(**given["many"]),
        "several": several(**given["several"]),
        "regression": regression(**given["regression"]),
        "shares": shares(given["shares"]["pairs"].tolist()),
        "isotonic": pooled.tolist(),
    }
    json.dump(answer, sys.stdout, default=float)


if __name__ == "__main__":
    main()
