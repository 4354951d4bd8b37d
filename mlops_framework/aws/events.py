"""Events on the account's default bus."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import ServiceRefused

SOURCE: Final = "mlops.orchestrator"


class DefaultBus:
    """The port ``EventPublisher``.

    Args:
        client: An EventBridge client.
        environment: Prefix of the environment; stands in every event's detail.
    """

    def __init__(self, client: Any, environment: str) -> None:
        self._client = client
        self._environment = environment

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """See ``EventPublisher.publish``."""
        document = {**detail, "environment": self._environment}
        with refusals("EventBridge", "PutEvents"):
            answer = self._client.put_events(
                Entries=[
                    {
                        "Source": SOURCE,
                        "DetailType": detail_type,
                        "Detail": json.dumps(document),
                    }
                ]
            )
        if answer.get("FailedEntryCount"):
            entry = answer["Entries"][0]
            raise ServiceRefused(
                "EventBridge",
                "PutEvents",
                entry.get("ErrorCode", "unknown"),
                entry.get("ErrorMessage", "no reason given"),
            )
