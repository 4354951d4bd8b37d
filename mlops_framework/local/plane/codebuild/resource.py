"""``AWS::CodeBuild::Project``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Final

from mlops_framework.local.plane.cloudformation import (
    Created,
    ResourceContext,
    ResourceType,
    resource_type,
)
from mlops_framework.local.plane.members import members

_APART: Final = frozenset({"Triggers", "Visibility", "ResourceAccessRole"})


@resource_type("AWS::CodeBuild::Project", attributes={"Arn", "Id"})
class Project(ResourceType):
    """A build project."""

    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """See :meth:`ResourceType.create`."""
        name = properties.get("Name") or context.generated_name(150)
        declared = _declaration({**properties, "Name": name}, context)
        arn = context.client("codebuild").create_project(**declared)["project"]["arn"]
        return name, {"Arn": arn, "Id": name}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """See :meth:`ResourceType.update`."""
        declared = _declaration({**after, "Name": physical_id}, context)
        arn = context.client("codebuild").update_project(**declared)["project"]["arn"]
        return physical_id, {"Arn": arn, "Id": physical_id}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """See :meth:`ResourceType.delete`."""
        context.client("codebuild").delete_project(name=physical_id)


def _declaration(properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    if carried := sorted(_APART & properties.keys()):
        raise ValueError(
            f"The local AWS does not carry {', '.join(carried)} of AWS::CodeBuild::Project."
        )
    shape = context.host.service_model("codebuild").shape_for("CreateProjectInput")
    declared: dict[str, Any] = members(shape, properties)
    return declared
