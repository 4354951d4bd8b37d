"""What a blueprint's template becomes for one request."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from mlops_framework.contracts.base import Place
from mlops_framework.contracts.parameters import template_values
from mlops_framework.registry import Registry

PLACE = Place("us-east-1", "aws", "111122223333", "my-data", "mlops-dev")
PSEUDO = {
    "AWS::AccountId": PLACE.account,
    "AWS::Partition": PLACE.partition,
    "AWS::Region": PLACE.region,
    "AWS::StackName": "mlops-dev-pipeline-dev",
    "AWS::URLSuffix": "amazonaws.com",
}
NOTHING = object()


class Deployed:
    """A template with a request's values in it: conditions decided, references to values filled.

    Other references stay: ``<Role.Arn>`` is an attribute, ``<Role>`` what ``Ref`` gives.

    Args:
        template: Of the request's kind.
        body: The request, as it is sent.
        stage: Delivery stage.
        given: Values that delivery lays over the request's.
    """

    def __init__(
        self,
        template: Mapping[str, Any],
        body: Mapping[str, Any],
        stage: str = "dev",
        given: Mapping[str, str] | None = None,
    ) -> None:
        request = Registry.discover().parse(dict(body), stages=("dev", "prod")).resolved(PLACE)
        self._template = template
        self.values = {**template_values(request, stage), **(given or {})}
        self.resources = {
            name: (resource["Type"], self.of(resource.get("Properties", {})))
            for name, resource in template["Resources"].items()
            if "Condition" not in resource or self._holds({"Condition": resource["Condition"]})
        }
        self.outputs = {
            name: self.of(output["Value"])
            for name, output in template.get("Outputs", {}).items()
            if "Condition" not in output or self._holds({"Condition": output["Condition"]})
        }

    def one(self, kind: str) -> dict[str, Any]:
        """Properties of the only resource of a type."""
        (found,) = self.all(kind)
        return found

    def all(self, kind: str) -> list[dict[str, Any]]:
        """Properties of each resource of a type."""
        return [properties for type_, properties in self.resources.values() if type_ == kind]

    def named(self, start: str) -> dict[str, Any]:
        """Properties of the resource whose logical id is this, with or without CDK's hash."""
        found: list[dict[str, Any]] = [
            properties
            for name, (_, properties) in self.resources.items()
            if re.fullmatch(f"{start}([0-9A-F]{{8}})?", name)
        ]
        assert len(found) == 1, sorted(self.resources)
        return found[0]

    def of(self, node: Any) -> Any:
        """A value of the template, decided."""
        if isinstance(node, list):
            return [item for item in map(self.of, node) if item is not NOTHING]
        if not isinstance(node, dict):
            return node
        match list(node.items()):
            case [("Fn::If", [condition, then, otherwise])]:
                return self.of(then if self._holds({"Condition": condition}) else otherwise)
            case [("Ref", "AWS::NoValue")]:
                return NOTHING
            case [("Ref", name)]:
                return self.values.get(name, PSEUDO.get(name, f"<{name}>"))
            case [("Fn::Join", [delimiter, parts])]:
                return delimiter.join(map(str, self.of(parts)))
            case [("Fn::GetAtt", path)]:
                return f"<{'.'.join(path)}>"
            case [("Fn::Split", [delimiter, text])]:
                return str(self.of(text)).split(delimiter)
            case [("Fn::Select", [index, items])]:
                found = self.of(items)
                # A reference that only AWS fills in has no parts here.
                return found[int(index)] if int(index) < len(found) else f"{found[0]}[{index}]"
            case [("Fn::Sub", given)]:
                return self._filled(given)
        members = {key: self.of(value) for key, value in node.items()}
        return {key: value for key, value in members.items() if value is not NOTHING}

    def _filled(self, given: Any) -> str:
        text, values = given if isinstance(given, list) else (given, {})
        named = {name: self.of(value) for name, value in values.items()}
        return re.sub(
            r"[$][{]([A-Za-z0-9:]+)[}]",
            lambda found: str(named.get(found[1], self.of({"Ref": found[1]}))),
            str(text),
        )

    def _holds(self, expression: Mapping[str, Any]) -> bool:
        ((function, operands),) = expression.items()
        match function:
            case "Condition":
                return self._holds(self._template["Conditions"][operands])
            case "Fn::Equals":
                left, right = map(self.of, operands)
                return bool(left == right)
            case "Fn::Not":
                return not self._holds(operands[0])
            case "Fn::And":
                return all(map(self._holds, operands))
            case "Fn::Or":
                return any(map(self._holds, operands))
        raise AssertionError(expression)
