"""Exact sums of floats: the same whatever the order, and however they were split."""

from __future__ import annotations

import math
from fractions import Fraction
from typing import Final

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

_UNIT: Final = 1074
"""Every finite float is a whole number of ``2**-1074``."""
LARGEST: Final = 1e60
"""Larger magnitudes are left out: their fourth power is no float."""


def exact_sum(values: Floats) -> int:
    """The sum of finite floats as a whole number of ``2**-1074``, without any rounding."""
    values = values[values != 0]
    if not len(values):
        return 0
    fractions, exponents = np.frexp(values)
    mantissas: NDArray[np.int64] = np.ldexp(fractions, 53).astype(np.int64)
    order = np.argsort(exponents, kind="stable")
    ascending, mantissas = exponents[order], mantissas[order]
    starts = np.flatnonzero(np.diff(ascending, prepend=ascending[0] - 1))
    # Two halves, so that billions of them fit.
    high = np.add.reduceat(mantissas >> 27, starts)
    low = np.add.reduceat(mantissas & ((1 << 27) - 1), starts)
    total = 0
    for part, rest, exponent in zip(
        high.tolist(), low.tolist(), ascending[starts].tolist(), strict=True
    ):
        whole, shift = (part << 27) + rest, exponent - 53 + _UNIT
        total += whole << shift if shift >= 0 else whole >> -shift
    return total


def mean_of(total: int, count: int) -> float:
    """The mean of ``count`` floats with this sum; NaN of none."""
    return float(Fraction(total, count << _UNIT)) if count else math.nan
