"""``AWS::CodePipeline::Pipeline``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_framework.local.plane.cloudformation import (
    Created,
    ResourceContext,
    ResourceType,
    resource_type,
)
from mlops_framework.local.plane.members import members

# Of the template, but not of the declaration.
_APART = frozenset({"Tags", "RestartExecutionOnUpdate", "DisableInboundStageTransitions"})


@resource_type("AWS::CodePipeline::Pipeline", attributes={"Version"})
class Pipeline(ResourceType):
    """A pipeline. Creating it starts its first execution, as on AWS."""

    replaced_by: ClassVar[frozenset[str]] = frozenset({"Name"})
    name_property: ClassVar[str | None] = "Name"

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """See :meth:`ResourceType.create`."""
        name = properties.get("Name") or context.generated_name(100)
        answer = context.client("codepipeline").create_pipeline(
            pipeline=_declaration({**properties, "Name": name}, context),
            tags=[
                {"key": tag["Key"], "value": tag["Value"]} for tag in properties.get("Tags") or ()
            ],
        )
        return name, {"Version": str(answer["pipeline"]["version"])}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """See :meth:`ResourceType.update`."""
        client = context.client("codepipeline")
        declared = _declaration({**after, "Name": physical_id}, context)
        version = client.update_pipeline(pipeline=declared)["pipeline"]["version"]
        _retag(client, context.scope.arn("codepipeline", physical_id), before, after)
        if str(after.get("RestartExecutionOnUpdate", "false")).lower() == "true":
            client.start_pipeline_execution(name=physical_id)
        return physical_id, {"Version": str(version)}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """See :meth:`ResourceType.delete`."""
        context.client("codepipeline").delete_pipeline(name=physical_id)


def _declaration(properties: Mapping[str, Any], context: ResourceContext) -> dict[str, Any]:
    if properties.get("DisableInboundStageTransitions"):
        raise ValueError("The local AWS does not carry DisableInboundStageTransitions.")
    model = context.host.service_model("codepipeline")
    shape = model.shape_for("PipelineDeclaration")
    kept = {key: value for key, value in properties.items() if key not in _APART}
    declared: dict[str, Any] = members(shape, kept)
    return declared


def _retag(client: Any, arn: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    old = {tag["Key"]: tag["Value"] for tag in before.get("Tags") or ()}
    new = {tag["Key"]: tag["Value"] for tag in after.get("Tags") or ()}
    if gone := sorted(old.keys() - new.keys()):
        client.untag_resource(resourceArn=arn, tagKeys=gone)
    if changed := {key: value for key, value in new.items() if old.get(key) != value}:
        tags = [{"key": key, "value": value} for key, value in changed.items()]
        client.tag_resource(resourceArn=arn, tags=tags)
