"""Why a request has to wait for another one: what is going on, since when, and what to do."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from mlops_framework.orchestration.errors import PipelineBusy, Running
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Stack

_MOMENT: Final = 5
_WHILE: Final = 30


def claimed(record: PipelineRecord, now: datetime, again: str) -> PipelineBusy:
    """Another request is being applied.

    Args:
        record: Its claim.
        now: The present.
        again: What to do afterwards, a whole sentence.
    """
    waits = f" {record.message}" if record.message else ""
    left = datetime.fromisoformat(record.lease_until) - now
    return PipelineBusy(
        f"Another request for pipeline {record.pipeline_id!r}, by {record.requested_by}, is being "
        f"applied since {record.updated_at} (correlation id {record.correlation_id}).{waits} "
        f"{again}",
        # A request that applies at once is over in seconds; one that waits says for what.
        retry_after=_WHILE if record.message else max(1, min(_MOMENT, int(left.total_seconds()))),
        pipeline_id=record.pipeline_id,
        running=_running("request", record),
    )


def deleting(record: PipelineRecord) -> PipelineBusy:
    """The pipeline is being taken down."""
    return PipelineBusy(
        f"Pipeline {record.pipeline_id!r} is being deleted since {record.updated_at}, by "
        f"{record.requested_by}. Send the request again when GET /pipelines/{record.pipeline_id} "
        "answers 404, or when it says that the deletion failed.",
        retry_after=_WHILE,
        pipeline_id=record.pipeline_id,
        running=_running("deletion", record),
    )


def moving(pipeline_id: str, stack: Stack, record: PipelineRecord | None) -> PipelineBusy:
    """CloudFormation is at work on the delivery stack, for a request that was applied before."""
    by = f" for the request by {record.requested_by} of {record.updated_at}" if record else ""
    return PipelineBusy(
        f"The delivery stack {stack.name} is {stack.status}{by}. Send the request again when it "
        f"has settled; GET /pipelines/{pipeline_id} shows it.",
        retry_after=_WHILE,
        pipeline_id=pipeline_id,
        running=Running(
            "stack",
            stack.name,
            stack.status,
            record.requested_by if record else "",
            record.updated_at if record else "",
            record.correlation_id if record else "",
        ),
    )


def came_first(pipeline_id: str, other: PipelineRecord | None, again: str) -> PipelineBusy:
    """Another request wrote the record between our look and our claim.

    Args:
        pipeline_id: The pipeline.
        other: The record as that request left it, if it did.
        again: What is to be sent again.
    """
    who = f", by {other.requested_by} at {other.updated_at}," if other else ""
    return PipelineBusy(
        f"Another request for pipeline {pipeline_id!r}{who} came first. Look at GET "
        f"/pipelines/{pipeline_id} and send {again} again if it is still wanted.",
        retry_after=_MOMENT,
        pipeline_id=pipeline_id,
        running=_running("request", other) if other else None,
    )


def _running(what: str, record: PipelineRecord) -> Running:
    kind = "deletion" if record.state is RecordState.DELETING else what
    return Running(
        kind,
        record.pipeline_id,
        record.state.value,
        record.requested_by,
        record.updated_at,
        record.correlation_id,
    )
