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
    found = scores(baseline[None], window[None])
    return None if np.isnan(found[0]) else float(found[0])


def scores(baseline: Floats, window: Floats) -> Floats:
    """:func:`ndcg` of many pairs at once, shape (pairs, features); NaN for those without one."""
    count = baseline.shape[1]
    reached = np.r_[0.0, np.cumsum(1 / np.log2(np.arange(2, count + 2)))]
    gain, best = (_gain(baseline, ranked, reached) for ranked in (window, baseline))
    found: Floats = np.divide(gain, best, out=np.full(len(gain), np.nan), where=best > 0)
    return found


def _gain(values: Floats, ranked_by: Floats, reached: Floats) -> Floats:
    """``reached[n]`` is the sum of the first ``n`` discounts."""
    above = (ranked_by[:, None, :] > ranked_by[:, :, None]).sum(2)
    upto = (ranked_by[:, None, :] >= ranked_by[:, :, None]).sum(2)
    shared = (reached[upto] - reached[above]) / (upto - above)
    gain: Floats = (values * shared).sum(1)
    return gain
