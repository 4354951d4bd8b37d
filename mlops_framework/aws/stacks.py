"""CloudFormation stacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import PipelineBusy, ServiceRefused
from mlops_framework.orchestration.stack import ResourceFailure, Stack

_SERVICE: Final = "CloudFormation"
# CloudFormation has one code, ValidationError, for both; only its text tells them apart.
_NO_SUCH_STACK: Final = "does not exist"
_NO_UPDATES: Final = "No updates are to be performed"
_BEGINNINGS: Final = frozenset({"CREATE_IN_PROGRESS", "UPDATE_IN_PROGRESS", "DELETE_IN_PROGRESS"})
_ROLLBACK: Final = frozenset({"UPDATE_ROLLBACK_IN_PROGRESS"})
_CANCELLED: Final = ("Resource creation cancelled", "Resource update cancelled")


class CloudFormationStacks:
    """The port ``StackGateway``.

    Args:
        client: A CloudFormation client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def describe(self, name: str) -> Stack | None:
        """See ``StackGateway.describe``."""
        try:
            with refusals(_SERVICE, "DescribeStacks", {"ValidationError": _Rejected}):
                found = self._client.describe_stacks(StackName=name)["Stacks"]
        except _Rejected as rejected:
            if _NO_SUCH_STACK in str(rejected):
                return None
            raise rejected.as_refusal("DescribeStacks") from rejected
        return _stack(found[0]) if found else None

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
        exists = {
            "AlreadyExistsException": lambda _: PipelineBusy(
                f"The stack {name} came into being meanwhile. Send the same request again."
            )
        }
        with refusals(_SERVICE, "CreateStack", exists):
            self._client.create_stack(
                StackName=name, **_change(template, parameters, tags, role_arn, token)
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
        try:
            with refusals(_SERVICE, "UpdateStack", {"ValidationError": _Rejected}):
                self._client.update_stack(
                    StackName=name, **_change(template, parameters, tags, role_arn, token)
                )
        except _Rejected as rejected:
            if _NO_UPDATES in str(rejected):
                return False
            raise rejected.as_refusal("UpdateStack") from rejected
        return True

    def delete(self, name: str) -> None:
        """See ``StackGateway.delete``."""
        with refusals(_SERVICE, "DeleteStack"):
            self._client.delete_stack(StackName=name)

    def continue_rollback(self, name: str, *, skip: Sequence[str] = ()) -> None:
        """See ``StackGateway.continue_rollback``."""
        skipped = {"ResourcesToSkip": list(skip)} if skip else {}
        with refusals(_SERVICE, "ContinueUpdateRollback"):
            self._client.continue_update_rollback(StackName=name, **skipped)

    def rollback_failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """See ``StackGateway.rollback_failures``."""
        failed = {
            event["LogicalResourceId"]: _failure(event)
            for event in self._last_operation(name, _ROLLBACK)
            if event.get("ResourceStatus") == "UPDATE_FAILED"
            and event.get("ResourceType") != "AWS::CloudFormation::Stack"
        }
        return tuple(failed.values())

    def failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """See ``StackGateway.failures``."""
        failed = [
            event
            for event in self._last_operation(name)
            if event.get("ResourceStatus", "").endswith("_FAILED")
            and event.get("ResourceType") != "AWS::CloudFormation::Stack"
        ]
        causes = [event for event in failed if not _reason(event).startswith(_CANCELLED)]
        return tuple(_failure(event) for event in reversed(causes or failed))

    def _last_operation(
        self, name: str, beginnings: frozenset[str] = _BEGINNINGS
    ) -> Iterator[Mapping[str, Any]]:
        """Events since the stack itself last began something, newest first."""
        token: dict[str, str] = {}
        while True:
            try:
                with refusals(_SERVICE, "DescribeStackEvents", {"ValidationError": _Rejected}):
                    page = self._client.describe_stack_events(StackName=name, **token)
            except _Rejected as rejected:
                if _NO_SUCH_STACK in str(rejected):
                    return
                raise rejected.as_refusal("DescribeStackEvents") from rejected
            for event in page["StackEvents"]:
                yield event
                is_stack = event.get("PhysicalResourceId") == event.get("StackId")
                if is_stack and event.get("ResourceStatus") in beginnings:
                    return
            if "NextToken" not in page:
                return
            token = {"NextToken": page["NextToken"]}


class _Rejected(Exception):
    """A ValidationError, before its text has been looked at."""

    def as_refusal(self, operation: str) -> Exception:
        return ServiceRefused(_SERVICE, operation, "ValidationError", str(self))


def _change(
    template: str,
    parameters: Mapping[str, str],
    tags: Mapping[str, str],
    role_arn: str,
    token: str,
) -> dict[str, Any]:
    return {
        "TemplateBody": template,
        "Parameters": [
            {"ParameterKey": key, "ParameterValue": value}
            for key, value in sorted(parameters.items())
        ],
        "Tags": [{"Key": key, "Value": value} for key, value in sorted(tags.items())],
        "RoleARN": role_arn,
        "ClientRequestToken": token,
    }


def _stack(found: Mapping[str, Any]) -> Stack:
    return Stack(
        name=found["StackName"],
        arn=found.get("StackId", ""),
        status=found["StackStatus"],
        reason=found.get("StackStatusReason", "") or "",
        outputs={o["OutputKey"]: o.get("OutputValue", "") for o in found.get("Outputs", ())},
        parameters={
            p["ParameterKey"]: p.get("ResolvedValue", p.get("ParameterValue", ""))
            for p in found.get("Parameters", ())
        },
    )


def _reason(event: Mapping[str, Any]) -> str:
    return event.get("ResourceStatusReason", "") or ""


def _failure(event: Mapping[str, Any]) -> ResourceFailure:
    at = event.get("Timestamp")
    return ResourceFailure(
        resource=event.get("LogicalResourceId", ""),
        type=event.get("ResourceType", ""),
        status=event["ResourceStatus"],
        reason=_reason(event) or "CloudFormation gives no reason.",
        at=at.isoformat() if at is not None else "",
    )
