"""Decides on a run of a state machine, from Step Functions' account of it.

Source: Step Functions API, ``DescribeExecution``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting

_REGISTERED: Final = "registered"
"""Member of the output under which a machine tells of the model package it registered."""


@dataclass(frozen=True)
class MachineRun:
    """One execution of a state machine.

    Attributes:
        arn: Of the execution.
        status: ``RUNNING``, ``SUCCEEDED``, ``FAILED``, ``TIMED_OUT``, ``ABORTED`` or
            ``PENDING_REDRIVE``.
        error: Name of the error it failed with; empty otherwise.
        cause: What it said of it.
        output: What it ended with.
    """

    arn: str
    status: str
    error: str = ""
    cause: str = ""
    output: Mapping[str, Any] = field(default_factory=dict)


class StateMachines(Protocol):
    """State machines of Step Functions."""

    def start(self, machine: str, *, name: str) -> str:
        """Start an execution; a second call with the same name is the first.

        Args:
            machine: ARN of the state machine.
            name: Of the execution.

        Returns:
            The execution's ARN.
        """

    def look(self, execution: str) -> MachineRun:
        """The execution."""


def judge(run: MachineRun) -> Verdict:
    """What the run comes to so far."""
    if run.status in ("RUNNING", "PENDING_REDRIVE"):
        return Waiting(f"The state machine is {run.status.lower()}.", run.arn)
    if run.status == "SUCCEEDED":
        return _passed(run)
    reason = ": ".join(part for part in (run.error, run.cause) if part)
    said = reason or "Step Functions gives no reason"
    return Refused(f"The state machine {run.status.lower().replace('_', ' ')}: {said}", run.arn)


def _passed(run: MachineRun) -> Passed:
    registered = run.output.get(_REGISTERED)
    package = registered.get("ModelPackageArn", "") if isinstance(registered, Mapping) else ""
    if not package:
        return Passed("The state machine finished and registered no model.", run.arn)
    told = f"Registered {package}; it waits for approval."
    return Passed(told, run.arn, {"ModelPackageArn": package})
