"""Manual approval: the pipeline waits until somebody puts a result."""

from __future__ import annotations

import json
import uuid
from typing import ClassVar

from botocore.exceptions import ClientError

from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionAbandoned,
    ActionFailed,
    ActionResult,
    ActionRun,
)

_SEVEN_DAYS = 7 * 24 * 60


class ManualApproval(Action):
    """Waits for ``PutApprovalResult``; tells a topic that it does."""

    category: ClassVar[str] = "Approval"
    provider: ClassVar[str] = "Manual"
    optional: ClassVar[frozenset[str]] = frozenset(
        {"NotificationArn", "CustomData", "ExternalEntityLink"}
    )

    def run(self, run: ActionRun) -> ActionResult:
        """See :meth:`Action.run`."""
        token = str(uuid.uuid4())
        run.mailbox.open(
            token,
            {
                "kind": "approval",
                "pipeline": run.pipeline,
                "stage": run.stage,
                "action": run.action["name"],
                "execution": run.execution_id,
            },
        )
        run.note(token=token)
        if topic := run.configuration.get("NotificationArn"):
            self._tell(run, topic, token)
        answer = run.mailbox.take(token, run.timeout_seconds(_SEVEN_DAYS), run.abandoned)
        if answer is None:
            if run.abandoned():
                raise ActionAbandoned
            raise ActionFailed("TimeoutExceeded", "Nobody approved or rejected it in time.")
        summary = str(answer.get("summary") or "")
        if answer["status"] == "Rejected":
            # AWS shows the reviewer's words; an empty comment is shown as such.
            raise ActionFailed("Rejected", f"Rejected: {summary or 'no comment was given'}")
        return ActionResult(summary=summary or "Approved")

    @staticmethod
    def _tell(run: ActionRun, topic: str, token: str) -> None:
        message = {
            "region": run.scope.region,
            "approval": {
                "pipelineName": run.pipeline,
                "stageName": run.stage,
                "actionName": run.action["name"],
                "token": token,
                "customData": run.configuration.get("CustomData"),
                "externalEntityLink": run.configuration.get("ExternalEntityLink"),
            },
        }
        subject = f"APPROVAL NEEDED: AWS CodePipeline {run.pipeline} for action"
        try:
            run.client("sns").publish(
                TopicArn=topic,
                Subject=f"{subject} {run.action['name']}"[:100],
                Message=json.dumps(message),
            )
        except ClientError as error:
            raise ActionFailed(
                "ConfigurationError", f"The approval could not be announced: {error}"
            ) from None
