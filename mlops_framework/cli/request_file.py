"""A request file, read strictly: what is wrong is told with line and column."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, NoReturn

from mlops_framework import naming
from mlops_framework.cli.errors import RequestUnreadable

_PLACEHOLDER: Final = re.compile(r"[{]([a-z-]+)[}]")


def read_request(file: Path) -> Any:
    """The decoded JSON document.

    Raises:
        RequestUnreadable: If there is no such file, it is not text, not JSON, or says a key twice.
    """
    try:
        text = file.read_text(encoding="utf-8-sig")
    except FileNotFoundError:
        beside = sorted(other.name for other in file.parent.glob("*.json"))
        hint = f" There is: {', '.join(beside[:8])}." if beside else ""
        raise RequestUnreadable(f"There is no file {file}.{hint}") from None
    except IsADirectoryError:
        raise RequestUnreadable(f"{file} is a folder; name the request file in it.") from None
    except UnicodeDecodeError as error:
        raise RequestUnreadable(f"{file} is not UTF-8 text (byte {error.start}).") from None
    except OSError as error:
        raise RequestUnreadable(f"{file} cannot be read: {error.strerror}.") from None
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        lines = text.splitlines()
        line = lines[error.lineno - 1] if error.lineno <= len(lines) else ""
        raise RequestUnreadable(
            f"{file} is not JSON: {error.msg}, line {error.lineno}, column {error.colno}.\n\n"
            f"  {line}\n  {' ' * (error.colno - 1)}^"
        ) from None
    except _Refused as error:
        raise RequestUnreadable(f"{file}: {error}") from None
    except RecursionError:
        raise RequestUnreadable(f"{file} is nested too deeply to be a request.") from None


def expand(body: Any, value: Callable[[naming.PlatformKey], str]) -> Any:
    """The document with ``{data-bucket-name}`` and its like replaced by the platform's values.

    So one request file serves every environment, whose buckets have names of their own.

    Args:
        body: Decoded JSON; only its texts are looked at.
        value: Value of a key of :data:`mlops_framework.naming.PLATFORM_KEYS`.

    Raises:
        RequestUnreadable: If a text names a key that the platform does not publish.
    """
    if isinstance(body, dict):
        return {key: expand(inner, value) for key, inner in body.items()}
    if isinstance(body, list):
        return [expand(inner, value) for inner in body]
    if isinstance(body, str):
        return _PLACEHOLDER.sub(lambda match: _value(match[1], value), body)
    return body


def _value(key: str, value: Callable[[naming.PlatformKey], str]) -> str:
    for known in naming.PLATFORM_KEYS:
        if key == known:
            return value(known)
    raise RequestUnreadable(
        f"The request says {{{key}}}, which the platform does not publish. There are: "
        + ", ".join(f"{{{known}}}" for known in naming.PLATFORM_KEYS)
        + "."
    )


class _Refused(Exception):
    pass


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise _Refused(f"the key {key!r} is said twice; keep one.")
        seen[key] = value
    return seen


def _no_constant(name: str) -> NoReturn:
    raise _Refused(f"{name} is no JSON value.")
