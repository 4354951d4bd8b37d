"""Carries out a plan: record, source archive, delivery stack.

A run that stopped half way is finished by the same request; one that needs longer than its sender
may wait goes on by itself.

The order matters. The claim on the record comes first, so that two requests cannot mix. A new
delivery stack is created after its source, because CodePipeline starts an execution on creation. An
existing one is updated before the new source is put, because that source starts an execution, which
must find the stages it was written for.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from mlops_framework.orchestration import conflicts
from mlops_framework.orchestration.claims import Claims, Requester
from mlops_framework.orchestration.code_pipeline import CodePipelineState
from mlops_framework.orchestration.documents import canonical_json
from mlops_framework.orchestration.errors import PipelineBroken, PipelineBusy, TakenOver
from mlops_framework.orchestration.mending import Mending
from mlops_framework.orchestration.patience import Patience, PatienceEnded
from mlops_framework.orchestration.plan import DeploymentPlan
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.stack import Condition, Stack

__all__ = ["WAIT_SECONDS", "Outcome", "Provisioned", "Provisioning", "Requester"]

LOGGER = logging.getLogger(__name__)
WAIT_SECONDS: Final = 18.0
"""Of the 29 seconds that API Gateway gives a request."""


class Outcome(StrEnum):
    """What a request came to."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"
    REPAIRED = "repaired"
    RESTARTED = "restarted"
    CONTINUES = "continues"
    """It needs longer than its sender may wait, and goes on by itself."""


_SAID: Final = {
    Outcome.CREATED: "success: stack creation started",
    Outcome.UPDATED: "Pipeline {0} is already provisioned. Updating template parameters.",
    Outcome.UNCHANGED: "Pipeline {0} is already provisioned as requested. Nothing to change.",
    Outcome.REPAIRED: "Pipeline {0} was broken. It is repaired and running again.",
    Outcome.RESTARTED: "Pipeline {0} had failed. It is running again.",
    Outcome.CONTINUES: "Pipeline {0} is being brought to what the request asks. {1} The request "
    "goes on by itself; GET /pipelines/{0} shows how far it is.",
}
"""The first two are the predecessor's words, which its clients may look for."""
_ON_ITS_WAY: Final = "Pipeline {0} is being set up as requested. Nothing to change."


@dataclass(frozen=True)
class Provisioned:
    """Answer to a provisioning request; ``notes`` where it was translated into another form."""

    pipeline_id: str
    outcome: Outcome
    message: str
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Done:
    """What was done, and whether an execution of the CodePipeline comes of it."""

    outcome: Outcome
    runs: bool


class Provisioning:
    """Brings the world to what a plan says.

    Args:
        ports: The world.
        delivery_role_arn: Role with which CloudFormation makes delivery stacks.
    """

    def __init__(self, ports: Ports, *, delivery_role_arn: str) -> None:
        self._ports = ports
        self._claims = Claims(ports)
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
            PipelineBusy: If it is being changed or removed by another request.
            PipelineBroken: If CloudFormation cannot bring its stacks where they have to be.
            ServiceRefused: If an AWS service says no; the record then says that it was interrupted.
        """
        record = self._ports.records.get(plan.pipeline_id)
        self._claims.refuse_if_taken(record)
        stack = self._ports.stacks.describe(plan.delivery_stack)
        if stack is not None and stack.condition is Condition.BUSY and not stack.is_being_undone:
            if _is_wanted(record, plan):
                said = _ON_ITS_WAY.format(plan.pipeline_id)
                return Provisioned(plan.pipeline_id, Outcome.UNCHANGED, said)
            raise conflicts.moving(plan.pipeline_id, stack, record)
        state = self._ports.pipelines.state(plan.code_pipeline) if stack else None
        if self._is_settled(record, plan, stack, state):
            self._claims.note(record, requester, asked or plan.request)
            return _answer(plan, Outcome.UNCHANGED)
        claim = self._claims.take(record, plan, requester, asked or plan.request, WAIT_SECONDS)
        return self._run(plan, claim, record, WAIT_SECONDS)

    def go_on(self, plan: DeploymentPlan, record: PipelineRecord, *, seconds: float) -> Provisioned:
        """Go on with a request that needed longer than its sender could wait.

        Args:
            plan: What is wanted.
            record: Its claim, as it was handed over.
            seconds: How long this run may wait; longer, and the next one goes on.

        Raises:
            TakenOver: If somebody else went on with it.
            PipelineBroken: As :meth:`apply` does; the record then says why.
            ServiceRefused: Likewise.
        """
        requester = Requester(record.requested_by, record.correlation_id, record.origin)
        asked = json.loads(record.asked)
        try:
            claim = self._claims.take(
                record, plan, requester, asked, seconds, message=record.message
            )
        except PipelineBusy as busy:
            raise TakenOver(str(busy)) from None
        return self._run(plan, claim, record, seconds)

    def give_up(self, record: PipelineRecord, fault: Exception) -> None:
        """Note that a request which was to go on by itself cannot."""
        self._claims.interrupted(record, fault)

    def _run(
        self,
        plan: DeploymentPlan,
        claim: PipelineRecord,
        record: PipelineRecord | None,
        seconds: float,
    ) -> Provisioned:
        try:
            done = self._carry_out(plan, claim, record, Patience(self._ports.pause, seconds))
        except PatienceEnded as ended:
            waits = self._claims.hand_over(claim, ended)
            return Provisioned(
                plan.pipeline_id,
                Outcome.CONTINUES,
                _SAID[Outcome.CONTINUES].format(plan.pipeline_id, waits),
            )
        except Exception as fault:
            self._claims.interrupted(claim, fault)
            raise
        self._claims.finish(claim, plan, runs=done.runs)
        self._publish(plan, claim, done.outcome)
        return _answer(plan, done.outcome)

    def _is_settled(
        self,
        record: PipelineRecord | None,
        plan: DeploymentPlan,
        stack: Stack | None,
        state: CodePipelineState | None,
    ) -> bool:
        # A stack that was rolled back works as before; whether its last update was given up is for
        # the record to say, which is then not ``applied``.
        stands = stack is not None and stack.works and state is not None
        if not (stands and _is_wanted(record, plan)) or _failed(record, state):
            return False
        return not self._lacks(plan, record, state)

    def _lacks(
        self, plan: DeploymentPlan, record: PipelineRecord | None, state: CodePipelineState | None
    ) -> bool:
        """Whether a stage that was delivered is no longer there, or broken since."""
        if state is None or state.status != "Succeeded":
            return False
        if record is not None and record.awaits_run(state):
            return False
        found = (self._ports.stacks.describe(stage.stack_name) for stage in plan.stages)
        return any(
            stack is None or not (stack.works or stack.condition is Condition.BUSY)
            for stack in found
        )

    def _carry_out(
        self,
        plan: DeploymentPlan,
        claim: PipelineRecord,
        record: PipelineRecord | None,
        patience: Patience,
    ) -> _Done:
        self._ports.objects.put_once(
            plan.request_key, _request_document(plan, claim), content_type="application/json"
        )
        for key, text in plan.documents.items():
            kind = "application/json" if key.endswith(".json") else "text/plain"
            self._ports.objects.put_once(key, text.encode(), content_type=kind)
        mending = Mending(self._ports.stacks, patience, plan.pipeline_id)
        mended = [stage.name for stage in plan.stages if mending.stage(stage.stack_name)]
        stack, was_stuck = self._delivery_stack(plan, mending)
        state = self._ports.pipelines.state(plan.code_pipeline) if stack else None
        if stack is None or state is None:
            if stack is not None:
                mending.remove(stack)
            self._put_source(plan)
            self._create(plan, claim)
            return _Done(Outcome.CREATED if record is None else Outcome.REPAIRED, runs=True)
        failed = _failed(record, state)
        broken = bool(mended) or self._lacks(plan, record, state)
        done = self._update(plan, claim, mending, start=failed or broken)
        # A run that only failed is started again; whatever else had to be started was broken.
        repaired = was_stuck or (done.outcome is Outcome.RESTARTED and not failed)
        return replace(done, outcome=Outcome.REPAIRED) if repaired else done

    def _delivery_stack(self, plan: DeploymentPlan, mending: Mending) -> tuple[Stack | None, bool]:
        """The delivery stack if it can be updated, and whether its rollback had to be continued.

        It holds nothing that cannot be made again, so what cannot be rolled back is removed.
        """
        stack = mending.settled(plan.delivery_stack)
        if stack is None or stack.works:
            return stack, False
        if stack.condition is Condition.STUCK:
            try:
                return mending.roll_back(stack), True
            except PipelineBroken as broken:
                LOGGER.warning("%s It is removed and made again.", broken)
                stack = mending.settled(plan.delivery_stack)
        if stack is not None:
            mending.remove(stack)
        return None, True

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
        self, plan: DeploymentPlan, claim: PipelineRecord, mending: Mending, *, start: bool
    ) -> _Done:
        changed = self._ports.stacks.update(
            plan.delivery_stack,
            template=plan.delivery_template,
            parameters=plan.delivery_parameters,
            tags=plan.delivery_tags,
            role_arn=self._role,
            token=_token(plan, claim),
        )
        if changed:
            self._until_deployed(plan, mending)
        same_source = claim.source_digest == plan.source_digest
        if not same_source or not self._ports.objects.exists(plan.source_key):
            self._put_source(plan)
            return _Done(Outcome.UPDATED, runs=True)
        if start:
            self._ports.pipelines.start(plan.code_pipeline, token=_token(plan, claim))
            return _Done(Outcome.RESTARTED, runs=True)
        return _Done(Outcome.UPDATED, runs=False)

    def _until_deployed(self, plan: DeploymentPlan, mending: Mending) -> None:
        stack = mending.settled(plan.delivery_stack)
        if stack is not None and stack.condition is Condition.DEPLOYED:
            return
        status = stack.status if stack else "gone"
        causes = "; ".join(map(str, self._ports.stacks.failures(plan.delivery_stack)))
        raise PipelineBroken(
            f"The delivery stack {plan.delivery_stack} could not be updated and is {status}: "
            f"{causes or (stack.reason if stack else '') or 'CloudFormation gives no reason'}",
            next_step="Remove the cause that CloudFormation names and send the same request again.",
            pipeline_id=plan.pipeline_id,
        )

    def _put_source(self, plan: DeploymentPlan) -> None:
        self._ports.objects.put(plan.source_key, plan.source, content_type="application/zip")

    def _publish(self, plan: DeploymentPlan, claim: PipelineRecord, outcome: Outcome) -> None:
        detail = {
            "version": 1,
            "pipeline_id": plan.pipeline_id,
            "pipeline_type": plan.kind,
            "model_name": plan.model_name,
            "outcome": outcome.value,
            "requested_by": claim.requested_by,
            "correlation_id": claim.correlation_id,
            "request_key": plan.request_key,
        }
        try:
            self._ports.events.publish("Pipeline Requested", detail)
        except Exception:  # The pipeline exists; a lost announcement must not say otherwise.
            LOGGER.exception("could not announce %s", plan.pipeline_id)


def _is_wanted(record: PipelineRecord | None, plan: DeploymentPlan) -> bool:
    """Whether the last request was for the same, and was applied to its end."""
    return (
        record is not None
        and record.state is RecordState.APPLIED
        and record.plan_digest == plan.digest
    )


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
