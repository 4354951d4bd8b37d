"""A template's properties as the members of an API's request.

CloudFormation begins members with a capital where an API may not, and takes numbers, booleans and
maps as text where a template has them so, since a parameter is never anything else.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

_NUMBERS = {"integer": int, "long": int, "float": float, "double": float}


def members(shape: Shape, value: Any) -> Any:
    """A value of a template in the API's spelling and types.

    Members that the API does not have are handed on as they are, and so is text that is no number:
    the check of the request names both.

    Args:
        shape: The botocore shape that the value is declared with.
        value: All intrinsics resolved.
    """
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        spelt = {name.lower(): name for name in shape.members}
        named = {spelt.get(key.lower(), key): item for key, item in value.items()}
        return {
            name: members(shape.members[name], item) if name in shape.members else item
            for name, item in named.items()
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [members(shape.member, item) for item in value]
    if isinstance(shape, MapShape):
        given = json.loads(value) if isinstance(value, str) else value
        return (
            {key: members(shape.value, item) for key, item in given.items()}
            if isinstance(given, Mapping)
            else given
        )
    return _scalar(shape.type_name, value)


def _scalar(kind: str, value: Any) -> Any:
    if kind in _NUMBERS and isinstance(value, str):
        try:
            return _NUMBERS[kind](value)
        except ValueError:
            return value
    if kind == "boolean" and isinstance(value, str):
        return value.lower() == "true"
    if kind == "string" and isinstance(value, bool):
        return str(value).lower()
    return str(value) if kind == "string" and isinstance(value, int | float) else value
