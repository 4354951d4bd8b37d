"""The CloudFormation types of Model Monitor.

What `Ref` and `Fn::GetAtt` give, and which change replaces a resource, is CloudFormation's own
schema of the types.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_framework.local.plane.cloudformation import (
    ResourceContext,
    ResourceType,
    changed_properties,
    resource_type,
)
from mlops_framework.local.plane.sagemaker.resources import (
    NAME_LIMIT,
    Created,
    SageMakerType,
    as_request,
    name_of,
)


class _JobDefinition(SageMakerType):
    """A job definition: any change replaces it, that of a tag too."""

    replaced_by = frozenset({"*"})
    name_property = "JobDefinitionName"

    kind: ClassVar[str]
    method: ClassVar[str]

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the definition; CloudFormation names it where the template does not."""
        name = properties.get("JobDefinitionName") or context.generated_name(NAME_LIMIT)
        operation = f"Create{self.kind}JobDefinition"
        request = as_request(properties, context, operation, JobDefinitionName=name)
        client = context.client("sagemaker")
        arn = getattr(client, f"create_{self.method}_job_definition")(**request)["JobDefinitionArn"]
        made = getattr(client, f"describe_{self.method}_job_definition")(JobDefinitionName=name)
        attributes = {"JobDefinitionArn": arn, "CreationTime": made["CreationTime"].isoformat()}
        return arn, attributes

    def replaces(self, before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
        """Its tags cannot be changed either."""
        return bool(changed_properties(before, after))


_OF_DEFINITIONS = frozenset({"CreationTime", "JobDefinitionArn"})


@resource_type("AWS::SageMaker::DataQualityJobDefinition", attributes=_OF_DEFINITIONS)
class DataQualityJobDefinition(_JobDefinition):
    """What a data quality monitor runs."""

    kind, method = "DataQuality", "data_quality"
    deletion = ("delete_data_quality_job_definition", "JobDefinitionName")


@resource_type("AWS::SageMaker::ModelQualityJobDefinition", attributes=_OF_DEFINITIONS)
class ModelQualityJobDefinition(_JobDefinition):
    """What a model quality monitor runs."""

    kind, method = "ModelQuality", "model_quality"
    deletion = ("delete_model_quality_job_definition", "JobDefinitionName")


@resource_type("AWS::SageMaker::ModelBiasJobDefinition", attributes=_OF_DEFINITIONS)
class ModelBiasJobDefinition(_JobDefinition):
    """What a bias monitor runs."""

    kind, method = "ModelBias", "model_bias"
    deletion = ("delete_model_bias_job_definition", "JobDefinitionName")


@resource_type("AWS::SageMaker::ModelExplainabilityJobDefinition", attributes=_OF_DEFINITIONS)
class ModelExplainabilityJobDefinition(_JobDefinition):
    """What an explainability monitor runs."""

    kind, method = "ModelExplainability", "model_explainability"
    deletion = ("delete_model_explainability_job_definition", "JobDefinitionName")


@resource_type(
    "AWS::SageMaker::MonitoringSchedule",
    attributes={"CreationTime", "LastModifiedTime", "MonitoringScheduleArn"},
)
class MonitoringSchedule(SageMakerType):
    """A schedule; everything but its name changes in place."""

    replaced_by = frozenset({"MonitoringScheduleName"})
    name_property = "MonitoringScheduleName"
    deletion = ("delete_monitoring_schedule", "MonitoringScheduleName")

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """Make the schedule."""
        request = as_request(properties, context, "CreateMonitoringSchedule")
        context.client("sagemaker").create_monitoring_schedule(**request)
        return self._described(properties["MonitoringScheduleName"], context)

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """Change definition, time and tags."""
        request = as_request(after, context, "UpdateMonitoringSchedule")
        context.client("sagemaker").update_monitoring_schedule(**request)
        self.retag(physical_id, before, after, context)
        return self._described(name_of(physical_id), context)

    @staticmethod
    def _described(name: str, context: ResourceContext) -> Created:
        found = context.client("sagemaker").describe_monitoring_schedule(
            MonitoringScheduleName=name
        )
        arn = found["MonitoringScheduleArn"]
        times = {each: found[each].isoformat() for each in ("CreationTime", "LastModifiedTime")}
        return arn, {"MonitoringScheduleArn": arn, **times}


TYPES: tuple[type[ResourceType], ...] = (
    DataQualityJobDefinition,
    ModelQualityJobDefinition,
    ModelBiasJobDefinition,
    ModelExplainabilityJobDefinition,
    MonitoringSchedule,
)
