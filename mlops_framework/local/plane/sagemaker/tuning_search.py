"""Which hyperparameters a tuning job tries next: at random, or every combination.

Pure: the same ranges and the same seed give the same candidates.
"""

from __future__ import annotations

import itertools
import math
import random
from collections.abc import Iterator, Mapping, Sequence
from decimal import Decimal
from typing import Any

_TRIES = 100
"""Draws until a combination that was there already is taken again."""

Candidate = dict[str, str]
"""Values by hyperparameter, as text, as SageMaker hands them to a training job."""


class RangeInvalid(Exception):
    """A range that SageMaker would refuse; the text says why."""


def grid(ranges: Mapping[str, Any]) -> Iterator[Candidate]:
    """Every combination of the categorical ranges, the last name changing fastest."""
    listed = ranges.get("CategoricalParameterRanges", [])
    names = [each["Name"] for each in listed]
    for values in itertools.product(*(each["Values"] for each in listed)):
        yield dict(zip(names, values, strict=True))


def combinations(ranges: Mapping[str, Any]) -> int:
    """How many combinations :func:`grid` gives."""
    return math.prod(len(each["Values"]) for each in ranges.get("CategoricalParameterRanges", []))


def at_random(ranges: Mapping[str, Any], seed: int | str) -> Iterator[Candidate]:
    """Combinations drawn from the ranges, without end; none twice while there are others.

    ``Auto`` scales are linear here; SageMaker chooses for itself.

    Args:
        ranges: ``ParameterRanges`` of a tuning job.
        seed: Fixes what is drawn.

    Raises:
        RangeInvalid: a bound is no number, or lies where its scale does not reach.
    """
    dice = random.Random(seed)
    seen: set[tuple[tuple[str, str], ...]] = set()
    while True:
        for _ in range(_TRIES):
            candidate = _drawn(ranges, dice)
            key = tuple(sorted(candidate.items()))
            if key not in seen:
                break
        seen.add(key)
        yield candidate


def _drawn(ranges: Mapping[str, Any], dice: random.Random) -> Candidate:
    found: Candidate = {}
    for each in ranges.get("ContinuousParameterRanges", []):
        found[each["Name"]] = format(Decimal(repr(_number(each, dice))), "f")
    for each in ranges.get("IntegerParameterRanges", []):
        low, high = _bounds(each)
        number = _number({**each, "MinValue": low - 0.5, "MaxValue": high + 0.5}, dice, (low, high))
        found[each["Name"]] = str(min(max(round(number), round(low)), round(high)))
    for each in ranges.get("CategoricalParameterRanges", []):
        found[each["Name"]] = dice.choice(each["Values"])
    return found


def _number(
    given: Mapping[str, Any], dice: random.Random, bounds: tuple[float, float] | None = None
) -> float:
    scale = given.get("ScalingType", "Auto")
    if scale in ("Auto", "Linear"):
        return dice.uniform(*_bounds(given))
    low, high = bounds or _bounds(given)
    if scale == "Logarithmic":
        if low <= 0:
            raise RangeInvalid(f"{given['Name']}: a logarithmic scale begins above 0, not at {low}")
        return math.exp(dice.uniform(math.log(low), math.log(high)))
    if not 0 <= low <= high < 1:
        raise RangeInvalid(f"{given['Name']}: a reverse logarithmic scale lies between 0 and 1")
    return 1 - math.exp(dice.uniform(math.log(1 - high), math.log(1 - low)))


def _bounds(given: Mapping[str, Any]) -> tuple[float, float]:
    try:
        low, high = float(given["MinValue"]), float(given["MaxValue"])
    except ValueError:
        raise RangeInvalid(
            f"{given['Name']}: {given['MinValue']!r} and {given['MaxValue']!r} are to be numbers"
        ) from None
    if low > high:
        raise RangeInvalid(f"{given['Name']}: MinValue {low:g} is above MaxValue {high:g}")
    return low, high


def best(results: Sequence[tuple[str, float]], objective: str) -> str | None:
    """The name with the best value; the earlier of equal ones.

    Args:
        results: Names and values, in the order of their jobs.
        objective: ``Maximize`` or ``Minimize``.
    """
    if not results:
        return None
    choose = max if objective == "Maximize" else min
    return choose(results, key=lambda result: result[1])[0]
