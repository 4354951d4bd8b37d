r"""The layout of a capture record's line, learnt from one line and verified on every other.

SageMaker writes all records of an endpoint alike: the same members in the same order, with other
payloads, ids and times. So a line is constant text around a few strings that vary::

    {"captureData":{"endpointInput":{…"data":"│42,3,1│","encoding":"CSV"},…"data":"│0.93│"…

What is learnt from one line holds for another only if every constant byte is the same; that is
checked for each line (:mod:`.scanning`), and a line that differs is read by the real parser.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final, Literal

import orjson

from mlops_framework.drift.capture import truth_of

Role = Literal["input", "output", "event-id", "inference-id", "time", "label", "other"]

_SIDES: Final = ("endpointOutput", "batchTransformOutput")
_TOKEN: Final = re.compile(rb'"(?:[^"\\]|\\.)*"|[{}\[\],:]|[^\s{}\[\],:"]+')
_LONGEST: Final = 1 << 20


@dataclass(frozen=True)
class Varying:
    """A string of the line that differs between records.

    Attributes:
        role: What it is.
        before: The constant bytes between the string before it (or the line's beginning) and its
            first character, its opening quote included.
        length: Its length in the line it was learnt from.
    """

    role: Role
    before: bytes
    length: int


@dataclass(frozen=True)
class Side:
    """How a payload is encoded.

    Attributes:
        encoding: ``CSV``, ``JSON`` or ``BASE64``, as the record says.
        content_type: ``observedContentType``, lower case.
    """

    encoding: str
    content_type: str


@dataclass(frozen=True)
class RecordLayout:
    """The layout of a line.

    Attributes:
        varying: The strings that vary, from left to right.
        after: The constant bytes after the last one, its closing quote included.
        request: How requests are encoded.
        response: How responses are encoded; ``None`` if they are not captured.
        truth: How labels are encoded; empty for records without.
    """

    varying: tuple[Varying, ...]
    after: bytes
    request: Side
    response: Side | None
    truth: str = ""

    def place(self, role: Role) -> int:
        """Which of the varying strings has a role; -1 if none has."""
        return next((i for i, v in enumerate(self.varying) if v.role == role), -1)


def learn(line: bytes) -> RecordLayout | None:
    """The layout of a line; ``None`` if it is none that can be read by its layout.

    Args:
        line: One capture record, without the line feed.
    """
    if len(line) > _LONGEST:
        return None
    try:
        record = orjson.loads(line)
    except ValueError:
        return None
    found = _varying_strings(line)
    if found is None or not isinstance(record, dict) or not _plain(record.get("eventMetadata")):
        return None
    request = _side(record, ("endpointInput",))
    if request is None or not any(role == "input" for role, _, _ in found):
        return None
    response = _side(record, _SIDES)
    if response is None and any(record["captureData"].get(name) for name in _SIDES):
        return None
    truth = truth_of(record)
    if truth is not None and not isinstance(record["groundTruthData"]["data"], str):
        return None
    varying = []
    end = 0
    for role, start, stop in found:
        varying.append(Varying(role, line[end:start], stop - start))
        end = stop
    encoding = truth.encoding if truth else ""
    return RecordLayout(tuple(varying), line[end:], request, response, encoding)


def _plain(metadata: Any) -> bool:
    """Whether time and ids are texts, or not there: anything else is for the real parser."""
    if not isinstance(metadata, dict):
        return True
    found = (metadata.get(name) for name in ("inferenceTime", "inferenceId", "eventId"))
    return all(value is None or isinstance(value, str) for value in found)


def _side(record: dict[str, Any], names: tuple[str, ...]) -> Side | None:
    sides = record.get("captureData")
    if not isinstance(sides, dict):
        return None
    side = next((sides[name] for name in names if sides.get(name)), None)
    if not isinstance(side, dict) or not isinstance(side.get("data"), str):
        return None
    encoding = side.get("encoding")
    if encoding not in ("CSV", "JSON", "BASE64"):
        return None
    return Side(encoding, str(side.get("observedContentType", "")).lower())


def _role(path: tuple[str, ...]) -> Role | None:
    match path:
        case ("captureData", "endpointInput", "data"):
            return "input"
        case ("captureData", "endpointOutput" | "batchTransformOutput", "data"):
            return "output"
        case ("eventMetadata", "eventId"):
            return "event-id"
        case ("eventMetadata", "inferenceId"):
            return "inference-id"
        case ("eventMetadata", "inferenceTime"):
            return "time"
        case ("groundTruthData", "data"):
            return "label"
        case ("eventMetadata", _):
            return "other"
    return None


def _varying_strings(line: bytes) -> list[tuple[Role, int, int]] | None:
    """Role, start and end of each string that varies; ``None`` if a member is there twice."""
    found: list[tuple[Role, int, int]] = []
    keys: list[str] = []
    kinds: list[bytes] = []
    seen: set[tuple[str, ...]] = set()
    expects_key = False
    for match in _TOKEN.finditer(line):
        token = match.group()
        if token in (b"{", b"["):
            kinds.append(token)
            keys.append("")
            expects_key = token == b"{"
        elif token in (b"}", b"]"):
            kinds.pop()
            keys.pop()
            expects_key = False
        elif token == b",":
            expects_key = bool(kinds) and kinds[-1] == b"{"
        elif token == b":":
            expects_key = False
        elif token.startswith(b'"'):
            path = tuple(keys)
            if expects_key:
                keys[-1] = orjson.loads(token)
                path = tuple(keys)
                if path in seen and b"[" not in kinds:
                    return None
                seen.add(path)
            elif b"[" not in kinds:
                role = _role(path)
                if role == "time" and match.end() - match.start() != len('"2026-03-01T14:07:31Z"'):
                    return None
                if role is not None:
                    found.append((role, match.start() + 1, match.end() - 1))
    if sum(role == "output" for role, _, _ in found) > 1:
        return None
    return found
