"""Step Functions as delivery sees it."""

from __future__ import annotations

import json
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.delivery.state_machine import MachineRun
from mlops_framework.errors import FrameworkFault

_SERVICE: Final = "Step Functions"
_NAME_LENGTH: Final = 80


class _Started(FrameworkFault):
    """There is an execution of that name."""


class StepFunctions:
    """The port ``StateMachines``.

    Args:
        client: A Step Functions client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def start(self, machine: str, *, name: str) -> str:
        """See ``StateMachines.start``."""
        name = name[:_NAME_LENGTH]
        try:
            with refusals(_SERVICE, "StartExecution", {"ExecutionAlreadyExists": _Started}):
                answer = self._client.start_execution(
                    stateMachineArn=machine, name=name, input="{}"
                )
        except _Started:
            # The service gives the running one back by itself; one that has ended it does not.
            return f"{machine.replace(':stateMachine:', ':execution:')}:{name}"
        return str(answer["executionArn"])

    def look(self, execution: str) -> MachineRun:
        """See ``StateMachines.look``."""
        with refusals(_SERVICE, "DescribeExecution"):
            found = self._client.describe_execution(executionArn=execution)
        output = json.loads(found.get("output") or "{}")
        return MachineRun(
            arn=execution,
            status=found["status"],
            error=found.get("error", ""),
            cause=found.get("cause", ""),
            output=output if isinstance(output, dict) else {},
        )
