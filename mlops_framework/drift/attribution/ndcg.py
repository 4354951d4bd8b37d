"""How much of the old ranking of features is left in the new one."""

from __future__ import annotations

import numpy as np

from mlops_framework.drift.sums import Floats


def ndcg(baseline: Floats, window: Floats) -> float | None:
    """Normalised discounted cumulative gain of the window's ranking by the baseline's attributions.

    ``DCG = sum a(f'_i) / log2(i + 1)`` over the features ``f'`` ranked by the window's
    attributions, ``a`` being the baseline's; divided by the same of the baseline's own ranking
    (SageMaker developer guide, ``clarify-model-monitor-feature-attribution-drift``; Järvelin &
    Kekäläinen 2002, ACM TOIS 20). 1 is the same ranking; Model Monitor alarms below 0.9. Features
    with the same attribution share the discounts of their places (McSherry & Najork 2008), so the
    order of columns does not matter.

    Args:
        baseline: Attribution of each feature, none negative.
        window: Likewise, in the same order.

    Returns:
        ``None`` if the baseline attributes nothing to any feature.
    """
    best = _gain(baseline, baseline)
    return _gain(baseline, window) / best if best > 0 else None


def _gain(values: Floats, ranked_by: Floats) -> float:
    order = np.argsort(-ranked_by, kind="stable")
    discounts = 1 / np.log2(np.arange(2, len(order) + 2))
    scores = ranked_by[order]
    starts = np.flatnonzero(np.r_[True, scores[1:] != scores[:-1]])
    sizes = np.diff(np.r_[starts, len(scores)])
    shared = np.repeat(np.add.reduceat(discounts, starts) / sizes, sizes)
    return float(values[order] @ shared)
