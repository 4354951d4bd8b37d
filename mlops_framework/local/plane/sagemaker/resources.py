"""The CloudFormation types of SageMaker, as far as the platform's templates use them.

What `Ref` and `Fn::GetAtt` give, and which change replaces a resource, is CloudFormation's own
resource reference. Every handler goes through the API, so that a template fails for the reasons
for which a call would fail.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlops_framework.local.plane.cloudformation import (
    ResourceContext,
    ResourceType,
    resource_type,
)
from mlops_framework.local.plane.members import members

Created = tuple[str, Mapping[str, Any]]
NAME_LIMIT = 63
_POLL_SECONDS = 0.2
_GONE = ("Could not find", "does not exist", "not found")


class ResourceFailed(RuntimeError):
    """A resource did not become what the template says; the text is the stack event's reason."""


class SageMakerType(ResourceType):
    """What the types have in common: names, tags, and a delete that may come twice."""

    # The method that deletes it, and the member that names it.
    deletion: ClassVar[tuple[str, str]]

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Delete the resource; one that is already gone is fine."""
        method, member = self.deletion
        client = context.client("sagemaker")
        try:
            getattr(client, method)(**{member: name_of(physical_id)})
        except ClientError as error:
            if not _is_gone(error):
                raise

    def retag(
        self,
        arn: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> None:
        """Make the resource's tags those of the template."""
        client = context.client("sagemaker")
        wanted = after.get("Tags") or []
        kept = {tag["Key"] for tag in wanted}
        if gone := [tag["Key"] for tag in before.get("Tags") or [] if tag["Key"] not in kept]:
            client.delete_tags(ResourceArn=arn, TagKeys=gone)
        if wanted:
            client.add_tags(ResourceArn=arn, Tags=wanted)


class _Immutable(SageMakerType):
    """A resource of which only the tags change; anything else replaces it."""

    replaced_by = frozenset({"*"})

    # What it is called in operations and members, and in boto3's method names.
    noun: ClassVar[str]
    method: ClassVar[str]

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the resource."""
        member = f"{self.noun}Name"
        name = properties.get(member) or context.generated_name(NAME_LIMIT)
        request = as_request(properties, context, f"Create{self.noun}", **{member: name})
        made = getattr(context.client("sagemaker"), f"create_{self.method}")(**request)
        return self._created(name, made[f"{self.noun}Arn"])

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Change the tags."""
        self.retag(physical_id, before, after, context)
        member = f"{self.noun}Name"
        describe = getattr(context.client("sagemaker"), f"describe_{self.method}")
        return self._created(describe(**{member: name_of(physical_id)})[member], physical_id)

    def _created(self, name: str, arn: str) -> Created:
        return arn, {f"{self.noun}Name": name, f"{self.noun}Arn": arn}


@resource_type("AWS::SageMaker::Model", attributes={"ModelName", "ModelArn"})
class Model(_Immutable):
    """A model."""

    noun, method = "Model", "model"
    name_property = "ModelName"
    deletion = ("delete_model", "ModelName")


@resource_type(
    "AWS::SageMaker::EndpointConfig", attributes={"EndpointConfigName", "EndpointConfigArn"}
)
class EndpointConfig(_Immutable):
    """An endpoint configuration."""

    noun, method = "EndpointConfig", "endpoint_config"
    name_property = "EndpointConfigName"
    deletion = ("delete_endpoint_config", "EndpointConfigName")


@resource_type("AWS::SageMaker::Endpoint", attributes={"EndpointName", "EndpointArn"})
class Endpoint(SageMakerType):
    """An endpoint; waits until it serves, and updates it without a gap."""

    replaced_by = frozenset({"EndpointName"})
    name_property = "EndpointName"
    deletion = ("delete_endpoint", "EndpointName")

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the endpoint and wait until it is InService."""
        name = properties.get("EndpointName") or context.generated_name(NAME_LIMIT)
        client = context.client("sagemaker")
        request = as_request(properties, context, "CreateEndpoint", EndpointName=name)
        arn = client.create_endpoint(**request)["EndpointArn"]
        described = _settle(client, name)
        if described["EndpointStatus"] != "InService":
            # A stack that rolls back deletes only what it was told of; this was not yet.
            client.delete_endpoint(EndpointName=name)
            _settle(client, name)
            raise ResourceFailed(described.get("FailureReason", f"The endpoint {name} failed."))
        return arn, {"EndpointName": name, "EndpointArn": arn}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Put the endpoint on its new configuration and wait until that serves."""
        client = context.client("sagemaker")
        described = client.describe_endpoint(EndpointName=name_of(physical_id))
        name = described["EndpointName"]
        self.retag(physical_id, before, after, context)
        if described["EndpointConfigName"] != after["EndpointConfigName"]:
            client.update_endpoint(
                **as_request(after, context, "UpdateEndpoint", EndpointName=name)
            )
            described = _settle(client, name)
            if described.get("FailureReason") or described["EndpointStatus"] != "InService":
                raise ResourceFailed(described.get("FailureReason", f"The endpoint {name} failed."))
        return physical_id, {"EndpointName": name, "EndpointArn": physical_id}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """Delete the endpoint and wait until it is gone."""
        super().delete(physical_id, properties, context)
        _settle(context.client("sagemaker"), name_of(physical_id))


@resource_type(
    "AWS::SageMaker::ModelPackageGroup",
    attributes={"CreationTime", "ModelPackageGroupArn", "ModelPackageGroupStatus"},
)
class ModelPackageGroup(SageMakerType):
    """A model package group."""

    replaced_by = frozenset({"ModelPackageGroupName", "ModelPackageGroupDescription"})
    name_property = "ModelPackageGroupName"
    deletion = ("delete_model_package_group", "ModelPackageGroupName")

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the group."""
        client = context.client("sagemaker")
        name = properties["ModelPackageGroupName"]
        request = as_request(properties, context, "CreateModelPackageGroup")
        arn = client.create_model_package_group(**request)["ModelPackageGroupArn"]
        self._put_policy(name, {}, properties, context)
        return arn, self._attributes(name, context)

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Change policy and tags."""
        name = name_of(physical_id)
        self._put_policy(name, before, after, context)
        self.retag(physical_id, before, after, context)
        return physical_id, self._attributes(name, context)

    @staticmethod
    def _put_policy(
        name: str, before: Mapping[str, Any], after: Mapping[str, Any], context: ResourceContext
    ) -> None:
        client = context.client("sagemaker")
        policy = after.get("ModelPackageGroupPolicy")
        if policy is not None:
            text = policy if isinstance(policy, str) else json.dumps(policy)
            client.put_model_package_group_policy(ModelPackageGroupName=name, ResourcePolicy=text)
        elif before.get("ModelPackageGroupPolicy") is not None:
            client.delete_model_package_group_policy(ModelPackageGroupName=name)

    @staticmethod
    def _attributes(name: str, context: ResourceContext) -> dict[str, Any]:
        group = context.client("sagemaker").describe_model_package_group(ModelPackageGroupName=name)
        return {
            "CreationTime": group["CreationTime"].isoformat(),
            "ModelPackageGroupArn": group["ModelPackageGroupArn"],
            "ModelPackageGroupStatus": group["ModelPackageGroupStatus"],
        }


@resource_type("AWS::SageMaker::Pipeline")
class Pipeline(SageMakerType):
    """A pipeline; everything but its name changes in place."""

    replaced_by = frozenset({"PipelineName"})
    name_property = "PipelineName"
    deletion = ("delete_pipeline", "PipelineName")

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the pipeline."""
        request = as_request(_with_definition(properties), context, "CreatePipeline")
        context.client("sagemaker").create_pipeline(**request)
        return properties["PipelineName"], {}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Change the pipeline; executions that run go on as they were started."""
        request = as_request(_with_definition(after), context, "UpdatePipeline")
        arn = context.client("sagemaker").update_pipeline(**request)["PipelineArn"]
        self.retag(arn, before, after, context)
        return physical_id, {}


TYPES: tuple[type[ResourceType], ...] = (
    Model,
    EndpointConfig,
    Endpoint,
    ModelPackageGroup,
    Pipeline,
)


def name_of(physical_id: str) -> str:
    """The resource's name out of its ARN, or the name itself."""
    return physical_id.split("/", 1)[-1] if physical_id.startswith("arn:") else physical_id


def as_request(
    properties: Mapping[str, Any], context: ResourceContext, operation: str, **more: Any
) -> dict[str, Any]:
    """The members of the properties that the operation has, in the types it wants."""
    shape = context.host.service_model("sagemaker").operation_model(operation).input_shape
    given = {**properties, **more}
    if shape is None:
        return {}
    return {
        name: members(shape.members[name], given[name]) for name in shape.members if name in given
    }


def _with_definition(properties: Mapping[str, Any]) -> dict[str, Any]:
    """The definition's two forms, as the API spells them."""
    given = {name: value for name, value in properties.items() if name != "PipelineDefinition"}
    definition = properties["PipelineDefinition"]
    if "PipelineDefinitionBody" in definition:
        body = definition["PipelineDefinitionBody"]
        given["PipelineDefinition"] = body if isinstance(body, str) else json.dumps(body)
    if place := definition.get("PipelineDefinitionS3Location"):
        where = {"Bucket": place["Bucket"], "ObjectKey": place["Key"]}
        if "Version" in place:
            where["VersionId"] = place["Version"]
        given["PipelineDefinitionS3Location"] = where
    return given


def _settle(client: Any, name: str) -> dict[str, Any]:
    """Wait until an endpoint is neither being made, changed nor deleted."""
    while True:
        try:
            described: dict[str, Any] = client.describe_endpoint(EndpointName=name)
        except ClientError as error:
            if _is_gone(error):
                return {"EndpointStatus": "Deleted"}
            raise
        if described["EndpointStatus"] in ("InService", "Failed", "OutOfService"):
            return described
        time.sleep(_POLL_SECONDS)


def _is_gone(error: ClientError) -> bool:
    code = error.response["Error"]["Code"]
    message = error.response["Error"].get("Message", "")
    return code == "ResourceNotFound" or any(words in message for words in _GONE)
