"""The blueprints that are enabled: found at synth, frozen in a catalogue, read in the Lambda.

``app.py`` calls :meth:`Registry.discover`, the stacks synthesize every blueprint and write
:meth:`Registry.to_catalogue` into the orchestrator's bundle; the Lambda calls
:meth:`Registry.from_catalogue` and so runs exactly what was reviewed. Nothing here imports a stack.
"""

from __future__ import annotations

import importlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Protocol, Self, get_args

from pydantic import ValidationError

from mlops_framework import naming
from mlops_framework.contracts.base import Document, PipelineRequest, kind_of
from mlops_framework.contracts.faults import NOTHING, closest, faults_of, model_at, shown
from mlops_framework.contracts.parameters import VALUE_LIMIT, as_text, parameter_fields
from mlops_framework.errors import BlueprintInvalid, BlueprintUnknown, Fault, RequestInvalid

AfterDeploy = Literal[
    "none",
    "run-model-build",
    "verify-endpoint",
    "build-baseline",
    "run-image-build",
    "run-monitor-baseline",
    "run-pipeline",
    "run-state-machine",
]
CATALOGUE_VERSION: Final = 1


class Selection(Protocol):
    """Which blueprints an environment takes; see ``environments.models.BlueprintSelection``."""

    @property
    def enabled(self) -> Sequence[str]:
        """Kinds or patterns of kinds (``acme-*``)."""
        ...

    @property
    def modules(self) -> Sequence[str]:
        """Modules with a ``BLUEPRINT``, for code that is not packaged."""
        ...


@dataclass(frozen=True)
class Blueprint:
    """One kind of pipeline: what may be asked, what is deployed, what is checked afterwards.

    Attributes:
        kind: kebab-case; equal to ``pipeline_type`` and to the entry point's name.
        summary: One sentence for catalogues and the CLI.
        request: The contract, a pure module's class.
        stack: ``package.module:Class`` of the CDK stack, imported only at synth.
        after_deploy: Check that delivery runs once a stage's stack is deployed.
    """

    kind: str
    summary: str
    request: type[PipelineRequest]
    stack: str
    after_deploy: AfterDeploy = "none"

    def __post_init__(self) -> None:
        """Refuse a blueprint whose parts do not fit together."""
        said = None
        if kind_of(self.request) != self.kind:
            said = f"its request has pipeline_type {kind_of(self.request)!r}"
        elif not re.fullmatch(r"[\w.]+:\w+", self.stack):
            said = f"its stack {self.stack!r} is not written package.module:Class"
        elif self.after_deploy not in get_args(AfterDeploy):
            said = (
                f"its after_deploy {self.after_deploy!r} is none of "
                f"{', '.join(get_args(AfterDeploy))}"
            )
        elif not self.summary.strip():
            said = "it has no summary"
        if said:
            raise BlueprintInvalid(f"The blueprint {self.kind!r} is refused: {said}.")


@dataclass(frozen=True)
class Registry:
    """An immutable set of blueprints, sorted by kind.

    Example:
        >>> registry = Registry.discover()
        >>> registry.get("training").request.__name__
        'TrainingRequest'
    """

    blueprints: tuple[Blueprint, ...]
    _by_kind: Mapping[str, Blueprint] = field(init=False, repr=False, compare=False)

    def __init__(self, blueprints: Iterable[Blueprint]) -> None:
        ordered = tuple(sorted(blueprints, key=lambda blueprint: blueprint.kind))
        by_kind = {blueprint.kind: blueprint for blueprint in ordered}
        if len(by_kind) != len(ordered):
            kinds = [blueprint.kind for blueprint in ordered]
            twice = sorted({kind for kind in kinds if kinds.count(kind) > 1})
            raise BlueprintInvalid(f"Offered twice: {', '.join(twice)}.")
        object.__setattr__(self, "blueprints", ordered)
        object.__setattr__(self, "_by_kind", by_kind)

    @classmethod
    def discover(cls, selection: Selection | None = None) -> Self:
        """Every blueprint that is installed and enabled.

        Raises:
            BlueprintInvalid: If one cannot be imported, two offer the same kind, or ``enabled``
                names a kind that nobody offers.
        """
        from mlops_framework.discovery import discover  # Only synth and CLI pay for it.

        return cls(discover(selection))

    @property
    def kinds(self) -> tuple[str, ...]:
        """The kinds, sorted."""
        return tuple(self._by_kind)

    def get(self, kind: str) -> Blueprint:
        """The blueprint of a kind.

        Raises:
            BlueprintUnknown: Naming the known kinds and the nearest one.
        """
        if kind not in self._by_kind:
            raise BlueprintUnknown(kind, self.kinds, closest(kind, self.kinds))
        return self._by_kind[kind]

    def parse(
        self, body: Any, *, stages: Sequence[str] = (), prefix: str | None = None
    ) -> PipelineRequest:
        """The validated request in a body.

        Args:
            body: Decoded JSON.
            stages: The environment's stages, if known: maps per stage must have exactly these.
            prefix: The environment's prefix, if known: derived names are then measured.

        Raises:
            RequestInvalid: With every fault of the body.
            BlueprintUnknown: If ``pipeline_type`` is text that names no enabled blueprint.
        """
        contract = self.get(self._kind_in(body)).request
        given: Mapping[str, Any] = body
        try:
            request = contract.model_validate(body)
        except ValidationError as error:
            faults = list(faults_of(error, contract, accepted=_accepted(contract)))
            known = {(fault.path, fault.message) for fault in faults}
            faults += [
                fault
                for fault in contract.conflicts(given)
                if (fault.path, fault.message) not in known
            ]
            faults += _stage_faults(contract, given, stages)
            raise RequestInvalid(faults) from None
        faults = _stage_faults(contract, given, stages)
        if not faults:
            # What is derived per stage needs a value for every stage.
            faults = [
                *_length_faults(request, stages),
                *(_name_faults(request, prefix, stages) if prefix else ()),
            ]
        if faults:
            raise RequestInvalid(faults)
        return request

    def schema(self, kind: str) -> dict[str, Any]:
        """JSON Schema (2020-12) of a kind's request body.

        Raises:
            BlueprintUnknown: If there is no such kind.
        """
        blueprint = self.get(kind)
        document = blueprint.request.model_json_schema()
        return {
            "$schema": "https://json-schema.org/draft/2020-12/schema",
            **document,
            "title": blueprint.kind,
            "description": blueprint.summary,
        }

    def to_catalogue(self) -> dict[str, Any]:
        """What the Lambda needs to have the same registry, as JSON values."""
        return {
            "version": CATALOGUE_VERSION,
            "blueprints": [
                {
                    "kind": blueprint.kind,
                    "summary": blueprint.summary,
                    "request": f"{blueprint.request.__module__}:{blueprint.request.__qualname__}",
                    "stack": blueprint.stack,
                    "after_deploy": blueprint.after_deploy,
                }
                for blueprint in self.blueprints
            ],
        }

    @classmethod
    def from_catalogue(
        cls,
        catalogue: Mapping[str, Any],
        load: Callable[[str], Any] = importlib.import_module,
    ) -> Self:
        """The registry that :meth:`to_catalogue` described; imports contracts, never stacks.

        Raises:
            BlueprintInvalid: If the catalogue is of another version or a contract is not there.
        """
        version = catalogue.get("version")
        if version != CATALOGUE_VERSION:
            raise BlueprintInvalid(
                f"The catalogue has version {version!r}, this code reads {CATALOGUE_VERSION}: "
                "deploy the platform again, so that bundle and catalogue are of one build."
            )
        return cls(
            Blueprint(**{**entry, "request": _contract(entry["request"], load)})
            for entry in catalogue["blueprints"]
        )

    def _kind_in(self, body: Any) -> str:
        if not isinstance(body, dict):
            fault = Fault(
                "",
                f"The body must be a JSON object with a pipeline_type; found {shown(body)}.",
                "a JSON object",
                shown(body),
            )
            raise RequestInvalid([fault])
        kind = body.get("pipeline_type")
        if not isinstance(kind, str):
            found = shown(kind) if "pipeline_type" in body else NOTHING
            accepted = "one of " + ", ".join(self.kinds)
            said = f"Required: the kind of pipeline, {accepted}; found {found}."
            raise RequestInvalid([Fault("pipeline_type", said, accepted, found)])
        return kind


def _contract(reference: str, load: Callable[[str], Any]) -> type[PipelineRequest]:
    module, _, name = reference.partition(":")
    try:
        contract = getattr(load(module), name)
    except (ImportError, AttributeError) as error:
        raise BlueprintInvalid(
            f"The catalogue's contract {reference} is not in this bundle ({error}). "
            "Deploy the platform again, so that bundle and catalogue are of one build."
        ) from error
    if not (isinstance(contract, type) and issubclass(contract, PipelineRequest)):
        raise BlueprintInvalid(f"{reference} in the catalogue is not a PipelineRequest.")
    return contract


def _accepted(contract: type[PipelineRequest]) -> Callable[[Sequence[str | int]], str | None]:
    def words(where: Sequence[str | int]) -> str | None:
        shape = contract.shapes.get(str(where[0])) if where else None
        if shape is None or shape.kind != "document" or len(where) == 1:
            return shape.accepted if shape else None
        inner = model_at(contract, where[:-1])
        nested = inner.shapes.get(str(where[-1])) if inner and issubclass(inner, Document) else None
        return nested.accepted if nested else None

    return words


def _stage_faults(
    contract: type[PipelineRequest], given: Mapping[str, Any], stages: Sequence[str]
) -> list[Fault]:
    faults: list[Fault] = []
    accepted = "the stages " + ", ".join(stages)
    for name, shape in contract.shapes.items():
        value = given.get(name)
        if not stages or not shape.per_stage or not isinstance(value, dict):
            continue
        for stage in value:
            if stage not in stages:
                nearest = closest(str(stage), stages)
                hint = f" Did you mean {nearest!r}?" if nearest else ""
                said = f"This environment has no stage {stage!r}.{hint}"
                faults.append(Fault(f"{name}.{stage}", said, accepted, shown(value[stage])))
        faults += [
            Fault(f"{name}.{stage}", f"No value for the stage {stage!r}.", shape.accepted, NOTHING)
            for stage in stages
            if stage not in value
        ]
    return faults


def _length_faults(request: PipelineRequest, stages: Sequence[str]) -> list[Fault]:
    faults = []
    for name in parameter_fields(type(request)):
        shape = request.shapes[name]
        if shape.kind not in ("map", "document"):
            continue
        length = max(
            len(as_text(request.parameter_value(name, stage))) for stage in stages or ("",)
        )
        if length > VALUE_LIMIT:
            said = (
                f"Holds {length} characters as JSON; a template parameter holds {VALUE_LIMIT}. "
                "Put the rest into a file of the source archive."
            )
            accepted = f"at most {VALUE_LIMIT} characters as JSON"
            faults.append(Fault(name, said, accepted, f"{length} characters"))
    return faults


def _name_faults(request: PipelineRequest, prefix: str, stages: Sequence[str]) -> list[Fault]:
    limit = naming.SAGEMAKER_NAME_LENGTH
    return [
        Fault(
            field_name,
            f"The derived name {name!r} has {len(name)} characters, SageMaker takes {limit}. "
            f"Set {field_name} or shorten model_name.",
            f"a name of at most {limit} characters",
            NOTHING,
        )
        for stage in stages
        for field_name, name in request.resource_names(prefix, stage).items()
        if len(name) > limit
    ]
