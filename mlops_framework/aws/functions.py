"""Lambda functions that the platform calls."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from mlops_framework.aws.refusals import refusals


class TeardownFunction:
    """The port ``TeardownStarter``: an asynchronous invocation.

    Args:
        client: A Lambda client.
        function: Name or ARN of the teardown function.
    """

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def start(self, pipeline_id: str) -> None:
        """See ``TeardownStarter.start``."""
        with refusals("Lambda", "Invoke"):
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps({"pipeline_id": pipeline_id}).encode(),
            )


class ContinuationFunction:
    """The port ``ContinuationStarter``: an asynchronous invocation.

    Args:
        client: A Lambda client.
        function: Name or ARN of the function that goes on.
    """

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def start(self, pipeline_id: str, revision: int) -> None:
        """See ``ContinuationStarter.start``."""
        event = {"pipeline_id": pipeline_id, "revision": revision}
        with refusals("Lambda", "Invoke"):
            self._client.invoke(
                FunctionName=self._function,
                InvocationType="Event",
                Payload=json.dumps(event).encode(),
            )


class SynchronousFunction:
    """Calls a function and waits for its result; the port ``BaselineBuilder`` of delivery.

    Args:
        client: A Lambda client whose read timeout exceeds the function's.
        function: Name or ARN.
    """

    def __init__(self, client: Any, function: str) -> None:
        self._client = client
        self._function = function

    def call(self, payload: Mapping[str, Any]) -> tuple[Any, str]:
        """Invoke the function.

        Returns:
            Its result, and the error message if it raised (empty otherwise).
        """
        with refusals("Lambda", "Invoke"):
            answer = self._client.invoke(
                FunctionName=self._function,
                InvocationType="RequestResponse",
                Payload=json.dumps(dict(payload)).encode(),
            )
            text = answer["Payload"].read().decode()
        result = json.loads(text) if text else None
        if not answer.get("FunctionError"):
            return result, ""
        said = result if isinstance(result, dict) else {}
        return result, str(said.get("errorMessage") or answer["FunctionError"])
