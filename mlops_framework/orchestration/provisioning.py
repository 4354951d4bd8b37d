"""Carries out a plan: record, source archive, delivery stack.

A run that stopped half way is finished by the same request.

The order matters. The claim on the record comes first, so that two requests cannot mix. A new
delivery stack is created after its source, because CodePipeline starts an execution on creation. An
existing one is updated before the new source is put, because that source starts an execution, which
must find the stages it was written for.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from enum import StrEnum
from typing import Any, Final

from mlops_framework.orchestration.code_pipeline import CodePipelineState
from mlops_framework.orchestration.documents import canonical_json
from mlops_framework.orchestration.errors import PipelineBusy, RecordChanged
from mlops_framework.orchestration.patience import Patience, PatienceEnded
from mlops_framework.orchestration.plan import DeploymentPlan
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Condition, Stack

LOGGER = logging.getLogger(__name__)
LEASE: Final = timedelta(seconds=60)
"""Longer than the API may take, so that a claim lapses only when its owner is dead."""
WAIT_SECONDS: Final = 18.0
"""Of the 29 seconds that API Gateway gives a request."""


class Outcome(StrEnum):
    """What a request came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REPAIRED = "repaired"
    RESTARTED = "restarted"


_SAID: Final = {
    Outcome.CREATED: "success: stack creation started",
    Outcome.UPDATED: "Pipeline {0} is already provisioned. Updating template parameters.",
    Outcome.UNCHANGED: "Pipeline {0} is already provisioned as requested. Nothing to change.",
    Outcome.REPAIRED: "Pipeline {0} was broken. Its delivery stack is being created again.",
    Outcome.RESTARTED: "Pipeline {0} had failed. It is running again.",
}
"""The first two are the predecessor's words, which its clients may look for."""
_USABLE: Final = (Condition.DEPLOYED, Condition.ROLLED_BACK)
"""Conditions in which a delivery stack works. Rolled back, it works as before; whether its last
update was given up is for the record to say, which is then not ``applied``."""
_RUNS: Final = frozenset({Outcome.CREATED, Outcome.REPAIRED, Outcome.RESTARTED})
"""Outcomes that start an execution even where the source stays the same."""


@dataclass(frozen=True)
class Requester:
    """Who asks, and the id that ties log lines, record and answer together.

    ``origin`` is the folder or Git source that the request stands in, if it stands in one.
    """

    identity: str
    correlation_id: str
    origin: str = ""


@dataclass(frozen=True)
class Provisioned:
    """Answer to a provisioning request; ``notes`` where it was translated into another form."""

    pipeline_id: str
    outcome: Outcome
    message: str
    notes: tuple[str, ...] = ()


class Provisioning:
    """Brings the world to what a plan says.

    Args:
        ports: The world.
        delivery_role_arn: Role with which CloudFormation makes delivery stacks.
    """

    def __init__(self, ports: Ports, *, delivery_role_arn: str) -> None:
        self._ports = ports
        self._role = delivery_role_arn

    def apply(
        self,
        plan: DeploymentPlan,
        requester: Requester,
        *,
        asked: Mapping[str, Any] | None = None,
    ) -> Provisioned:
        """Create, update or repair the pipeline, or find that it is as planned.

        Args:
            plan: What is wanted.
            requester: Who wants it.
            asked: The request before anything was filled in; the plan's if not given.

        Raises:
            PipelineBusy: If it is being changed or removed, or needs longer than a request may.
            ServiceRefused: If an AWS service says no; the record then says that it was interrupted.
        """
        record = self._ports.records.get(plan.pipeline_id)
        self._refuse_if_claimed(plan.pipeline_id, record)
        stack = self._ports.stacks.describe(plan.delivery_stack)
        self._refuse_if_moving(plan, stack)
        state = self._ports.pipelines.state(plan.code_pipeline) if stack else None
        if (
            self._is_settled(record, plan, stack)
            and state is not None
            and not _failed(record, state)
        ):
            self._note(record, requester, asked or plan.request)
            return _answer(plan, Outcome.UNCHANGED)
        claim = self._claim(record, plan, requester, asked or plan.request)
        try:
            outcome = self._carry_out(plan, claim, record, stack, state)
        except Exception as fault:
            self._interrupted(claim, fault)
            raise
        self._finish(claim, plan, outcome)
        self._publish(plan, requester, outcome)
        return _answer(plan, outcome)

    def _refuse_if_claimed(self, pipeline_id: str, record: PipelineRecord | None) -> None:
        if record is None:
            return
        if record.state in (RecordState.DELETING, RecordState.DELETE_FAILED):
            raise PipelineBusy(
                f"Pipeline {pipeline_id!r} is being deleted. Wait until GET "
                f"/pipelines/{pipeline_id} answers 404; if its deletion has failed, send DELETE "
                "again first."
            )
        if record.is_claimed(self._ports.now()):
            raise PipelineBusy(
                f"Another request for pipeline {pipeline_id!r}, by {record.requested_by}, is being "
                f"applied (correlation id {record.correlation_id}). Send this one again afterwards."
            )

    def _refuse_if_moving(self, plan: DeploymentPlan, stack: Stack | None) -> None:
        if stack is None:
            return
        if stack.condition is Condition.BUSY:
            raise PipelineBusy(
                f"The delivery stack {stack.name} is {stack.status}. Send the request again when "
                f"it has settled; GET /pipelines/{plan.pipeline_id} shows it."
            )
        if stack.condition is Condition.STUCK:
            self._ports.stacks.continue_rollback(stack.name)
            raise PipelineBusy(
                f"The rollback of the delivery stack {stack.name} had failed "
                f"({stack.reason or 'no reason given'}) and is being continued. Send the request "
                "again in a minute."
            )

    @staticmethod
    def _is_settled(
        record: PipelineRecord | None, plan: DeploymentPlan, stack: Stack | None
    ) -> bool:
        return (
            record is not None
            and record.state is RecordState.APPLIED
            and record.plan_digest == plan.digest
            and stack is not None
            and stack.condition in _USABLE
        )

    def _note(
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
            raise PipelineBusy(
                f"Another request for pipeline {record.pipeline_id!r} came first. Send this one "
                "again if it is still wanted."
            ) from None

    def _claim(
        self,
        record: PipelineRecord | None,
        plan: DeploymentPlan,
        requester: Requester,
        asked: Mapping[str, Any],
    ) -> PipelineRecord:
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
            lease_until=(now + LEASE).isoformat(),
            origin=requester.origin or (record.origin if record else ""),
            asked=canonical_json(dict(asked)),
            request=canonical_json(dict(plan.request)),
        )
        try:
            self._ports.records.put(claim, expected_revision=record.revision if record else None)
        except RecordChanged:
            raise PipelineBusy(
                f"Another request for pipeline {plan.pipeline_id!r} came first. Look at "
                f"GET /pipelines/{plan.pipeline_id} and send this one again if it is still wanted."
            ) from None
        return claim

    def _carry_out(
        self,
        plan: DeploymentPlan,
        claim: PipelineRecord,
        record: PipelineRecord | None,
        stack: Stack | None,
        state: CodePipelineState | None,
    ) -> Outcome:
        patience = Patience(self._ports.pause, WAIT_SECONDS)
        self._ports.objects.put_once(
            plan.request_key, _request_document(plan, claim), content_type="application/json"
        )
        for key, text in plan.documents.items():
            kind = "application/json" if key.endswith(".json") else "text/plain"
            self._ports.objects.put_once(key, text.encode(), content_type=kind)
        self._clear_wrecks(plan, patience)
        renewed = stack is None or state is None or stack.condition not in _USABLE
        if renewed:
            if stack is not None:
                self._remove(stack, patience)
            self._put_source(plan)
            self._create(plan, claim)
            return Outcome.CREATED if record is None else Outcome.REPAIRED
        return self._update(plan, claim, patience, start=_failed(record, state))

    def _create(self, plan: DeploymentPlan, claim: PipelineRecord) -> None:
        self._ports.stacks.create(
            plan.delivery_stack,
            template=plan.delivery_template,
            parameters=plan.delivery_parameters,
            tags=plan.delivery_tags,
            role_arn=self._role,
            token=_token(plan, claim),
        )

    def _update(
        self,
        plan: DeploymentPlan,
        claim: PipelineRecord,
        patience: Patience,
        *,
        start: bool,
    ) -> Outcome:
        changed = self._ports.stacks.update(
            plan.delivery_stack,
            template=plan.delivery_template,
            parameters=plan.delivery_parameters,
            tags=plan.delivery_tags,
            role_arn=self._role,
            token=_token(plan, claim),
        )
        if changed:
            self._until_deployed(plan, patience)
        same_source = claim.source_digest == plan.source_digest
        if not same_source or not self._ports.objects.exists(plan.source_key):
            self._put_source(plan)
            return Outcome.UPDATED
        if start:
            self._ports.pipelines.start(plan.code_pipeline, token=_token(plan, claim))
            return Outcome.RESTARTED
        return Outcome.UPDATED

    def _until_deployed(self, plan: DeploymentPlan, patience: Patience) -> None:
        try:
            stack = patience.until(
                self._ports.stacks,
                plan.delivery_stack,
                lambda seen: seen is None or seen.condition is not Condition.BUSY,
            )
        except PatienceEnded as ended:
            raise PipelineBusy(
                f"The delivery stack {ended.name} is still {ended.status}. Send the same request "
                "again in a minute: it goes on from here."
            ) from None
        if stack is None or stack.condition is not Condition.DEPLOYED:
            status = stack.status if stack else "gone"
            raise PipelineBusy(
                f"The delivery stack {plan.delivery_stack} could not be updated and is {status}. "
                f"GET /pipelines/{plan.pipeline_id} names the resource and the reason."
            )

    def _clear_wrecks(self, plan: DeploymentPlan, patience: Patience) -> None:
        """Remove stage stacks whose first creation failed: no change set can be made for them."""
        for stage in plan.stages:
            stack = self._ports.stacks.describe(stage.stack_name)
            if stack is not None and stack.condition is Condition.WRECKED:
                self._remove(stack, patience)
            elif stack is not None and stack.condition is Condition.STUCK:
                self._ports.stacks.continue_rollback(stack.name)
                raise PipelineBusy(
                    f"The rollback of the stack {stack.name} had failed and is being continued. "
                    "Send the request again when it has settled."
                )

    def _remove(self, stack: Stack, patience: Patience) -> None:
        LOGGER.info("removing stack %s, which is %s", stack.name, stack.status)
        self._ports.stacks.delete(stack.name)
        try:
            patience.until(
                self._ports.stacks,
                stack.name,
                lambda seen: seen is None or seen.condition is Condition.GONE,
            )
        except PatienceEnded as ended:
            raise PipelineBusy(
                f"The stack {stack.name}, which was {stack.status}, is being removed to be made "
                f"again and is still {ended.status}. Send the same request again in a minute."
            ) from None

    def _put_source(self, plan: DeploymentPlan) -> None:
        self._ports.objects.put(plan.source_key, plan.source, content_type="application/zip")

    def _finish(self, claim: PipelineRecord, plan: DeploymentPlan, outcome: Outcome) -> None:
        runs = claim.source_digest != plan.source_digest or outcome in _RUNS
        self._write(
            replace(
                claim,
                state=RecordState.APPLIED,
                source_digest=plan.source_digest,
                run_since=claim.updated_at if runs else claim.run_since,
                lease_until="",
            ),
            claim,
        )

    def _interrupted(self, claim: PipelineRecord, fault: Exception) -> None:
        """Free the claim at once, so that the same request need not wait for it to lapse."""
        said = str(fault) if isinstance(fault, PipelineBusy) else type(fault).__name__
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

    def _publish(self, plan: DeploymentPlan, requester: Requester, outcome: Outcome) -> None:
        detail = {
            "version": 1,
            "pipeline_id": plan.pipeline_id,
            "pipeline_type": plan.kind,
            "model_name": plan.model_name,
            "outcome": outcome.value,
            "requested_by": requester.identity,
            "correlation_id": requester.correlation_id,
            "request_key": plan.request_key,
        }
        try:
            self._ports.events.publish("Pipeline Requested", detail)
        except Exception:  # The pipeline exists; a lost announcement must not say otherwise.
            LOGGER.exception("could not announce %s", plan.pipeline_id)


def _failed(record: PipelineRecord | None, state: CodePipelineState | None) -> bool:
    """Whether the last execution failed and none was asked for since."""
    if state is None or (record is not None and record.awaits_run(state)):
        return False
    return state.status in ("Failed", "Stopped")


def _answer(plan: DeploymentPlan, outcome: Outcome) -> Provisioned:
    return Provisioned(plan.pipeline_id, outcome, _SAID[outcome].format(plan.pipeline_id))


def _token(plan: DeploymentPlan, claim: PipelineRecord) -> str:
    return f"{plan.digest[:32]}-{claim.revision}"


def _request_document(plan: DeploymentPlan, claim: PipelineRecord) -> bytes:
    document = {
        "version": 1,
        "pipeline_id": plan.pipeline_id,
        "request": dict(plan.request),
        "request_digest": plan.request_digest,
        "source_digest": plan.source_digest,
        "requested_by": claim.requested_by,
        "requested_at": claim.updated_at,
        "correlation_id": claim.correlation_id,
    }
    return canonical_json(document).encode()
