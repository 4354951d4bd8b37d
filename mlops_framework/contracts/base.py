"""The request that every blueprint's contract extends, and the rules such a contract keeps.

A contract is one class in a blueprint's ``contract.py``. From each of its fields come the API's
validation, the CloudFormation parameter, the value per stage, the JSON Schema, the CLI's help and
the reference page, so the rules are checked when the class is made, not when somebody trips.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, get_args, get_origin

from pydantic import BaseModel, ConfigDict, Field, model_validator
from pydantic_core import PydanticCustomError

from mlops_framework import naming
from mlops_framework.contracts.fields import Accepts, ModelName, Owner, PerStage, Text
from mlops_framework.contracts.shapes import FieldShape, shape_of
from mlops_framework.errors import BlueprintInvalid, Fault, NameRefused

if TYPE_CHECKING:
    from mlops_framework.contracts.parameters import Parameter

__all__ = [
    "METADATA",
    "Accepts",
    "Document",
    "PerStage",
    "PipelineRequest",
    "Place",
    "kind_of",
    "value_for",
]

METADATA: Mapping[str, Any] = {"x-parameter": False}
"""``json_schema_extra`` of a field that is recorded with the request, but is no parameter."""

CONFLICT = "conflict"
"""Type of the pydantic error that carries a rule between fields; ``ctx['faults']`` holds them."""


@dataclass(frozen=True)
class Place:
    """Where a request is carried out, for what a request can only know there.

    Attributes:
        region: Such as ``us-east-1``.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
        account: Twelve digits.
        data_bucket: Bucket of data sets, models and captures.
        prefix: ``<name_prefix>-<environment>``.
    """

    region: str
    partition: str
    account: str
    data_bucket: str
    prefix: str


class Document(BaseModel):
    """An object inside a request: immutable, strict about types, closed to unknown fields.

    Its fields keep the rules of a contract's: a description each, anchored patterns. The field of
    the contract that holds it becomes one template parameter with its JSON.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    shapes: ClassVar[Mapping[str, FieldShape]] = {}

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check the rules and keep what each field looks like."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.shapes = {
            name: shape_of(f"{cls.__module__}.{cls.__qualname__}.{name}", field)
            for name, field in cls.model_fields.items()
        }


class PipelineRequest(BaseModel):
    """A request for one pipeline: immutable, strict about types, closed to unknown fields.

    A subclass narrows ``pipeline_type`` to one literal and adds fields of text, number, boolean,
    ``PerStage[...]`` of those, ``dict[str, str]``, a :class:`Document`, or a list or dict of those.
    Every field has a description, every pattern is anchored; a class that breaks this raises
    :class:`~mlops_framework.errors.BlueprintInvalid`.

    Example:
        >>> class ShadowRequest(PipelineRequest):
        ...     pipeline_type: Literal["acme-shadow"] = Field(description="Kind.")
        ...     traffic: PerStage[int] = Field(default=10, description="Share mirrored, percent.")
        >>> ShadowRequest(pipeline_type="acme-shadow", model_name="income").pipeline_id
        'income-acme-shadow'
    """

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())

    shapes: ClassVar[Mapping[str, FieldShape]] = {}
    derived_parameters: ClassVar[tuple[Parameter, ...]] = ()
    """Template parameters beyond the fields; :meth:`parameter_value` gives their values."""

    pipeline_type: str = Field(description="Kind of the blueprint.")
    model_name: ModelName = Field(description="Name of the model this pipeline belongs to.")
    description: Text = Field(
        default="",
        description="Why this pipeline exists; kept in its record.",
        json_schema_extra=dict(METADATA),
    )
    owner: Owner = Field(
        default="",
        description="Person or team responsible; tags every resource.",
        json_schema_extra=dict(METADATA),
    )

    @classmethod
    def __pydantic_init_subclass__(cls, **kwargs: Any) -> None:
        """Check the rules of a contract and keep what each field looks like."""
        super().__pydantic_init_subclass__(**kwargs)
        cls.shapes = {
            name: shape_of(f"{cls.__module__}.{cls.__qualname__}.{name}", field)
            for name, field in cls.model_fields.items()
        }
        if get_origin(cls.model_fields["pipeline_type"].annotation) is Literal:
            kind_of(cls)

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Faults between fields, from what was given; override and ``yield from super()``.

        Called also when single fields are wrong, so that every fault is told at once: look at
        ``given`` with ``.get`` and judge only values of the type you expect.
        """
        model_name = given.get("model_name")
        if isinstance(model_name, str) and len(model_name) <= naming.MODEL_NAME_LENGTH:
            kind = kind_of(cls)
            try:
                naming.pipeline_id(model_name, kind)
            except NameRefused as refusal:
                room = naming.PIPELINE_ID_LENGTH - len(kind) - 1
                yield Fault("model_name", str(refusal), f"at most {room} characters", model_name)

    @model_validator(mode="after")
    def _no_conflicts(self) -> Self:
        faults = tuple(self.conflicts(self.model_dump(exclude_unset=True)))
        if faults:
            said = "; ".join(map(str, faults))
            raise PydanticCustomError(CONFLICT, "{said}", {"said": said, "faults": faults})
        return self

    @property
    def pipeline_id(self) -> str:
        """Identity of the pipeline, from model name and kind."""
        return naming.pipeline_id(self.model_name, self.pipeline_type)

    def parameter_value(self, name: str, stage: str) -> Any:
        """The value a template parameter gets in a stage; override where it says more.

        Args:
            name: Of a field, or ``field`` of a derived parameter.
            stage: One of the environment's.
        """
        if name not in self.shapes:
            raise BlueprintInvalid(
                f"{type(self).__qualname__} derives the parameter {name!r} and gives it no value: "
                "override parameter_value."
            )
        given = getattr(self, name)
        return value_for(given, stage) if self.shapes[name].per_stage else given

    def resolved(self, place: Place) -> Self:
        """The request with everything filled in that only the place tells, such as an image's URI.

        Called once, after validation and before planning; what comes out is recorded. Resolving
        it again changes nothing.

        Raises:
            RequestInvalid: If a value means nothing there.
        """
        return self

    def documents(self, stage: str) -> Mapping[str, str]:
        """Files that a stage's resources read from S3, by name: text, a function of the request.

        The orchestrator writes them before anything is deployed, below a digest of their content,
        so that none ever changes; :meth:`document_key` says where, as a derived parameter does.
        """
        return {}

    def document_key(self, name: str, stage: str) -> str:
        """Object key of one of :meth:`documents` in the artifact bucket."""
        digest = hashlib.sha256(self.documents(stage)[name].encode()).hexdigest()[:32]
        return naming.document_key(self.pipeline_id, digest, name)

    def resource_names(self, prefix: str, stage: str) -> Mapping[str, str]:
        """Physical names the blueprint derives in a stage, by the field that would set them.

        Each has at most 63 characters, SageMaker's limit; the registry refuses longer ones.
        """
        return {}

    def to_tags(self) -> dict[str, str]:
        """Tags of every resource of this pipeline."""
        tags = {"mlops:pipeline": self.pipeline_id, "mlops:model": self.model_name}
        return tags | ({"mlops:owner": self.owner} if self.owner else {})


def value_for(value: Any, stage: str) -> Any:
    """The value of a ``PerStage`` field in a stage.

    Raises:
        KeyError: If the map has no such stage; the registry refuses those before.
    """
    return value[stage] if isinstance(value, dict) else value


def kind_of(contract: type[PipelineRequest]) -> str:
    """The blueprint kind a contract is for: its one ``pipeline_type`` literal.

    Raises:
        BlueprintInvalid: If it is no single kebab-case literal of at most 32 characters.
    """
    literals = get_args(contract.model_fields["pipeline_type"].annotation)
    kind = literals[0] if len(literals) == 1 else None
    if (
        not isinstance(kind, str)
        or not re.fullmatch(naming.KIND_PATTERN, kind)
        or len(kind) > naming.KIND_LENGTH
    ):
        raise BlueprintInvalid(
            f"{contract.__module__}.{contract.__qualname__}.pipeline_type must be a Literal of one "
            f"kebab-case kind of at most {naming.KIND_LENGTH} characters, such as "
            f'Literal["acme-shadow"]; found {literals or "no Literal"}.'
        )
    return kind
