"""Change sets and stacks: create, execute, wait, and say why it failed.

Used by the deployer (outside the emulator) and by CodePipeline's CloudFormation action (inside).
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any

from botocore.exceptions import ClientError

Pause = Callable[[float], None]

_NO_CHANGES = ("didn't contain changes", "No updates are to be performed")
_POLL_SECONDS = 0.1
# Above this a template travels by address; CloudFormation's own limit for a body is 51,200 bytes.
BODY_LIMIT = 51_200


class ChangeSetRefused(Exception):
    """CloudFormation could not make the change set; the message is its own."""


def find_stack(cloudformation: Any, name: str) -> dict[str, Any] | None:
    """Describes a stack, or gives ``None`` when there is none.

    Args:
        cloudformation: A boto3 client.
        name: The stack's name or id.
    """
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError as error:
        if "does not exist" in error.response["Error"]["Message"]:
            return None
        raise
    return dict(stacks[0]) if stacks else None


def exists(stack: Mapping[str, Any] | None) -> bool:
    """Whether a stack is there to be updated (rather than created)."""
    return stack is not None and stack["StackStatus"] not in (
        "REVIEW_IN_PROGRESS",
        "DELETE_COMPLETE",
    )


def create(
    cloudformation: Any,
    stack: str,
    change_set: str,
    request: Mapping[str, Any],
    pause: Pause = time.sleep,
) -> bool:
    """Creates a change set, replacing one of the same name, and waits for it.

    Args:
        cloudformation: A boto3 client.
        stack: The stack's name; need not exist.
        change_set: The change set's name.
        request: Further parameters of ``CreateChangeSet`` (template, parameters, ...).
        pause: How to wait.

    Returns:
        Whether it holds changes.

    Raises:
        ChangeSetRefused: CloudFormation refused it.
    """
    found = find_stack(cloudformation, stack)
    if found is not None:
        discard(cloudformation, stack, change_set)
    kind = "UPDATE" if exists(found) else "CREATE"
    try:
        cloudformation.create_change_set(
            StackName=stack, ChangeSetName=change_set, ChangeSetType=kind, **request
        )
        while True:
            described = cloudformation.describe_change_set(
                StackName=stack, ChangeSetName=change_set
            )
            if described["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
            pause(_POLL_SECONDS)
    except ClientError as error:
        raise ChangeSetRefused(error.response["Error"]["Message"]) from error
    if described["Status"] == "CREATE_COMPLETE":
        return True
    reason = str(described.get("StatusReason", ""))
    if any(marker in reason for marker in _NO_CHANGES):
        return False
    raise ChangeSetRefused(reason or "The change set failed without a reason.")


def discard(cloudformation: Any, stack: str, change_set: str) -> None:
    """Deletes a change set; one that is not there is fine."""
    try:
        cloudformation.delete_change_set(StackName=stack, ChangeSetName=change_set)
    except ClientError as error:
        if error.response["Error"]["Code"] not in ("ChangeSetNotFound", "ValidationError"):
            raise


def wait(cloudformation: Any, stack: str, pause: Pause = time.sleep) -> dict[str, Any] | None:
    """Waits until a stack is at rest.

    Args:
        cloudformation: A boto3 client.
        stack: The stack's name or id.
        pause: How to wait.

    Returns:
        The stack, or ``None`` when it is gone.
    """
    while True:
        found = find_stack(cloudformation, stack)
        if found is None or found["StackStatus"] == "DELETE_COMPLETE":
            return None
        if not found["StackStatus"].endswith("_IN_PROGRESS"):
            return found
        pause(_POLL_SECONDS)


def succeeded(stack: Mapping[str, Any]) -> bool:
    """Whether a stack at rest is where it was meant to be."""
    return stack["StackStatus"] in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


def failure_reasons(cloudformation: Any, stack: str) -> list[str]:
    """Why the last operation on a stack failed, first cause first.

    Args:
        cloudformation: A boto3 client.
        stack: The stack's name or id.

    Returns:
        ``LogicalId (AWS::Type): the service's own words`` per failed resource.
    """
    reasons: list[str] = []
    pages = cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack)
    for event in (event for page in pages for event in page["StackEvents"]):
        of_the_stack = event["LogicalResourceId"] == event["StackName"]
        status = event.get("ResourceStatus", "")
        reason = event.get("ResourceStatusReason", "")
        # Newest first: the operation began where the stack itself began to be changed.
        if of_the_stack and status in (
            *("CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"),
            "REVIEW_IN_PROGRESS",
        ):
            break
        if not status.endswith("_FAILED") or "cancelled" in reason:
            continue
        if of_the_stack:
            told = reason
        else:
            told = f"{event['LogicalResourceId']} ({event['ResourceType']}): {reason}"
        reasons.insert(0, told)
    named = [reason for reason in reasons if " (AWS::" in reason or " (Custom::" in reason]
    return named or reasons


def outputs(stack: Mapping[str, Any]) -> dict[str, str]:
    """A stack's outputs, by key."""
    return {item["OutputKey"]: item["OutputValue"] for item in stack.get("Outputs", ())}
