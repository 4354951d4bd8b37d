"""Population stability index: descriptive, for people who are used to it."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

_FLOOR: Final = 1e-4


def population_stability(baseline: Sequence[int], window: Sequence[int]) -> float:
    """PSI = Σ (q - p) ln(q/p) over the cells, shares floored at 0.0001.

    Never a gate here: without drift it is about (B - 1)(1/n + 1/m) on average, so the folk limits
    0.1 and 0.25 are too tight for small windows and far too loose for large ones (Yurdakul &
    Naranjo 2020).
    """
    m, n = sum(baseline), sum(window)
    total = 0.0
    for b, w in zip(baseline, window, strict=True):
        p, q = max(b / m, _FLOOR), max(w / n, _FLOOR)
        total += (q - p) * math.log(q / p)
    return total
