"""Sums that do not depend on order: exact, mergeable, and as fast as numpy adds.

A float sum depends on the order of its terms, so two ways of splitting the same data would give two
profiles. Here every term is rounded once to a whole number of units, by itself, and whole numbers
add up exactly in any order. The unit is a power of two chosen from the baseline's spread, so that
the rounding is far below anything a mean or a deviation is read to.
"""

from __future__ import annotations

import math
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

Floats: TypeAlias = NDArray[np.float64]

PRECISION: Final = 40
"""Bits between the unit and the spread of the baseline: one part in 10^12."""
_EXPONENTS: Final = (-400, 190)
_EXACT: Final = 2.0**46
"""Whole numbers below it are added as 64 bit integers, 131,072 of them without overflow."""
_STRETCH: Final = 1 << 16


def exponent_of(spread: float) -> int:
    """The exponent ``e`` whose unit ``2**-e`` suits values that lie ``spread`` around a centre."""
    if not spread > 0 or not math.isfinite(spread):
        return PRECISION
    low, high = _EXPONENTS
    return max(low, min(high, PRECISION - math.frexp(spread)[1]))


def square_exponent(exponent: int) -> int:
    """The exponent for squares of values whose exponent is ``exponent``."""
    return 2 * exponent - PRECISION


def whole_sum(values: Floats, exponent: int, largest: float) -> int:
    """The sum of ``round(value * 2**exponent)``, exactly.

    Args:
        values: Finite numbers, of magnitudes whose product with ``2**exponent`` is finite.
        exponent: Of the unit.
        largest: The largest magnitude among them.
    """
    unit = math.ldexp(1.0, exponent)
    units: Floats = values * unit
    np.rint(units, out=units)
    if largest * unit < _EXACT:
        whole = units.astype(np.int64)
        return sum(int(whole[i : i + _STRETCH].sum()) for i in range(0, whole.size, _STRETCH))
    return _large_sum(units)


def _large_sum(units: Floats) -> int:
    """Exact sum of whole numbers of any magnitude: mantissas are added by exponent."""
    fractions, exponents = np.frexp(units)
    mantissas: NDArray[np.int64] = np.ldexp(fractions, 53).astype(np.int64)
    total = 0
    for exponent in np.unique(exponents).tolist():
        those = mantissas[exponents == exponent]
        # Two halves, so that even billions of them fit.
        part = (int((those >> 27).sum()) << 27) + int((those & ((1 << 27) - 1)).sum())
        shift = exponent - 53
        # A whole number below 2**53 ends in as many zero bits as it is shifted by.
        total += part << shift if shift >= 0 else part >> -shift
    return total


def in_units(whole: int, exponent: int) -> float:
    """The sum as a float."""
    try:
        return math.ldexp(float(whole), -exponent)
    except OverflowError:  # more than 1,024 bits: round by hand
        extra = whole.bit_length() - 64
        return math.ldexp(float(whole >> extra), extra - exponent)
