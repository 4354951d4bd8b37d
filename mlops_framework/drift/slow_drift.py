"""Drift that no single window proves: what windows say is added up until it is beyond doubt.

Null hypothesis, for every trait of every column: no more of the records have moved than matters
(``effect_threshold``, for missing values ``rate_threshold``), plus three standard errors of the
baseline itself. A baseline is a sample; its error stays the same window after window, and any
sequential test that does not allow for it ends in an alarm.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

import numpy as np

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.evidence import Evidence, Reference, Trait, references
from mlops_framework.drift.policy import Policy
from mlops_framework.drift.statistics.e_detector import detect, standing

RUN_LENGTH: Final = 5000
"""Without drift, windows between two false alarms of the whole monitor, on average, at least."""
FEWEST_WINDOWS: Final = 2
"""One window is judged by itself; there must be at least another to add."""
_ERRORS: Final = 3.0
_PLAIN: Final = 4.0
"""Standard errors of a window that prove a change by themselves. What is beyond them counts for no
more: an hour that went wrong must not be held against the good ones that follow it."""
_SPARE: Final = 3.0
"""Evidence kept beyond the limit, likewise (natural logarithm)."""
_UP_AND_DOWN: Final = np.array([1.0, -1.0])


@dataclass(frozen=True)
class SlowDrift:
    """A trait that has drifted.

    Attributes:
        trait: What.
        since: Start of the window from which on the windows differ.
        before: Its mean in the baseline.
        after: Its mean over the windows since, each weighed by its values.
        records: How many values those windows had.
        moved: What share of the records that is, about.
        log_evidence: Natural logarithm of the evidence.
    """

    trait: Trait
    since: datetime
    before: float
    after: float
    records: int
    moved: float
    log_evidence: float


@dataclass(frozen=True)
class Judged:
    """What adding up gave.

    Attributes:
        drifts: What has drifted, the strongest evidence first.
        limit: Natural logarithm of the evidence that is beyond doubt.
        strongest: The greatest evidence found, likewise.
        windows: How many windows were added up.
    """

    drifts: tuple[SlowDrift, ...]
    limit: float
    strongest: float
    windows: int


def judge_sequence(
    baseline: Baseline, windows: Mapping[datetime, Evidence], policy: Policy
) -> Judged:
    """Add up what windows say.

    Args:
        baseline: What they are compared with.
        windows: What each said, by its start.
        policy: What matters.
    """
    followed = references(baseline).items()
    known = {trait: one for trait, one in followed if trait.column not in policy.ignored}
    limit = math.log(2 * max(1, len(known)) * RUN_LENGTH)
    starts = sorted(windows)
    if len(starts) < FEWEST_WINDOWS or not known:
        return Judged((), limit, -math.inf, len(starts))
    traits = list(known)
    scores = np.full((len(starts), len(traits), 2), np.nan)
    for row, start in enumerate(starts):
        for column, trait in enumerate(traits):
            seen = windows[start].get(trait.key)
            if seen is not None:
                scores[row, column] = _scores(*seen, known[trait], _matters(trait, policy))
    plain = np.minimum(scores.reshape(len(starts), -1), _PLAIN)
    detected = detect(plain, limit + _SPARE)
    evidence = detected.log_evidence[-1].reshape(-1, 2)
    alarms = standing(detected.log_evidence, limit).reshape(-1, 2)
    since = detected.since.reshape(-1, 2).astype(int)
    found = []
    for column, trait in enumerate(traits):
        side = int(evidence[column].argmax())
        if alarms[column, side]:
            found.append(
                _drift(
                    trait,
                    known[trait],
                    {s: windows[s] for s in starts[since[column, side] :]},
                    float(evidence[column, side]),
                )
            )
    found.sort(key=lambda drift: (-drift.log_evidence, drift.trait))
    return Judged(tuple(found), limit, float(evidence.max()), len(starts))


def _matters(trait: Trait, policy: Policy) -> float:
    return policy.threshold(trait.column, "shares" if trait.side == "share" else trait.side)


def _scores(mean: float, records: int, reference: Reference, matters: float) -> np.ndarray:
    """How far beyond what is tolerated a mean is, up and down, in its standard errors."""
    error = math.sqrt(reference.variance / records + reference.between)
    own = reference.variance / reference.records
    own += reference.between / max(1, reference.hours)
    tolerated = matters * reference.moved + _ERRORS * math.sqrt(own)
    scores: np.ndarray = (_UP_AND_DOWN * (mean - reference.mean) - tolerated) / error
    return scores


def _drift(
    trait: Trait, reference: Reference, windows: Mapping[datetime, Evidence], evidence: float
) -> SlowDrift:
    means = [seen[trait.key] for seen in windows.values() if trait.key in seen]
    records = sum(count for _, count in means)
    after = sum(mean * count for mean, count in means) / records
    moved = min(1.0, abs(after - reference.mean) / reference.moved)
    return SlowDrift(trait, min(windows), reference.mean, after, records, moved, evidence)
