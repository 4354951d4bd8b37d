"""Approval of a model starts its delivery, rejection of the one in service takes it back.

A person's word in the model registry changes which version of a group is the newest approved one.
Every pipeline that serves the group is asked for again, with the request it was last asked for
with; where its version did not change, nothing happens.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from mlops_framework.errors import BlueprintUnknown, RequestInvalid
from mlops_framework.orchestration.errors import PipelineBusy
from mlops_framework.orchestration.model_groups import groups_served
from mlops_framework.orchestration.provisioning import Requester
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.service import Orchestrator

LOGGER = logging.getLogger(__name__)
_LEAVING: Final = (RecordState.DELETING, RecordState.DELETE_FAILED)


@dataclass(frozen=True)
class Started:
    """What the change of a group meant for one pipeline.

    Attributes:
        pipeline_id: The pipeline.
        outcome: What became of it: the outcome of its request, ``refused``, or ``busy``.
        message: For a person.
    """

    pipeline_id: str
    outcome: str
    message: str


Word = Literal["Approved", "Rejected"]


class ModelApprovals:
    """The use case behind SageMaker's event *Model Package State Change*.

    Args:
        orchestrator: Plans and applies requests.
    """

    def __init__(self, orchestrator: Orchestrator) -> None:
        self._orchestrator = orchestrator

    def decided(
        self, group: str, package: str, word: Word, *, correlation_id: str
    ) -> tuple[Started, ...]:
        """Ask again for every pipeline that serves the group.

        Args:
            group: The model package group.
            package: ARN of the version that was decided on.
            word: The decision.
            correlation_id: Of the event.

        Returns:
            One entry a pipeline; none where nobody serves the group. A ``busy`` one has to be
            asked for again later.
        """
        noun = "approval" if word == "Approved" else "rejection"
        requester = Requester(f"{noun} of {package}", correlation_id)
        return tuple(self._start(record, requester) for record in self._serving(group))

    def _serving(self, group: str) -> Iterator[PipelineRecord]:
        for record in self._orchestrator.records():
            if record.state in _LEAVING or not (record.request and record.asked):
                continue
            if group in groups_served(json.loads(record.request)):
                yield record

    def _start(self, record: PipelineRecord, requester: Requester) -> Started:
        try:
            done = self._orchestrator.provision(json.loads(record.asked), requester)
        except PipelineBusy as busy:
            return Started(record.pipeline_id, "busy", str(busy))
        except (RequestInvalid, BlueprintUnknown) as refusal:
            LOGGER.warning("%s stays as it is: %s", record.pipeline_id, refusal)
            self._orchestrator.announce_refusal(record, requester, str(refusal))
            return Started(record.pipeline_id, "refused", str(refusal))
        return Started(done.pipeline_id, done.outcome.value, done.message)
