"""Conditions before a stage: variables that are checked, and what follows when they do not hold.

Source: CodePipeline user guide, "How do stage conditions work?" and "VariableCheck".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from mlops_framework.local.plane.codepipeline.variables import VariableUnknown, resolve

RESULTS: Final = ("SKIP", "FAIL")
_OPERATORS: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "EQ": lambda variable, value: variable == value,
    "NE": lambda variable, value: variable != value,
    "CONTAINS": lambda variable, value: value in variable,
    "MATCHES": lambda variable, value: re.fullmatch(value, variable) is not None,
}
_KEYS: Final = frozenset({"Variable", "Value", "Operator"})


@dataclass(frozen=True)
class Checked:
    """What the conditions of a stage came to.

    Attributes:
        result: ``SKIP`` or ``FAIL`` of the first condition that does not hold; empty if all hold.
        summary: One sentence for the reader of the pipeline's state.
        state: As ``beforeEntryConditionState`` of GetPipelineState tells it.
    """

    result: str
    summary: str
    state: Mapping[str, Any] = field(default_factory=dict)


def refusal(stage: Mapping[str, Any]) -> str:
    """What of a stage's conditions is not carried, or malformed; empty if nothing is."""
    for condition in (stage.get("beforeEntry") or {}).get("conditions", ()):
        result = condition.get("result")
        if result not in RESULTS:
            return f"the result {result} of a condition (carried: {', '.join(RESULTS)})"
        for rule in condition.get("rules", ()):
            kind = rule["ruleTypeId"]
            if kind["provider"] != "VariableCheck":
                return f"the rule {kind['provider']} (carried: VariableCheck)"
            given = rule.get("configuration") or {}
            if given.keys() != _KEYS or given["Operator"] not in _OPERATORS:
                return (
                    f"the configuration {dict(given)} of rule {rule['name']} (carried: Variable, "
                    f"Value, and Operator of {', '.join(_OPERATORS)})"
                )
    return ""


def check(stage: Mapping[str, Any], namespaces: Mapping[str, Mapping[str, str]]) -> Checked:
    """Check the conditions before a stage.

    Args:
        stage: Its declaration, without a :func:`refusal`.
        namespaces: Variables by namespace.
    """
    states = []
    result, summary = "", "All conditions hold."
    for condition in (stage.get("beforeEntry") or {}).get("conditions", ()):
        rules = [_rule(rule, namespaces) for rule in condition["rules"]]
        failed = [rule for rule in rules if rule["latestExecution"]["status"] == "Failed"]
        states.append(
            {
                "latestExecution": {"status": "Failed" if failed else "Succeeded"},
                "ruleStates": rules,
            }
        )
        if failed and not result:
            result = condition["result"]
            summary = f"{failed[0]['ruleName']}: {failed[0]['latestExecution']['summary']}"
    status = "Failed" if result else "Succeeded"
    latest = {"status": status, "summary": summary}
    return Checked(result, summary, {"latestExecution": latest, "conditionStates": states})


def _rule(rule: Mapping[str, Any], namespaces: Mapping[str, Mapping[str, str]]) -> dict[str, Any]:
    given = rule["configuration"]
    try:
        found = resolve({"Variable": given["Variable"]}, namespaces)["Variable"]
    except VariableUnknown as unknown:
        return {
            "ruleName": rule["name"],
            "latestExecution": {"status": "Failed", "summary": str(unknown)},
        }
    holds = _OPERATORS[given["Operator"]](found, given["Value"])
    said = f"{given['Variable']} is {found!r}; wanted: {given['Operator']} {given['Value']!r}."
    status = "Succeeded" if holds else "Failed"
    return {"ruleName": rule["name"], "latestExecution": {"status": status, "summary": said}}
