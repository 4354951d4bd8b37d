"""Runs pipeline executions: stages in order, actions by run order, in threads of their own."""

from __future__ import annotations

import logging
import uuid
from collections.abc import Mapping
from itertools import groupby
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.codepipeline import conditions
from mlops_framework.local.plane.codepipeline.actions import (
    ACTIONS,
    ActionAbandoned,
    ActionFailed,
    ActionResult,
    ActionRun,
)
from mlops_framework.local.plane.codepipeline.artifacts import Artifact, ArtifactStore
from mlops_framework.local.plane.codepipeline.gates import StageGates
from mlops_framework.local.plane.codepipeline.ledger import IN_PROGRESS, Ledger, Record, now
from mlops_framework.local.plane.codepipeline.mailbox import Mailbox
from mlops_framework.local.plane.codepipeline.notices import Notices
from mlops_framework.local.plane.codepipeline.variables import VariableUnknown, resolve
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import Scope

_log = logging.getLogger(__name__)
_EVENT_STATES = {
    "Succeeded": "SUCCEEDED",
    "Failed": "FAILED",
    "Stopped": "STOPPED",
    "Superseded": "SUPERSEDED",
    "Abandoned": "ABANDONED",
}


class Engine:
    """Executes pipelines."""

    def __init__(self, host: PlaneHost, ledger: Ledger) -> None:
        """Takes the records to work on; nothing runs before :meth:`start`."""
        self._host = host
        self._ledger = ledger
        self._gates = StageGates()
        self._notices = Notices(host)
        self.mailbox = Mailbox()
        host.on_stop("pipeline executions", self._shut_down)

    def start(
        self,
        name: str,
        scope: Scope,
        trigger: Mapping[str, str],
        variables: Mapping[str, str] | None = None,
        overrides: Mapping[str, Mapping[str, str]] | None = None,
    ) -> str:
        """Starts an execution.

        Args:
            name: The pipeline.
            scope: Its account and region.
            trigger: ``triggerType`` and ``triggerDetail``.
            variables: Resolved pipeline variables.
            overrides: Source revisions by action, as ``{"S3_OBJECT_VERSION_ID": ...}``.

        Returns:
            The execution's id.
        """
        record = self._ledger.pipeline(name, scope)
        execution = self._ledger.add_execution(record, trigger, variables or {}, overrides or {})
        self._notices.pipeline(execution, "STARTED", scope)
        declaration = self._ledger.declaration(record)
        self._spawn(execution, declaration, 0, frozenset(), scope)
        return str(execution["pipelineExecutionId"])

    def retry(self, name: str, execution: Record, stage: str, mode: str, scope: Scope) -> None:
        """Runs a failed stage again, and what comes after it.

        Args:
            name: The pipeline.
            execution: The execution.
            stage: The failed stage.
            mode: ``FAILED_ACTIONS`` keeps what succeeded in the stage, ``ALL_ACTIONS`` does not.
            scope: Account and region.
        """
        record = self._ledger.pipeline(name, scope)
        declaration = self._ledger.declaration(record, execution["pipelineVersion"])
        position = [item["name"] for item in declaration["stages"]].index(stage)
        latest: dict[str, str] = {}
        for run in execution["actions"]:
            if run["stageName"] == stage:
                latest[run["actionName"]] = run["status"]
        kept = frozenset(action for action, status in latest.items() if status == "Succeeded")
        self._ledger.note(execution, status="InProgress", attempt=execution["attempt"] + 1)
        execution.pop("statusSummary", None)
        execution.pop("stop", None)
        self._notices.pipeline(execution, "RESUMED", scope)
        skip = kept if mode == "FAILED_ACTIONS" else frozenset()
        self._spawn(execution, declaration, position, skip, scope)

    def waiting(self, name: str, stage: str, scope: Scope) -> list[str]:
        """The executions that wait to enter a stage."""
        return self._gates.waiting(self._gate(name, scope), stage)

    def _spawn(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        position: int,
        skip: frozenset[str],
        scope: Scope,
    ) -> None:
        name = f"pipeline {declaration['name']} {execution['pipelineExecutionId'][:8]}"
        self._host.spawn(name, self._run, execution, declaration, position, skip, scope)

    def _run(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        position: int,
        skip: frozenset[str],
        scope: Scope,
    ) -> None:
        try:
            for stage in declaration["stages"][position:]:
                status = self._run_gated(execution, declaration, stage, skip, scope)
                skip = frozenset()
                if status not in ("Succeeded", "Skipped"):
                    self._finish(execution, status, scope)
                    return
            self._finish(execution, "Succeeded", scope)
        except Exception as error:
            _log.exception("Execution %s broke", execution["pipelineExecutionId"])
            self._ledger.note(execution, statusSummary=f"Internal error: {error}")
            self._finish(execution, "Failed", scope)

    def _run_gated(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        stage: Mapping[str, Any],
        skip: frozenset[str],
        scope: Scope,
    ) -> str:
        gate, execution_id = (
            self._gate(declaration["name"], scope),
            execution["pipelineExecutionId"],
        )
        outcome = self._gates.enter(
            gate,
            stage["name"],
            execution_id,
            execution["executionMode"],
            lambda: self._is_stopped(execution),
        )
        if outcome != "entered":
            return outcome.capitalize()
        try:
            if prevented := self._prevented(execution, stage):
                self._set_stage(execution, stage["name"], prevented)
                return prevented
            self._set_stage(execution, stage["name"], "InProgress")
            self._notices.stage(execution, stage["name"], "STARTED", scope)
            status = self._run_stage(execution, declaration, stage, skip, scope)
            self._set_stage(execution, stage["name"], status)
            self._notices.stage(execution, stage["name"], _EVENT_STATES[status], scope)
            return status
        finally:
            self._gates.leave(gate, stage["name"], execution_id)

    def _prevented(self, execution: Record, stage: Mapping[str, Any]) -> str:
        """The status of a stage whose conditions do not let the execution in; empty if they do."""
        if not stage.get("beforeEntry"):
            return ""
        checked = conditions.check(stage, self._namespaces(execution))
        with self._ledger.lock:
            execution.setdefault("conditions", {})[stage["name"]] = checked.state
        if checked.result == "FAIL":
            self._ledger.note(execution, statusSummary=f"{stage['name']}: {checked.summary}")
        return {"SKIP": "Skipped", "FAIL": "Failed"}.get(checked.result, "")

    def _run_stage(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        stage: Mapping[str, Any],
        skip: frozenset[str],
        scope: Scope,
    ) -> str:
        def order(action: Mapping[str, Any]) -> int:
            return int(action.get("runOrder", 1))

        for _, group in groupby(sorted(stage["actions"], key=order), key=order):
            actions = [action for action in group if action["name"] not in skip]
            records = [self._new_action(execution, stage["name"], action) for action in actions]
            threads = [
                self._host.spawn(
                    f"action {action['name']}",
                    self._run_action,
                    *(execution, declaration, stage["name"], action, record, scope),
                )
                for action, record in zip(actions, records, strict=True)
            ]
            for thread in threads:
                thread.join()
            failed = [record for record in records if record["status"] == "Failed"]
            if failed:
                told = failed[0]["errorDetails"]["message"]
                summary = f"{failed[0]['actionName']} in {stage['name']} failed: {told}"
                self._ledger.note(execution, statusSummary=summary)
                return "Failed"
            if self._is_stopped(execution):
                return "Stopped"
        return "Succeeded"

    def _run_action(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        stage: str,
        action: Mapping[str, Any],
        record: Record,
        scope: Scope,
    ) -> None:
        self._notices.action(execution, record, action, "STARTED", scope)
        try:
            run = self._prepare(execution, declaration, stage, action, record, scope)
            kind = action["actionTypeId"]
            result = ACTIONS[kind["category"], kind["provider"]].run(run)
            self._keep(execution, action, record, result)
            self._ledger.note(record, status="Succeeded", summary=result.summary)
        except ActionAbandoned:
            self._ledger.note(record, status="Abandoned")
        except ActionFailed as error:
            self._fail(record, error)
        except VariableUnknown as error:
            self._fail(record, ActionFailed("ConfigurationError", str(error)))
        except (ClientError, BotoCoreError) as error:
            self._fail(record, ActionFailed("JobFailed", str(error)))
        except Exception as error:
            _log.exception("Action %s broke", action["name"])
            self._fail(record, ActionFailed("InternalError", f"{type(error).__name__}: {error}"))
        record.pop("token", None)
        self._notices.action(execution, record, action, _EVENT_STATES[record["status"]], scope)

    def _prepare(
        self,
        execution: Record,
        declaration: Mapping[str, Any],
        stage: str,
        action: Mapping[str, Any],
        record: Record,
        scope: Scope,
    ) -> ActionRun:
        execution_id = execution["pipelineExecutionId"]
        configuration = resolve(action.get("configuration") or {}, self._namespaces(execution))
        inputs = {
            item["name"]: Artifact(**execution["artifacts"][item["name"]])
            for item in action.get("inputArtifacts", ())
        }
        self._ledger.note(
            record,
            resolvedConfiguration=configuration,
            inputArtifacts=[artifact.to_record() for artifact in inputs.values()],
        )
        store = ArtifactStore(
            self._host.client("s3", scope), declaration["name"], declaration["artifactStore"]
        )
        return ActionRun(
            host=self._host,
            scope=scope,
            pipeline=declaration["name"],
            pipeline_arn=scope.arn("codepipeline", declaration["name"]),
            execution_id=execution_id,
            stage=stage,
            action=action,
            action_execution_id=record["actionExecutionId"],
            configuration=configuration,
            inputs=inputs,
            store=store,
            mailbox=self.mailbox,
            overrides=execution["overrides"].get(action["name"], {}),
            note=lambda **members: self._ledger.note(record, **members),
            abandoned=lambda: self._is_abandoned(execution),
        )

    @staticmethod
    def _namespaces(execution: Record) -> dict[str, Mapping[str, str]]:
        return {
            **execution["namespaces"],
            "variables": execution["variables"],
            "codepipeline": {"PipelineExecutionId": execution["pipelineExecutionId"]},
        }

    def _keep(
        self, execution: Record, action: Mapping[str, Any], record: Record, result: ActionResult
    ) -> None:
        with self._ledger.lock:
            for name, artifact in result.artifacts.items():
                execution["artifacts"][name] = artifact.to_record()
            if (namespace := action.get("namespace")) and result.variables:
                execution["namespaces"][namespace] = dict(result.variables)
            if result.revision is not None:
                execution["artifactRevisions"].append(dict(result.revision))
        self._ledger.note(
            record,
            externalExecutionId=result.external_id,
            outputVariables=dict(result.variables),
            outputArtifacts=[artifact.to_record() for artifact in result.artifacts.values()],
            revision=dict(result.revision) if result.revision is not None else None,
        )

    def _fail(self, record: Record, error: ActionFailed) -> None:
        self._ledger.note(
            record,
            status="Failed",
            errorDetails={"code": error.code, "message": error.message or error.code},
            externalExecutionId=error.external_id,
        )

    def _new_action(self, execution: Record, stage: str, action: Mapping[str, Any]) -> Record:
        moment = now()
        record: Record = {
            "actionExecutionId": str(uuid.uuid4()),
            "stageName": stage,
            "actionName": action["name"],
            "status": "InProgress",
            "startTime": moment,
            "lastUpdateTime": moment,
        }
        with self._ledger.lock:
            execution["actions"].append(record)
        return record

    def _set_stage(self, execution: Record, stage: str, status: str) -> None:
        with self._ledger.lock:
            execution["stages"][stage] = {"status": status, "changed": now()}
            execution["lastUpdateTime"] = now()

    def _finish(self, execution: Record, status: str, scope: Scope) -> None:
        if status == "Stopped":
            reason = (execution.get("stop") or {}).get("reason") or "The execution was stopped"
            self._ledger.note(execution, statusSummary=reason)
        self._ledger.note(execution, status=status)
        self._notices.pipeline(execution, _EVENT_STATES[status], scope)

    def _is_stopped(self, execution: Record) -> bool:
        return self._host.stopping.is_set() or bool(execution.get("stop"))

    def _is_abandoned(self, execution: Record) -> bool:
        stop = execution.get("stop") or {}
        return self._host.stopping.is_set() or bool(stop.get("abandon"))

    @staticmethod
    def _gate(name: str, scope: Scope) -> str:
        return scope.arn("codepipeline", name)

    def _shut_down(self) -> None:
        # Kept state must not show as running what nothing runs any more.
        with self._ledger.lock:
            for scope in self._host.scopes("codepipeline"):
                for record in self._ledger.pipelines(scope).values():
                    for execution in record["executions"]:
                        if execution["status"] in IN_PROGRESS:
                            _mark_stopped(execution)


def _mark_stopped(execution: Record) -> None:
    reason = "The local AWS was stopped while this execution ran"
    execution.update(status="Stopped", statusSummary=reason)
    for stage in execution["stages"].values():
        if stage["status"] == "InProgress":
            stage["status"] = "Stopped"
    for action in execution["actions"]:
        if action["status"] == "InProgress":
            action["status"] = "Abandoned"
