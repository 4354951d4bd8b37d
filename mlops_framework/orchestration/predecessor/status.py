"""The part of a status that clients of the AWS MLOps Framework 2.x read.

Their ``/pipelinestatus`` answered CodePipeline's GetPipelineState as it was.
"""

from __future__ import annotations

from typing import Any

from mlops_framework.orchestration.code_pipeline import ActionState, CodePipelineState, StageState


def predecessor_state(pipeline: CodePipelineState | None) -> dict[str, Any]:
    """The fields that the predecessor's ``/pipelinestatus`` took from GetPipelineState.

    Without the tokens of manual approvals, which it gave away.
    """
    if pipeline is None:
        return {"pipelineName": "", "pipelineVersion": 0, "stageStates": []}
    return {
        "pipelineName": pipeline.name,
        "pipelineVersion": pipeline.version,
        "stageStates": [_predecessor_stage(stage) for stage in pipeline.stages],
        "created": pipeline.created,
        "updated": pipeline.updated,
    }


def _predecessor_stage(stage: StageState) -> dict[str, Any]:
    document: dict[str, Any] = {
        "stageName": stage.name,
        "inboundTransitionState": {"enabled": stage.enabled},
        "actionStates": [
            {"actionName": action.name, **_predecessor_action(action)} for action in stage.actions
        ],
    }
    if stage.execution_id:
        document["latestExecution"] = {
            "pipelineExecutionId": stage.execution_id,
            "status": stage.status,
        }
    return document


def _predecessor_action(action: ActionState) -> dict[str, Any]:
    if not action.status:
        return {}
    latest: dict[str, Any] = {"status": action.status, "lastStatusChange": action.changed_at}
    if action.summary:
        latest["summary"] = action.summary
    if action.execution_id:
        latest["externalExecutionId"] = action.execution_id
    if action.link:
        latest["externalExecutionUrl"] = action.link
    if action.error:
        latest["errorDetails"] = {"code": action.error_code, "message": action.error}
    return {"latestExecution": latest}
