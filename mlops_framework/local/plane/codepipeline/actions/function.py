"""The Lambda invoke action: a job, a result, continuation tokens."""

from __future__ import annotations

import json
import time
import uuid
from typing import Any, ClassVar

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionAbandoned,
    ActionFailed,
    ActionResult,
    ActionRun,
)
from mlops_framework.local.plane.codepipeline.artifacts import Artifact

_ONE_DAY = 24 * 60
# AWS calls a function that gave a continuation token again after about half a minute; here a
# shorter breath keeps local runs quick without turning the wait into a busy loop.
_CONTINUE_AFTER_SECONDS = 1.0


class LambdaInvoke(Action):
    """Invokes a function with a job and waits for the job's result.

    Source: CodePipeline user guide, "AWS Lambda invoke action reference".
    """

    category: ClassVar[str] = "Invoke"
    provider: ClassVar[str] = "Lambda"
    required: ClassVar[frozenset[str]] = frozenset({"FunctionName"})
    optional: ClassVar[frozenset[str]] = frozenset({"UserParameters"})
    inputs: ClassVar[tuple[int, int]] = (0, 5)
    outputs: ClassVar[tuple[int, int]] = (0, 5)

    def run(self, run: ActionRun) -> ActionResult:
        """See :meth:`Action.run`."""
        deadline = time.monotonic() + run.timeout_seconds(_ONE_DAY)
        outputs = {
            item["name"]: Artifact(item["name"], run.store.bucket, run.store.new_key(item["name"]))
            for item in run.action.get("outputArtifacts", ())
        }
        continuation: str | None = None
        while True:
            result = self._job(run, outputs, continuation, deadline)
            continuation = result.get("continuationToken")
            details = result.get("executionDetails") or {}
            run.note(
                summary=details.get("summary"),
                percentComplete=details.get("percentComplete"),
                externalExecutionId=details.get("externalExecutionId"),
            )
            if not continuation:
                return ActionResult(
                    artifacts=outputs,
                    variables=result.get("outputVariables") or {},
                    summary=details.get("summary"),
                    external_id=details.get("externalExecutionId"),
                )
            resume = time.monotonic() + _CONTINUE_AFTER_SECONDS
            while time.monotonic() < resume:
                run.pause(0.2)

    def _job(
        self,
        run: ActionRun,
        outputs: dict[str, Artifact],
        continuation: str | None,
        deadline: float,
    ) -> dict[str, Any]:
        job_id = str(uuid.uuid4())
        data = self._data(run, outputs, continuation)
        run.mailbox.open(job_id, {"kind": "job", "account": run.scope.account, "data": data})
        event = {"CodePipeline.job": {"id": job_id, "accountId": run.scope.account, "data": data}}
        function = run.configuration["FunctionName"]
        trouble = self._invoke(run, function, event)
        # A function that failed cannot put a result any more. AWS would wait until the action
        # times out; waiting here would only hide the reason.
        patience = 0.0 if trouble else max(deadline - time.monotonic(), 0.0)
        result = run.mailbox.take(job_id, patience, run.abandoned)
        if result is None:
            if run.abandoned():
                raise ActionAbandoned
            reason = trouble or "It returned, and no result was put within the action's timeout."
            raise ActionFailed(
                "JobFailed",
                f"The Lambda function {function} did not return a result for the job. {reason}",
                job_id,
            )
        if failure := result.get("failureDetails"):
            raise ActionFailed(
                failure["type"], failure["message"], failure.get("externalExecutionId")
            )
        return dict(result)

    @staticmethod
    def _invoke(run: ActionRun, function: str, event: dict[str, Any]) -> str | None:
        try:
            answer = run.client("lambda").invoke(
                FunctionName=function, Payload=json.dumps(event).encode()
            )
        except (ClientError, BotoCoreError) as error:
            raise ActionFailed("ConfigurationError", str(error)) from None
        if answer.get("FunctionError"):
            told = answer["Payload"].read().decode("utf-8", "replace")
            return f"It failed: {told}"
        return None

    @staticmethod
    def _data(
        run: ActionRun, outputs: dict[str, Artifact], continuation: str | None
    ) -> dict[str, Any]:
        data: dict[str, Any] = {
            "actionConfiguration": {"configuration": dict(run.configuration)},
            "inputArtifacts": [_described(artifact) for artifact in run.inputs.values()],
            "outputArtifacts": [_described(artifact) for artifact in outputs.values()],
            "artifactCredentials": {
                "accessKeyId": run.scope.account,
                "secretAccessKey": "local",
                "sessionToken": "local",
                "expirationTime": int((time.time() + 3600) * 1000),
            },
        }
        if continuation:
            data["continuationToken"] = continuation
        if run.store.encryption_key:
            data["encryptionKey"] = dict(run.store.encryption_key)
        return data


def _described(artifact: Artifact) -> dict[str, Any]:
    return {
        "name": artifact.name,
        "revision": artifact.revision,
        "location": {
            "type": "S3",
            "s3Location": {"bucketName": artifact.bucket, "objectKey": artifact.key},
        },
    }
