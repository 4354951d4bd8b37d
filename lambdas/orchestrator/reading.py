"""What a request says: its body as JSON values, its page size; or a fault that says where."""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, NoReturn

from mlops_framework.errors import Fault, RequestInvalid

BODY_LIMIT: Final = 64 * 1024
"""Bytes; a request with every field filled in has less than a tenth."""
FOLDER_LIMIT: Final = 1024 * 1024
"""Bytes of a folder of requests; hundreds of files."""
ORIGIN_LIMIT: Final = 256
PAGE_LIMIT: Final = 100
"""Most pipelines of one page, and how many it has unless it is asked otherwise."""
_EXCERPT: Final = 20


class BodyMalformed(Exception):
    """The body is no JSON document."""


class BodyTooLarge(Exception):
    """The body is larger than any request."""


def read_json(text: str | None, *, is_base64: bool = False, limit: int = BODY_LIMIT) -> Any:
    """Decode a body strictly: no duplicate keys, no ``NaN``.

    Args:
        text: The body as API Gateway passes it on.
        is_base64: Whether API Gateway has encoded it.
        limit: Bytes that it may have.

    Raises:
        BodyMalformed: Saying what is wrong, and at which line and column.
        BodyTooLarge: Above the limit.
    """
    if text is None or not text.strip():
        raise BodyMalformed("There is no body. Send one JSON object.")
    plain = _decoded(text) if is_base64 else text
    size = len(_encoded(plain))
    if size > limit:
        raise BodyTooLarge(
            f"The body has {size} bytes; at most {limit} are accepted. "
            "Put data into S3 and name its location."
        )
    if not plain.strip():
        raise BodyMalformed("There is no body. Send one JSON object.")
    try:
        document = json.loads(
            plain, object_pairs_hook=_once, parse_constant=_no_constant, parse_float=_finite
        )
    except json.JSONDecodeError as fault:
        raise BodyMalformed(
            f"The body is no JSON: {fault.msg} at line {fault.lineno}, column {fault.colno} "
            f"(position {fault.pos}), near {_near(plain, fault.pos)}."
        ) from None
    except RecursionError:
        raise BodyMalformed("The body is nested too deeply to be a request.") from None
    except ValueError:
        # Python refuses to read whole numbers of more than 4300 digits.
        raise BodyMalformed("The body holds a number of thousands of digits.") from None
    if "\\u" in plain:
        # Half of a surrogate pair can be written so, and nowhere be sent on.
        _encoded(json.dumps(document, ensure_ascii=False))
    return document


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


@dataclass(frozen=True)
class Folder:
    """A folder of requests, as ``POST /plans`` takes it."""

    origin: str
    prune: bool
    files: Mapping[str, Any]


def read_folder(document: Any) -> Folder:
    """The folder that a body describes.

    Raises:
        RequestInvalid: With everything that is wrong with the folder itself; what is wrong with the
            requests in it is part of the plan.
    """
    given = document if isinstance(document, dict) else {}
    faults = []
    if not isinstance(document, dict):
        faults.append(_fault("", "The body describes a folder.", "a JSON object", document))
    for key in given.keys() - {"origin", "prune", "files"}:
        faults.append(_fault(key, "Unknown field.", "origin, prune, files", given[key]))
    origin, prune, files = given.get("origin"), given.get("prune", False), given.get("files")
    if not (isinstance(origin, str) and is_origin(origin)):
        said = "origin names the folder or Git source that the requests stand in."
        faults.append(_fault("origin", said, _ORIGIN, origin))
    if not isinstance(prune, bool):
        said = "prune says whether pipelines without a file are removed."
        faults.append(_fault("prune", said, "true or false", prune))
    if not isinstance(files, dict):
        faults.append(_fault("files", "files holds a request by file name.", "an object", files))
    if faults:
        raise RequestInvalid(faults)
    return Folder(str(origin), bool(prune), dict(files or {}))


def read_origin(query: Mapping[str, str]) -> str:
    """The folder or Git source that a request stands in; empty without one.

    Raises:
        RequestInvalid: If it is none.
    """
    given = query.get("origin", "")
    if given and not is_origin(given):
        said = "origin names the folder or Git source that the request stands in."
        raise RequestInvalid([_fault("origin", said, _ORIGIN, given)])
    return given


def is_origin(text: str) -> bool:
    """Whether a text may be recorded as an origin, such as ``git:models``."""
    kind, separator, name = text.partition(":")
    return bool(separator and kind.isascii() and kind.isalpha() and name.strip()) and (
        len(text) <= ORIGIN_LIMIT and text.isprintable()
    )


_ORIGIN: Final = f"kind:name, at most {ORIGIN_LIMIT} characters, such as git:models"


def _fault(path: str, said: str, accepted: str, found: Any) -> Fault:
    text = "nothing" if found is None else json.dumps(found, ensure_ascii=False)[:120]
    return Fault(path, said, accepted, text)


def _decoded(text: str) -> str:
    try:
        return base64.b64decode(text, validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        raise BodyMalformed("The body is not UTF-8 text.") from None


def _encoded(text: str) -> bytes:
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise BodyMalformed("The body holds half of a surrogate pair, which is no text.") from None


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise BodyMalformed(f"The body holds {text[:_EXCERPT]}, which is no number here.")
    return number


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
