"""Checks values against botocore's shapes and carries them to and from the wire.

botocore's own ``ParamValidator`` looks at types and lower limits only. The services also hold
callers to upper limits, patterns and enumerations, which stand in the very same model, so this
module checks all of it and words the faults as AWS does ("1 validation error detected: ...").
"""

from __future__ import annotations

import base64
import binascii
import datetime as dt
import functools
import re
from collections.abc import Mapping
from typing import Any

from botocore.model import ListShape, MapShape, Shape, StructureShape

_INTEGERS = frozenset({"integer", "long", "short", "byte"})
_FLOATS = frozenset({"float", "double"})
_LIMITS = {"integer": (-(2**31), 2**31 - 1), "long": (-(2**63), 2**63 - 1)}


def decode(shape: Shape, value: Any) -> Any:
    """Turns a wire value into Python: timestamps to aware datetimes, blobs to bytes.

    Values of the wrong type are handed on as they are; :func:`faults` then names them.

    Args:
        shape: The botocore shape the value is declared with.
        value: What ``json.loads`` or a CBOR reader produced.

    Returns:
        The value in the form a boto3 caller would have passed.
    """
    if value is None:
        return None
    if isinstance(shape, StructureShape) and isinstance(value, Mapping):
        if shape.is_document_type:
            return dict(value)
        return {
            name: decode(shape.members[name], item) if name in shape.members else item
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape) and isinstance(value, list):
        return [decode(shape.member, item) for item in value]
    if isinstance(shape, MapShape) and isinstance(value, Mapping):
        return {key: decode(shape.value, item) for key, item in value.items()}
    if shape.type_name == "timestamp":
        return _to_datetime(value)
    if shape.type_name == "blob" and isinstance(value, str):
        try:
            return base64.b64decode(value, validate=True)
        except binascii.Error:
            return value
    return value


def encode(shape: Shape, value: Any, *, binary: bool = False) -> Any:
    """Turns a Python value into its wire form.

    Args:
        shape: The botocore shape the value is declared with.
        value: A value that :func:`faults` found nothing wrong with.
        binary: True for CBOR, which carries bytes and datetimes natively.

    Returns:
        Something ``json.dumps`` (or a CBOR writer) takes. Members that are ``None`` are left out.
    """
    if isinstance(shape, StructureShape) and not shape.is_document_type:
        return {
            shape.members[name].serialization.get("name", name): encode(
                shape.members[name], item, binary=binary
            )
            for name, item in value.items()
            if item is not None
        }
    if isinstance(shape, ListShape):
        return [encode(shape.member, item, binary=binary) for item in value]
    if isinstance(shape, MapShape):
        return {key: encode(shape.value, item, binary=binary) for key, item in value.items()}
    if binary:
        return value
    if shape.type_name == "timestamp":
        moment = _to_datetime(value)
        if shape.serialization.get("timestampFormat") == "iso8601":
            return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
        return round(moment.timestamp(), 3)
    if shape.type_name == "blob":
        return base64.b64encode(bytes(value)).decode("ascii")
    return value


def faults(shape: Shape, value: Any, path: str = "") -> list[str]:
    """Lists everything in which a value does not fit its shape.

    Args:
        shape: The botocore shape.
        value: A decoded value, see :func:`decode`.
        path: Where the value stands, in AWS's spelling (``tags.1.member.key``).

    Returns:
        One sentence per fault, in AWS's wording; empty when the value fits.
    """
    if isinstance(shape, StructureShape):
        return _structure_faults(shape, value, path)
    if isinstance(shape, ListShape):
        if not isinstance(value, list | tuple):
            return [_constraint(value, path, "Member must be a list")]
        found = _length_faults(shape, value, path)
        for position, item in enumerate(value, start=1):
            found += faults(shape.member, item, f"{path}.{position}.member")
        return found
    if isinstance(shape, MapShape):
        if not isinstance(value, Mapping):
            return [_constraint(value, path, "Member must be a map")]
        found = _length_faults(shape, value, path)
        for key, item in value.items():
            found += faults(shape.key, key, f"{path}.{key}")
            found += faults(shape.value, item, f"{path}.{key}.member")
        return found
    return _scalar_faults(shape, value, path)


def sentence(found: list[str]) -> str:
    """Puts faults into the one message AWS answers with.

    Args:
        found: At least one fault from :func:`faults`.
    """
    noun = "error" if len(found) == 1 else "errors"
    return f"{len(found)} validation {noun} detected: " + "; ".join(found)


def _structure_faults(shape: StructureShape, value: Any, path: str) -> list[str]:
    if shape.is_document_type:
        return []
    if not isinstance(value, Mapping):
        return [_constraint(value, path, "Member must be a structure")]
    found = [
        _constraint(None, _join(path, name), "Member must not be null")
        for name in shape.required_members
        if value.get(name) is None
    ]
    if shape.is_tagged_union and len([item for item in value.values() if item is not None]) != 1:
        accepted = ", ".join(shape.members)
        found.append(f"Exactly one member of {accepted} must be set at '{path}'")
    for name, item in value.items():
        if name not in shape.members:
            accepted = ", ".join(sorted(shape.members)) or "no member at all"
            found.append(f"Unknown member '{name}' at '{path or 'the request'}'; known: {accepted}")
        elif item is not None:
            found += faults(shape.members[name], item, _join(path, name))
    return found


def _scalar_faults(shape: Shape, value: Any, path: str) -> list[str]:
    kind = shape.type_name
    if kind in _INTEGERS or kind in _FLOATS:
        return _number_faults(shape, value, path)
    if kind == "boolean":
        return (
            []
            if isinstance(value, bool)
            else [_constraint(value, path, "Member must be a boolean")]
        )
    if kind == "timestamp":
        good = isinstance(value, dt.datetime)
        return [] if good else [_constraint(value, path, "Member must be a timestamp")]
    if kind == "blob":
        if not isinstance(value, bytes | bytearray) and not hasattr(value, "read"):
            return [_constraint(value, path, "Member must be base64 encoded bytes")]
        return []
    if not isinstance(value, str):
        return [_constraint(value, path, "Member must be a string")]
    found = _length_faults(shape, value, path)
    accepted = shape.metadata.get("enum")
    if accepted and value not in accepted:
        listed = ", ".join(accepted)
        found.append(_constraint(value, path, f"Member must satisfy enum value set: [{listed}]"))
    pattern = shape.metadata.get("pattern")
    if pattern and (compiled := _compiled(pattern)) and not compiled.fullmatch(value):
        needed = f"Member must satisfy regular expression pattern: {pattern}"
        found.append(_constraint(value, path, needed))
    return found


def _number_faults(shape: Shape, value: Any, path: str) -> list[str]:
    wanted = int if shape.type_name in _INTEGERS else (int, float)
    if isinstance(value, bool) or not isinstance(value, wanted):
        kind = "an integer" if shape.type_name in _INTEGERS else "a number"
        return [_constraint(value, path, f"Member must be {kind}")]
    low, high = _LIMITS.get(shape.type_name, (None, None))
    low = shape.metadata.get("min", low)
    high = shape.metadata.get("max", high)
    if low is not None and value < low:
        needed = f"Member must have value greater than or equal to {low}"
        return [_constraint(value, path, needed)]
    if high is not None and value > high:
        return [_constraint(value, path, f"Member must have value less than or equal to {high}")]
    return []


def _length_faults(shape: Shape, value: Any, path: str) -> list[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and len(value) < low:
        needed = f"Member must have length greater than or equal to {low}"
        return [_constraint(value, path, needed)]
    if high is not None and len(value) > high:
        return [_constraint(value, path, f"Member must have length less than or equal to {high}")]
    return []


def _constraint(value: Any, path: str, needed: str) -> str:
    shown = "null" if value is None else f"'{str(value)[:200]}'"
    return f"Value {shown} at '{path}' failed to satisfy constraint: {needed}"


def _join(path: str, name: str) -> str:
    # AWS spells member paths in lower camel case: trainingJobName, algorithmSpecification.
    spelt = name[:1].lower() + name[1:]
    return f"{path}.{spelt}" if path else spelt


@functools.cache
def _compiled(pattern: str) -> re.Pattern[str] | None:
    # The models hold Java expressions. The few that Python cannot read (\p{L} and friends) are
    # not enforced: accepting too much is honest, refusing a good value would not be.
    try:
        return re.compile(pattern)
    except re.error:
        return None


def _to_datetime(value: Any) -> Any:
    if isinstance(value, dt.datetime):
        return value if value.tzinfo else value.replace(tzinfo=dt.UTC)
    if isinstance(value, bool):
        return value
    if isinstance(value, int | float):
        return dt.datetime.fromtimestamp(value, tz=dt.UTC)
    if isinstance(value, str):
        try:
            moment = dt.datetime.fromisoformat(value.replace("Z", "+00:00"))
        except ValueError:
            return value
        return moment if moment.tzinfo else moment.replace(tzinfo=dt.UTC)
    return value
