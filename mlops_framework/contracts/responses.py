"""What the API answers. Python names inside, the wire's names outside (:meth:`Answer.to_body`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field

from mlops_framework.errors import BlueprintUnknown, Fault, RequestInvalid

PROBLEM_MEDIA_TYPE = "application/problem+json"
PROBLEM_TYPES = "urn:mlops-framework:problem:"
"""Begins every problem's ``type``: stable identifiers, not addresses that must be kept alive."""

Progress = Literal[
    "pending", "in-progress", "waiting-for-approval", "succeeded", "failed", "stopped"
]
Change = Literal["created", "updated", "unchanged"]


class Answer(BaseModel):
    """Base of everything the API answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    def to_body(self) -> dict[str, Any]:
        """JSON values under the wire's names, without what is not known."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


class ProvisionAccepted(Answer):
    """202: the pipeline is recorded and on its way."""

    message: str = Field(description="What happens now, one sentence.")
    pipeline_id: str = Field(description="Identity of the pipeline; the same request has the same.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    change: Change = Field(description="Whether the request made, changed or left the pipeline.")
    request_digest: str = Field(description="SHA-256 of the canonical request document.")
    status_url: str | None = Field(default=None, description="Where to ask for its status.")


class ActionStatus(Answer):
    """One action of a delivery stage."""

    action: str = Field(description="Name of the CodePipeline action.")
    status: Progress = Field(description="How far it is.")
    resource: str | None = Field(
        default=None, description="What failed or waits: a stack's resource, a job, an endpoint."
    )
    reason: str | None = Field(default=None, description="The service's own words.")
    next_step: str | None = Field(default=None, description="What to do about it.")
    url: str | None = Field(default=None, description="Where to look.")


class StageStatus(Answer):
    """One delivery stage with its actions, in order."""

    stage: str = Field(description="Name of the stage.")
    status: Progress = Field(description="The worst of its actions.")
    actions: tuple[ActionStatus, ...] = Field(default=(), description="In order.")


class PipelineStatus(Answer):
    """A pipeline's state, and in CodePipeline's own words what the predecessor answered with."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    status: Progress = Field(description="How far the latest execution is.")
    message: str = Field(description="The state in one sentence.")
    stages: tuple[StageStatus, ...] = Field(default=(), description="Delivery stages, in order.")

    pipeline_name: str | None = Field(
        default=None, alias="pipelineName", description="Name of the CodePipeline."
    )
    pipeline_version: int | None = Field(
        default=None, alias="pipelineVersion", description="Version of its structure."
    )
    stage_states: tuple[Mapping[str, Any], ...] | None = Field(
        default=None,
        alias="stageStates",
        description="GetPipelineState's stages, without approval tokens.",
    )
    created: str | None = Field(default=None, description="ISO 8601, UTC.")
    updated: str | None = Field(default=None, description="ISO 8601, UTC.")


class PipelineSummary(Answer):
    """One row of the list of pipelines."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    status: str = Field(description="State of its record.")
    owner: str | None = Field(default=None, description="Person or team responsible.")
    created: str | None = Field(default=None, description="ISO 8601, UTC.")
    updated: str | None = Field(default=None, description="ISO 8601, UTC.")


class PipelineList(Answer):
    """Pipelines of this environment, sorted by id."""

    pipelines: tuple[PipelineSummary, ...] = Field(description="One page of them.")
    next_token: str | None = Field(default=None, description="Ask with it for the next page.")


class DeletionAccepted(Answer):
    """202: the pipeline is being taken down."""

    message: str = Field(description="What happens now, one sentence.")
    pipeline_id: str = Field(description="Identity of the pipeline.")
    kept: tuple[str, ...] = Field(default=(), description="What stays: data, models, records.")


class BlueprintSummary(Answer):
    """One blueprint that this environment offers."""

    kind: str = Field(description="Value of pipeline_type.")
    summary: str = Field(description="One sentence.")
    schema_url: str | None = Field(default=None, description="Where its JSON Schema is.")


class BlueprintList(Answer):
    """The blueprints this environment offers, sorted by kind."""

    blueprints: tuple[BlueprintSummary, ...] = Field(description="All of them.")


class ProblemError(Answer):
    """One fault of a request."""

    path: str = Field(description="Where, as dotted keys; empty for the whole body.")
    message: str = Field(description="What is wrong and what to do.")
    accepted: str = Field(description="What would be right.")
    found: str = Field(description="What is there, shortened.")


class Problem(Answer):
    """An error as RFC 9457 problem details, with the predecessor's two fields."""

    type: str = Field(default="about:blank", description="Stable identifier of the condition.")
    title: str = Field(description="The condition; the same for every occurrence.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="This occurrence.")
    instance: str | None = Field(default=None, description="Correlation id, found in the logs.")
    errors: tuple[ProblemError, ...] = Field(default=(), description="Every fault at once.")
    message: str = Field(description="As title; the predecessor's field.")
    detailed_message: str = Field(
        alias="detailedMessage", description="As detail; the predecessor's field."
    )

    @classmethod
    def of(
        cls,
        name: str,
        *,
        title: str,
        status: int,
        detail: str,
        instance: str | None = None,
        faults: tuple[Fault, ...] = (),
    ) -> Self:
        """A problem of a kebab-case name, with the predecessor's fields filled in."""
        return cls(
            type=f"{PROBLEM_TYPES}{name}",
            title=title,
            status=status,
            detail=detail,
            instance=instance,
            errors=tuple(
                ProblemError(
                    path=fault.path,
                    message=fault.message,
                    accepted=fault.accepted,
                    found=fault.found,
                )
                for fault in faults
            ),
            message=title,
            detailed_message=detail,
        )

    @classmethod
    def of_request(cls, fault: RequestInvalid, *, instance: str | None = None) -> Self:
        """400 with every fault of the body."""
        return cls.of(
            "request-invalid",
            title="The request is not valid.",
            status=400,
            detail=str(fault),
            instance=instance,
            faults=fault.faults,
        )

    @classmethod
    def of_blueprint(cls, unknown: BlueprintUnknown, *, instance: str | None = None) -> Self:
        """404 that names the known blueprints."""
        accepted = "one of " + ", ".join(unknown.known)
        fault = Fault("pipeline_type", str(unknown), accepted, f'"{unknown.kind}"')
        return cls.of(
            "blueprint-unknown",
            title="There is no such blueprint.",
            status=404,
            detail=str(unknown),
            instance=instance,
            faults=(fault,),
        )
