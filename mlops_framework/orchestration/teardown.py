"""Takes a pipeline down, in order, and says what it keeps.

The delivery stack goes first: once the CodePipeline is gone nothing can deploy a stage again behind
the removal's back. The stage stacks follow, last stage first, each with the role it was made with.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from mlops_framework import naming
from mlops_framework.orchestration.errors import (
    RecordChanged,
    ServiceRefused,
    ServiceUnavailable,
)
from mlops_framework.orchestration.patience import Patience, PatienceEnded
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.orchestration.ports import (
    EventPublisher,
    ObjectStore,
    Pause,
    RecordStore,
    StackGateway,
)
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Condition, Stack

_AGAIN_SECONDS: Final = 10.0
LOGGER = logging.getLogger(__name__)


class Removal(StrEnum):
    """How far one run of the teardown got."""

    FINISHED = "finished"
    CONTINUES = "continues"
    FAILED = "failed"


@dataclass(frozen=True)
class Removed:
    """Result of one run; ``message`` is for the log and the record."""

    pipeline_id: str
    removal: Removal
    message: str


def stacks_of(prefix: str, record: PipelineRecord) -> tuple[str, ...]:
    """Names of the pipeline's stacks in the order in which they are removed."""
    stages = (
        naming.blueprint_stack(prefix, record.pipeline_id, stage)
        for stage in reversed(record.stages)
    )
    return (naming.delivery_stack(prefix, record.pipeline_id), *stages)


def kept_by(
    environment: EnvironmentView, record: PipelineRecord, template: Mapping[str, Any]
) -> tuple[str, ...]:
    """What a removal leaves behind, one phrase each.

    Args:
        environment: Where it is deployed.
        record: The pipeline.
        template: The blueprint's template; its retained resources are named.
    """
    source = naming.source_key(record.pipeline_id)
    requests = record.request_key.rpartition("/")[0]
    retained = tuple(
        f"{resource['Type']} {name} of each stage (DeletionPolicy {resource['DeletionPolicy']})"
        for name, resource in sorted(template.get("Resources", {}).items())
        if str(resource.get("DeletionPolicy", "")).startswith("Retain")
    )
    return (
        f"the request documents in s3://{environment.artifact_bucket}/{requests}/",
        f"the older versions of s3://{environment.artifact_bucket}/{source}",
        "data sets, model artifacts, registered model packages, captures and drift reports",
        *retained,
    )


class Teardown:
    """The asynchronous half of ``DELETE /pipelines/{id}``; may be run any number of times."""

    def __init__(
        self,
        *,
        records: RecordStore,
        stacks: StackGateway,
        objects: ObjectStore,
        events: EventPublisher,
        pause: Pause,
        environment: EnvironmentView,
    ) -> None:
        self._records = records
        self._stacks = stacks
        self._objects = objects
        self._events = events
        self._pause = pause
        self._environment = environment

    def run(self, pipeline_id: str, *, seconds: float) -> Removed:
        """Remove as much as can be removed in the given time.

        Args:
            pipeline_id: A pipeline whose record says that it is being deleted.
            seconds: Time budget for waiting.

        Returns:
            ``FINISHED``, ``CONTINUES`` (run it again) or ``FAILED`` (the record says why).
        """
        record = self._records.get(pipeline_id)
        if record is None:
            return Removed(pipeline_id, Removal.FINISHED, "There was nothing left to remove.")
        if record.state is not RecordState.DELETING:
            said = f"It is {record.state.value} and not being deleted; nothing was removed."
            return Removed(pipeline_id, Removal.FAILED, said)
        try:
            return self._run(record, Patience(self._pause, seconds))
        except PatienceEnded as ended:
            return Removed(pipeline_id, Removal.CONTINUES, f"Waiting for {ended}.")
        except ServiceUnavailable as fault:
            self._pause(_AGAIN_SECONDS)
            return Removed(pipeline_id, Removal.CONTINUES, f"{fault} It is tried again.")
        except ServiceRefused as fault:
            return self._note_failure(record, str(fault))
        except Exception as fault:
            # A record that says "deleting" while nobody deletes would hold the pipeline for good.
            self._note_failure(record, f"The removal broke: {type(fault).__name__}.")
            raise

    def _run(self, record: PipelineRecord, patience: Patience) -> Removed:
        for name in stacks_of(self._environment.prefix, record):
            left = self._remove(name, patience)
            if left is not None:
                return self._failed(record, left)
        self._objects.delete(naming.source_key(record.pipeline_id))
        return self._finished(record)

    def _remove(self, name: str, patience: Patience) -> Stack | None:
        """Delete one stack; returns what is left of it if CloudFormation could not."""
        stack = patience.until(self._stacks, name, _at_rest)
        if stack is None or stack.condition is Condition.GONE:
            return None
        LOGGER.info("deleting stack %s, which is %s", name, stack.status)
        self._stacks.delete(name)
        patience.breathe()
        stack = patience.until(self._stacks, name, _at_rest)
        return None if stack is None or stack.condition is Condition.GONE else stack

    def _failed(self, record: PipelineRecord, stack: Stack) -> Removed:
        causes = [
            f"{failure.resource} ({failure.type}): {failure.reason}"
            for failure in self._stacks.failures(stack.name)
        ]
        reason = "; ".join(causes) or stack.reason or "CloudFormation gives no reason"
        said = f"The stack {stack.name} could not be deleted ({stack.status}): {reason}"
        return self._note_failure(record, said)

    def _note_failure(self, record: PipelineRecord, said: str) -> Removed:
        try:
            self._records.put(
                replace(
                    record,
                    state=RecordState.DELETE_FAILED,
                    message=said,
                    revision=record.revision + 1,
                ),
                expected_revision=record.revision,
            )
        except RecordChanged:
            LOGGER.warning("%s was asked for again meanwhile", record.pipeline_id)
        return Removed(record.pipeline_id, Removal.FAILED, said)

    def _finished(self, record: PipelineRecord) -> Removed:
        try:
            self._records.delete(record.pipeline_id, expected_revision=record.revision)
        except RecordChanged:
            said = "Another deletion was asked for meanwhile; it finishes the removal."
            return Removed(record.pipeline_id, Removal.CONTINUES, said)
        self._announce(record)
        return Removed(record.pipeline_id, Removal.FINISHED, "Every stack of the pipeline is gone.")

    def _announce(self, record: PipelineRecord) -> None:
        detail = {
            "version": 1,
            "pipeline_id": record.pipeline_id,
            "pipeline_type": record.kind,
            "model_name": record.model_name,
            "requested_by": record.requested_by,
            "correlation_id": record.correlation_id,
        }
        try:
            self._events.publish("Pipeline Removed", detail)
        except Exception:  # It is gone; a lost announcement must not start the removal again.
            LOGGER.exception("could not announce the removal of %s", record.pipeline_id)


def _at_rest(stack: Stack | None) -> bool:
    return stack is None or stack.condition is not Condition.BUSY


def describe_removal(names: Iterable[str], kept: Iterable[str]) -> dict[str, list[str]]:
    """The part of DELETE's answer that says what goes and what stays."""
    return {"removes": list(names), "keeps": list(kept)}
