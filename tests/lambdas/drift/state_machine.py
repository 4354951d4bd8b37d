"""A state machine in memory, as far as the one of drift at scale goes."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

Task = Callable[[Mapping[str, Any]], Any]


@dataclass
class StateMachine:
    """Runs a definition in Amazon States Language (JSONPath) over functions.

    Attributes:
        definition: The definition.
        functions: What task states call, by ARN.
        objects: Where item readers read, by ``(bucket, key)``.
        again: Whether everything that a map does is done twice, as retries do.
        visited: States in the order in which they were entered.
    """

    definition: Mapping[str, Any]
    functions: Mapping[str, Task]
    objects: Mapping[tuple[str, str], str]
    again: bool = False
    visited: list[str] = field(default_factory=list)

    def run(self, given: Any, *, name: str = "run-1") -> Any:
        """Run it; the output of the last state."""
        return self._states(self.definition, given, {"Execution": {"Name": name}})

    def _states(self, definition: Mapping[str, Any], given: Any, context: Any) -> Any:
        at: str | None = definition["StartAt"]
        while at is not None:
            self.visited.append(at)
            state = definition["States"][at]
            # What goes from state to state is JSON.
            given = json.loads(json.dumps(given))
            if state["Type"] == "Choice":
                met = (one["Next"] for one in state["Choices"] if _met(one, given))
                at = next(met, state["Default"])
                continue
            try:
                given = self._result(state, given, context)
                at = state.get("Next")
            except Exception:
                if "Catch" not in state:
                    raise
                (caught,) = state["Catch"]
                assert (caught["ErrorEquals"], caught["ResultPath"]) == (["States.ALL"], None)
                at = caught["Next"]
        return given

    def _result(self, state: Mapping[str, Any], given: Any, context: Any) -> Any:
        what = given
        if "Parameters" in state:
            what = _filled(state["Parameters"], given, context)
        if state["Type"] == "Task":
            what = self.functions[state["Resource"]](what)
            what = state.get("ResultSelector", what)
        elif state["Type"] == "Map":
            what = [
                self._states(state["ItemProcessor"], item, context)
                for item in self._items(state, given, context)
                for _ in range(1 + self.again)
            ]
        path = state.get("ResultPath", "$")
        if path is None:
            return given
        return what if path == "$" else {**given, path.removeprefix("$."): what}

    def _items(self, state: Mapping[str, Any], given: Any, context: Any) -> list[Any]:
        if "ItemReader" in state:
            place = _filled(state["ItemReader"]["Parameters"], given, context)
            items = json.loads(self.objects[place["Bucket"], place["Key"]])
        else:
            items = _at(given, state["ItemsPath"])
        return [
            _filled(state["ItemSelector"], given, {**context, "Map": {"Item": {"Value": item}}})
            for item in items
        ]


def _filled(template: Mapping[str, Any], given: Any, context: Any) -> dict[str, Any]:
    filled = {}
    for name, value in template.items():
        if name.endswith(".$"):
            source, path = (context, value[1:]) if value.startswith("$$") else (given, value)
            filled[name.removesuffix(".$")] = _at(source, path)
        else:
            filled[name] = value
    return filled


def _at(value: Any, path: str) -> Any:
    for name in path.split(".")[1:]:
        value = value[name]
    return value


def _met(choice: Mapping[str, Any], given: Any) -> bool:
    value = _at(given, choice["Variable"])
    if "BooleanEquals" in choice:
        return bool(value == choice["BooleanEquals"])
    return bool(value > choice["NumericGreaterThan"])
