"""How a pipeline is doing, in one document: stages, actions, failed resources, what to do next.

Pure: everything that was read of the world comes in as arguments.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from mlops_framework import naming
from mlops_framework.orchestration.code_pipeline import ActionState, CodePipelineState, StageState
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Condition, ResourceFailure, Stack

APPROVAL_ACTION = "Approve"
NOT_CREATED = "NOT_CREATED"
"""Status of a stack that CloudFormation does not know."""


class Phase(StrEnum):
    """Where a pipeline stands, in one word."""

    REQUESTED = "Requested"
    PROVISIONING = "Provisioning"
    DELIVERING = "Delivering"
    AWAITING_APPROVAL = "AwaitingApproval"
    DELIVERED = "Delivered"
    FAILED = "Failed"
    STOPPED = "Stopped"
    INTERRUPTED = "Interrupted"
    DELETING = "Deleting"
    DELETE_FAILED = "DeleteFailed"


_SEND_AGAIN = "Correct the cause and send the same request again: it repairs the pipeline."
_NEXT: Mapping[Phase, str] = {
    Phase.REQUESTED: "Wait: the request is being applied.",
    Phase.PROVISIONING: "Wait: CloudFormation is making the delivery pipeline.",
    Phase.DELIVERING: "Wait: the pipeline is running.",
    Phase.AWAITING_APPROVAL: "Review the change set and approve or reject it in CodePipeline.",
    Phase.DELIVERED: "Nothing: the pipeline did what the request asks.",
    Phase.FAILED: _SEND_AGAIN,
    Phase.STOPPED: "Somebody stopped or rejected the execution. Send the request again to run it.",
    Phase.INTERRUPTED: "Send the same request again: it goes on from where it stopped.",
    Phase.DELETING: "Wait until the pipeline is gone; this page then answers 404.",
    Phase.DELETE_FAILED: "Remove what holds the named resource and send DELETE again.",
}


_SAID: Mapping[Phase, str] = {
    Phase.REQUESTED: "is being set up",
    Phase.PROVISIONING: "is being set up",
    Phase.DELIVERING: "is running",
    Phase.AWAITING_APPROVAL: "waits for an approval",
    Phase.DELIVERED: "is delivered",
    Phase.FAILED: "failed",
    Phase.STOPPED: "was stopped",
    Phase.INTERRUPTED: "was left half way",
    Phase.DELETING: "is being deleted",
    Phase.DELETE_FAILED: "could not be deleted",
}
_UNUSABLE = (Condition.WRECKED, Condition.STUCK, Condition.GONE)
_USABLE = (Condition.DEPLOYED, Condition.ROLLED_BACK)


@dataclass(frozen=True)
class Seen:
    """What was read about one pipeline.

    Attributes:
        record: Its record.
        delivery: Its delivery stack, if there is one.
        pipeline: Its CodePipeline's state, if there is one.
        stacks: Stage stacks by stage name; stages without a stack are left out.
        failures: Failed resources by stack name.
    """

    record: PipelineRecord
    delivery: Stack | None
    pipeline: CodePipelineState | None
    stacks: Mapping[str, Stack]
    failures: Mapping[str, Sequence[ResourceFailure]]


def phase_of(
    record: PipelineRecord, delivery: Stack | None, pipeline: CodePipelineState | None
) -> Phase:
    """Where the pipeline stands."""
    by_record = {
        RecordState.APPLYING: Phase.REQUESTED,
        RecordState.INTERRUPTED: Phase.INTERRUPTED,
        RecordState.DELETING: Phase.DELETING,
        RecordState.DELETE_FAILED: Phase.DELETE_FAILED,
    }
    if record.state in by_record:
        return by_record[record.state]
    if delivery is None or delivery.condition in _UNUSABLE:
        return Phase.FAILED
    if delivery.condition not in _USABLE or pipeline is None:
        return Phase.PROVISIONING
    if record.awaits_run(pipeline):
        return Phase.DELIVERING
    by_execution = {
        "Failed": Phase.FAILED,
        "Stopped": Phase.STOPPED,
        "Succeeded": Phase.DELIVERED,
        "": Phase.PROVISIONING,
    }
    if pipeline.status in by_execution:
        return by_execution[pipeline.status]
    return Phase.AWAITING_APPROVAL if any(_approvals(pipeline)) else Phase.DELIVERING


def stage_of(code_pipeline_stage: str, stages: Sequence[str]) -> str | None:
    """The environment's stage that a CodePipeline stage delivers; ``None`` for ``Source``."""

    def plain(name: str) -> str:
        return "".join(c for c in name.lower() if c.isalnum())

    return next((name for name in stages if plain(name) == plain(code_pipeline_stage)), None)


def describe(seen: Seen, environment_prefix: str) -> dict[str, Any]:
    """The status document: the answer of ``GET /pipelines/{id}``."""
    record, phase = seen.record, phase_of(seen.record, seen.delivery, seen.pipeline)
    problems = list(_problems(seen, environment_prefix))
    return {
        "pipeline_id": record.pipeline_id,
        "pipeline_type": record.kind,
        "model_name": record.model_name,
        "status": phase.value,
        "message": _sentence(phase, record, seen.pipeline, problems),
        "next": _NEXT[phase],
        "requested_by": record.requested_by,
        "requested_at": record.updated_at,
        "created_at": record.created_at,
        "request": record.request_key,
        "correlation_id": record.correlation_id,
        "execution_id": seen.pipeline.execution_id if seen.pipeline else "",
        "delivery": _stack(
            seen.delivery, naming.delivery_stack(environment_prefix, record.pipeline_id)
        ),
        "stages": [_stage(seen, state, environment_prefix) for state in _stages(seen)],
        "problems": problems,
    }


def _approvals(pipeline: CodePipelineState) -> Iterator[ActionState]:
    for stage in pipeline.current:
        for action in stage.actions:
            if action.name.startswith(APPROVAL_ACTION) and action.status == "InProgress":
                yield action


def _stages(seen: Seen) -> tuple[StageState, ...]:
    return seen.pipeline.stages if seen.pipeline else ()


def _stack(stack: Stack | None, name: str) -> dict[str, str]:
    if stack is None:
        return {"stack": name, "status": NOT_CREATED, "reason": ""}
    return {"stack": stack.name, "status": stack.status, "reason": stack.reason}


def _stage(seen: Seen, state: StageState, prefix: str) -> dict[str, Any]:
    name = stage_of(state.name, seen.record.stages)
    is_current = seen.pipeline is not None and state.execution_id == seen.pipeline.execution_id
    document: dict[str, Any] = {
        "name": state.name,
        "status": state.status or "NotStarted",
        "is_current": bool(state.execution_id) and is_current,
        "actions": [_action_document(action) for action in state.actions],
    }
    if name is None:
        return document
    stack = seen.stacks.get(name)
    return {
        **document,
        "stack": naming.blueprint_stack(prefix, seen.record.pipeline_id, name),
        "stack_status": stack.status if stack else NOT_CREATED,
        "outputs": dict(stack.outputs) if stack else {},
    }


def _action_document(action: ActionState) -> dict[str, str]:
    return {
        "name": action.name,
        "status": action.status or "NotStarted",
        "summary": action.summary,
        "reason": action.error,
        "changed_at": action.changed_at,
        "resource": action.execution_id,
        "link": action.link,
    }


def _problems(seen: Seen, prefix: str) -> Iterator[dict[str, str]]:
    """Every known cause, the most telling first: failed resources before the action around them."""
    if seen.record.state in (RecordState.DELETING, RecordState.DELETE_FAILED):
        if seen.record.message:
            yield _problem("teardown", "delete", seen.record.pipeline_id, "", seen.record.message)
        return
    if seen.pipeline is not None and seen.record.awaits_run(seen.pipeline):
        return
    delivery = seen.delivery
    if delivery is not None and seen.failures.get(delivery.name):
        yield from _resources("delivery", "delivery stack", seen.failures[delivery.name])
    elif delivery is not None and delivery.condition in (Condition.WRECKED, Condition.STUCK):
        yield _problem("delivery", "delivery stack", delivery.name, "", delivery.reason)
    for state in seen.pipeline.current if seen.pipeline else ():
        for action in state.actions:
            if action.status == "Failed":
                yield from _action(seen, state, action, prefix)


def _action(
    seen: Seen, state: StageState, action: ActionState, prefix: str
) -> Iterator[dict[str, str]]:
    name = stage_of(state.name, seen.record.stages)
    stack = naming.blueprint_stack(prefix, seen.record.pipeline_id, name) if name else ""
    executes = action.name.startswith("Execute")
    failed = seen.failures.get(stack, ()) if executes else ()
    if failed:
        yield from _resources(state.name, action.name, failed)
    else:
        reason = action.error or action.summary or "CodePipeline gives no reason."
        yield _problem(state.name, action.name, action.execution_id or stack, "", reason)


def _resources(
    stage: str, action: str, failures: Sequence[ResourceFailure]
) -> Iterator[dict[str, str]]:
    for failure in failures:
        yield _problem(stage, action, failure.resource, failure.type, failure.reason)


def _problem(stage: str, action: str, resource: str, kind: str, reason: str) -> dict[str, str]:
    return {
        "stage": stage,
        "action": action,
        "resource": resource,
        "resource_type": kind,
        "reason": reason,
    }


def _sentence(
    phase: Phase,
    record: PipelineRecord,
    pipeline: CodePipelineState | None,
    problems: Sequence[Mapping[str, str]],
) -> str:
    if problems:
        first = problems[0]
        where = f"{first['stage']}/{first['action']}"
        what = f" ({first['resource']})" if first["resource"] else ""
        return f"{where}{what}: {first['reason']}"
    if record.message:
        return record.message
    if phase is Phase.DELIVERED and pipeline is not None:
        said = [action.summary for action in pipeline.stages[-1].actions if action.summary]
        if said:
            return said[-1]
    if phase is Phase.DELIVERING and record.run_since:
        return f"Pipeline {record.pipeline_id} runs; this run was asked for at {record.run_since}."
    return f"Pipeline {record.pipeline_id} {_SAID[phase]}."
