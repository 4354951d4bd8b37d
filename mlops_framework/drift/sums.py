"""Sums that do not depend on order: exact, mergeable, canonical.

A float sum depends on the order of its terms, so two ways of splitting the same data would give two
profiles. Here a sum is kept exactly, as the unique list of floats that one gets by rounding the
exact value, subtracting, rounding the rest, and so on (a greedy non-overlapping expansion).
:func:`math.fsum` rounds correctly (Shewchuk 1997, Discrete Comput. Geom. 18), so each step is
exact. Two or three floats hold what real columns need.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from itertools import chain, repeat
from typing import TypeAlias

Expansion: TypeAlias = tuple[float, ...]
"""An exact sum, largest part first; empty for zero."""

_EXACT_INTEGERS = 2.0**53


def exact_sum(values: Iterable[float]) -> Expansion:
    """The exact sum of finite floats, whatever their order.

    Raises:
        OverflowError: If the sum exceeds the range of floats.
    """
    terms = list(values)
    parts: list[float] = []
    while rest := math.fsum(chain(terms, (-part for part in parts))):
        parts.append(rest)
    return tuple(parts)


def exact_weighted_sum(weights: Mapping[float, int]) -> Expansion:
    """The exact sum of every key taken ``weight`` times."""
    products: list[float] = []
    repeated: list[Iterable[float]] = []
    for value, weight in weights.items():
        product = value * weight
        if value.is_integer() and abs(product) < _EXACT_INTEGERS:
            products.append(product)
        else:
            repeated.append(repeat(value, weight))
    return exact_sum(chain(products, *repeated))


def add(first: Expansion, second: Expansion) -> Expansion:
    """The exact sum of two exact sums."""
    if not first or not second:
        return first or second
    return exact_sum(chain(first, second))


def rounded(expansion: Expansion) -> float:
    """The float nearest to the exact sum."""
    return expansion[0] if expansion else 0.0
