"""The plan: everything a request will create, computed and checked before anything is created.

A pure function of the request, the catalogue and the environment. The same three give the same
plan, byte for byte, so that equal digests mean that there is nothing to do.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol

from mlops_framework import naming
from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.parameters import template_parameters, template_values
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.orchestration import templates
from mlops_framework.orchestration.documents import archive, canonical_json, digest
from mlops_framework.orchestration.errors import CatalogueInvalid

TEMPLATE_FILE: Final = "template.json"
PIPELINE_PARAMETER: Final = "PipelineId"
"""The one parameter of a delivery template."""


@dataclass(frozen=True)
class EnvironmentView:
    """What of the environment a plan depends on.

    Attributes:
        prefix: ``<name_prefix>-<environment>``.
        stages: Delivery stages in order.
        artifact_bucket: Bucket of source archives and request documents.
        tags: Tags of everything the environment owns.
    """

    prefix: str
    stages: tuple[str, ...]
    artifact_bucket: str
    tags: Mapping[str, str] = field(default_factory=dict)


class TemplateSource(Protocol):
    """The pre-synthesized templates of the catalogue."""

    def blueprint_template(self, kind: str) -> Mapping[str, Any]:
        """What each stage of such a pipeline deploys."""

    def delivery_template(self, kind: str) -> Mapping[str, Any]:
        """The CodePipeline that delivers it."""


@dataclass(frozen=True)
class StagePlan:
    """One stage: the stack it deploys, with which values and tags."""

    name: str
    stack_name: str
    parameters: Mapping[str, str]
    tags: Mapping[str, str]


@dataclass(frozen=True)
class DeploymentPlan:
    """All that a request will create.

    Attributes:
        pipeline_id: Identity; a function of model name and kind.
        kind: Blueprint.
        model_name: Model.
        request: The request as plain JSON values, defaults filled in.
        request_digest: SHA-256 of the request.
        request_key: Object key of its immutable document.
        delivery_stack: Name of the stack that holds the CodePipeline.
        code_pipeline: Name of the CodePipeline.
        delivery_template: Template of that stack, JSON text.
        delivery_parameters: Its parameter values.
        delivery_tags: Its tags.
        source_key: Object key of the source archive.
        source: The archive: the blueprint's template and one parameters file per stage.
        source_digest: SHA-256 of the archive.
        stages: In delivery order.
        digest: SHA-256 of everything above.
        documents: Text of the files that stages read, by object key; keys tell their content.
    """

    pipeline_id: str
    kind: str
    model_name: str
    request: Mapping[str, Any]
    request_digest: str
    request_key: str
    delivery_stack: str
    code_pipeline: str
    delivery_template: str
    delivery_parameters: Mapping[str, str]
    delivery_tags: Mapping[str, str]
    source_key: str
    source: bytes
    source_digest: str
    stages: tuple[StagePlan, ...]
    digest: str
    documents: Mapping[str, str] = field(default_factory=dict)


def plan(
    request: PipelineRequest, templates_of: TemplateSource, environment: EnvironmentView
) -> DeploymentPlan:
    """Compute and check what a request will create.

    Args:
        request: A validated request.
        templates_of: The catalogue's templates.
        environment: Where it is deployed.

    Raises:
        RequestInvalid: If CloudFormation would refuse a value; every fault at once.
        CatalogueInvalid: If contract and templates disagree, or a template is too large.
    """
    pipeline, kind = request.pipeline_id, request.pipeline_type
    document = request.model_dump(mode="json")
    blueprint = templates_of.blueprint_template(kind)
    _check_declarations(kind, request, blueprint)
    stages = tuple(_stage(request, environment, name) for name in environment.stages)
    faults = [fault for stage in stages for fault in _value_faults(request, blueprint, stage)]
    if faults:
        raise RequestInvalid(faults)
    source = archive(_source_files(kind, blueprint, stages))
    delivery = _delivery_template(kind, templates_of)
    tags = {**environment.tags, **request.to_tags()}
    request_digest = digest(canonical_json(document))
    return DeploymentPlan(
        pipeline_id=pipeline,
        kind=kind,
        model_name=request.model_name,
        request=document,
        request_digest=request_digest,
        request_key=naming.request_key(pipeline, request_digest),
        delivery_stack=naming.delivery_stack(environment.prefix, pipeline),
        code_pipeline=naming.code_pipeline(environment.prefix, pipeline),
        delivery_template=delivery,
        delivery_parameters={PIPELINE_PARAMETER: pipeline},
        delivery_tags=tags,
        source_key=naming.source_key(pipeline),
        source=source,
        source_digest=digest(source),
        stages=stages,
        digest=digest(request_digest, delivery, canonical_json(tags), source),
        documents={
            request.document_key(name, stage): text
            for stage in environment.stages
            for name, text in request.documents(stage).items()
        },
    )


def _stage(request: PipelineRequest, environment: EnvironmentView, name: str) -> StagePlan:
    return StagePlan(
        name=name,
        stack_name=naming.blueprint_stack(environment.prefix, request.pipeline_id, name),
        parameters=template_values(request, name),
        tags={**environment.tags, **request.to_tags(), "mlops:stage": name},
    )


def _source_files(
    kind: str, blueprint: Mapping[str, Any], stages: tuple[StagePlan, ...]
) -> dict[str, str]:
    template = json.dumps(blueprint, separators=(",", ":"))
    size = len(template.encode())
    if size > templates.TEMPLATE_OBJECT_LIMIT:
        raise CatalogueInvalid(
            f"The template of blueprint {kind!r} has {size} bytes; CloudFormation reads at most "
            f"{templates.TEMPLATE_OBJECT_LIMIT}."
        )
    configurations = {
        naming.parameters_file(stage.name): canonical_json(
            {"Parameters": dict(stage.parameters), "Tags": dict(stage.tags)}
        )
        for stage in stages
    }
    return {TEMPLATE_FILE: template, **configurations}


def _delivery_template(kind: str, templates_of: TemplateSource) -> str:
    document = templates_of.delivery_template(kind)
    faults = templates.declaration_faults(document, frozenset({PIPELINE_PARAMETER}))
    text = json.dumps(document, separators=(",", ":"))
    size = len(text.encode())
    if size > templates.TEMPLATE_BODY_LIMIT:
        faults.append(
            f"it has {size} bytes, CloudFormation takes {templates.TEMPLATE_BODY_LIMIT}: "
            "deliver to fewer stages"
        )
    if faults:
        raise CatalogueInvalid(f"The delivery template of blueprint {kind!r}: {'; '.join(faults)}.")
    return text


def _check_declarations(kind: str, request: PipelineRequest, blueprint: Mapping[str, Any]) -> None:
    names = frozenset(parameter.name for parameter in template_parameters(type(request)))
    faults = templates.declaration_faults(blueprint, names)
    if faults:
        raise CatalogueInvalid(
            f"Contract and template of blueprint {kind!r} disagree: {'; '.join(faults)}. "
            "Synthesize and deploy the platform again."
        )


def _value_faults(
    request: PipelineRequest, blueprint: Mapping[str, Any], stage: StagePlan
) -> Iterator[Fault]:
    fields = {p.name: p.field for p in template_parameters(type(request))}
    for name, wrong, accepted in templates.value_faults(blueprint, stage.parameters):
        yield Fault(
            path=fields.get(name) or name,
            message=f"CloudFormation would refuse this value for stage {stage.name}: {wrong}.",
            accepted=accepted,
            found=json.dumps(stage.parameters[name][:200], ensure_ascii=False),
        )
