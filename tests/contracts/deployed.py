"""A template with values in it: what CloudFormation would create, without CloudFormation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any

_VARIABLE = re.compile(r"\$\{(!?)([^}]+)\}")
_NOTHING = object()
PSEUDO = {
    "AWS::AccountId": "111122223333",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::URLSuffix": "amazonaws.com",
    "AWS::StackName": "stack",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:111122223333:stack/stack/id",
}


class Deployed:
    """The resources that a template makes of parameter values.

    Conditions are decided, references to parameters filled in; what only CloudFormation knows
    stays as ``<Name.Attribute>``.

    Args:
        template: With intrinsic functions.
        values: Of its parameters; defaults stand for the others, an SSM parameter's name for it.
    """

    def __init__(self, template: Mapping[str, Any], values: Mapping[str, str]) -> None:
        self._template = template
        defaults = {
            name: str(declared.get("Default", ""))
            for name, declared in template.get("Parameters", {}).items()
        }
        self._values = {**PSEUDO, **defaults, **values}
        self.resources = {
            name: (resource["Type"], self._of(resource.get("Properties", {})))
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds({"Condition": resource["Condition"]})
        }

    def value(self, parameter: str) -> str:
        """What a parameter was given, or its default."""
        return self._values[parameter]

    def at(self, place: str) -> Any:
        """The value at ``<type>:<dotted path>`` of the one resource that has such a place.

        A list is entered by index, or by ``name=value`` of a member of its objects; text that holds
        JSON is read.
        """
        type_, _, path = place.partition(":")
        wanted = f"AWS::{type_.replace('/', '::')}"
        found = [
            value
            for kind, properties in self.resources.values()
            if kind == wanted
            for value in _entered(properties, path.split("/"))
        ]
        if len(found) != 1:
            raise LookupError(f"{place}: found {found}")
        return found[0]

    def _of(self, node: Any) -> Any:
        if isinstance(node, list):
            return [item for item in map(self._of, node) if item is not _NOTHING]
        if not isinstance(node, dict):
            return node
        if len(node) == 1:
            ((function, given),) = node.items()
            if function == "Ref" or function.startswith("Fn::"):
                return self._called(function, given)
        members = {name: self._of(value) for name, value in node.items()}
        return {name: value for name, value in members.items() if value is not _NOTHING}

    def _called(self, function: str, given: Any) -> Any:
        match function:
            case "Ref":
                return (
                    _NOTHING if given == "AWS::NoValue" else self._values.get(given, f"<{given}>")
                )
            case "Fn::If":
                return self._of(given[1] if self._holds({"Condition": given[0]}) else given[2])
            case "Fn::Join":
                return given[0].join(map(str, self._of(given[1])))
            case "Fn::Split":
                return str(self._of(given[1])).split(given[0])
            case "Fn::Select":
                listed, index = self._of(given[1]), int(given[0])
                # Parts of what only CloudFormation knows, such as an ARN, stay unknown as a whole.
                return listed[0] if index >= len(listed) and "<" in str(listed) else listed[index]
            case "Fn::GetAtt":
                return f"<{'.'.join(given)}>"
            case "Fn::Sub":
                return self._substituted(given)
        return f"<{function}>"

    def _substituted(self, given: Any) -> str:
        text, own = (given[0], self._of(given[1])) if isinstance(given, list) else (given, {})

        def value(match: re.Match[str]) -> str:
            if match[1]:
                return f"${{{match[2]}}}"
            return str(own.get(match[2], self._values.get(match[2], f"<{match[2]}>")))

        return _VARIABLE.sub(value, text)

    def _holds(self, expression: Mapping[str, Any]) -> bool:
        ((function, given),) = expression.items()
        match function:
            case "Condition":
                return self._holds(self._template["Conditions"][given])
            case "Fn::Equals":
                return str(self._of(given[0])) == str(self._of(given[1]))
            case "Fn::Not":
                return not self._holds(given[0])
            case "Fn::And":
                return all(map(self._holds, given))
            case "Fn::Or":
                return any(map(self._holds, given))
        raise NotImplementedError(function)


def _entered(node: Any, path: list[str]) -> Iterator[Any]:
    if isinstance(node, str) and path and node[:1] in "{[":
        node = json.loads(node)
    if not path or path == [""]:
        yield node
        return
    step, *rest = path
    if isinstance(node, Mapping):
        if step in node:
            yield from _entered(node[step], rest)
    elif isinstance(node, list):
        name, equals, wanted = step.partition("=")
        for index, item in enumerate(node):
            if str(index) == step or (
                equals and isinstance(item, Mapping) and str(item.get(name)) == wanted
            ):
                yield from _entered(item, rest)
