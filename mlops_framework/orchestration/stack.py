"""What the orchestrator knows of a CloudFormation stack, and what its status allows.

Source of the states: *AWS CloudFormation User Guide*, "Stack status codes".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import Enum

_DEPLOYED = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE"})
_UPDATABLE = _DEPLOYED | {"UPDATE_ROLLBACK_COMPLETE", "IMPORT_ROLLBACK_COMPLETE", "UPDATE_FAILED"}
_WRECKED = frozenset(
    {
        "ROLLBACK_COMPLETE",
        "ROLLBACK_FAILED",
        "CREATE_FAILED",
        "DELETE_FAILED",
        "IMPORT_ROLLBACK_FAILED",
    }
)


_UNDOING = frozenset(
    {
        "DELETE_IN_PROGRESS",
        "ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_IN_PROGRESS",
        "UPDATE_ROLLBACK_COMPLETE_CLEANUP_IN_PROGRESS",
    }
)


class Condition(Enum):
    """What can be done with a stack in its present status."""

    DEPLOYED = "deployed"
    """Created or updated as asked."""
    ROLLED_BACK = "rolled back"
    """Its last change failed and was undone; it serves as before and can be updated."""
    PLANNED = "planned"
    """Only a change set exists; nothing was created yet."""
    BUSY = "busy"
    """CloudFormation is at work on it."""
    WRECKED = "wrecked"
    """It cannot be updated; it has to be deleted and made again."""
    STUCK = "stuck"
    """Its rollback failed; the rollback has to be continued before anything else."""
    GONE = "gone"
    """Deleted."""


@dataclass(frozen=True)
class Stack:
    """A CloudFormation stack as DescribeStacks tells it.

    Attributes:
        name: Its name.
        arn: Its id.
        status: CloudFormation's status code.
        reason: CloudFormation's reason for the status; empty when it gives none.
        outputs: Values by output key.
        parameters: Values by parameter key.
    """

    name: str
    arn: str
    status: str
    reason: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)

    @property
    def condition(self) -> Condition:
        """What the status allows; a status this page does not know counts as busy."""
        if self.status == "REVIEW_IN_PROGRESS":
            return Condition.PLANNED
        if self.status == "UPDATE_ROLLBACK_FAILED":
            return Condition.STUCK
        if self.status == "DELETE_COMPLETE":
            return Condition.GONE
        if self.status in _WRECKED:
            return Condition.WRECKED
        if self.status in _DEPLOYED:
            return Condition.DEPLOYED
        return Condition.ROLLED_BACK if self.status in _UPDATABLE else Condition.BUSY

    @property
    def is_being_undone(self) -> bool:
        """Whether CloudFormation takes it down or back: what follows has to wait for the end."""
        return self.status in _UNDOING

    @property
    def works(self) -> bool:
        """Whether it stands and can be updated."""
        return self.condition in (Condition.DEPLOYED, Condition.ROLLED_BACK)


@dataclass(frozen=True)
class ResourceFailure:
    """One resource that CloudFormation could not make, change or remove.

    Attributes:
        resource: Logical id in the template.
        type: CloudFormation's type, for example ``AWS::SageMaker::Endpoint``.
        status: For example ``CREATE_FAILED``.
        reason: The service's own words.
        at: When, ISO 8601 in UTC.
    """

    resource: str
    type: str
    status: str
    reason: str
    at: str

    def __str__(self) -> str:
        """Resource, type and the service's words."""
        return f"{self.resource} ({self.type}): {self.reason}"
