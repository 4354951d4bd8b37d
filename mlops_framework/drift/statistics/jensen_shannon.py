"""Jensen-Shannon distance: descriptive."""

from __future__ import annotations

import math
from collections.abc import Sequence


def jensen_shannon(baseline: Sequence[int], window: Sequence[int]) -> float:
    """Square root of the Jensen-Shannon divergence in bits, 0 (same) to 1 (nothing in common).

    Endres & Schindelin 2003, IEEE Trans. Inf. Theory 49. Sampling alone lifts it where there are
    many cells, so it is described and never a gate.
    """
    m, n = sum(baseline), sum(window)
    divergence = 0.0
    for b, w in zip(baseline, window, strict=True):
        p, q = b / m, w / n
        middle = (p + q) / 2
        divergence += sum(part * math.log2(part / middle) for part in (p, q) if part) / 2
    return math.sqrt(max(0.0, divergence))
