"""The conditions of a Condition step."""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from mlops_framework.local.plane.sagemaker.pipelines.expressions import (
    ExpressionError,
    Values,
    evaluate,
)

_ORDER: Mapping[str, Callable[[Any, Any], bool]] = {
    "GreaterThan": operator.gt,
    "GreaterThanOrEqualTo": operator.ge,
    "LessThan": operator.lt,
    "LessThanOrEqualTo": operator.le,
}
TYPES = ("Equals", *_ORDER, "In", "And", "Or", "Not")


def holds(conditions: Sequence[Mapping[str, Any]], values: Values) -> bool:
    """Whether all of the conditions hold.

    Args:
        conditions: as in the definition.
        values: what the execution knows.

    Raises:
        ExpressionError: one of them cannot be decided.
    """
    return all(_holds(condition, values) for condition in conditions)


def _holds(condition: Mapping[str, Any], values: Values) -> bool:
    kind = condition["Type"]
    if kind == "And":
        return holds(condition["Conditions"], values)
    if kind == "Or":
        return any(_holds(each, values) for each in condition["Conditions"])
    if kind == "Not":
        return not _holds(condition["Expression"], values)
    if kind == "In":
        return evaluate(condition["QueryValue"], values) in evaluate(condition["Values"], values)
    left = evaluate(condition["LeftValue"], values)
    right = evaluate(condition["RightValue"], values)
    if kind == "Equals":
        return bool(left == right)
    try:
        return _ORDER[kind](float(left), float(right))
    except (TypeError, ValueError):
        raise ExpressionError(
            f"{kind} compares numbers; it was given {left!r} and {right!r}."
        ) from None
