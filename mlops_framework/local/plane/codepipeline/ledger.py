"""The records of pipelines and their executions.

A pipeline's record: ``arn``, ``created``, ``updated``, ``version``, ``versions`` (declarations by
version), ``tags``, ``executions`` (oldest first). An execution's record holds the members of AWS's
``PipelineExecution`` and below ``actions`` one record per action run, ``stages`` the state per
stage, ``artifacts`` and ``namespaces`` what later actions read.
"""

from __future__ import annotations

import datetime as dt
import uuid
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import AwsFault, Scope

Record = dict[str, Any]
IN_PROGRESS = ("InProgress", "Stopping")


def now() -> dt.datetime:
    """The present moment, whole milliseconds as AWS gives them."""
    moment = dt.datetime.now(dt.UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


class Ledger:
    """All pipelines of all scopes."""

    def __init__(self, host: PlaneHost) -> None:
        """Keeps them in the host's store."""
        self._host = host
        self.lock = host.lock("codepipeline")

    def pipelines(self, scope: Scope) -> dict[str, Record]:
        """The pipelines of a scope, by name."""
        found: dict[str, Record] = self._host.store("codepipeline", scope).setdefault(
            "pipelines", {}
        )
        return found

    def pipeline(self, name: str, scope: Scope) -> Record:
        """One pipeline.

        Raises:
            AwsFault: ``PipelineNotFoundException``.
        """
        found = self.pipelines(scope).get(name)
        if found is None:
            raise AwsFault(
                "PipelineNotFoundException",
                f"Account '{scope.account}' does not have a pipeline with name '{name}'",
            )
        return found

    def by_arn(self, arn: str, scope: Scope) -> Record:
        """One pipeline by its ARN.

        Raises:
            AwsFault: ``ResourceNotFoundException``.
        """
        for record in self.pipelines(scope).values():
            if record["arn"] == arn:
                return record
        raise AwsFault("ResourceNotFoundException", f"There is no pipeline {arn}")

    def create(self, declaration: Mapping[str, Any], tags: Any, scope: Scope) -> Record:
        """Records a new pipeline.

        Raises:
            AwsFault: ``PipelineNameInUseException``.
        """
        name = declaration["name"]
        with self.lock:
            if name in self.pipelines(scope):
                raise AwsFault(
                    "PipelineNameInUseException",
                    f"A pipeline with the name '{name}' already exists in account "
                    f"'{scope.account}'",
                )
            moment = now()
            record: Record = {
                "arn": scope.arn("codepipeline", name),
                "created": moment,
                "updated": moment,
                "version": 1,
                "versions": {"1": {**declaration, "version": 1}},
                "tags": list(tags or ()),
                "executions": [],
            }
            self.pipelines(scope)[name] = record
            return record

    def update(self, declaration: Mapping[str, Any], scope: Scope) -> Record:
        """Records a new version of a pipeline."""
        with self.lock:
            record = self.pipeline(declaration["name"], scope)
            record["version"] += 1
            record["updated"] = now()
            version = record["version"]
            record["versions"][str(version)] = {**declaration, "version": version}
            return record

    def remove(self, name: str, scope: Scope) -> None:
        """Forgets a pipeline; what runs of it is abandoned."""
        with self.lock:
            record = self.pipelines(scope).pop(name, None)
            for execution in (record or {}).get("executions", ()):
                if execution["status"] in IN_PROGRESS:
                    execution["stop"] = {"abandon": True, "reason": "The pipeline was deleted"}

    @staticmethod
    def declaration(record: Record, version: int | None = None) -> dict[str, Any]:
        """A pipeline's declaration.

        Raises:
            AwsFault: ``PipelineVersionNotFoundException``.
        """
        wanted = str(version or record["version"])
        if wanted not in record["versions"]:
            name = record["versions"][str(record["version"])]["name"]
            raise AwsFault(
                "PipelineVersionNotFoundException",
                f"The pipeline '{name}' does not have a version '{wanted}'",
            )
        found: dict[str, Any] = record["versions"][wanted]
        return found

    def add_execution(
        self,
        record: Record,
        trigger: Mapping[str, str],
        variables: Mapping[str, str],
        overrides: Mapping[str, Mapping[str, str]],
    ) -> Record:
        """Records a new execution of a pipeline.

        Args:
            record: The pipeline.
            trigger: ``triggerType`` and ``triggerDetail``.
            variables: Resolved pipeline variables.
            overrides: Source revisions by action.
        """
        declaration = self.declaration(record)
        moment = now()
        execution: Record = {
            "pipelineName": declaration["name"],
            "pipelineVersion": record["version"],
            "pipelineExecutionId": str(uuid.uuid4()),
            "status": "InProgress",
            "artifactRevisions": [],
            "variables": dict(variables),
            "trigger": dict(trigger),
            "executionMode": declaration.get("executionMode", "SUPERSEDED"),
            "startTime": moment,
            "lastUpdateTime": moment,
            "attempt": 1,
            "actions": [],
            "stages": {},
            "artifacts": {},
            "namespaces": {},
            "overrides": {name: dict(values) for name, values in overrides.items()},
        }
        with self.lock:
            record["executions"].append(execution)
        return execution

    @staticmethod
    def execution(record: Record, execution_id: str) -> Record:
        """One execution of a pipeline.

        Raises:
            AwsFault: ``PipelineExecutionNotFoundException``.
        """
        for execution in record["executions"]:
            if execution["pipelineExecutionId"] == execution_id:
                found: Record = execution
                return found
        raise AwsFault(
            "PipelineExecutionNotFoundException",
            f"There is no pipeline execution with id '{execution_id}'",
        )

    def note(self, record: Record, **members: Any) -> None:
        """Sets members of an execution's or action's record; ``None`` leaves one as it is."""
        with self.lock:
            record.update({key: value for key, value in members.items() if value is not None})
            record["lastUpdateTime"] = now()
