"""How much of a difference in attributions may be chance."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np

from mlops_framework.drift.attribution.ndcg import ndcg, scores
from mlops_framework.drift.attribution.sums import AttributionSums
from mlops_framework.drift.sums import Floats

REPLICATES: Final = 500
_SEED: Final = 20_020_422


@dataclass(frozen=True)
class Agreement:
    """NDCG of a window with its bootstrap interval.

    Attributes:
        value: Of the sums as they are.
        low: Lower end.
        high: Upper end; an alarm needs it below the threshold.
    """

    value: float
    low: float
    high: float


def agreement(
    baseline: AttributionSums | Floats, window: AttributionSums, confidence: float
) -> Agreement | None:
    """Compare two sets of attributions.

    The bootstrap draws groups of rows, of the baseline too where it has rows (a list of numbers is
    taken as given). It is seeded: the same sums give the same interval.

    Args:
        baseline: Sums, or the attribution of each feature.
        window: Sums of the same features.
        confidence: Two-sided level.

    Returns:
        ``None`` if either has no rows, or the baseline attributes nothing to any feature.
    """
    known = baseline.means() if isinstance(baseline, AttributionSums) else baseline
    value = ndcg(known, window.means()) if window.count else None
    if value is None:
        return None
    draw = np.random.default_rng(_SEED)
    found = _replicates(window, draw)
    of_baseline = (
        _replicates(baseline, draw)
        if isinstance(baseline, AttributionSums)
        else np.broadcast_to(known, found.shape)
    )
    drawn = scores(np.asarray(of_baseline), found)
    low, high = np.nanquantile(drawn, [(1 - confidence) / 2, (1 + confidence) / 2])
    return Agreement(value, min(value, float(low)), max(value, float(high)))


def _replicates(sums: AttributionSums, draw: np.random.Generator) -> Floats:
    """Mean attributions of random draws of groups, shape (replicates, features)."""
    rows, totals = sums.group_sums()
    times = draw.multinomial(len(rows), np.full(len(rows), 1 / len(rows)), REPLICATES)
    means: Floats = (times @ totals) / (times @ rows)[:, None]
    return means
