"""Steps of a distributed run: plan, profile a batch, group, merge a group, join a part.

The state machine of ``stacks/drift_at_scale.py`` calls them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from lambdas.drift import wiring
from mlops_framework.drift.scale.steps import Steps


class StepInvalid(ValueError):
    """The input of the function is not what it takes."""


def step(event: Mapping[str, Any], *, steps: Steps) -> dict[str, Any]:
    """Do one step.

    Raises:
        StepInvalid: If the input names no step.
    """
    known: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
        "plan": steps.plan,
        "profile": steps.profile,
        "group": steps.group,
        "merge": steps.merge,
        "joins": steps.joins,
        "join": steps.join,
    }
    name = str(event.get("step"))
    if name not in known:
        raise StepInvalid(f"step is {name!r}; accepted are {', '.join(known)}.")
    return known[name](event)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return step(event, steps=Steps(*wiring.scaling()))
