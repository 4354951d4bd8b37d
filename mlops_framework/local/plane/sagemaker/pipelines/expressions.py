"""Expressions of a pipeline definition: `Get`, `Std:Join` and `Std:JsonGet`."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Protocol

FUNCTIONS = ("Get", "Std:Join", "Std:JsonGet")
_TOKEN = re.compile(r"\.?([^.\[\]'\"]+)|\['([^']*)'\]|\[\"([^\"]*)\"\]|\[(\d+)\]")
_NAME_MEMBERS = ("OutputName", "InputName", "ChannelName", "MetricName", "Name")


class ExpressionError(Exception):
    """An expression has no value; the text is a FailureReason."""


class Values(Protocol):
    """What an execution knows."""

    def parameter(self, name: str) -> Any:
        """The value of a pipeline parameter."""

    def variable(self, name: str) -> Any:
        """A value of the execution itself, such as `PipelineExecutionId`."""

    def result(self, step: str) -> Mapping[str, Any]:
        """What a finished step produced: the description of its job or resource."""

    def property_file(self, step: str, name: str) -> Any:
        """The JSON content of a file that a processing step wrote."""


def evaluate(value: Any, values: Values) -> Any:
    """Put values in place of all expressions.

    Args:
        value: any part of a definition.
        values: what the execution knows.

    Returns:
        The same structure without expressions.

    Raises:
        ExpressionError: one of them has no value.
    """
    if isinstance(value, Mapping):
        if len(value) == 1:
            (name,) = value
            if name == "Get":
                return _get(value["Get"], values)
            if name == "Std:Join":
                return _join(value["Std:Join"], values)
            if name == "Std:JsonGet":
                return _json_get(value["Std:JsonGet"], values)
        return {key: evaluate(item, values) for key, item in value.items()}
    if isinstance(value, list):
        return [evaluate(item, values) for item in value]
    return value


def references(value: Any) -> Iterator[str]:
    """The targets of all `Get` expressions, for example `Steps.Train.TrainingJobArn`."""
    if isinstance(value, Mapping):
        if set(value) == {"Get"} and isinstance(value["Get"], str):
            yield value["Get"]
            return
        for item in value.values():
            yield from references(item)
    elif isinstance(value, list):
        for item in value:
            yield from references(item)


def walk(content: Any, path: str) -> Any:
    """Follow a path into a value.

    Args:
        content: lists and mappings.
        path: members separated by dots; `[0]` an element, `['name']` a member, or the element of
            a list of that name.

    Returns:
        What is there.

    Raises:
        KeyError: nothing is.
    """
    position = 0
    while position < len(path):
        match = _TOKEN.match(path, position)
        if match is None:
            raise KeyError(path)
        position = match.end()
        name = next((group for group in match.groups()[:3] if group is not None), None)
        content = _member(content, name if name is not None else int(match.group(4)))
    return content


def _member(content: Any, key: str | int) -> Any:
    if isinstance(content, Mapping):
        return content[str(key)]
    if isinstance(content, Sequence) and not isinstance(content, str):
        if isinstance(key, int):
            try:
                return content[key]
            except IndexError:
                raise KeyError(key) from None
        for element in content:
            if isinstance(element, Mapping) and any(element.get(m) == key for m in _NAME_MEMBERS):
                return element
    raise KeyError(key)


def _get(target: str, values: Values) -> Any:
    room, _, rest = target.partition(".")
    if room == "Parameters":
        return values.parameter(rest)
    if room == "Execution":
        return values.variable(rest)
    step, path = split_step(target)
    try:
        return walk(values.result(step), path)
    except KeyError:
        raise ExpressionError(
            f"The step {step!r} has no property {path!r} (referred to as {target!r})."
        ) from None


def split_step(target: str) -> tuple[str, str]:
    """Step name and path of `Steps.<name>.<path>`."""
    _, _, rest = target.partition(".")
    step, _, path = rest.partition(".")
    return step, path


def _join(arguments: Mapping[str, Any], values: Values) -> str:
    parts = [evaluate(each, values) for each in arguments["Values"]]
    return str(arguments.get("On", "")).join(_as_text(part) for part in parts)


def _as_text(value: Any) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value)


def _json_get(arguments: Mapping[str, Any], values: Values) -> Any:
    target = arguments["PropertyFile"]["Get"]
    step, path = split_step(target)
    name = path.removeprefix("PropertyFiles.")
    content = values.property_file(step, name)
    wanted = str(evaluate(arguments["Path"], values))
    try:
        return walk(content, wanted)
    except KeyError:
        raise ExpressionError(
            f"The property file {name!r} of the step {step!r} holds nothing at {wanted!r}."
        ) from None
