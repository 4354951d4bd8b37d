"""Records as AWS's answers: pipeline state, executions, action executions."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from mlops_framework.local.plane.codepipeline.ledger import Record

_EXECUTION_MEMBERS = (
    "pipelineName",
    "pipelineVersion",
    "pipelineExecutionId",
    "status",
    "statusSummary",
    "artifactRevisions",
    "trigger",
    "executionMode",
)


def execution(record: Record) -> dict[str, Any]:
    """``PipelineExecution``."""
    answer = {name: record[name] for name in _EXECUTION_MEMBERS if name in record}
    answer["variables"] = [
        {"name": name, "resolvedValue": value} for name, value in record["variables"].items()
    ]
    answer["executionType"] = "STANDARD"
    return answer


def summary(record: Record) -> dict[str, Any]:
    """``PipelineExecutionSummary``."""
    names = ("pipelineExecutionId", "status", "statusSummary", "startTime", "lastUpdateTime")
    answer: dict[str, Any] = {name: record[name] for name in names if name in record}
    answer["sourceRevisions"] = [
        {
            "actionName": run["actionName"],
            "revisionId": run["revision"]["revisionId"],
            "revisionSummary": run["revision"]["revisionSummary"],
            "revisionUrl": run["revision"]["revisionUrl"],
        }
        for run in record["actions"]
        if run.get("revision")
    ]
    answer["trigger"] = record["trigger"]
    if record.get("stop"):
        answer["stopTrigger"] = {"reason": record["stop"].get("reason") or ""}
    answer["executionMode"] = record["executionMode"]
    answer["executionType"] = "STANDARD"
    return answer


def action_detail(
    run: Record, owner: Record, declared: Mapping[str, Any] | None, region: str
) -> dict[str, Any]:
    """``ActionExecutionDetail``.

    Args:
        run: The action's record.
        owner: The execution's record.
        declared: The action's declaration, where the pipeline still has it.
        region: The pipeline's region.
    """
    declared = declared or {}
    result: dict[str, Any] = {
        "externalExecutionId": run.get("externalExecutionId"),
        "externalExecutionSummary": run.get("summary"),
        "errorDetails": run.get("errorDetails"),
    }
    return {
        "pipelineExecutionId": owner["pipelineExecutionId"],
        "actionExecutionId": run["actionExecutionId"],
        "pipelineVersion": owner["pipelineVersion"],
        "stageName": run["stageName"],
        "actionName": run["actionName"],
        "startTime": run["startTime"],
        "lastUpdateTime": run["lastUpdateTime"],
        "status": run["status"],
        "input": {
            "actionTypeId": declared.get("actionTypeId"),
            "configuration": declared.get("configuration"),
            "resolvedConfiguration": run.get("resolvedConfiguration"),
            "roleArn": declared.get("roleArn"),
            "region": declared.get("region") or region,
            "inputArtifacts": [_artifact(item) for item in run.get("inputArtifacts", ())],
            "namespace": declared.get("namespace"),
        },
        "output": {
            "outputArtifacts": [_artifact(item) for item in run.get("outputArtifacts", ())],
            "executionResult": result if any(result.values()) else None,
            "outputVariables": run.get("outputVariables"),
        },
    }


def state(
    record: Record, declaration: Mapping[str, Any], waiting: Callable[[str], list[str]]
) -> dict[str, Any]:
    """``GetPipelineStateOutput``.

    Args:
        record: The pipeline's record.
        declaration: Its current declaration.
        waiting: The executions that wait to enter a stage.
    """
    return {
        "pipelineName": declaration["name"],
        "pipelineVersion": record["version"],
        "stageStates": [
            _stage_state(record, stage, waiting(stage["name"])) for stage in declaration["stages"]
        ],
        "created": record["created"],
        "updated": record["updated"],
    }


def _stage_state(record: Record, stage: Mapping[str, Any], inbound: list[str]) -> dict[str, Any]:
    name = stage["name"]
    entered = [execution for execution in record["executions"] if name in execution["stages"]]
    latest = max(entered, key=lambda item: item["stages"][name]["changed"], default=None)
    waiting = [{"pipelineExecutionId": item, "status": "InProgress"} for item in inbound]
    return {
        "stageName": name,
        "inboundExecution": waiting[0] if waiting else None,
        "inboundExecutions": waiting,
        "inboundTransitionState": {"enabled": True},
        "beforeEntryConditionState": (latest or {}).get("conditions", {}).get(name),
        "actionStates": [_action_state(record, name, action) for action in stage["actions"]],
        "latestExecution": None
        if latest is None
        else {
            "pipelineExecutionId": latest["pipelineExecutionId"],
            "status": latest["stages"][name]["status"],
            "type": "STANDARD",
        },
    }


def _action_state(record: Record, stage: str, action: Mapping[str, Any]) -> dict[str, Any]:
    runs = [
        run
        for execution in record["executions"]
        for run in execution["actions"]
        if (run["stageName"], run["actionName"]) == (stage, action["name"])
    ]
    answer: dict[str, Any] = {"actionName": action["name"]}
    if not runs:
        return answer
    run = max(runs, key=lambda item: item["startTime"])
    names = (
        *("actionExecutionId", "status", "summary", "token"),
        *("externalExecutionId", "percentComplete", "errorDetails", "lastUpdatedBy"),
    )
    answer["latestExecution"] = {name: run[name] for name in names if name in run}
    answer["latestExecution"]["lastStatusChange"] = run["lastUpdateTime"]
    if revision := run.get("revision"):
        answer["currentRevision"] = {
            "revisionId": revision["revisionId"],
            "revisionChangeId": revision["revisionChangeIdentifier"],
            "created": revision["created"],
        }
        answer["revisionUrl"] = revision["revisionUrl"]
    return answer


def _artifact(item: Mapping[str, Any]) -> dict[str, Any]:
    return {"name": item["name"], "s3location": {"bucket": item["bucket"], "key": item["key"]}}
