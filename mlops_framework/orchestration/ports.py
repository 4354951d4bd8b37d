"""What the orchestrator needs of the world, as Protocols.

``mlops_framework.aws`` implements them with boto3, ``mlops_framework.testing`` in memory; one test
suite runs on both. An implementation raises ``ServiceRefused`` or one of its children when a
service says no, and the port's own conditions where a method names them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

from mlops_framework.orchestration.code_pipeline import CodePipelineState
from mlops_framework.orchestration.records import PipelineRecord, RecordPage
from mlops_framework.orchestration.stack import ResourceFailure, Stack

Clock = Callable[[], datetime]
"""The present, with a time zone."""
Pause = Callable[[float], None]
"""Waits for some seconds."""


class RecordStore(Protocol):
    """Pipeline records with optimistic locking."""

    def get(self, pipeline_id: str) -> PipelineRecord | None:
        """The record as last written (a consistent read), or nothing."""

    def put(self, record: PipelineRecord, *, expected_revision: int | None) -> None:
        """Write the record if the stored revision is the expected one; ``None`` = if there is none.

        Raises:
            RecordChanged: If it is another.
        """

    def delete(self, pipeline_id: str, *, expected_revision: int) -> None:
        """Remove the record if its revision is the expected one; removing nothing is fine.

        Raises:
            RecordChanged: If it is another.
        """

    def page(self, *, limit: int, token: str = "") -> RecordPage:
        """Up to ``limit`` records from where ``token``, the ``next_token`` of a page, says."""


class StackGateway(Protocol):
    """CloudFormation stacks. Every call returns at once; CloudFormation works on."""

    def describe(self, name: str) -> Stack | None:
        """The stack, or nothing when there is none."""

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
        """Begin to create the stack; a second call with the same token is the first.

        Raises:
            PipelineBusy: If a stack of that name exists by now.
        """

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
        """Begin to update the stack.

        Returns:
            Whether there was anything to update.
        """

    def delete(self, name: str) -> None:
        """Begin to delete the stack with the role it was made with; deleting nothing is fine."""

    def continue_rollback(self, name: str, *, skip: Sequence[str] = ()) -> None:
        """Continue a rollback that failed.

        Args:
            name: The stack.
            skip: Resources that are left as they are, of those that could not be rolled back.
        """

    def rollback_failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """What could not be rolled back when that was last tried; these may be skipped."""

    def failures(self, name: str) -> tuple[ResourceFailure, ...]:
        """What failed in the stack's last operation, first cause first; empty without a stack."""


class PipelineGateway(Protocol):
    """CodePipelines."""

    def state(self, name: str) -> CodePipelineState | None:
        """The pipeline's state, or nothing when there is none."""

    def start(self, name: str, *, token: str) -> str:
        """Start an execution; a second call with the same token is the first.

        Returns:
            The execution's id.

        Raises:
            PipelineMissing: If there is no such pipeline.
        """


class ObjectStore(Protocol):
    """Objects of the artifact bucket."""

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """Write an object; the bucket keeps what was there as an older version."""

    def put_once(self, key: str, body: bytes, *, content_type: str) -> bool:
        """Write an object unless there is one.

        Returns:
            Whether it was written.
        """

    def exists(self, key: str) -> bool:
        """Whether there is such an object."""

    def delete(self, key: str) -> None:
        """Mark an object as deleted; older versions stay. Deleting nothing is fine."""


class TeardownStarter(Protocol):
    """Starts the asynchronous removal of a pipeline."""

    def start(self, pipeline_id: str) -> None:
        """Ask for it; returns before it begins."""


class ContinuationStarter(Protocol):
    """Lets a request go on by itself when it needs longer than its sender may wait."""

    def start(self, pipeline_id: str, revision: int) -> None:
        """Ask for it; returns before it begins.

        Args:
            pipeline_id: The pipeline.
            revision: Of the record to go on from; at another one, somebody else went on.
        """


class ModelVersions(Protocol):
    """Versions in the model registry."""

    def newest_approved(self, group: str) -> str | None:
        """ARN of the newest approved version of a group, or nothing when none is approved.

        A group that does not exist has no version.
        """


class NoModelVersions:
    """The port ``ModelVersions`` where nothing is registered."""

    def newest_approved(self, group: str) -> str | None:
        """See ``ModelVersions.newest_approved``."""
        return None


class EventPublisher(Protocol):
    """Tells the rest of the account what happened, on the default event bus."""

    def publish(self, detail_type: str, detail: Mapping[str, object]) -> None:
        """Publish one event of the source ``mlops.orchestrator``."""


@dataclass(frozen=True)
class Ports:
    """Everything the use cases are given of the world."""

    records: RecordStore
    stacks: StackGateway
    pipelines: PipelineGateway
    objects: ObjectStore
    teardown: TeardownStarter
    events: EventPublisher
    now: Clock
    pause: Pause
    models: ModelVersions = field(default_factory=NoModelVersions)
    continuation: ContinuationStarter | None = None
    """Without it, whoever sent a request that needs longer has to send it again."""
