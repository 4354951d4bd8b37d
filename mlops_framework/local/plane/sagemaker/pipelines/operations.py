"""The API of SageMaker Pipelines: pipelines and their definitions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import ClientError

from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.pipelines.definition import (
    Definition,
    DefinitionInvalid,
    StepNotCarried,
    parse,
)
from mlops_framework.local.plane.service import AwsFault, Scope, operation

PIPELINE = "pipeline"
EXECUTION = "pipeline-execution"
_HIDDEN = ("tokens",)


class Pipelines(Area):
    """CreatePipeline, UpdatePipeline, DescribePipeline, ListPipelines, DeletePipeline."""

    @operation("CreatePipeline")
    def create_pipeline(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Make a pipeline."""
        name = request["PipelineName"]
        arn = scope.arn("sagemaker", f"{PIPELINE}/{name}")
        kept = self.find(PIPELINE, name, scope)
        if kept and request["ClientRequestToken"] in kept["tokens"]:
            return {"PipelineArn": arn}
        definition = self._definition(request, scope)
        self.parsed(definition)
        moment = now()
        record: Record = {
            **only(request, ["PipelineName", "PipelineDescription", "RoleArn"]),
            **only(request, ["ParallelismConfiguration"]),
            "PipelineArn": arn,
            "PipelineDisplayName": request.get("PipelineDisplayName", name),
            "PipelineDefinition": definition,
            "PipelineStatus": "Active",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "CreatedBy": {},
            "LastModifiedBy": {},
            "tokens": {request["ClientRequestToken"]: ""},
        }
        taken = invalid(
            f"Pipeline names must be unique within an AWS account and region. Pipeline with name "
            f"({name}) already exists."
        )
        self.add(PIPELINE, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"PipelineArn": arn}

    @operation("UpdatePipeline")
    def update_pipeline(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Change a pipeline; running executions go on as they were started."""
        record = self.pipeline_record(request["PipelineName"], scope)
        values: dict[str, Any] = only(
            request,
            ["PipelineDisplayName", "PipelineDescription", "RoleArn", "ParallelismConfiguration"],
        )
        if "PipelineDefinition" in request or "PipelineDefinitionS3Location" in request:
            values["PipelineDefinition"] = self._definition(request, scope)
            self.parsed(values["PipelineDefinition"])
        self.change(PIPELINE, record["PipelineName"], scope, **values)
        return {"PipelineArn": record["PipelineArn"]}

    @operation("DescribePipeline")
    def describe_pipeline(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a pipeline."""
        record = self.pipeline_record(request["PipelineName"], scope)
        return {member: value for member, value in record.items() if member not in _HIDDEN}

    @operation("ListPipelines")
    def list_pipelines(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List pipelines."""
        asked = {**request, "NameContains": request.get("PipelineNamePrefix", "")}
        asked |= {
            f"CreationTime{word}": request[f"Created{word}"]
            for word in ("After", "Before")
            if f"Created{word}" in request
        }
        with self.locked():
            chosen, token = page(self.records(PIPELINE, scope).values(), asked, name="PipelineName")
        members = (
            *("PipelineArn", "PipelineName", "PipelineDisplayName", "PipelineDescription"),
            *("RoleArn", "CreationTime", "LastModifiedTime"),
        )
        summaries = [
            only(record, members)
            | ({"LastExecutionTime": record["LastRunTime"]} if "LastRunTime" in record else {})
            for record in chosen
            if record["PipelineName"].startswith(request.get("PipelineNamePrefix", ""))
        ]
        return {"PipelineSummaries": summaries, "NextToken": token}

    @operation("DeletePipeline")
    def delete_pipeline(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete a pipeline that does not run."""
        record = self.pipeline_record(request["PipelineName"], scope)
        arn = record["PipelineArn"]
        with self.locked():
            executions = self.records(EXECUTION, scope)
            own = {key: each for key, each in executions.items() if each["PipelineArn"] == arn}
            if any(e["PipelineExecutionStatus"] in ("Executing", "Stopping") for e in own.values()):
                raise AwsFault(
                    "ConflictException",
                    f"Pipeline {arn} has running executions. Stop them, or wait for their end.",
                )
            for key in own:
                del executions[key]
            self.forget(PIPELINE, record["PipelineName"], scope, arn)
        return {"PipelineArn": arn}

    def _definition(self, request: Mapping[str, Any], scope: Scope) -> str:
        if "PipelineDefinition" in request:
            return str(request["PipelineDefinition"])
        place = request.get("PipelineDefinitionS3Location")
        if place is None:
            raise invalid("Either PipelineDefinition or PipelineDefinitionS3Location is needed.")
        given = {"Bucket": place["Bucket"], "Key": place["ObjectKey"]}
        if "VersionId" in place:
            given["VersionId"] = place["VersionId"]
        try:
            body = self.host.client("s3", scope).get_object(**given)["Body"].read()
        except ClientError as error:
            where = f"s3://{place['Bucket']}/{place['ObjectKey']}"
            raise invalid(f"The pipeline definition {where} cannot be read: {error}") from None
        return str(body.decode("utf-8"))

    @staticmethod
    def parsed(text: str) -> Definition:
        """Read a definition.

        Raises:
            AwsFault: it is not valid, or not carried.
        """
        try:
            return parse(text)
        except DefinitionInvalid as error:
            raise invalid(str(error)) from None
        except StepNotCarried as error:
            raise not_carried(str(error), "Run that pipeline in an AWS account.") from None

    def pipeline_record(self, name_or_arn: str, scope: Scope) -> Record:
        """A copy of a pipeline's record.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(PIPELINE, name_or_arn.rsplit("/", 1)[-1], scope)
        if record is None:
            raise AwsFault("ResourceNotFound", f"Pipeline {name_or_arn!r} does not exist.")
        return record
