"""The events CodePipeline puts on the default bus when a state changes.

Source: CodePipeline user guide, "Monitoring CodePipeline events".
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.codepipeline.ledger import Record
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import Scope

_log = logging.getLogger(__name__)


class Notices:
    """Tells the default bus about pipelines, stages and actions."""

    def __init__(self, host: PlaneHost) -> None:
        """Emits through the host."""
        self._host = host

    def pipeline(self, execution: Record, state: str, scope: Scope) -> None:
        """A pipeline execution changed its state (``STARTED``, ``SUCCEEDED``, ...)."""
        trigger = execution["trigger"]
        detail = {
            **self._common(execution, state),
            "execution-trigger": {
                "trigger-type": trigger["triggerType"],
                "trigger-detail": trigger.get("triggerDetail", ""),
            },
        }
        self._emit("CodePipeline Pipeline Execution State Change", detail, execution, scope)

    def stage(self, execution: Record, stage: str, state: str, scope: Scope) -> None:
        """A stage execution changed its state."""
        detail = {**self._common(execution, state), "stage": stage}
        self._emit("CodePipeline Stage Execution State Change", detail, execution, scope)

    def action(
        self,
        execution: Record,
        record: Record,
        action: Mapping[str, Any],
        state: str,
        scope: Scope,
    ) -> None:
        """An action execution changed its state."""
        kind = action["actionTypeId"]
        detail: dict[str, Any] = {
            **self._common(execution, state),
            "stage": record["stageName"],
            "action": record["actionName"],
            "action-execution-id": record["actionExecutionId"],
            "region": scope.region,
            "type": {key: kind[key] for key in ("owner", "category", "provider", "version")},
        }
        error = record.get("errorDetails")
        result = {
            "external-execution-id": record.get("externalExecutionId"),
            "external-execution-summary": error["message"] if error else record.get("summary"),
            "error-code": error["code"] if error else None,
        }
        if state not in ("STARTED",):
            detail["execution-result"] = {k: v for k, v in result.items() if v is not None}
        self._emit("CodePipeline Action Execution State Change", detail, execution, scope)

    @staticmethod
    def _common(execution: Record, state: str) -> dict[str, Any]:
        return {
            "pipeline": execution["pipelineName"],
            "version": float(execution["pipelineVersion"]),
            "execution-id": execution["pipelineExecutionId"],
            "start-time": execution["startTime"].strftime("%Y-%m-%dT%H:%M:%S.000Z"),
            "state": state,
            "pipeline-execution-attempt": float(execution["attempt"]),
        }

    def _emit(
        self, detail_type: str, detail: Mapping[str, Any], execution: Record, scope: Scope
    ) -> None:
        arn = scope.arn("codepipeline", execution["pipelineName"])
        try:
            self._host.emit_event("aws.codepipeline", detail_type, detail, [arn], scope)
        except Exception:
            # A rule that cannot be served must not fail the pipeline it watches.
            _log.exception("The event %s was not delivered", detail_type)
