"""The use cases behind the API, one method each."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from mlops_framework.contracts.base import PipelineRequest, Place
from mlops_framework.errors import BlueprintUnknown, Fault, RequestInvalid
from mlops_framework.orchestration import conflicts
from mlops_framework.orchestration.documents import canonical_json
from mlops_framework.orchestration.errors import (
    PipelineBroken,
    PipelineUnknown,
    RecordChanged,
    ServiceRefused,
    TakenOver,
)
from mlops_framework.orchestration.gitops import FileFault, FolderPlan, Wanted, plan_folder
from mlops_framework.orchestration.links import Links, NoLinks
from mlops_framework.orchestration.looking import look
from mlops_framework.orchestration.model_groups import with_versions
from mlops_framework.orchestration.plan import (
    DeploymentPlan,
    EnvironmentView,
    TemplateSource,
    plan,
)
from mlops_framework.orchestration.ports import Ports
from mlops_framework.orchestration.predecessor import Setting, predecessor_state, understood
from mlops_framework.orchestration.provisioning import Provisioned, Provisioning, Requester
from mlops_framework.orchestration.records import PipelineRecord, RecordState
from mlops_framework.orchestration.status import Seen, describe
from mlops_framework.orchestration.teardown import describe_removal, kept_by, stacks_of
from mlops_framework.registry import Registry

LOGGER = logging.getLogger(__name__)
PAGE_LIMIT = 100
_STACK_ARN = re.compile(r"arn:aws[a-z-]*:cloudformation:[^:]+:[0-9]{12}:stack/([^/]+)/[^/]+")


@dataclass(frozen=True)
class Planned:
    """What a request comes to, and the request as it was asked for."""

    plan: DeploymentPlan
    asked: Mapping[str, Any]
    notes: tuple[str, ...] = ()
    """What of a predecessor's body is carried out in another way than it was asked."""


class Catalogue(TemplateSource, Protocol):
    """The enabled blueprints and their templates."""

    @property
    def registry(self) -> Registry:
        """The enabled blueprints."""


class Orchestrator:
    """What the API can do; ``lambdas/orchestrator`` and the tests are its callers.

    Args:
        catalogue: The enabled blueprints.
        ports: The world.
        environment: Where it is deployed.
        place: Region, account and data bucket, which requests are resolved with.
        delivery_role_arn: Role with which CloudFormation makes delivery stacks.
        setting: Where bodies of the predecessor are translated; the stages by their names, and
            paths in the data bucket, if not given.
        links: Where people look further.
    """

    def __init__(
        self,
        *,
        catalogue: Catalogue,
        ports: Ports,
        environment: EnvironmentView,
        place: Place,
        delivery_role_arn: str,
        setting: Setting | None = None,
        links: Links | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._ports = ports
        self._environment = environment
        self._place = place
        self._setting = setting or Setting(
            {stage: () for stage in environment.stages}, place.data_bucket
        )
        self._links = links or NoLinks()
        self._provisioning = Provisioning(ports, delivery_role_arn=delivery_role_arn)

    def provision(self, body: Any, requester: Requester) -> Provisioned:
        """Validate, plan and apply a request.

        Args:
            body: Decoded JSON.
            requester: Who asks.

        Raises:
            RequestInvalid: With every fault of the body.
            PipelineBusy: If the pipeline is being changed.
            PipelineBroken: If CloudFormation cannot bring its stacks where they have to be.
            CatalogueInvalid: If this deployment is broken.
            ServiceRefused: If an AWS service says no.
        """
        planned = self.planned(body)
        done = self._provisioning.apply(planned.plan, requester, asked=planned.asked)
        return replace(done, notes=planned.notes)

    def go_on(self, pipeline_id: str, revision: int, *, seconds: float) -> Provisioned:
        """Go on with a request that needed longer than its sender could wait.

        Args:
            pipeline_id: The pipeline.
            revision: Of the record, as the request was handed over.
            seconds: How long this run may wait.

        Raises:
            TakenOver: If somebody else went on with it.
            PipelineBroken: If CloudFormation cannot; the status says why.
            ServiceRefused: If an AWS service says no.
        """
        record = self._ports.records.get(pipeline_id)
        handed = record is not None and record.state is RecordState.APPLYING
        if record is None or not handed or record.revision != revision:
            raise TakenOver(f"The request for {pipeline_id} is no longer at revision {revision}.")
        try:
            planned = self.planned(json.loads(record.asked)).plan
        except Exception as fault:
            self._provisioning.give_up(record, fault)
            raise
        try:
            return self._provisioning.go_on(planned, record, seconds=seconds)
        except (PipelineBroken, ServiceRefused) as fault:
            # Its sender was told that it goes on, and no longer listens.
            requester = Requester(record.requested_by, record.correlation_id, record.origin)
            self.announce_refusal(record, requester, str(fault))
            raise

    def planned(self, body: Any) -> Planned:
        """Validate and plan a request; changes nothing.

        Args:
            body: Decoded JSON.

        Raises:
            RequestInvalid: With every fault of the body.
            CatalogueInvalid: If this deployment is broken.
            ServiceRefused: If the model registry says no.
        """
        with understood(body, self._setting) as ours:
            request = self._parsed(ours.body)
            asked = request.model_dump(mode="json", exclude_unset=True)
            versioned = with_versions(request, self._ports.models.newest_approved)
            resolved = versioned.resolved(self._place)
            planned = plan(resolved, self._catalogue, self._environment)
        return Planned(planned, asked, ours.notes)

    def _parsed(self, body: Any) -> PipelineRequest:
        try:
            return self._catalogue.registry.parse(
                body, stages=self._environment.stages, prefix=self._environment.prefix
            )
        except BlueprintUnknown as unknown:
            accepted = f"one of {', '.join(unknown.known)}"
            found = canonical_json(unknown.kind)[:200]
            fault = Fault("pipeline_type", str(unknown), accepted, found)
            raise RequestInvalid([fault]) from None

    def plan_folder(
        self,
        bodies: Mapping[str, Any],
        *,
        origin: str,
        prune: bool,
        faults: Sequence[FileFault] = (),
    ) -> FolderPlan:
        """What applying a folder of requests would do; changes nothing.

        Args:
            bodies: Decoded request by file.
            origin: The folder or Git source.
            prune: Whether pipelines of this origin that no file asks for are removed.
            faults: Of files that could not be decoded.

        Raises:
            CatalogueInvalid: If this deployment is broken.
            ServiceRefused: If an AWS service says no.
        """
        wanted: list[Wanted] = []
        found = list(faults)
        for file, body in sorted(bodies.items()):
            try:
                wanted.append(Wanted(file, self.planned(body).plan))
            except RequestInvalid as refused:
                found += [FileFault.of(file, fault) for fault in refused.faults]
        return plan_folder(origin, wanted, self.records(), prune=prune, faults=found)

    def records(self) -> Iterator[PipelineRecord]:
        """Every pipeline's record, as it was when its page was read."""
        token = ""
        while True:
            page = self._ports.records.page(limit=PAGE_LIMIT, token=token)
            yield from page.records
            token = page.next_token
            if not token:
                return

    def status(self, pipeline_id: str) -> dict[str, Any]:
        """How a pipeline is doing.

        Raises:
            PipelineUnknown: If there is none of that id.
            ServiceRefused: If an AWS service says no.
        """
        return describe(self._look(pipeline_id), self._environment.prefix, self._links)

    def predecessor_status(self, body: Any) -> dict[str, Any]:
        """The status with the predecessor's fields beside it.

        Args:
            body: ``{"pipeline_id": …}``: the id, or the delivery stack's ARN as before.

        Raises:
            RequestInvalid: If the body is not that.
            PipelineUnknown: If there is none of that id.
        """
        seen = self._look(self._identity(body))
        described = describe(seen, self._environment.prefix, self._links)
        return {**predecessor_state(seen.pipeline), **described}

    def pipelines(self, *, limit: int = PAGE_LIMIT, token: str = "") -> dict[str, Any]:
        """A page of pipelines, from their records only."""
        page = self._ports.records.page(limit=limit, token=token)
        return {
            "pipelines": [
                {
                    "pipeline_id": record.pipeline_id,
                    "pipeline_type": record.kind,
                    "model_name": record.model_name,
                    "state": record.state.value,
                    "origin": record.origin,
                    "requested_by": record.requested_by,
                    "created_at": record.created_at,
                    "updated_at": record.updated_at,
                }
                for record in page.records
            ],
            "next_token": page.next_token,
        }

    def delete(self, pipeline_id: str, requester: Requester) -> dict[str, Any]:
        """Mark a pipeline as being deleted and start its removal.

        Returns:
            What goes and what stays.

        Raises:
            PipelineUnknown: If there is none of that id.
            PipelineBusy: If a request is being applied to it.
        """
        record = self._record(pipeline_id)
        now = self._ports.now()
        if record.is_claimed(now):
            raise conflicts.claimed(record, now, "Send DELETE again afterwards.")
        marked = replace(
            record,
            state=RecordState.DELETING,
            revision=record.revision + 1,
            updated_at=now.isoformat(),
            requested_by=requester.identity,
            correlation_id=requester.correlation_id,
            lease_until="",
            message="",
        )
        try:
            self._ports.records.put(marked, expected_revision=record.revision)
        except RecordChanged:
            other = self._ports.records.get(pipeline_id)
            raise conflicts.came_first(pipeline_id, other, "DELETE") from None
        try:
            self._note_deletion(marked)
            self._ports.teardown.start(pipeline_id)
        except Exception as fault:
            self._deletion_never_began(marked, fault)
            raise
        names = stacks_of(self._environment.prefix, marked)
        kept = kept_by(self._environment, marked, self._template(marked.kind))
        return {
            "message": f"Pipeline {pipeline_id} is being deleted.",
            "pipeline_id": pipeline_id,
            **describe_removal(names, kept),
        }

    def announce_refusal(self, record: PipelineRecord, requester: Requester, reason: str) -> None:
        """Tell that something wanted to start a pipeline that stays as it is; never raises."""
        detail = {
            "version": 1,
            "pipeline_id": record.pipeline_id,
            "pipeline_type": record.kind,
            "model_name": record.model_name,
            "requested_by": requester.identity,
            "correlation_id": requester.correlation_id,
            "reason": reason,
        }
        try:
            self._ports.events.publish("Pipeline Start Refused", detail)
        except Exception:  # The log has it; a lost announcement must not hide the other pipelines.
            LOGGER.exception("could not announce that %s stays as it is", record.pipeline_id)

    def blueprints(self) -> dict[str, Any]:
        """The enabled blueprints."""
        return {
            "blueprints": [
                {
                    "pipeline_type": blueprint.kind,
                    "summary": blueprint.summary,
                    "after_deploy": blueprint.after_deploy,
                    "schema": f"/blueprints/{blueprint.kind}/schema",
                }
                for blueprint in self._catalogue.registry.blueprints
            ]
        }

    def schema(self, kind: str) -> dict[str, Any]:
        """JSON Schema of a blueprint's request.

        Raises:
            BlueprintUnknown: If there is no such blueprint.
        """
        return self._catalogue.registry.schema(kind)

    def _record(self, pipeline_id: str) -> PipelineRecord:
        record = self._ports.records.get(pipeline_id)
        if record is None:
            raise PipelineUnknown(pipeline_id)
        return record

    def _look(self, pipeline_id: str) -> Seen:
        record = self._record(pipeline_id)
        return look(record, self._ports, self._environment.prefix)

    def _deletion_never_began(self, marked: PipelineRecord, fault: Exception) -> None:
        """Say so in the record, which would say "deleting" for good."""
        said = f"The deletion could not be started: {fault}"
        state, revision = RecordState.DELETE_FAILED, marked.revision
        failed = replace(marked, state=state, message=said, revision=revision + 1)
        try:
            self._ports.records.put(failed, expected_revision=revision)
        except Exception:
            LOGGER.exception("%s stays marked as being deleted", marked.pipeline_id)

    def _identity(self, body: Any) -> str:
        given = body.get("pipeline_id") if isinstance(body, dict) else None
        if not isinstance(given, str) or not given.strip():
            raise RequestInvalid(
                [
                    Fault(
                        path="pipeline_id",
                        message="pipeline_id says which pipeline is meant.",
                        accepted="the pipeline_id that /provisionpipeline answered",
                        found="nothing" if given is None else canonical_json(given)[:200],
                    )
                ]
            )
        arn = _STACK_ARN.fullmatch(given.strip())
        if arn is None:
            return given.strip()
        return arn[1].removeprefix(f"{self._environment.prefix}-").removesuffix("-delivery")

    def _template(self, kind: str) -> Mapping[str, Any]:
        """The blueprint's template; nothing of a blueprint that is no longer enabled."""
        try:
            return self._catalogue.blueprint_template(kind)
        except BlueprintUnknown:
            return {}

    def _note_deletion(self, record: PipelineRecord) -> None:
        """The record goes with the pipeline; who removed it and when stays beside the requests."""
        folder = record.request_key.rpartition("/")[0]
        document = {
            "version": 1,
            "pipeline_id": record.pipeline_id,
            "deleted_by": record.requested_by,
            "deleted_at": record.updated_at,
            "correlation_id": record.correlation_id,
        }
        self._ports.objects.put_once(
            f"{folder}/deleted-{record.updated_at}.json",
            canonical_json(document).encode(),
            content_type="application/json",
        )
