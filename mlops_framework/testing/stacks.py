"""CloudFormation stacks in memory, with the states they go through."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from mlops_framework.orchestration.errors import PipelineBusy, ServiceRefused
from mlops_framework.orchestration.stack import Condition, ResourceFailure, Stack


@dataclass
class FakeStack:
    """A stack as the fake keeps it; ``looks`` counts down until it settles on ``becomes``."""

    stack: Stack
    template: str
    tags: Mapping[str, str]
    role_arn: str
    token: str
    becomes: str = ""
    looks: int = 0
    failures: tuple[ResourceFailure, ...] = field(default_factory=tuple)


class InMemoryStacks:
    """The port ``StackGateway``.

    An operation leaves its stack in progress; each look at it brings it nearer to its end.

    Args:
        looks: How many looks an operation takes; 0 = it is over at the first.
    """

    def __init__(self, *, looks: int = 0) -> None:
        self.looks = looks
        self.stacks: dict[str, FakeStack] = {}
        self.calls: list[tuple[str, str]] = []
        self.fails_to_create: dict[str, ResourceFailure] = {}
        self.fails_to_update: dict[str, ResourceFailure] = {}
        self.fails_to_delete: dict[str, ResourceFailure] = {}
        self.fails_to_roll_back: dict[str, ResourceFailure] = {}
        self.skipped: dict[str, tuple[str, ...]] = {}

    def place(
        self,
        name: str,
        status: str = "CREATE_COMPLETE",
        *,
        reason: str = "",
        outputs: Mapping[str, str] | None = None,
        parameters: Mapping[str, str] | None = None,
        failures: tuple[ResourceFailure, ...] = (),
    ) -> None:
        """Put a stack there as somebody else made it, for example CodePipeline."""
        stack = Stack(name, _arn(name), status, reason, outputs or {}, parameters or {})
        self.stacks[name] = FakeStack(stack, "{}", {}, "", "", failures=failures)

    def describe(self, name: str) -> Stack | None:
        """See ``StackGateway.describe``."""
        kept = self.stacks.get(name)
        if kept is None:
            return None
        if kept.becomes:
            if kept.looks > 0:
                kept.looks -= 1
                return kept.stack
            kept.stack = replace(kept.stack, status=kept.becomes)
            kept.becomes = ""
        if kept.stack.condition is Condition.GONE:
            del self.stacks[name]
            return None
        return kept.stack

    def create(
        self,
        name: str,
        *,
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        role_arn: str,
        token: str,
    ) -> None:
        """See ``StackGateway.create``."""
        self.calls.append(("create", name))
        kept = self.stacks.get(name)
        if kept is not None and kept.token == token:
            return
        if kept is not None:
            raise PipelineBusy(f"The stack {name} came into being meanwhile.")
        _check(template, parameters, "CreateStack")
        failure = self.fails_to_create.get(name)
        self.stacks[name] = FakeStack(
            Stack(name, _arn(name), "CREATE_IN_PROGRESS", parameters=dict(parameters)),
            template,
            dict(tags),
            role_arn,
            token,
            becomes="ROLLBACK_COMPLETE" if failure else "CREATE_COMPLETE",
            looks=self.looks,
            failures=(failure,) if failure else (),
        )

    def update(
        self,
        name: str,
        *,
        template: str,
        parameters: Mapping[str, str],
        tags: Mapping[str, str],
        role_arn: str,
        token: str,
    ) -> bool:
        """See ``StackGateway.update``."""
        self.calls.append(("update", name))
        kept = self.stacks.get(name)
        current = self.describe(name)
        if kept is None or current is None or current.condition is Condition.BUSY:
            said = f"Stack [{name}] does not exist or cannot be updated now"
            raise ServiceRefused("CloudFormation", "UpdateStack", "ValidationError", said)
        _check(template, parameters, "UpdateStack")
        same = (template, dict(parameters), dict(tags)) == (
            kept.template,
            dict(current.parameters),
            dict(kept.tags),
        )
        if same:
            return False
        failure = self.fails_to_update.get(name)
        kept.looks, kept.failures = self.looks, (failure,) if failure else ()
        if failure:
            kept.stack = replace(current, status="UPDATE_IN_PROGRESS")
            kept.becomes = "UPDATE_ROLLBACK_COMPLETE"
            return True
        kept.stack = replace(current, status="UPDATE_IN_PROGRESS", parameters=dict(parameters))
        kept.template, kept.tags, kept.token = template, dict(tags), token
        kept.becomes = "UPDATE_COMPLETE"
        return True

    def delete(self, name: str) -> None:
        """See ``StackGateway.delete``."""
        self.calls.append(("delete", name))
        kept = self.stacks.get(name)
        if kept is None:
            return
        failure = self.fails_to_delete.get(name)
        kept.stack = replace(kept.stack, status="DELETE_IN_PROGRESS")
        kept.becomes = "DELETE_FAILED" if failure else "DELETE_COMPLETE"
        kept.looks = self.looks
        kept.failures = (failure,) if failure else ()

    def continue_rollback(self, name: str, *, skip: Sequence[str] = ()) -> None:
        """See ``StackGateway.continue_rollback``."""
        self.calls.append(("continue_rollback", name))
        kept = self.stacks[name]
        if kept.stack.condition is not Condition.STUCK:
            said = "ContinueUpdateRollback cannot be called from current stack status"
            operation = "ContinueUpdateRollback"
            raise ServiceRefused("CloudFormation", operation, "ValidationError", said)
        failure = self.fails_to_roll_back.get(name)
        holds = failure is not None and failure.resource not in skip
        if skip:
            self.skipped[name] = tuple(skip)
        kept.stack = replace(kept.stack, status="UPDATE_ROLLBACK_IN_PROGRESS")
        kept.becomes = "UPDATE_ROLLBACK_FAILED" if holds else "UPDATE_ROLLBACK_COMPLETE"
        kept.looks = self.looks
        kept.failures = (failure,) if failure is not None else ()

    def rollback_failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """See ``StackGateway.rollback_failures``."""
        kept = self.stacks.get(name)
        return kept.failures if kept and kept.stack.condition is Condition.STUCK else ()

    def failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """See ``StackGateway.failures``."""
        kept = self.stacks.get(name)
        return kept.failures if kept else ()


def _arn(name: str) -> str:
    return f"arn:aws:cloudformation:us-east-1:111122223333:stack/{name}/0"


def _check(template: str, parameters: Mapping[str, str], operation: str) -> None:
    """Refuse as CloudFormation does when names and template do not match."""
    declared = json.loads(template).get("Parameters", {})
    unknown = sorted(parameters.keys() - declared.keys())
    missing = sorted(
        name for name in declared.keys() - parameters.keys() if "Default" not in declared[name]
    )
    if unknown or missing:
        said = f"Parameters: {unknown} do not exist in the template; {missing} must have values"
        raise ServiceRefused("CloudFormation", operation, "ValidationError", said)
