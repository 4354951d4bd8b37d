"""``AWS::CodeBuild::Project``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from botocore.model import ListShape, MapShape, Shape, StructureShape

from mlops_framework.local.plane.cloudformation import (
    Created,
    ResourceContext,
    ResourceType,
    resource_type,
)

_SPELT: Final = {"BuildSpec": "buildspec"}
"""Members that CloudFormation spells in a way of its own."""
_APART: Final = frozenset({"Triggers", "Visibility", "ResourceAccessRole"})


@resource_type("AWS::CodeBuild::Project", attributes={"Arn", "Id"})
class Project(ResourceType):
    """A build project."""

    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """See :meth:`ResourceType.create`."""
        name = properties.get("Name") or context.generated_name(150)
        members = _members({**properties, "Name": name}, context)
        arn = context.client("codebuild").create_project(**members)["project"]["arn"]
        return name, {"Arn": arn, "Id": name}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """See :meth:`ResourceType.update`."""
        members = _members({**after, "Name": physical_id}, context)
        arn = context.client("codebuild").update_project(**members)["project"]["arn"]
        return physical_id, {"Arn": arn, "Id": physical_id}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """See :meth:`ResourceType.delete`."""
        context.client("codebuild").delete_project(name=physical_id)


def _members(properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    if carried := sorted(_APART & properties.keys()):
        raise ValueError(
            f"The local AWS does not carry {', '.join(carried)} of AWS::CodeBuild::Project."
        )
    shape = context.host.service_model("codebuild").shape_for("CreateProjectInput")
    members: dict[str, Any] = _as_shape(shape, properties)
    return members


def _as_shape(shape: Shape, value: Any) -> Any:
    """Template properties as the API's members: spelling, and texts for numbers and booleans."""
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        spelt = {name.lower(): name for name in shape.members}
        named = {_SPELT.get(key, spelt.get(key.lower(), key)): item for key, item in value.items()}
        return {
            name: _as_shape(shape.members[name], item) if name in shape.members else item
            for name, item in named.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [_as_shape(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: _as_shape(shape.value, item) for key, item in value.items()}
    if shape.type_name == "integer" and isinstance(value, str) and value.isdigit():
        return int(value)
    if shape.type_name == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if shape.type_name == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if shape.type_name == "string" and isinstance(value, int | float) else value
