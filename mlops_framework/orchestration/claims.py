"""The claim of a request on a pipeline's record: taken, handed over, given up, finished.

One claim at a time: it is written on the condition that nobody wrote the record meanwhile, so that
of two requests at once one wins. It lapses, so that nothing stays claimed by what has died.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration import conflicts
from mlops_framework.orchestration.documents import canonical_json
from mlops_framework.orchestration.errors import PipelineBroken, PipelineBusy, RecordChanged
from mlops_framework.orchestration.patience import PatienceEnded
from mlops_framework.orchestration.plan import DeploymentPlan
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.records import PipelineRecord, RecordState

LOGGER = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=42)
"""Added to what a request may wait: longer than it can live, so that a claim lapses only when its
owner is dead."""
HANDOVER: Final = timedelta(minutes=5)
"""How long a request that is to go on by itself waits for the function that goes on with it."""


@dataclass(frozen=True)
class Requester:
    """Who asks, and the id that ties log lines, record and answer together.

    ``origin`` is the folder or Git source that the request stands in, if it stands in one.
    """

    identity: str
    correlation_id: str
    origin: str = ""


class Claims:
    """Writes the record for the request that has claimed it.

    Args:
        ports: The world.
    """

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def refuse_if_taken(self, record: PipelineRecord | None) -> None:
        """Find that nobody else is at work on the pipeline.

        Raises:
            PipelineBusy: If somebody is.
        """
        if record is None:
            return
        if record.state is RecordState.DELETING:
            raise conflicts.deleting(record)
        now = self._ports.now()
        if record.is_claimed(now):
            raise conflicts.claimed(record, now, "Send this one again afterwards.")

    def note(
        self, record: PipelineRecord | None, requester: Requester, asked: Mapping[str, Any]
    ) -> None:
        """Note where the pipeline, as it is, stands now, and what was asked for."""
        if record is None or (record.asked and requester.origin in ("", record.origin)):
            return
        # Not the time of the write: nothing was requested that a run would have to follow.
        noted = replace(
            record,
            revision=record.revision + 1,
            origin=requester.origin or record.origin,
            asked=canonical_json(dict(asked)),
        )
        try:
            self._ports.records.put(noted, expected_revision=record.revision)
        except RecordChanged:
            raise self._came_first(record.pipeline_id) from None

    def take(
        self,
        record: PipelineRecord | None,
        plan: DeploymentPlan,
        requester: Requester,
        asked: Mapping[str, Any],
        seconds: float,
        *,
        message: str = "",
    ) -> PipelineRecord:
        """Claim the pipeline for a request.

        Args:
            record: As it was read; the claim is only taken if it still is so.
            plan: What is wanted.
            requester: Who wants it.
            asked: The request before anything was filled in.
            seconds: How long the request may wait.
            message: What it waits for, if it has waited already.

        Raises:
            PipelineBusy: If another request came first.
        """
        now = self._ports.now()
        planned = tuple(stage.name for stage in plan.stages)
        former = tuple(s for s in record.stages if s not in planned) if record else ()
        claim = PipelineRecord(
            pipeline_id=plan.pipeline_id,
            kind=plan.kind,
            model_name=plan.model_name,
            state=RecordState.APPLYING,
            revision=record.revision + 1 if record else 1,
            request_digest=plan.request_digest,
            request_key=plan.request_key,
            source_digest=record.source_digest if record else "",
            plan_digest=plan.digest,
            stages=(*former, *planned),
            requested_by=requester.identity,
            correlation_id=requester.correlation_id,
            created_at=record.created_at if record else now.isoformat(),
            updated_at=now.isoformat(),
            run_since=record.run_since if record else "",
            lease_until=(now + LEASE + timedelta(seconds=seconds)).isoformat(),
            message=message,
            origin=requester.origin or (record.origin if record else ""),
            asked=canonical_json(dict(asked)),
            request=canonical_json(dict(plan.request)),
        )
        try:
            self._ports.records.put(claim, expected_revision=record.revision if record else None)
        except RecordChanged:
            raise self._came_first(plan.pipeline_id) from None
        return claim

    def _came_first(self, pipeline_id: str) -> PipelineBusy:
        other = self._ports.records.get(pipeline_id)
        return conflicts.came_first(pipeline_id, other, "this one")

    def finish(self, claim: PipelineRecord, plan: DeploymentPlan, *, runs: bool) -> None:
        """Note that everything is as planned, and whether an execution comes of it."""
        self._write(
            replace(
                claim,
                state=RecordState.APPLIED,
                source_digest=plan.source_digest,
                run_since=claim.updated_at if runs else claim.run_since,
                lease_until="",
                message="",
            ),
            claim,
        )

    def hand_over(self, claim: PipelineRecord, ended: PatienceEnded) -> str:
        """Let the request go on by itself; the claim stays, so that no other one mixes in.

        Returns:
            What it waits for.

        Raises:
            PipelineBusy: If requests do not go on by themselves here.
            ServiceRefused: If it cannot be asked for.
        """
        waits = f"It waits for the stack {ended.name}, which is {ended.status}."
        starter = self._ports.continuation
        if starter is None:
            busy = PipelineBusy(
                f"{waits} Send the same request again in a minute: it goes on from here.",
                retry_after=60,
                pipeline_id=claim.pipeline_id,
            )
            self.interrupted(claim, busy)
            raise busy
        now = self._ports.now()
        handed = replace(
            claim,
            revision=claim.revision + 1,
            updated_at=now.isoformat(),
            lease_until=(now + HANDOVER).isoformat(),
            message=waits,
        )
        self._ports.records.put(handed, expected_revision=claim.revision)
        try:
            starter.start(claim.pipeline_id, handed.revision)
        except Exception as fault:
            self.interrupted(handed, fault)
            raise
        return waits

    def interrupted(self, claim: PipelineRecord, fault: Exception) -> None:
        """Free the claim at once, so that the same request need not wait for it to lapse."""
        ours = isinstance(fault, PipelineBusy | PipelineBroken | RequestInvalid)
        said = str(fault) if ours else type(fault).__name__
        try:
            self._write(
                replace(claim, state=RecordState.INTERRUPTED, lease_until="", message=said), claim
            )
        except Exception:
            LOGGER.exception("the claim on %s lapses by itself", claim.pipeline_id)

    def _write(self, record: PipelineRecord, former: PipelineRecord) -> None:
        now = self._ports.now().isoformat()
        self._ports.records.put(
            replace(record, revision=former.revision + 1, updated_at=now),
            expected_revision=former.revision,
        )
