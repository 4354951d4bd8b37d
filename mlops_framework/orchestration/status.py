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
from mlops_framework.orchestration.links import Links, NoLinks
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


_SEND_AGAIN = (
    "Remove the cause, or correct the request, and send it again: that repairs the pipeline."
)
_NEXT: Mapping[Phase, str] = {
    Phase.REQUESTED: "Wait: the request is being applied.",
    Phase.PROVISIONING: "Wait: CloudFormation is making the delivery pipeline.",
    Phase.DELIVERING: "Wait: the pipeline is running.",
    Phase.AWAITING_APPROVAL: "Review the change set and approve or reject it in CodePipeline, or "
    "with mlops pipelines approve ID.",
    Phase.DELIVERED: "Nothing: the pipeline did what the request asks.",
    Phase.FAILED: _SEND_AGAIN,
    Phase.STOPPED: "Somebody stopped or rejected the execution. Send the request again to run it.",
    Phase.INTERRUPTED: "Remove the cause, if one is named, and send the request again: it goes on "
    "from where it stopped.",
    Phase.DELETING: "Wait until the pipeline is gone; this page then answers 404. If nothing moves "
    "for twenty minutes, send DELETE again.",
    Phase.DELETE_FAILED: "Remove what holds the named resource and send DELETE again; or send the "
    "request again to keep the pipeline.",
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
_STUCK_NEXT = (
    "Send the request again: it continues the rollback, without what cannot be rolled back."
)
_UNUSABLE = (Condition.WRECKED, Condition.STUCK, Condition.GONE)


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
    if not delivery.works or pipeline is None:
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


def describe(seen: Seen, environment_prefix: str, links: Links | None = None) -> dict[str, Any]:
    """The status document: the answer of ``GET /pipelines/{id}``.

    Args:
        seen: What was read.
        environment_prefix: Of the environment.
        links: Where people look further; nowhere if not given.
    """
    record, phase = seen.record, phase_of(seen.record, seen.delivery, seen.pipeline)
    if phase is Phase.DELIVERED and any(_gone(seen)):
        phase = Phase.FAILED
    view = _View(seen, environment_prefix, links or NoLinks())
    problems = list(view.problems(phase))
    return {
        "pipeline_id": record.pipeline_id,
        "pipeline_type": record.kind,
        "model_name": record.model_name,
        "status": phase.value,
        "message": _sentence(phase, record, seen.pipeline, problems),
        "next": problems[0]["next"] if problems else _NEXT[phase],
        "link": problems[0]["link"] if problems else view.pipeline_link,
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


def _gone(seen: Seen) -> Iterator[str]:
    """Stages that were delivered, and whose stacks are not there or broken since."""
    if seen.pipeline is None or seen.pipeline.status != "Succeeded":
        return
    delivered = {stage_of(state.name, seen.record.stages) for state in seen.pipeline.current}
    for stage in seen.record.stages:
        stack = seen.stacks.get(stage)
        broken = stack is None or stack.condition in _UNUSABLE
        if broken and stage in delivered:
            yield stage


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


@dataclass(frozen=True)
class _View:
    """What was read, and where people look further."""

    seen: Seen
    prefix: str
    links: Links

    @property
    def pipeline_link(self) -> str:
        """Where the pipeline, or what there is of it yet, can be watched."""
        if self.seen.pipeline is not None:
            return self.links.pipeline(self.seen.pipeline.name) or self._link(self.seen.delivery)
        return self._link(self.seen.delivery)

    def problems(self, phase: Phase) -> Iterator[dict[str, str]]:
        """Every known cause, the most telling first: resources before the action around them."""
        record, delivery, pipeline = self.seen.record, self.seen.delivery, self.seen.pipeline
        if record.state in (RecordState.DELETING, RecordState.DELETE_FAILED):
            yield from self._of_deletion(phase)
            return
        yield from self._of_stacks(phase)
        if delivery is None and phase is Phase.FAILED:
            name = naming.delivery_stack(self.prefix, record.pipeline_id)
            said = "The delivery stack is not there: it was deleted by hand, or never came to be."
            yield self._problem("delivery", "delivery stack", name, reason=said, phase=phase)
        if pipeline is not None and record.awaits_run(pipeline):
            return  # What CodePipeline shows is of the run before.
        for state in pipeline.current if pipeline else ():
            for action in state.actions:
                if action.status == "Failed":
                    yield from self._of_action(state, action, phase)
        for stage in _gone(self.seen) if phase is Phase.FAILED else ():
            if stage not in self.seen.stacks:
                name = naming.blueprint_stack(self.prefix, record.pipeline_id, stage)
                said = "It was delivered, and its stack is no longer there."
                yield self._problem(stage, "stack", name, reason=said, link=self.pipeline_link)

    def _of_deletion(self, phase: Phase) -> Iterator[dict[str, str]]:
        if phase is not Phase.DELETE_FAILED:
            return
        found = False
        for stage, stack in self._stacks():
            for failure in self.seen.failures.get(stack.name, ()):
                found = True
                yield self._resource(stage, "delete", failure, stack, phase)
        if not found and self.seen.record.message:
            said = self.seen.record.message
            yield self._problem(
                "teardown", "delete", self.seen.record.pipeline_id, reason=said, phase=phase
            )

    def _of_stacks(self, phase: Phase) -> Iterator[dict[str, str]]:
        """The delivery stack; a stage's only while no action of the pipeline tells of it."""
        told = {stage_of(s.name, self.seen.record.stages) for s in self._failed_stages()}
        for stage, stack in self._stacks():
            failures = self.seen.failures.get(stack.name, ())
            if stage in told:
                continue
            action = "delivery stack" if stack is self.seen.delivery else "stack"
            for failure in failures:
                yield self._resource(stage, action, failure, stack, phase)
            if not failures and stack.condition in (Condition.WRECKED, Condition.STUCK):
                reason = stack.reason or f"It is {stack.status}; CloudFormation gives no reason."
                yield self._problem(stage, action, stack.name, reason=reason, stack=stack)

    def _of_action(
        self, state: StageState, action: ActionState, phase: Phase
    ) -> Iterator[dict[str, str]]:
        name = stage_of(state.name, self.seen.record.stages)
        stack = self.seen.stacks.get(name) if name else None
        failed = self.seen.failures.get(stack.name, ()) if stack is not None else ()
        if failed and stack is not None and action.name.startswith("Execute"):
            for failure in failed:
                yield self._resource(state.name, action.name, failure, stack, phase)
            return
        named = naming.blueprint_stack(self.prefix, self.seen.record.pipeline_id, name or "")
        yield self._problem(
            state.name,
            action.name,
            action.execution_id or (named if name else ""),
            reason=action.error or action.summary or "CodePipeline gives no reason.",
            link=action.link or self.pipeline_link,
            phase=phase,
        )

    def _failed_stages(self) -> Iterator[StageState]:
        for state in self.seen.pipeline.current if self.seen.pipeline else ():
            if any(action.status == "Failed" for action in state.actions):
                yield state

    def _stacks(self) -> Iterator[tuple[str, Stack]]:
        if self.seen.delivery is not None:
            yield "delivery", self.seen.delivery
        yield from self.seen.stacks.items()

    def _resource(
        self, stage: str, action: str, failure: ResourceFailure, stack: Stack, phase: Phase
    ) -> dict[str, str]:
        return self._problem(
            stage,
            action,
            failure.resource,
            kind=failure.type,
            reason=failure.reason,
            stack=stack,
            phase=phase,
        )

    def _problem(
        self,
        stage: str,
        action: str,
        resource: str,
        *,
        reason: str,
        kind: str = "",
        stack: Stack | None = None,
        link: str = "",
        phase: Phase = Phase.FAILED,
    ) -> dict[str, str]:
        stuck = stack is not None and stack.condition is Condition.STUCK
        return {
            "stage": stage,
            "action": action,
            "resource": resource,
            "resource_type": kind,
            "reason": reason,
            "next": _STUCK_NEXT if stuck else _NEXT[phase],
            "link": link or self._link(stack),
        }

    def _link(self, stack: Stack | None) -> str:
        return self.links.stack(stack.arn or stack.name) if stack is not None else ""


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
