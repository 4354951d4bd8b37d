"""What the API answers, as published in its OpenAPI document.

The use cases build plain documents; a test holds those documents against these models, so that the
published description is what callers get. ``PascalCase`` statuses are phases of the framework or,
below stages, CodePipeline's own words.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

PROBLEM_MEDIA_TYPE = "application/problem+json"

Outcome = Literal["created", "updated", "unchanged", "repaired", "restarted", "continues"]
Status = Literal[
    "Requested",
    "Provisioning",
    "Delivering",
    "AwaitingApproval",
    "Delivered",
    "Failed",
    "Stopped",
    "Interrupted",
    "Deleting",
    "DeleteFailed",
]
SETTLED: frozenset[Status] = frozenset(
    {"AwaitingApproval", "Delivered", "Failed", "Stopped", "Interrupted", "DeleteFailed"}
)
"""Statuses that do not change until somebody does something."""


class Answer(BaseModel):
    """Base of everything the API answers."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)


class ProvisionAnswer(Answer):
    """The pipeline is recorded and on its way (202), or is as requested already (200).

    ``continues`` is a change that needs longer than an answer may: it goes on by itself.
    """

    message: str = Field(description="What happens now, one sentence.")
    pipeline_id: str = Field(description="Identity of the pipeline; the same request has the same.")
    outcome: Outcome = Field(description="What the request did to the pipeline.")
    notes: tuple[str, ...] | None = Field(
        default=None,
        description="What of a body of the AWS MLOps Framework 2.x is carried out in another way.",
    )


class StackStatus(Answer):
    """A CloudFormation stack."""

    stack: str = Field(description="Its name.")
    status: str = Field(description="CloudFormation's status, or NOT_CREATED.")
    reason: str = Field(description="CloudFormation's reason; empty if it gives none.")


class ActionStatus(Answer):
    """Latest run of one action of a stage."""

    name: str = Field(description="Name of the CodePipeline action.")
    status: str = Field(description="CodePipeline's word, or NotStarted.")
    summary: str = Field(description="What the action says of itself.")
    reason: str = Field(description="The service's own words about a failure.")
    changed_at: str = Field(description="Last change, ISO 8601; empty before the first run.")
    resource: str = Field(description="Id in the other service: a change set, an execution.")
    link: str = Field(description="Where to look further.")


class StageStatus(Answer):
    """Latest run of one stage of the delivery pipeline."""

    name: str = Field(description="Name of the CodePipeline stage.")
    status: str = Field(description="CodePipeline's word, or NotStarted.")
    is_current: bool = Field(description="Whether the newest execution has reached it.")
    actions: tuple[ActionStatus, ...] = Field(description="In order.")
    stack: str | None = Field(default=None, description="Stack that the stage deploys.")
    stack_status: str | None = Field(default=None, description="Its CloudFormation status.")
    outputs: Mapping[str, str] | None = Field(default=None, description="Its outputs.")


class PipelineProblem(Answer):
    """One known cause of a failure, the most telling first."""

    stage: str = Field(description="Stage it happened in.")
    action: str = Field(description="Action it happened in.")
    resource: str = Field(description="What failed: a stack's resource, a job, an endpoint.")
    resource_type: str = Field(description="Its CloudFormation type, if it has one.")
    reason: str = Field(description="The service's own words.")
    next: str = Field(description="What to do about it.")
    link: str = Field(description="Where to look further: the console, or the local AWS.")


class PipelineStatus(Answer):
    """How a pipeline is doing, and what to do next."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    status: Status = Field(description="Where it stands, in one word.")
    message: str = Field(description="Where it stands, in one sentence.")
    next: str = Field(description="What to do next.")
    link: str = Field(description="Where to look further: the console, or the local AWS.")
    requested_by: str = Field(description="Who sent the last request.")
    requested_at: str = Field(description="When, ISO 8601 in UTC.")
    created_at: str = Field(description="First request, ISO 8601 in UTC.")
    request: str = Field(description="Object key of the immutable request document.")
    correlation_id: str = Field(description="Of the last request, found in the logs.")
    execution_id: str = Field(description="Newest CodePipeline execution; empty before any.")
    delivery: StackStatus = Field(description="The stack that holds the CodePipeline.")
    stages: tuple[StageStatus, ...] = Field(description="Stages of the delivery pipeline.")
    problems: tuple[PipelineProblem, ...] = Field(description="Known causes of a failure.")


class PredecessorStatus(PipelineStatus):
    """The status with the predecessor's fields beside it, in CodePipeline's own form."""

    pipeline_name: str = Field(alias="pipelineName", description="The CodePipeline.")
    pipeline_version: int = Field(alias="pipelineVersion", description="Of its structure.")
    stage_states: tuple[Mapping[str, Any], ...] = Field(
        alias="stageStates", description="As GetPipelineState, without approval tokens."
    )
    created: str | None = Field(default=None, description="ISO 8601, UTC.")
    updated: str | None = Field(default=None, description="ISO 8601, UTC.")


class PipelineSummary(Answer):
    """One row of the list of pipelines."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: str = Field(description="The model it belongs to.")
    state: str = Field(description="How far the platform got with the last request.")
    origin: str = Field(description="Folder or Git source it came from; empty without one.")
    requested_by: str = Field(description="Who sent the last request.")
    created_at: str = Field(description="First request, ISO 8601 in UTC.")
    updated_at: str = Field(description="Last change of the record, ISO 8601 in UTC.")


class PipelineList(Answer):
    """A page of the pipelines of this environment."""

    pipelines: tuple[PipelineSummary, ...] = Field(description="The page.")
    next_token: str = Field(description="Ask with it for the next page; empty at the end.")


class PlannedField(Answer):
    """A field of a request that would get another value."""

    path: str = Field(description="Where, as dotted keys.")
    before: str = Field(description="As JSON text; nothing if it is not there.")
    after: str = Field(description="As JSON text; nothing if it is taken away.")


class PlannedPipeline(Answer):
    """What applying a folder would do to one pipeline."""

    pipeline_id: str = Field(description="Identity of the pipeline.")
    pipeline_type: str = Field(description="Kind of the blueprint.")
    change: Literal["add", "update", "no change", "remove", "keep"] = Field(
        description="What happens; keep: no file asks for it, and pruning is off."
    )
    file: str = Field(description="File that asks for it; empty without one.")
    fields: tuple[PlannedField, ...] = Field(description="What changes.")
    why: str = Field(description="Why, where no field says it.")


class PlannedFault(Answer):
    """One fault of one file."""

    file: str = Field(description="The file.")
    path: str = Field(description="Where, as dotted keys; empty for the whole file.")
    message: str = Field(description="What is wrong and what to do.")
    accepted: str = Field(description="What would be right.")
    found: str = Field(description="What is there, shortened.")


class FolderPlanAnswer(Answer):
    """What applying a folder of requests would do; with a fault in it, nothing may be applied."""

    origin: str = Field(description="The folder or Git source.")
    prune: bool = Field(description="Whether pipelines that no file asks for are removed.")
    digest: str = Field(description="Equal for two plans that do the same to the same pipelines.")
    changes: tuple[PlannedPipeline, ...] = Field(description="By pipeline.")
    faults: tuple[PlannedFault, ...] = Field(description="Every fault of every file.")


class DeletionAnswer(Answer):
    """The pipeline is being taken down."""

    message: str = Field(description="What happens now, one sentence.")
    pipeline_id: str = Field(description="Identity of the pipeline.")
    removes: tuple[str, ...] = Field(description="Stacks that go, in order.")
    keeps: tuple[str, ...] = Field(description="What stays: data, models, request documents.")


class BlueprintSummary(Answer):
    """One blueprint that this environment offers."""

    pipeline_type: str = Field(description="Its kind.")
    summary: str = Field(description="One sentence.")
    after_deploy: str = Field(description="What delivery checks once a stage is deployed.")
    schema_path: str = Field(alias="schema", description="Where its JSON Schema is.")


class BlueprintList(Answer):
    """The blueprints this environment offers, sorted by kind."""

    blueprints: tuple[BlueprintSummary, ...] = Field(description="All of them.")


class ProblemFault(Answer):
    """One fault of a request."""

    path: str = Field(description="Where, as dotted keys; empty for the whole body.")
    message: str = Field(description="What is wrong and what to do.")
    accepted: str = Field(description="What would be right.")
    found: str = Field(description="What is there, shortened.")


class RunningWork(Answer):
    """What is going on with a pipeline that takes no request now."""

    what: Literal["request", "deletion", "stack"] = Field(description="Kind of work.")
    subject: str = Field(description="The pipeline or the stack.")
    state: str = Field(description="How far it is: the record's state, the stack's status.")
    by: str = Field(description="Who asked for it; empty if nobody knows.")
    since: str = Field(description="When it was asked for, ISO 8601; empty if nobody knows.")
    correlation_id: str = Field(description="Of the request, found in the logs.")


class Problem(Answer):
    """An error as RFC 9457 problem details, with the predecessor's two fields."""

    type: str = Field(description="Stable identifier of the condition.")
    title: str = Field(description="The condition; the same for every occurrence.")
    status: int = Field(description="HTTP status.")
    detail: str = Field(description="This occurrence.")
    instance: str = Field(description="Path that was asked for.")
    correlation_id: str = Field(description="Of this call, found in the logs.")
    next: str = Field(description="What to do next.")
    link: str = Field(description="Where to look further: a page of the API, or the documentation.")
    documentation: str = Field(description="Description of the condition, in the project.")
    message: str = Field(description="The predecessor's field: the condition.")
    detailed_message: str = Field(
        alias="detailedMessage", description="The predecessor's field: as detail."
    )
    faults: tuple[ProblemFault, ...] | None = Field(
        default=None, description="Every fault of a request body at once."
    )
    known: tuple[str, ...] | None = Field(
        default=None, description="The kinds there are, if the one asked for is not."
    )
    running: RunningWork | None = Field(
        default=None, description="What the pipeline is busy with, if it is."
    )
    retry_after: int | None = Field(
        default=None, description="Seconds after which the same request may succeed."
    )
