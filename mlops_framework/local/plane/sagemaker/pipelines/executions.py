"""The API of SageMaker Pipelines: executions, their steps, and what is told about them."""

from __future__ import annotations

import secrets
import string
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    iso,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.pipelines.definition import Definition
from mlops_framework.local.plane.sagemaker.pipelines.execution import Execution
from mlops_framework.local.plane.sagemaker.pipelines.operations import (
    EXECUTION,
    PIPELINE,
    Pipelines,
)
from mlops_framework.local.plane.sagemaker.pipelines.steps import Service
from mlops_framework.local.plane.service import AwsFault, Scope, operation

PARALLEL_STEPS = 50
_ALPHABET = string.ascii_lowercase + string.digits
_EXECUTION_MEMBERS = (
    *("PipelineArn", "PipelineExecutionArn", "PipelineExecutionDisplayName"),
    *("PipelineExecutionStatus", "PipelineExecutionDescription", "FailureReason", "CreationTime"),
    *("LastModifiedTime", "CreatedBy", "LastModifiedBy", "ParallelismConfiguration"),
)
_SUMMARY = (
    *("PipelineExecutionArn", "PipelineExecutionStatus", "PipelineExecutionDescription"),
    *("PipelineExecutionDisplayName",),
)


class Executions(Area):
    """Start, describe, list and stop executions."""

    def __init__(self, host: PlaneHost, pipelines: Pipelines, service: Service) -> None:
        """Fail the executions that an earlier run of the local AWS did not finish.

        Args:
            host: the emulator.
            pipelines: what is executed.
            service: the whole of SageMaker, for the steps.
        """
        super().__init__(host)
        self._pipelines, self._service = pipelines, service
        self._running: dict[str, Execution] = {}
        reason = "The local AWS was stopped while the pipeline ran."
        for scope in host.scopes(self.name):
            for arn, record in list(self.records(EXECUTION, scope).items()):
                if record["PipelineExecutionStatus"] in ("Executing", "Stopping"):
                    for step in record["steps"]:
                        if step["StepStatus"] == "Executing":
                            step.update(StepStatus="Failed", FailureReason=reason, EndTime=now())
                    values = {"PipelineExecutionStatus": "Failed", "FailureReason": reason}
                    self.change(EXECUTION, arn, scope, **values)

    @operation("StartPipelineExecution")
    def start_pipeline_execution(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Start a pipeline; the same token twice starts it once."""
        pipeline = self._pipelines.pipeline_record(request["PipelineName"], scope)
        for member in ("SelectiveExecutionConfig", "PipelineVersionId", "PipelineVersionAlias"):
            if member in request:
                raise not_carried(f"StartPipelineExecution with {member}", "Leave it out.")
        definition = self._pipelines.parsed(pipeline["PipelineDefinition"])
        values = _parameter_values(definition, request.get("PipelineParameters", []))
        token = request["ClientRequestToken"]
        execution_id = "".join(secrets.choice(_ALPHABET) for _ in range(12))
        arn = f"{pipeline['PipelineArn']}/execution/{execution_id}"
        moment = now()
        record: Record = {
            **only(request, ["PipelineExecutionDescription"]),
            "PipelineArn": pipeline["PipelineArn"],
            "PipelineExecutionArn": arn,
            "PipelineExecutionDisplayName": request.get(
                "PipelineExecutionDisplayName", f"execution-{int(moment.timestamp() * 1000)}"
            ),
            "PipelineExecutionStatus": "Executing",
            "ParallelismConfiguration": request.get(
                "ParallelismConfiguration",
                pipeline.get(
                    "ParallelismConfiguration", {"MaxParallelExecutionSteps": PARALLEL_STEPS}
                ),
            ),
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "CreatedBy": {},
            "LastModifiedBy": {},
            "StartTime": moment,
            "definition": pipeline["PipelineDefinition"],
            "parameters": [{"Name": k, "Value": _as_text(v)} for k, v in values.items()],
            "steps": [],
        }
        with self.locked():
            live = self.records(PIPELINE, scope)[pipeline["PipelineName"]]
            if started := live["tokens"].get(token):
                return {"PipelineExecutionArn": started}
            live["tokens"][token] = arn
            live["LastRunTime"] = moment
            self.records(EXECUTION, scope)[arn] = record
        execution = Execution(
            self.host,
            self._service,
            scope,
            definition=definition,
            parameters=values,
            variables={
                "StartDateTime": iso(moment),
                "PipelineName": pipeline["PipelineName"],
                "PipelineArn": pipeline["PipelineArn"],
                "PipelineExecutionId": execution_id,
                "PipelineExecutionArn": arn,
            },
            parallel=record["ParallelismConfiguration"]["MaxParallelExecutionSteps"],
            keep=lambda step, changes: self._keep_step(arn, definition, step, changes, scope),
        )
        self._running[arn] = execution
        self.host.spawn(f"pipeline {arn}", self._run, arn, execution, scope)
        return {"PipelineExecutionArn": arn}

    @operation("DescribePipelineExecution")
    def describe_pipeline_execution(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe an execution."""
        return only(self._execution(request["PipelineExecutionArn"], scope), _EXECUTION_MEMBERS)

    @operation("ListPipelineExecutions")
    def list_pipeline_executions(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List the executions of a pipeline."""
        arn = self._pipelines.pipeline_record(request["PipelineName"], scope)["PipelineArn"]
        asked = dict(request)
        asked |= {
            f"CreationTime{word}": request[f"Created{word}"]
            for word in ("After", "Before")
            if f"Created{word}" in request
        }
        if asked.get("SortBy") == "PipelineExecutionArn":
            asked["SortBy"] = "Name"
        with self.locked():
            own = [e for e in self.records(EXECUTION, scope).values() if e["PipelineArn"] == arn]
            chosen, token = page(own, asked, name="PipelineExecutionArn")
        summaries = [
            {
                **only(record, _SUMMARY),
                "StartTime": record["StartTime"],
                "PipelineExecutionFailureReason": record.get("FailureReason"),
            }
            for record in chosen
        ]
        return {"PipelineExecutionSummaries": summaries, "NextToken": token}

    @operation("ListPipelineExecutionSteps")
    def list_pipeline_execution_steps(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List the steps of an execution that have been started, the newest first."""
        if "PipelineExecutionArn" not in request:
            raise invalid("PipelineExecutionArn is missing.")
        record = self._execution(request["PipelineExecutionArn"], scope)
        listed = [{**step, "CreationTime": step["StartTime"]} for step in record["steps"]]
        chosen, token = page(listed, request, name="StepName")
        steps = [{k: v for k, v in step.items() if k != "CreationTime"} for step in chosen]
        return {"PipelineExecutionSteps": steps, "NextToken": token}

    @operation("ListPipelineParametersForExecution")
    def list_pipeline_parameters_for_execution(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """The parameters that an execution runs with."""
        record = self._execution(request["PipelineExecutionArn"], scope)
        return {"PipelineParameters": record["parameters"]}

    @operation("DescribePipelineDefinitionForExecution")
    def describe_pipeline_definition_for_execution(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """The definition that an execution runs."""
        record = self._execution(request["PipelineExecutionArn"], scope)
        return {
            "PipelineDefinition": record["definition"],
            "CreationTime": record["CreationTime"],
        }

    @operation("StopPipelineExecution")
    def stop_pipeline_execution(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Stop an execution: no further step is started, running jobs are stopped."""
        arn = request["PipelineExecutionArn"]
        record = self._execution(arn, scope)
        status = record["PipelineExecutionStatus"]
        if status not in ("Executing", "Stopping"):
            raise invalid(
                f"Pipeline execution with ARN {arn} is {status}; only a running one can be stopped."
            )
        if status == "Executing":
            self._move(arn, "Stopping", scope)
        if execution := self._running.get(arn):
            execution.stop.set()
        return {"PipelineExecutionArn": arn}

    def _run(self, arn: str, execution: Execution, scope: Scope) -> None:
        self._tell(self._execution(arn, scope), "", scope)
        try:
            status, reason = execution.run()
        except Exception as error:
            self._move(
                arn, "Failed", scope, f"InternalServerError: {type(error).__name__}: {error}"
            )
            raise
        finally:
            self._running.pop(arn, None)
        if not self.host.stopping.is_set():
            self._move(arn, status, scope, reason)
        # Else its jobs were ended under it: it is still running in the books, and the next start
        # says what happened.

    def _move(self, arn: str, status: str, scope: Scope, reason: str | None = None) -> None:
        before = self._execution(arn, scope)["PipelineExecutionStatus"]
        values: dict[str, Any] = {"PipelineExecutionStatus": status}
        if status not in ("Executing", "Stopping"):
            values["EndTime"] = now()
        changed = self.change(EXECUTION, arn, scope, FailureReason=reason, **values)
        self._tell(changed, before, scope)

    def _tell(self, record: Record, before: str, scope: Scope) -> None:
        detail = {
            "pipelineExecutionDisplayName": record["PipelineExecutionDisplayName"],
            "currentPipelineExecutionStatus": record["PipelineExecutionStatus"],
            "executionStartTime": iso(record["StartTime"]),
            "pipelineExecutionDescription": record.get("PipelineExecutionDescription", ""),
            "pipelineArn": record["PipelineArn"],
            "pipelineExecutionArn": record["PipelineExecutionArn"],
        }
        if before:
            detail["previousPipelineExecutionStatus"] = before
        if "EndTime" in record:
            detail["executionEndTime"] = iso(record["EndTime"])
        arns = [record["PipelineArn"], record["PipelineExecutionArn"]]
        name = "SageMaker Model Building Pipeline Execution Status Change"
        self.emit(name, detail, arns, scope)

    def _keep_step(
        self, arn: str, definition: Definition, name: str, changes: Mapping[str, Any], scope: Scope
    ) -> None:
        step = definition.steps[name]
        with self.locked():
            record = self.records(EXECUTION, scope)[arn]
            kept = next((each for each in record["steps"] if each["StepName"] == name), None)
            if kept is None:
                kept = {"StepName": name, "AttemptCount": 1}
                if step.display_name:
                    kept["StepDisplayName"] = step.display_name
                if step.description:
                    kept["StepDescription"] = step.description
                record["steps"].append(kept)
            before = kept.get("StepStatus", "")
            kept.update(changes)
            record["LastModifiedTime"] = now()
            told, pipeline = dict(kept), record["PipelineArn"]
        if before == told["StepStatus"]:
            return
        detail = {
            "metadata": _lower_first(told.get("Metadata", {})),
            "stepStartTime": iso(told["StartTime"]),
            "stepName": name,
            "stepType": step.type,
            "currentStepStatus": told["StepStatus"],
            "pipelineArn": pipeline,
            "pipelineExecutionArn": arn,
        }
        if before:
            detail["previousStepStatus"] = before
        if "EndTime" in told:
            detail["stepEndTime"] = iso(told["EndTime"])
        if "FailureReason" in told:
            detail["failureReason"] = told["FailureReason"]
        event = "SageMaker Model Building Pipeline Execution Step Status Change"
        self.emit(event, detail, [pipeline, arn], scope)

    def _execution(self, arn: str, scope: Scope) -> Record:
        record = self.find(EXECUTION, arn, scope)
        if record is None:
            raise AwsFault("ResourceNotFound", f"Pipeline execution with ARN {arn} does not exist.")
        return record


def _parameter_values(definition: Definition, given: list[Mapping[str, str]]) -> dict[str, Any]:
    values = {name: parameter.default for name, parameter in definition.parameters.items()}
    for each in given:
        if each["Name"] not in definition.parameters:
            known = ", ".join(sorted(definition.parameters)) or "none"
            raise invalid(
                f"Parameter {each['Name']!r} does not exist in the pipeline; it has: {known}."
            )
        try:
            values[each["Name"]] = definition.parameters[each["Name"]].read(each["Value"])
        except ValueError as error:
            raise invalid(str(error)) from None
    if missing := sorted(name for name, value in values.items() if value is None):
        raise invalid(f"Parameter {', '.join(missing)} has no default and was not given.")
    return values


def _as_text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _lower_first(metadata: Mapping[str, Any]) -> dict[str, Any]:
    """`{"TrainingJob": {"Arn": …}}` as events spell it: `{"trainingJob": {"arn": …}}`."""
    return {
        key[:1].lower() + key[1:]: _lower_first(value) if isinstance(value, Mapping) else value
        for key, value in metadata.items()
    }
