"""The section on the model's quality: verdict, sentences, document, metrics."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any, Final

import numpy as np

from mlops_framework.drift.findings import Finding, number, percent
from mlops_framework.drift.policy import JudgedClaim, Verdict
from mlops_framework.drift.quality.comparing import WATCHED, Compared, worse_by
from mlops_framework.drift.quality.histogram import NEGATIVE_LABEL, POSITIVE_LABEL
from mlops_framework.drift.quality.metrics import (
    ERRORS,
    UNBOUNDED,
    WORDS,
    Metric,
    best_constant,
    metrics_of,
)
from mlops_framework.drift.quality.ranking import roc_points
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.quality.view import QualityView
from mlops_framework.drift.sections import Section
from mlops_framework.drift.watched import watched
from mlops_framework.drift.windows import instant

KIND: Final = "model-quality"
_MOST_CELLS: Final = 400
_MOST_POINTS: Final = 72
_PUBLISHED: Final[Mapping[str, str]] = {
    "accuracy": "Accuracy",
    "auc": "AUC",
    "weighted_f1": "WeightedF1",
    "mae": "MeanAbsoluteError",
    "rmse": "RootMeanSquaredError",
}
_PLAIN: Final = ("auc", "pr_auc", "weighted_auc", "r2")
"""Metrics that nobody says in per cent."""
_DIGITS: Final = 6


def section_of(
    view: QualityView, held: Sequence[Compared], judged: Sequence[JudgedClaim]
) -> Section:
    """The section from metrics held against something, and how these tests came out."""
    pairs = list(zip(held, judged, strict=True))
    breached = sorted(
        (pair for pair in pairs if pair[1].breached), key=lambda pair: -_size(view, pair[0])
    )
    features = tuple(dict.fromkeys(one.claim.subject for _, one in breached))
    verdict: Verdict = "drift" if breached else ("healthy" if held else "insufficient-data")
    endpoint = watched(view.config)
    findings = tuple(_finding(view, one, judged_claim) for one, judged_claim in breached)
    named = ", ".join(features[:3])
    return Section(
        kind="model-quality",
        verdict=verdict,
        features=features,
        findings=findings,
        alarm=f"Model quality of {endpoint} dropped: {named}",
        recovered=f"Model quality of {endpoint} is back to normal",
        document=_document(view, pairs),
        metrics=_metrics(view, verdict),
    )


def shown(name: str, value: float) -> str:
    """A metric for people: shares as percentages, everything else as a number."""
    if name in UNBOUNDED or name in _PLAIN:
        return number(float(f"{value:.4g}"))
    return percent(value)


def _finding(view: QualityView, one: Compared, judged: JudgedClaim) -> Finding:
    claim = judged.claim
    return Finding(
        claim.subject,
        "metric",
        claim.test,
        float(min(claim.outcome.effect, 1e6)),
        claim.outcome.p_value,
        judged.q_value,
        _sentence(view, one, claim.subject),
        "model-quality",
    )


def _sentence(view: QualityView, one: Compared, subject: str) -> str:
    name, window = one.name, one.window
    words = WORDS[name]
    promised = subject != name
    what = f"The estimated {words}" if promised else f"The {words}"
    value = shown(name, window.value)
    interval = f"95 % interval {shown(name, window.low)} to {shown(name, window.high)}"
    since = _since(view, subject)
    if one.threshold is not None:
        side = "above" if name in ERRORS else "below"
        bound = shown(name, one.threshold)
        return f"{what} is {value} ({interval}), {side} the {bound} that was asked for.{since}"
    assert one.reference is not None
    verb = "rose" if name in ERRORS else "fell"
    was = shown(name, one.reference.value)
    worse = worse_by(name, window.value, one.reference.value)
    by = f"{percent(worse)} worse" if name in UNBOUNDED else f"{worse * 100:.1f} points worse"
    if name in _PLAIN:
        by = f"{number(float(f'{worse:.3g}'))} worse"
    whose = _whose(view)
    if view.pool and not promised:
        since += f" Labels are few: {view.pool.windows} windows are judged together."
    doubt = ""
    if promised:
        doubt = (
            " Labels have not come yet: this is what the model's own probabilities promise, "
            "calibrated on earlier labels."
        )
    return f"{what} {verb} from {was} ({whose}) to {value} ({interval}): {by}.{since}{doubt}"


def _whose(view: QualityView) -> str:
    if view.reference.origin == "baseline":
        return "in the baseline data"
    count = len(view.reference.windows)
    return f"in the first {f'{count} windows' if count > 1 else 'window'} with labels"


def _since(view: QualityView, subject: str) -> str:
    """Since when without a break, if longer than this window."""
    start = since_of(view, subject)
    return f" So it is since {start:%Y-%m-%d %H:%M} UTC." if start < view.window.start else ""


def since_of(view: QualityView, subject: str) -> datetime:
    """The start of the first of the windows in a row that found this."""
    first = view.window.start
    for start in sorted((s for s in view.judged if s < first), reverse=True):
        found = view.judged[start].sections.get("model-quality")
        if found is None or found.verdict not in ("drift", "healthy"):
            continue  # nothing known of that window
        if found.verdict != "drift" or subject not in found.features:
            break
        first = start
    return first


def _size(view: QualityView, one: Compared) -> float:
    """How large a change is beside what matters, to tell the worst first."""
    smallest = view.settings.minimum_change
    effect = one.outcome.effect / (one.change_threshold or smallest)
    return effect if math.isfinite(effect) else 1e9


def _document(view: QualityView, pairs: Sequence[tuple[Compared, JudgedClaim]]) -> dict[str, Any]:
    sums, counts = view.together, view.counts
    held = {(one.name, judged.claim.subject == one.name): (one, judged) for one, judged in pairs}
    names = [*view.metrics, *(name for name in view.before if name not in view.metrics)]
    cells = sorted(sums.confusion.items(), key=lambda cell: (-cell[1], cell[0]))[:_MOST_CELLS]
    return {
        "problem_type": view.settings.problem_type,
        "labels": asdict(counts)
        | {
            "compared": view.sums.compared,
            "needed": view.settings.minimum_labels,
            "arrived": view.arrived[0],
            "arrived_unmatched": view.arrived[1],
        },
        "reference": {
            "origin": view.reference.origin if view.known is not None else "none",
            "rows": view.known.compared if view.known is not None else 0,
            "windows": [instant(start) for start in sorted(view.reference.windows)],
            "windows_needed": view.settings.reference_windows,
            "learnt_from_this_window": view.learns,
        },
        "pool": view.pool
        and {
            "since": instant(view.pool.since),
            "windows": view.pool.windows,
            "rows": view.pool.sums.compared,
        },
        "metrics": [_line(view, name, held.get((name, True))) for name in names],
        "confusion": [
            {"label": label, "prediction": prediction, "count": count}
            for (label, prediction), count in cells
        ],
        "best_constant": {name: _short(v) for name, v in best_constant(sums).items()},
        "roc": {
            "window": _roc(sums),
            "reference": _roc(view.known) if view.known is not None else [],
        },
        "estimate": _estimate(view, held),
        "history": _over_time(view),
    }


def _over_time(view: QualityView) -> dict[str, Any] | None:
    """The first watched metric of the latest windows; ``None`` if there is nothing to show."""
    name = WATCHED[view.settings.problem_type][0]
    points = [
        {"start": instant(start), "value": curve[0], "low": curve[1], "high": curve[2]}
        for start, entry in sorted(view.history.windows.items())
        if start <= view.window.start and (curve := entry.metrics.get(name))
    ][-_MOST_POINTS:]
    if len(points) < 2:
        return None
    known = _metric(metrics_of(view.known).get(name)) if view.known is not None else None
    return {"name": name, "words": WORDS[name], "points": points, "reference": known}


def _line(
    view: QualityView, name: str, held: tuple[Compared, JudgedClaim] | None
) -> dict[str, Any]:
    line: dict[str, Any] = {
        "name": name,
        "words": WORDS[name],
        "window": _metric(view.metrics.get(name)),
        "reference": _metric(view.before.get(name)),
        "threshold": view.settings.thresholds.get(name),
        "p_value": None,
        "q_value": None,
        "breached": False,
        "since": None,
    }
    if held is not None:
        _, judged = held
        line |= {
            "p_value": _short(judged.claim.outcome.p_value),
            "q_value": _short(judged.q_value),
            "breached": judged.breached,
        }
        if judged.breached:
            line["since"] = instant(since_of(view, judged.claim.subject))
    return line


def _estimate(
    view: QualityView, held: Mapping[tuple[str, bool], tuple[Compared, JudgedClaim]]
) -> dict[str, Any] | None:
    if not view.promise:
        return None
    return {
        "rows": view.sums.unscored_rows,
        "metrics": [
            {
                "name": name,
                "words": WORDS[name],
                "window": _metric(metric),
                "reference": _metric(view.before.get(name)),
                "breached": (name, False) in held and held[name, False][1].breached,
            }
            for name, metric in view.promise.items()
        ],
    }


def _metrics(view: QualityView, verdict: Verdict) -> dict[str, float]:
    """Few: each costs money."""
    found = {
        "LabelledRecords": float(view.sums.labelled),
        "ModelQualityDropped": float(verdict == "drift"),
    }
    if view.arrived[0]:
        found["UnmatchedLabels"] = float(view.arrived[1])
    if view.enough:
        for name, published in _PUBLISHED.items():
            if name in view.metrics:
                found[published] = view.metrics[name].value
    elif "accuracy" in view.promise:
        found["EstimatedAccuracy"] = view.promise["accuracy"].value
    return found


def _metric(metric: Metric | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    return {
        "value": _short(metric.value),
        "error": _short(metric.error),
        "low": _short(metric.low),
        "high": _short(metric.high),
    }


def _roc(sums: QualitySums) -> Sequence[Sequence[float]]:
    positives = sums.scores[POSITIVE_LABEL].sum(0).astype(np.float64)
    return roc_points(positives, sums.scores[NEGATIVE_LABEL].sum(0).astype(np.float64))


def _short(value: float) -> float | None:
    return float(f"{value:.{_DIGITS}g}") if math.isfinite(value) else None
