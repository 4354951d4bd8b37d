"""From a contract to CloudFormation: the template's parameters, and a request's values for them.

The blueprint stack makes one ``CfnParameter`` of each :class:`Parameter`; the orchestrator writes
:func:`template_values` into the pipeline's ``parameters-<stage>.json``. Both read the same
contract, so they cannot drift apart.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, Final, Literal

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from mlops_framework import naming
from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.shapes import FieldShape

VALUE_LIMIT: Final = 4096
"""CloudFormation's limit on the value of one parameter, characters."""


@dataclass(frozen=True)
class Parameter:
    """One parameter of a blueprint's template.

    Attributes:
        name: PascalCase of the field.
        kind: CloudFormation type.
        default: As text; ``None`` means that a value must be given.
        allowed_values: Listed values, empty for any.
        pattern: Anchored pattern for the whole value.
        min_length: Characters.
        max_length: Characters.
        min_value: Of a number.
        max_value: Of a number.
        description: The field's.
        field: Name in the contract; empty for the framework's own.
    """

    name: str
    kind: Literal["String", "Number"]
    default: str | None = None
    allowed_values: tuple[str, ...] = ()
    pattern: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    min_value: float | None = None
    max_value: float | None = None
    description: str = ""
    field: str = ""


IDENTITY_PARAMETERS: Final = (
    Parameter(
        name="PipelineId",
        kind="String",
        pattern=naming.MODEL_NAME_PATTERN,
        min_length=1,
        max_length=naming.PIPELINE_ID_LENGTH,
        description="Identity of the pipeline this stack belongs to.",
    ),
    Parameter(
        name="Stage",
        kind="String",
        pattern=naming.STAGE_NAME_PATTERN,
        min_length=1,
        max_length=naming.STAGE_NAME_LENGTH,
        description="Delivery stage this stack belongs to.",
    ),
)
"""What every blueprint template takes besides its contract; the orchestrator always gives them."""


def parameters_of(contract: type[PipelineRequest]) -> tuple[Parameter, ...]:
    """The template parameters of a contract: those of its fields in their order, then the derived.

    ``pipeline_type`` and fields marked with ``contracts.base.METADATA`` have none.
    """
    return (
        *(
            _parameter(
                name, contract.shapes[name], _default(contract, name), _described(contract, name)
            )
            for name in parameter_fields(contract)
        ),
        *contract.derived_parameters,
    )


def template_parameters(contract: type[PipelineRequest]) -> tuple[Parameter, ...]:
    """:data:`IDENTITY_PARAMETERS` followed by :func:`parameters_of`: all a template declares."""
    return (*IDENTITY_PARAMETERS, *parameters_of(contract))


def values_for(request: PipelineRequest, stage: str) -> dict[str, str]:
    """The request's values in a stage, as CloudFormation takes them, for :func:`parameters_of`."""
    return {
        parameter_name(name): as_text(request.parameter_value(name, stage))
        for name in (
            *parameter_fields(type(request)),
            *(parameter.field for parameter in type(request).derived_parameters),
        )
    }


def template_values(request: PipelineRequest, stage: str) -> dict[str, str]:
    """Values for :func:`template_parameters`: pipeline id, stage and :func:`values_for`."""
    return {
        "PipelineId": request.pipeline_id,
        "Stage": stage,
        **values_for(request, stage),
    }


def parameter_name(field: str) -> str:
    """``instance_type`` is the parameter ``InstanceType``."""
    return "".join(word.capitalize() for word in field.split("_"))


def as_text(value: Any) -> str:
    """A value as CloudFormation text.

    True and false in small letters, plain decimals, nothing as the empty text, and canonical JSON
    for objects and lists.
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        text = format(Decimal(repr(value)), "f")
        return text.removesuffix(".0")
    if isinstance(value, BaseModel | dict | list | tuple):
        return json.dumps(_plain(value), sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return str(value)


def _plain(value: Any) -> Any:
    """A document as JSON values, without members that were left out."""
    if isinstance(value, BaseModel):
        return value.model_dump(mode="json", exclude_none=True)
    if isinstance(value, dict):
        return {key: _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(inner) for inner in value]
    return value


def parameter_fields(contract: type[PipelineRequest]) -> tuple[str, ...]:
    """Names of the fields that are template parameters."""
    return tuple(
        name
        for name, field in contract.model_fields.items()
        if name != "pipeline_type"
        and not (
            isinstance(field.json_schema_extra, dict)
            and field.json_schema_extra.get("x-parameter") is False
        )
    )


def _default(contract: type[PipelineRequest], name: str) -> str | None:
    field = contract.model_fields[name]
    if field.default is not PydanticUndefined:
        return as_text(field.default)
    if contract.shapes[name].kind not in ("map", "document") or field.is_required():
        return None
    return (
        None
        if field.default_factory_takes_validated_data
        else as_text(field.get_default(call_default_factory=True))
    )


def _described(contract: type[PipelineRequest], name: str) -> str:
    return contract.model_fields[name].description or ""


def _parameter(field: str, shape: FieldShape, default: str | None, description: str) -> Parameter:
    name = parameter_name(field)
    if shape.kind in ("whole", "real"):
        return Parameter(
            name=name,
            kind="Number",
            default=default,
            min_value=shape.minimum,
            max_value=shape.maximum,
            description=description,
            field=field,
        )
    if shape.kind == "switch":
        choices: tuple[str, ...] = ("true", "false")
        return Parameter(name, "String", default, choices, description=description, field=field)
    if shape.kind == "map" and default is None:
        default = "{}"
    if shape.kind in ("map", "document"):
        return Parameter(
            name,
            "String",
            default,
            max_length=VALUE_LIMIT,
            description=f"{description} (JSON{' object' if shape.kind == 'map' else ''})",
            field=field,
        )
    return Parameter(
        name=name,
        kind="String",
        default=default,
        allowed_values=shape.choices,
        pattern=shape.pattern,
        min_length=shape.min_length,
        max_length=shape.max_length,
        description=description,
        field=field,
    )
