"""Reads what there is to know of one pipeline: its record, its stacks, its CodePipeline."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from mlops_framework import naming
from mlops_framework.orchestration.code_pipeline import CodePipelineState
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Condition, ResourceFailure, Stack
from mlops_framework.orchestration.status import Seen, stage_of

_NOTED = timedelta(seconds=60)
"""By when the teardown has noted a failure, if it lives."""
_LEFT = "Applying the request stopped half way; whatever applied it is gone."


def look(record: PipelineRecord, ports: Ports, prefix: str) -> Seen:
    """What the world says of a pipeline, as far as its status needs it.

    Args:
        record: The pipeline's.
        ports: The world.
        prefix: Of the environment.
    """
    delivery = ports.stacks.describe(naming.delivery_stack(prefix, record.pipeline_id))
    code_pipeline = naming.code_pipeline(prefix, record.pipeline_id)
    pipeline = ports.pipelines.state(code_pipeline) if delivery else None
    stacks: dict[str, Stack] = {}
    for stage in record.stages:
        stack = ports.stacks.describe(naming.blueprint_stack(prefix, record.pipeline_id, stage))
        if stack is not None:
            stacks[stage] = stack
    failures: dict[str, Sequence[ResourceFailure]] = {
        stack.name: ports.stacks.failures(stack.name)
        for stack in _failed(record, delivery, pipeline, stacks)
    }
    present = _as_it_is(record, ports.now(), delivery, stacks, failures)
    return Seen(present, delivery, pipeline, stacks, failures)


def _failed(
    record: PipelineRecord,
    delivery: Stack | None,
    pipeline: CodePipelineState | None,
    stacks: dict[str, Stack],
) -> Iterator[Stack]:
    """The stacks whose failures matter now."""
    leaving = record.state in (RecordState.DELETING, RecordState.DELETE_FAILED)
    if delivery is not None and (_broken(delivery) or _given_up(record, delivery)):
        yield delivery
    stages = (
        {stage_of(s.name, record.stages) for s in pipeline.current if s.status == "Failed"}
        if (pipeline)
        else set()
    )
    delivered = pipeline is not None and pipeline.status == "Succeeded"
    for stage, stack in stacks.items():
        if stage in stages or (_broken(stack) and (leaving or _unfinished(record) or delivered)):
            yield stack


def _broken(stack: Stack) -> bool:
    return stack.condition in (Condition.WRECKED, Condition.STUCK)


def _unfinished(record: PipelineRecord) -> bool:
    return record.state in (RecordState.INTERRUPTED, RecordState.APPLYING)


def _given_up(record: PipelineRecord, delivery: Stack) -> bool:
    return delivery.condition is Condition.ROLLED_BACK and _unfinished(record)


def _as_it_is(
    record: PipelineRecord,
    now: datetime,
    delivery: Stack | None,
    stacks: dict[str, Stack],
    failures: dict[str, Sequence[ResourceFailure]],
) -> PipelineRecord:
    """The record, corrected where whoever should have gone on writing it is dead."""
    if record.state is RecordState.APPLYING and not record.is_claimed(now):
        return replace(record, state=RecordState.INTERRUPTED, message=record.message or _LEFT)
    if record.state is RecordState.DELETING:
        left = [stack for stack in (delivery, *stacks.values()) if stack is not None]
        for stack in left:
            causes = _since(record, now, failures.get(stack.name, ()))
            if stack.status == "DELETE_FAILED" and causes:
                said = f"The stack {stack.name} could not be deleted: {'; '.join(causes)}"
                return replace(record, state=RecordState.DELETE_FAILED, message=said)
    return record


def _since(record: PipelineRecord, now: datetime, failures: Sequence[ResourceFailure]) -> list[str]:
    """Failures of the deletion that was asked for last, which nobody has noted by now."""
    asked = datetime.fromisoformat(record.updated_at)
    return [
        str(failure)
        for failure in failures
        if failure.at and asked <= datetime.fromisoformat(failure.at) < now - _NOTED
    ]
