"""What one field of a contract looks like to everything that is generated from it."""

from __future__ import annotations

import types
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from annotated_types import Ge, Gt, Le, Lt, MaxLen, MinLen
from pydantic import BaseModel
from pydantic.fields import FieldInfo

from mlops_framework.contracts.fields import Accepts
from mlops_framework.errors import BlueprintInvalid

Kind = Literal["text", "whole", "real", "switch", "map", "document"]

_SCALARS: dict[Any, Kind] = {str: "text", int: "whole", float: "real", bool: "switch"}


@dataclass(frozen=True)
class FieldShape:
    """A field without pydantic: its kind, whether it may differ per stage, and its limits.

    Attributes:
        kind: Text, whole or real number, switch (true/false), map of text, or document: objects and
            lists, which become one parameter that holds JSON.
        per_stage: Whether a map of stages to values is accepted.
        choices: Accepted texts, if they are listed.
        pattern: Anchored pattern of a text.
        words: The pattern in words.
        min_length: Of a text, characters.
        max_length: Of a text, characters.
        minimum: Of a number, inclusive.
        maximum: Of a number, inclusive.
    """

    kind: Kind
    per_stage: bool = False
    choices: tuple[str, ...] = ()
    pattern: str | None = None
    words: str | None = None
    min_length: int | None = None
    max_length: int | None = None
    minimum: float | None = None
    maximum: float | None = None

    @property
    def accepted(self) -> str:
        """What is accepted, in words, from the limits."""
        if self.choices:
            return ("one of " if len(self.choices) > 1 else "") + ", ".join(self.choices)
        if self.kind in ("whole", "real"):
            noun = "a whole number" if self.kind == "whole" else "a number"
            return noun + _range(self.minimum, self.maximum)
        if self.kind == "switch":
            return "true or false"
        if self.kind == "map":
            return "an object whose values are text, numbers or booleans"
        if self.words:
            return self.words
        return f"text that matches {self.pattern}" if self.pattern else "text"


def shape_of(where: str, field: FieldInfo) -> FieldShape:
    """Read a pydantic field.

    Args:
        where: Dotted name of the field, for messages.
        field: As in ``Model.model_fields``.

    Raises:
        BlueprintInvalid: If the type is not one that becomes a template parameter, the description
            is missing or a pattern is not anchored.
    """
    if not field.description:
        raise BlueprintInvalid(
            f"{where} has no description. The description is the field's documentation: "
            'give it with Field(description="…").'
        )
    shape = _limited(_shape(where, field.annotation), field.metadata)
    pattern = shape.pattern
    if pattern is not None and not (pattern.startswith("^") and pattern.endswith("$")):
        raise BlueprintInvalid(
            f"The pattern {pattern!r} of {where} is not anchored: write ^…$, since CloudFormation "
            "matches the whole string and pydantic searches in it."
        )
    return shape


def _shape(where: str, annotation: Any) -> FieldShape:
    if annotation in _SCALARS:
        return FieldShape(_SCALARS[annotation])
    origin = get_origin(annotation)
    if origin is Annotated:
        inner, *metadata = get_args(annotation)
        return _limited(_shape(where, inner), metadata)
    if origin is Literal and all(isinstance(choice, str) for choice in get_args(annotation)):
        return FieldShape("text", choices=get_args(annotation))
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return FieldShape("document", words=f"an object with {', '.join(annotation.model_fields)}")
    if origin is list:
        return FieldShape("document", words=f"a list of {_item(where, get_args(annotation)[0])}")
    if origin is dict:
        item = _shape(where, get_args(annotation)[1])
        if item.kind == "text":
            return FieldShape("map")
        return FieldShape("document", words=f"an object whose values are each {item.accepted}")
    if origin in (Union, types.UnionType):
        members = get_args(annotation)
        values = [member for member in members if not _is_map(member)]
        if len(members) == 2 and len(values) == 1:
            return replace(_shape(where, values[0]), per_stage=True)
        if len(members) == 2 and types.NoneType in members:
            optional = next(member for member in members if member is not types.NoneType)
            shape = _shape(where, optional)
            if shape.kind == "document":
                return replace(shape, words=f"{shape.accepted}, or null")
    raise BlueprintInvalid(
        f"{where} is of type {annotation}; a field is str, int, float, bool, a Literal of texts, "
        "PerStage[...] of those, dict[str, str], a Document or None, or a list or dict of those."
    )


def _item(where: str, annotation: Any) -> str:
    members = get_args(annotation)
    if get_origin(annotation) in (Union, types.UnionType) and set(members) <= set(_SCALARS):
        return "texts or numbers"
    shape = _shape(where, annotation)
    if shape.kind == "document":
        return shape.accepted.replace("an object with", "objects with", 1)
    return f"values, each {shape.accepted}"


def _is_map(annotation: Any) -> bool:
    if get_origin(annotation) is Annotated:
        return _is_map(get_args(annotation)[0])
    return get_origin(annotation) is dict


def _limited(shape: FieldShape, metadata: Iterable[Any]) -> FieldShape:
    changes: dict[str, Any] = {}
    for item in _flat(metadata):
        if isinstance(item, Accepts):
            changes["words"] = item.words
        elif isinstance(item, MinLen):
            changes["min_length"] = item.min_length
        elif isinstance(item, MaxLen):
            changes["max_length"] = item.max_length
        elif isinstance(item, Ge):
            changes["minimum"] = item.ge
        elif isinstance(item, Le):
            changes["maximum"] = item.le
        elif isinstance(item, Gt | Lt):
            raise BlueprintInvalid(
                "Limits are inclusive in CloudFormation: write ge and le, not gt and lt."
            )
        elif getattr(item, "pattern", None) is not None:
            changes["pattern"] = item.pattern
    return replace(shape, **changes)


def _flat(metadata: Iterable[Any]) -> Iterator[Any]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from item.metadata
        else:
            yield item


def _range(minimum: float | None, maximum: float | None) -> str:
    if minimum is not None and maximum is not None:
        return f" from {_number(minimum)} to {_number(maximum)}"
    if minimum is not None:
        return f", at least {_number(minimum)}"
    return f", at most {_number(maximum)}" if maximum is not None else ""


def _number(value: float) -> str:
    return str(int(value)) if float(value).is_integer() else str(value)
