"""From a body to what the model's container gets."""

from __future__ import annotations

import base64
import binascii
import json
import re
from dataclasses import dataclass
from typing import Any, Final

PAYLOAD_LIMIT: Final = 5 * 1024 * 1024
"""Bytes; a Lambda event has at most 6 MB, and JSON escapes take their part."""
_MEDIA_TYPE: Final = re.compile(r"[\w.+-]+/[\w.+*-]+(\s*;\s*[\w.-]+=[\w.\"-]+)*")
_INFERENCE_ID: Final = re.compile(r"[\x20-\x7e]{1,64}")
_VARIANT: Final = re.compile(r"[A-Za-z0-9](-?[A-Za-z0-9]){0,62}")
_MODEL: Final = re.compile(r"[A-Za-z0-9][\w.=+@-]*(/[\w.=+@-]+)*", re.ASCII)
_MODEL_LENGTH: Final = 256
_KEYS: Final = (
    *("payload", "content_type", "accept", "inference_id"),
    *("target_variant", "target_model"),
)


class RequestMalformed(Exception):
    """The body is not ``{"payload": …, "content_type": …}``."""


class PayloadTooLarge(Exception):
    """More than one call can carry; a batch transform can."""


@dataclass(frozen=True)
class InferenceRequest:
    """What the model's container gets."""

    body: bytes
    content_type: str
    accept: str = ""
    inference_id: str = ""
    target_variant: str = ""
    target_model: str = ""


def read_request(text: str | None, *, is_base64: bool = False) -> InferenceRequest:
    """Read a body.

    ``payload`` is text, sent as it is, or any other JSON value, sent as JSON; ``content_type`` is
    then ``application/json`` unless it is given.

    Args:
        text: The body as API Gateway passes it on.
        is_base64: Whether API Gateway has encoded it.

    Raises:
        RequestMalformed: Saying what is wrong, where, and what is accepted.
        PayloadTooLarge: Above 5 MiB.
    """
    body = _object(text, is_base64)
    unknown = sorted(body.keys() - set(_KEYS))
    if unknown:
        raise RequestMalformed(f"Unknown: {', '.join(unknown)}. Accepted: {', '.join(_KEYS)}.")
    if "payload" not in body:
        raise RequestMalformed("payload is missing: the text or the JSON value to predict for.")
    payload = body["payload"]
    plain = isinstance(payload, str)
    content = payload if plain else json.dumps(payload, ensure_ascii=False)
    encoded = content.encode()
    if len(encoded) > PAYLOAD_LIMIT:
        raise PayloadTooLarge(
            f"The payload has {len(encoded)} bytes; at most {PAYLOAD_LIMIT} are accepted. Send "
            "fewer records at a time, or use a batch transform."
        )
    content_type = _media_type(body, "content_type") or ("" if plain else "application/json")
    if not content_type:
        raise RequestMalformed("content_type is missing: the media type of payload, e.g. text/csv.")
    return InferenceRequest(
        encoded,
        content_type,
        _media_type(body, "accept"),
        _inference_id(body),
        _target_variant(body),
        _target_model(body),
    )


def _object(text: str | None, is_base64: bool) -> dict[str, Any]:
    if text is None or not text.strip():
        raise RequestMalformed('There is no body. Send {"payload": …, "content_type": …}.')
    try:
        plain = base64.b64decode(text, validate=True).decode() if is_base64 else text
        body = json.loads(plain)
    except (binascii.Error, UnicodeDecodeError):
        raise RequestMalformed("The body is not UTF-8 text.") from None
    except json.JSONDecodeError as fault:
        raise RequestMalformed(
            f"The body is no JSON: {fault.msg} at line {fault.lineno}, column {fault.colno}."
        ) from None
    except RecursionError:
        raise RequestMalformed("The body is nested too deeply.") from None
    if not isinstance(body, dict):
        raise RequestMalformed('The body is no object. Send {"payload": …, "content_type": …}.')
    return body


def _media_type(body: dict[str, Any], key: str) -> str:
    value = body.get(key, "")
    if value == "" and key not in body:
        return ""
    if not isinstance(value, str) or not _MEDIA_TYPE.fullmatch(value):
        raise RequestMalformed(f"{key} is {value!r}; accepted: a media type such as text/csv.")
    return value


def _inference_id(body: dict[str, Any]) -> str:
    value = body.get("inference_id", "")
    if "inference_id" in body and not (isinstance(value, str) and _INFERENCE_ID.fullmatch(value)):
        raise RequestMalformed(
            f"inference_id is {value!r}; accepted: 1 to 64 printable ASCII characters."
        )
    return str(value)


def _target_variant(body: dict[str, Any]) -> str:
    value = body.get("target_variant", "")
    if "target_variant" in body and not (isinstance(value, str) and _VARIANT.fullmatch(value)):
        raise RequestMalformed(
            f"target_variant is {value!r}; accepted: the name of one of the endpoint's variants."
        )
    return str(value)


def _target_model(body: dict[str, Any]) -> str:
    value = body.get("target_model", "")
    if "target_model" not in body:
        return ""
    if not (isinstance(value, str) and len(value) <= _MODEL_LENGTH and _MODEL.fullmatch(value)):
        raise RequestMalformed(
            f"target_model is {value!r}; accepted: the key of a model's archive below the "
            f"endpoint's models_location, such as churn.tar.gz or eu/churn.tar.gz: letters, "
            f"digits and _.=+@- in folders and name, at most {_MODEL_LENGTH} characters."
        )
    return value
