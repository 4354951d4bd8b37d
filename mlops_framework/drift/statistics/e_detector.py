"""Evidence that adds up over windows: a Shiryaev-Roberts e-detector on standard scores.

Each window gives a score ``y`` that is at most standard normal while nothing that matters has
changed. ``exp(rate * y - rate² / 2)`` then is a bet whose expected pay-out is at most one, and the
sum of the pay-outs of all bets begun so far, ``S = (S + 1) * exp(...)``, grows by at most one a
window in expectation. So the average number of windows until ``S`` reaches ``A`` is at least ``A``
without a change, however long one watches and however often one looks (Shin, Ramdas & Rinaldo
2022, *E-detectors*, arXiv:2203.03532, theorem 2.4). The mean over several rates serves changes of
unknown size.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

RATES: Final = (0.5, 1.0, 2.0, 4.0)
"""Sizes of change, in standard errors of one window, that the bets are best for."""


@dataclass(frozen=True)
class Detected:
    """What several detectors say.

    Attributes:
        log_evidence: Natural logarithm of S, averaged over the rates: one row a window, one column
            a detector.
        since: Of each detector, after the last window, the index of the window from which on the
            evidence against "no change" is greatest.
    """

    log_evidence: Floats
    since: Floats


def detect(scores: Floats, most: float = np.inf) -> Detected:
    """Run a detector on each column of scores.

    Args:
        scores: One row a window, oldest first, and one column a detector; NaN where the window
            says nothing about it, which leaves its evidence as it is.
        most: Logarithm of the evidence that is kept at most. What is cut off only makes alarms
            rarer, and lets one end soon after the change has.
    """
    windows, detectors = scores.shape
    rates = np.array(RATES)[:, None]
    bets = rates[None] * scores[:, None, :] - rates[None] ** 2 / 2
    bets = np.where(np.isnan(bets), -np.inf, bets)
    seen = ~np.isnan(scores)
    log_sum = np.full((len(RATES), detectors), -np.inf)
    path = np.empty((windows, detectors))
    # The best single beginning, for "since when": the largest suffix sum of the bets.
    best = np.full((len(RATES), detectors), -np.inf)
    since = np.zeros((len(RATES), detectors))
    for window in range(windows):
        here = seen[window]
        bet = bets[window]
        log_sum = np.where(here, np.minimum(np.logaddexp(log_sum, 0.0) + bet, most), log_sum)
        path[window] = np.logaddexp.reduce(log_sum, axis=0) - np.log(len(RATES))
        anew = here & (best < 0)
        since = np.where(anew, window, since)
        best = np.where(here, np.maximum(best, 0.0) + bet, best)
    strongest = log_sum.argmax(0)
    return Detected(path, since[strongest, np.arange(detectors)])


def standing(log_evidence: Floats, limit: float) -> NDArray[np.bool_]:
    """Which detectors are in alarm after the last window.

    An alarm begins when the evidence passes the limit and ends when half of it (in logarithms) is
    gone: traffic that stays as it became would otherwise be told again and again.

    Args:
        log_evidence: As :attr:`Detected.log_evidence`.
        limit: Natural logarithm of the evidence that is beyond doubt.
    """
    alarm = np.zeros(log_evidence.shape[1], bool)
    for evidence in log_evidence:
        alarm = (evidence > limit) | (alarm & (evidence > limit / 2))
    return alarm
