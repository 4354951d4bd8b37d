"""Confidence intervals of rates, ratios, and what is made of two of them.

Two groups are independent samples, so the interval of a difference follows from the interval of
each (MOVER, Zou & Donner 2008, Stat. Med. 27; with Wilson's intervals it is Newcombe 1998, Stat.
Med. 17, method 10). That of a ratio: Donner & Zou 2012, Stat. Methods Med. Res. 21. They keep
their level where a normal approximation fails: small groups, rates near 0 or 1.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist


@dataclass(frozen=True)
class Estimate:
    """A value with its confidence interval."""

    value: float
    low: float
    high: float


def quantile(confidence: float) -> float:
    """The normal quantile of a two-sided level (0.95 gives 1.96)."""
    return NormalDist().inv_cdf((1 + confidence) / 2)


def rate(hits: int, rows: int, z: float) -> Estimate:
    """``hits / rows`` with Wilson's score interval (Wilson 1927, JASA 22)."""
    share, square = hits / rows, z * z
    middle = (share + square / (2 * rows)) / (1 + square / rows)
    half = z / (1 + square / rows)
    half *= math.sqrt(share * (1 - share) / rows + square / (4 * rows * rows))
    # At the ends the interval touches them, but for the last bit of the float.
    low = 0.0 if hits == 0 else middle - half
    high = 1.0 if hits == rows else middle + half
    return Estimate(share, low, high)


def odds(first: int, second: int, z: float) -> Estimate:
    """``first / second`` of two kinds of rows; ``second`` is not 0."""
    share = rate(first, first + second, z)
    return Estimate(first / second, share.low / (1 - share.low), share.high / (1 - share.high))


def overlapping_ratio(both: int, only_first: int, only_second: int, z: float) -> Estimate:
    """``(both + only_first) / (both + only_second)``, whose parts share rows.

    Delta method on the logarithm; half a row is added to each count for the interval, so that it
    stands where a count is 0.
    """
    x, y, w = only_first + 0.5, only_second + 0.5, both + 0.5
    first, second = w + x, w + y
    variance = w * (1 / first - 1 / second) ** 2 + x / first**2 + y / second**2
    centre, half = math.log(first / second), z * math.sqrt(variance)
    value = (both + only_first) / (both + only_second)
    low, high = math.exp(centre - half), math.exp(centre + half)
    return Estimate(value, min(value, low), max(value, high))


def difference(first: Estimate, second: Estimate) -> Estimate:
    """``first - second`` of independent samples."""
    value = first.value - second.value
    below = math.hypot(first.value - first.low, second.high - second.value)
    above = math.hypot(first.high - first.value, second.value - second.low)
    return Estimate(value, value - below, value + above)


def ratio(first: Estimate, second: Estimate) -> Estimate:
    """``first / second`` of independent rates; ``second.value`` is not 0."""
    a, b = first.value, second.value
    product = a * b
    low_part = first.low * (2 * a - first.low)
    root = product * product - low_part * second.high * (2 * b - second.high)
    under = product + math.sqrt(max(0.0, root))
    low = low_part / under if under else 0.0  # the formula, without its 0/0
    high_under = second.low * (2 * b - second.low)
    root = product * product - first.high * (2 * a - first.high) * high_under
    high = (product + math.sqrt(max(0.0, root))) / high_under
    return Estimate(a / b, max(0.0, min(low, a / b)), max(high, a / b))


def normal(value: float, variance: float, z: float, *, low: float, high: float) -> Estimate:
    """The normal interval, cut where the quantity ends."""
    half = z * math.sqrt(variance)
    return Estimate(value, max(low, value - half), min(high, value + half))
