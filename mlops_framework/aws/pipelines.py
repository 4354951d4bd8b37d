"""CodePipelines, and the jobs that CodePipeline gives to a Lambda function."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.code_pipeline import ActionState, CodePipelineState, StageState
from mlops_framework.orchestration.errors import PipelineMissing

_SERVICE: Final = "CodePipeline"
_MISSING: Final = {"PipelineNotFoundException": PipelineMissing}
SUMMARY_LIMIT: Final = 2048
MESSAGE_LIMIT: Final = 5000


class CodePipelines:
    """The port ``PipelineGateway``.

    Args:
        client: A CodePipeline client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def state(self, name: str) -> CodePipelineState | None:
        """See ``PipelineGateway.state``."""
        try:
            with refusals(_SERVICE, "GetPipelineState", _MISSING):
                found = self._client.get_pipeline_state(name=name)
        except PipelineMissing:
            return None
        return CodePipelineState(
            name=found["pipelineName"],
            version=found.get("pipelineVersion", 1),
            created=_time(found, "created"),
            updated=_time(found, "updated"),
            stages=tuple(_stage(stage) for stage in found.get("stageStates", ())),
        )

    def start(self, name: str, *, token: str) -> str:
        """See ``PipelineGateway.start``."""
        with refusals(_SERVICE, "StartPipelineExecution", _MISSING):
            answer = self._client.start_pipeline_execution(name=name, clientRequestToken=token)
        return str(answer["pipelineExecutionId"])


class CodePipelineJobs:
    """The port ``JobReporter`` of the delivery package.

    Args:
        client: A CodePipeline client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def succeed(
        self, job_id: str, *, summary: str, reference: str, outputs: Mapping[str, str]
    ) -> None:
        """See ``JobReporter.succeed``."""
        with refusals(_SERVICE, "PutJobSuccessResult"):
            self._client.put_job_success_result(
                jobId=job_id,
                executionDetails=_details(summary, reference),
                outputVariables=dict(outputs),
            )

    def proceed(
        self, job_id: str, *, token: Mapping[str, str], summary: str, reference: str
    ) -> None:
        """See ``JobReporter.proceed``."""
        with refusals(_SERVICE, "PutJobSuccessResult"):
            self._client.put_job_success_result(
                jobId=job_id,
                continuationToken=json.dumps(dict(token), sort_keys=True),
                executionDetails=_details(summary, reference),
            )

    def fail(self, job_id: str, *, kind: str, message: str, reference: str) -> None:
        """See ``JobReporter.fail``."""
        external = {"externalExecutionId": reference} if reference else {}
        with refusals(_SERVICE, "PutJobFailureResult"):
            self._client.put_job_failure_result(
                jobId=job_id,
                failureDetails={"type": kind, "message": message[:MESSAGE_LIMIT], **external},
            )


def _details(summary: str, reference: str) -> dict[str, Any]:
    external = {"externalExecutionId": reference} if reference else {}
    return {"summary": summary[:SUMMARY_LIMIT], **external}


def _time(found: Mapping[str, Any], key: str) -> str:
    return found[key].isoformat() if found.get(key) is not None else ""


def _stage(found: Mapping[str, Any]) -> StageState:
    latest = found.get("latestExecution", {})
    return StageState(
        name=found["stageName"],
        status=latest.get("status", ""),
        execution_id=latest.get("pipelineExecutionId", ""),
        actions=tuple(_action(action) for action in found.get("actionStates", ())),
        enabled=found.get("inboundTransitionState", {}).get("enabled", True),
    )


def _action(found: Mapping[str, Any]) -> ActionState:
    latest = found.get("latestExecution", {})
    details = latest.get("errorDetails", {})
    return ActionState(
        name=found["actionName"],
        status=latest.get("status", ""),
        summary=latest.get("summary", ""),
        error_code=details.get("code", ""),
        error=details.get("message", ""),
        changed_at=_time(latest, "lastStatusChange"),
        execution_id=latest.get("externalExecutionId", ""),
        link=latest.get("externalExecutionUrl", found.get("entityUrl", "")),
    )
