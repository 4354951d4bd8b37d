"""What a request says: its body as JSON values, its page size; or a fault that says where."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from typing import Any, Final, NoReturn

from mlops_framework.errors import Fault, RequestInvalid

BODY_LIMIT: Final = 64 * 1024
"""Bytes; a request with every field filled in has less than a tenth."""
PAGE_LIMIT: Final = 100
"""Most pipelines of one page, and how many it has unless it is asked otherwise."""
_EXCERPT: Final = 20


class BodyMalformed(Exception):
    """The body is no JSON document."""


class BodyTooLarge(Exception):
    """The body is larger than any request."""


def read_json(text: str | None, *, is_base64: bool = False) -> Any:
    """Decode a body strictly: no duplicate keys, no ``NaN``.

    Args:
        text: The body as API Gateway passes it on.
        is_base64: Whether API Gateway has encoded it.

    Raises:
        BodyMalformed: Saying what is wrong, and at which line and column.
        BodyTooLarge: Above 64 KiB.
    """
    if text is None or not text.strip():
        raise BodyMalformed("There is no body. Send one JSON object.")
    plain = _decoded(text) if is_base64 else text
    if len(plain.encode()) > BODY_LIMIT:
        raise BodyTooLarge(
            f"The body has {len(plain.encode())} bytes; at most {BODY_LIMIT} are accepted. "
            "Put data into S3 and name its location."
        )
    try:
        return json.loads(plain, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as fault:
        raise BodyMalformed(
            f"The body is no JSON: {fault.msg} at line {fault.lineno}, column {fault.colno} "
            f"(position {fault.pos}), near {_near(plain, fault.pos)}."
        ) from None
    except RecursionError:
        raise BodyMalformed("The body is nested too deeply to be a request.") from None


def read_limit(query: Mapping[str, str]) -> int:
    """How many pipelines a page shall have.

    Raises:
        RequestInvalid: Outside of 1 to 100.
    """
    given = query.get("limit", str(PAGE_LIMIT))
    if given.isascii() and given.isdigit() and 1 <= int(given) <= PAGE_LIMIT:
        return int(given)
    said = "limit says how many pipelines a page has."
    fault = Fault("limit", said, f"a whole number from 1 to {PAGE_LIMIT}", given[:20])
    raise RequestInvalid([fault])


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BodyMalformed("The body is not UTF-8 text.") from None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise BodyMalformed(f"The body gives {json.dumps(key)} twice. Give it once.")
        seen[key] = value
    return seen


def _no_constant(name: str) -> NoReturn:
    raise BodyMalformed(f"The body holds {name}, which is no JSON value.")


def _near(text: str, position: int) -> str:
    if position >= len(text):
        return "the end of the body"
    return json.dumps(text[position : position + _EXCERPT], ensure_ascii=False)
