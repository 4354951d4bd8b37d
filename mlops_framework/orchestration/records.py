"""The record of a pipeline: what was asked, by whom, and how far the platform got with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from datetime import datetime
from enum import StrEnum
from typing import Any, Self

from mlops_framework.orchestration.code_pipeline import CodePipelineState


class RecordState(StrEnum):
    """How far the platform got with the last request."""

    APPLYING = "applying"
    """A request is being applied; nobody else may until ``lease_until``."""
    APPLIED = "applied"
    """The delivery stack was created or updated as planned."""
    INTERRUPTED = "interrupted"
    """Applying stopped half way; the same request finishes it."""
    DELETING = "deleting"
    """The pipeline is being taken down."""
    DELETE_FAILED = "delete-failed"
    """Taking it down stopped; ``message`` says why, the same DELETE goes on."""


@dataclass(frozen=True)
class PipelineRecord:
    """One pipeline; the item of the record table.

    Attributes:
        pipeline_id: Identity, ``<model_name>-<kind>``.
        kind: Blueprint.
        model_name: Model that the pipeline serves.
        state: How far the platform got.
        revision: Grows by one with each write; the condition of the next.
        request_digest: SHA-256 of the request in canonical JSON.
        request_key: Object key of the immutable request document.
        source_digest: SHA-256 of the source archive; empty before the first was put.
        plan_digest: SHA-256 of everything the plan holds; equal means nothing to do.
        stages: Every stage that was ever planned, in delivery order, so that all are removed.
        requested_by: Who asked, an IAM principal.
        correlation_id: Of the request.
        created_at: First request, ISO 8601 in UTC.
        updated_at: Last write, ISO 8601 in UTC.
        run_since: When an execution of the CodePipeline was last asked for, by a new source or a
            start; until it begins, CodePipeline shows the one before. ISO 8601 in UTC.
        lease_until: While applying: when the claim lapses. ISO 8601 in UTC.
        message: Why the state is what it is, for a person.
        origin: Folder or Git source that the last request with one came from; only what has the
            same origin is removed with it. Empty for a pipeline that was requested by itself.
        asked: The request as it was asked for, canonical JSON, for starting it again.
        request: The request with everything filled in that the place told, canonical JSON.
    """

    pipeline_id: str
    kind: str
    model_name: str
    state: RecordState
    revision: int
    request_digest: str
    request_key: str
    source_digest: str
    plan_digest: str
    stages: tuple[str, ...]
    requested_by: str
    correlation_id: str
    created_at: str
    updated_at: str
    run_since: str = ""
    lease_until: str = ""
    message: str = ""
    origin: str = ""
    asked: str = ""
    request: str = ""

    def to_item(self) -> dict[str, Any]:
        """The record as plain JSON values."""
        return {**asdict(self), "state": self.state.value, "stages": list(self.stages)}

    @classmethod
    def from_item(cls, item: Mapping[str, Any]) -> Self:
        """The record that :meth:`to_item` wrote; values of later versions are left out."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in item.items() if name in known}
        values["state"] = RecordState(values["state"])
        values["revision"] = int(values["revision"])
        values["stages"] = tuple(values["stages"])
        return cls(**values)

    def awaits_run(self, pipeline: CodePipelineState) -> bool:
        """Whether the execution that was asked for last has not begun yet."""
        if not self.run_since:
            return False
        return not pipeline.has_run_since(datetime.fromisoformat(self.run_since))

    def is_claimed(self, now: datetime) -> bool:
        """Whether somebody is applying a request right now."""
        return self.state is RecordState.APPLYING and now < datetime.fromisoformat(self.lease_until)


@dataclass(frozen=True)
class RecordPage:
    """Some records, and where the next ones begin; empty ``next_token`` at the end."""

    records: tuple[PipelineRecord, ...]
    next_token: str = ""
