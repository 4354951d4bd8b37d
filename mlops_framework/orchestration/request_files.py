"""Request files as texts: JSON or YAML in, request bodies and faults out.

What YAML would quietly turn into something else is refused: a key said twice, a date.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Any, Final, NoReturn

from mlops_framework import naming
from mlops_framework.contracts.faults import NOTHING, closest, shown
from mlops_framework.environments.documents import read_text
from mlops_framework.errors import EnvironmentInvalid, Fault
from mlops_framework.orchestration.gitops import FileFault

SUFFIXES: Final = (".json", ".yaml", ".yml")
_NO_TEXT: Final = re.compile("[\udc80-\udcff]")
_PLACEHOLDER: Final = re.compile(r"[{]([a-z-]+)[}]")


@dataclass(frozen=True)
class Reading:
    """What the files of a folder say.

    Attributes:
        bodies: Request body by file.
        faults: Of files that hold none.
    """

    bodies: Mapping[str, Any]
    faults: tuple[FileFault, ...]


def is_request_file(name: str) -> bool:
    """Whether a file of the folder is taken for a request; hidden files are not."""
    path = PurePosixPath(name)
    return path.suffix in SUFFIXES and not any(part.startswith(".") for part in path.parts)


def read_files(texts: Mapping[str, str], values: Mapping[str, str]) -> Reading:
    """Decode request files, and fill in what they name of the platform.

    Args:
        texts: Text by file; bytes that are not UTF-8 as Python's ``surrogateescape`` keeps them.
        values: Value by key of the platform, for ``{data-bucket-name}`` and its like.
    """
    bodies: dict[str, Any] = {}
    faults: list[FileFault] = []
    for file, text in sorted(texts.items()):
        try:
            _refuse_bytes(text)
            body = _json(text) if file.endswith(".json") else _yaml(file, text)
        except _Refused as refused:
            faults += [FileFault.of(file, fault) for fault in refused.faults]
            continue
        unknown = list(_unknown_values(body, "", values))
        faults += [FileFault.of(file, fault) for fault in unknown]
        if not unknown:
            bodies[file] = filled(body, values)
    return Reading(bodies, tuple(faults))


def filled(body: Any, values: Mapping[str, str]) -> Any:
    """The document with ``{data-bucket-name}`` and its like replaced by the platform's values."""
    if isinstance(body, dict):
        return {key: filled(inner, values) for key, inner in body.items()}
    if isinstance(body, list):
        return [filled(inner, values) for inner in body]
    if isinstance(body, str):
        return _PLACEHOLDER.sub(lambda match: values[match[1]], body)
    return body


def keys_named(texts: Mapping[str, str]) -> tuple[naming.PlatformKey, ...]:
    """The platform's keys that any of the files names, so that only those are looked up."""
    said = {match[1] for text in texts.values() for match in _PLACEHOLDER.finditer(text)}
    return tuple(key for key in naming.PLATFORM_KEYS if key in said)


class _Refused(Exception):
    def __init__(self, *faults: Fault) -> None:
        self.faults = faults
        super().__init__("; ".join(map(str, faults)))


def _refuse_bytes(text: str) -> None:
    found = _NO_TEXT.search(text)
    if found:
        line = text.count("\n", 0, found.start()) + 1
        said = f"It is not text in UTF-8, line {line}."
        raise _Refused(Fault("", said, "text in UTF-8", f"byte 0x{ord(found[0]) - 0xDC00:02x}"))


def _json(text: str) -> Any:
    try:
        return json.loads(text, object_pairs_hook=_once, parse_constant=_no_constant)
    except json.JSONDecodeError as error:
        said = f"It is not JSON: {error.msg}, line {error.lineno}, column {error.colno}."
        raise _Refused(Fault("", said, "one JSON object", f"line {error.lineno}")) from None
    except RecursionError:
        raise _Refused(Fault("", "It is nested too deeply.", "a request", "…")) from None


def _yaml(file: str, text: str) -> Any:
    try:
        document = read_text(text, file)
    except EnvironmentInvalid as error:
        raise _Refused(*error.faults) from None
    strange = [
        Fault(
            path,
            f"YAML reads it as a {type(value).__name__}; write it in quotes.",
            "text in quotes, a number, true or false",
            str(value),
        )
        for path, value in _leaves(document.data, "")
        if not isinstance(value, str | int | float | bool | type(None))
    ]
    if strange:
        raise _Refused(*strange)
    return document.data


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}" if path else str(key))
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from _leaves(inner, f"{path}.{index}")
    else:
        yield path, value


def _unknown_values(body: Any, path: str, values: Mapping[str, str]) -> Iterator[Fault]:
    for where, value in _leaves(body, path):
        for match in _PLACEHOLDER.finditer(value) if isinstance(value, str) else ():
            if match[1] in values:
                continue
            nearest = closest(match[1], naming.PLATFORM_KEYS)
            hint = f" Did you mean {{{nearest}}}?" if nearest else ""
            accepted = ", ".join(f"{{{key}}}" for key in naming.PLATFORM_KEYS)
            said = f"The platform publishes no {{{match[1]}}}.{hint}"
            yield Fault(where, said, accepted, shown(value))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    seen: dict[str, Any] = {}
    for key, value in pairs:
        if key in seen:
            raise _Refused(
                Fault(key, "The key is said twice; keep one.", "each key once", shown(value))
            )
        seen[key] = value
    return seen


def _no_constant(name: str) -> NoReturn:
    raise _Refused(Fault("", f"{name} is no JSON value.", "a JSON value", NOTHING))
