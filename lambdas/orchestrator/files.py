"""Requests that were put as files into the configuration bucket: S3 events in, results beside them.

A sender of a file has nobody to answer to, so the answer is written beside the file, as
``<key>.result.json``, and a refusal is told to the alert topic. What a later attempt may bring
about is raised, so that Lambda tries the event again.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final, Protocol
from urllib.parse import unquote_plus

from aws_lambda_powertools.event_handler import APIGatewayRestResolver

from lambdas.orchestrator import wiring
from lambdas.orchestrator.entry import request
from lambdas.orchestrator.handler import APP, LOGGER
from lambdas.orchestrator.reading import FOLDER_LIMIT

PREFIX: Final = "mlops-config"
RESULT: Final = ".result.json"
_BOM: Final = b"\xef\xbb\xbf"
_SUBJECT_LENGTH: Final = 100


class TryAgain(Exception):
    """A file could not be carried out now; Lambda sends the event again."""


class Desk(Protocol):
    """Where files lie and who hears of refusals."""

    def read(self, bucket: str, key: str, *, limit: int) -> bytes:
        """At most ``limit`` bytes of an object as it is now.

        Raises:
            FileNotFoundError: If there is no such object.
        """

    def write(self, bucket: str, key: str, text: str) -> None:
        """Write a JSON object."""

    def alert(self, subject: str, text: str) -> None:
        """Tell people."""


@dataclass(frozen=True)
class RequestFile:
    """A file of the configuration bucket.

    Attributes:
        bucket: Its bucket.
        key: Its key, decoded.
        version: Version of the object, if the bucket keeps versions.
        sender: Who put it, as far as the event says.
    """

    bucket: str
    key: str
    version: str
    sender: str

    @property
    def place(self) -> str:
        """For people."""
        return f"s3://{self.bucket}/{self.key}"


def files_in(event: Mapping[str, Any]) -> Iterator[RequestFile]:
    """Every request file that an event of S3 tells of; results and other objects are left out."""
    for file in _objects(event):
        name = file.key
        # The predecessor took whatever began so, mlops-config.json-2 as well.
        asks = name.startswith(f"{PREFIX}.json") or name.endswith(".json")
        if name.startswith(PREFIX) and asks and not name.endswith(RESULT):
            yield file


def carry_out(
    event: Mapping[str, Any], context: Any, *, app: APIGatewayRestResolver, desk: Desk
) -> dict[str, Any]:
    """Carry out every file of an event.

    Returns:
        The status of each file by its place.

    Raises:
        TryAgain: If a file may succeed later.
    """
    statuses: dict[str, Any] = {}
    later: list[str] = []
    for file in files_in(event):
        carried = _carry_out(file, context, app, desk)
        if carried is not None:
            statuses[file.place], again = carried
            later += [file.place] if again else []
    if later:
        raise TryAgain(f"{', '.join(later)}: see the result beside it; it is tried again.")
    return {"files": statuses}


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function; the event is S3's, of EventBridge or a notification."""
    return carry_out(event, context, app=APP, desk=wiring.desk())


def _carry_out(
    file: RequestFile, context: Any, app: APIGatewayRestResolver, desk: Desk
) -> tuple[int, bool] | None:
    """Its status and whether a later attempt may bring another; nothing if it is gone."""
    try:
        body = desk.read(file.bucket, file.key, limit=FOLDER_LIMIT + 1)
    except FileNotFoundError:
        LOGGER.warning("%s was removed before it was read", file.place)
        return None
    caller = f"{file.sender} by {file.place}"
    event = request("/provisionpipeline", body.removeprefix(_BOM), context.aws_request_id, caller)
    answered = app.resolve(event, context)
    status, answer = int(answered["statusCode"]), json.loads(answered["body"])
    result = {
        "version": 1,
        "file": file.place,
        "file_version": file.version,
        "accepted": status < HTTPStatus.BAD_REQUEST,
        "status": status,
        "answer": answer,
    }
    desk.write(file.bucket, f"{file.key}{RESULT}", json.dumps(result, indent=2))
    LOGGER.info("%s: %d", file.place, status)
    again = _may_succeed(status, answer)
    if status >= HTTPStatus.BAD_REQUEST and not again:
        subject = f"Refused: {file.key}".encode("ascii", "replace").decode()[:_SUBJECT_LENGTH]
        desk.alert(subject, f"{file.place} was refused ({status}).\n\n{answer.get('detail', '')}")
    return status, again


def _may_succeed(status: int, answer: Mapping[str, Any]) -> bool:
    return "retry_after" in answer or status >= HTTPStatus.INTERNAL_SERVER_ERROR


def _objects(event: Mapping[str, Any]) -> Iterator[RequestFile]:
    if event.get("source") == "aws.s3":
        detail = event.get("detail")
        if isinstance(detail, dict) and str(event.get("detail-type")) == "Object Created":
            yield from _object(detail, str(detail.get("requester") or "unknown"), decode=False)
        return
    for record in event.get("Records") or ():
        if str(record.get("eventName", "")).startswith("ObjectCreated"):
            who = record.get("userIdentity")
            sender = str(who.get("principalId")) if isinstance(who, dict) else "unknown"
            yield from _object(record.get("s3"), sender, decode=True)


def _object(holder: Any, sender: str, *, decode: bool) -> Iterator[RequestFile]:
    """Notifications encode keys as forms do; EventBridge gives them as they are."""
    bucket = holder.get("bucket") if isinstance(holder, dict) else None
    found = holder.get("object") if isinstance(holder, dict) else None
    if not isinstance(bucket, dict) or not isinstance(found, dict):
        return
    name, key = bucket.get("name"), found.get("key")
    if isinstance(name, str) and isinstance(key, str):
        version = found.get("versionId") or found.get("version-id") or ""
        yield RequestFile(name, unquote_plus(key) if decode else key, str(version), sender)
