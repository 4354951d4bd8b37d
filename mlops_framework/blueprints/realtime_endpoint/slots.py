"""Lists of a request as template parameters: a template has a fixed number of places for each.

Up to three further variants and four scheduled actions. An empty name means that a place is free.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal

from mlops_framework.blueprints.realtime_endpoint.scaling import ScheduledScaling
from mlops_framework.blueprints.realtime_endpoint.variants import Variant, environment_of
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter, as_text, parameter_name

FURTHER_VARIANTS: Final = 3
SCHEDULED_ACTIONS: Final = 4
VARIANT_PLACES: Final = range(2, FURTHER_VARIANTS + 2)
"""The request's own variant has the first place."""
ACTION_PLACES: Final = range(1, SCHEDULED_ACTIONS + 1)

_VARIANT_FIELDS: Final = (
    "name",
    "model_package_name",
    "image_uri",
    "model_artifact_location",
    "environment",
    "instance_type",
    "instance_count",
    "weight",
)
_ACTION_FIELDS: Final = (
    "name",
    "schedule_expression",
    "timezone",
    "min_instances",
    "max_instances",
)
_NUMBERS: Final[Mapping[str, tuple[str, float, float]]] = {
    "instance_count": ("1", 1, 100),
    "weight": ("1", 0, 1000),
    "min_instances": ("0", 0, 100),
    "max_instances": ("1", 0, 100),
}
"""Default, least and most of the fields that are numbers."""
_EMPTY: Final[Mapping[str, str]] = {"environment": "{}", "timezone": "UTC"}


def variant_field(place: int, name: str) -> str:
    """Name of the derived parameter that holds a field of the variant in a place."""
    return f"variant_{place}_{name}"


def action_field(place: int, name: str) -> str:
    """Name of the derived parameter that holds a field of the scheduled action in a place."""
    return f"scheduled_action_{place}_{name}"


def place_parameters() -> tuple[Parameter, ...]:
    """The parameters of all places."""
    variants = (
        _parameter(variant_field(place, name), name, f"Of the endpoint's variant {place}.")
        for place in VARIANT_PLACES
        for name in _VARIANT_FIELDS
    )
    actions = (
        _parameter(action_field(place, name), name, f"Of the scheduled action {place}.")
        for place in ACTION_PLACES
        for name in _ACTION_FIELDS
    )
    return (*variants, *actions)


def switch(field: str, default: bool, description: str) -> Parameter:
    """A derived parameter that is true or false."""
    return Parameter(
        parameter_name(field),
        "String",
        as_text(default),
        ("true", "false"),
        description=description,
        field=field,
    )


def variant_values(
    variants: Sequence[Variant], instance_type: str, instance_count: int
) -> dict[str, Any]:
    """Values of the parameters of the variants' places.

    Args:
        variants: Further variants of a request.
        instance_type: The request's, for variants that say none.
        instance_count: Likewise.
    """
    values: dict[str, Any] = {}
    for place, variant in zip(VARIANT_PLACES, variants, strict=False):
        given = {
            "name": variant.variant_name,
            "model_package_name": variant.model_package_name,
            "image_uri": variant.image_uri,
            "model_artifact_location": variant.model_artifact_location,
            "environment": environment_of(
                variant.environment,
                algorithm=variant.algorithm,
                package=variant.model_package_name,
            ),
            "instance_type": variant.instance_type or instance_type,
            "instance_count": variant.instance_count or instance_count,
            "weight": variant.initial_variant_weight,
        }
        values |= {variant_field(place, name): value for name, value in given.items()}
    return _free(VARIANT_PLACES, _VARIANT_FIELDS, variant_field) | values


def action_values(actions: Sequence[ScheduledScaling]) -> dict[str, Any]:
    """Values of the parameters of the scheduled actions' places."""
    values: dict[str, Any] = {}
    for place, action in zip(ACTION_PLACES, actions, strict=False):
        values |= {action_field(place, name): getattr(action, name) for name in _ACTION_FIELDS}
    return _free(ACTION_PLACES, _ACTION_FIELDS, action_field) | values


def _free(places: range, names: Sequence[str], field: Any) -> dict[str, Any]:
    return {field(place, name): _default(name) for place in places for name in names}


def _default(name: str) -> str:
    return _NUMBERS[name][0] if name in _NUMBERS else _EMPTY.get(name, "")


def _parameter(field: str, name: str, description: str) -> Parameter:
    kind: Literal["String", "Number"] = "Number" if name in _NUMBERS else "String"
    _, least, most = _NUMBERS.get(name, (None, None, None))
    return Parameter(
        name=parameter_name(field),
        kind=kind,
        default=_default(name),
        max_length=VALUE_LIMIT if kind == "String" else None,
        min_value=least,
        max_value=most,
        description=description,
        field=field,
    )
