"""Capture of an asynchronous endpoint: the request at once, the answer when it has come.

The API captures the request of a call as an object of its own and leaves a note beside it: which
object that is, and where SageMaker will put the answer. When the answer object arrives, the capture
object is written again with both sides, under the same key, and the note is removed. So a call is
one capture record at any moment, whatever comes twice or not at all: readers take the last version
of an object, an answer that never comes leaves the request, and a completed record stays as it is.

The note may be written after the answer, where the model is quick. Then nobody finds it when the
answer arrives, and its own arrival, which is looked at likewise, finds the answer.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Self
from urllib.parse import urlencode

from botocore.exceptions import ClientError

from mlops_framework.aws.inference import bucket_and_key
from mlops_framework.aws.inference_capture import Exchange, InferenceCapture, MediaTypes, side
from mlops_framework.aws.refusals import code_of, refusals
from mlops_framework.drift.ageing import NOTES, TAG

LOGGER = logging.getLogger(__name__)

ANSWER_LIMIT: Final = 5 * 1024 * 1024
"""Bytes of an answer that is captured; what the API takes as a request has the same limit."""
_MISSING: Final = ("404", "NoSuchKey", "NoSuchVersion")
_NO_TYPE: Final = ("", "binary/octet-stream", "application/octet-stream")
"""What S3 says of an object whose writer said nothing."""


class NoteInvalid(Exception):
    """An object among the notes that is none."""


@dataclass(frozen=True)
class Note:
    """That a captured request waits for its answer.

    Attributes:
        capture: ``s3://bucket/key`` of the capture object.
        answer: ``s3://bucket/key`` that the answer will have.
        accept: Media type that the caller asked for; empty for the container's choice.
    """

    capture: str
    answer: str
    accept: str = ""

    def to_json(self) -> bytes:
        """As it is kept."""
        return json.dumps({"version": 1, **vars(self)}, sort_keys=True).encode()

    @classmethod
    def from_json(cls, text: bytes, place: str) -> Self:
        """Read what :meth:`to_json` wrote.

        Raises:
            NoteInvalid: If it is something else.
        """
        try:
            document = json.loads(text)
            return cls(document["capture"], document["answer"], document.get("accept", ""))
        except (ValueError, KeyError, TypeError) as error:
            raise NoteInvalid(f"{place} is no note of a captured request: {error}.") from error


@dataclass(frozen=True)
class Notes:
    """The notes of one endpoint.

    Attributes:
        client: An S3 client.
        bucket: Where they are.
        prefix: Key prefix, the endpoint's name included.
    """

    client: Any
    bucket: str
    prefix: str

    @classmethod
    def at(cls, client: Any, location: str) -> Self:
        """The notes below ``s3://bucket/prefix``."""
        bucket, prefix = bucket_and_key(location)
        return cls(client, bucket, prefix.rstrip("/"))

    def key_of(self, answer: str) -> str:
        """Key of the note of an answer; an event of S3 tells no more than the answer's place."""
        return f"{self.prefix}/{hashlib.sha256(answer.encode()).hexdigest()[:40]}.json"

    def leave(self, note: Note) -> None:
        """Write a note; the data bucket lets it go after a month, answered or not."""
        self.client.put_object(
            Bucket=self.bucket,
            Key=self.key_of(note.answer),
            Body=note.to_json(),
            ContentType="application/json",
            Tagging=urlencode({TAG: NOTES}),
        )

    def holds(self, bucket: str, key: str) -> bool:
        """Whether an object is a note."""
        return bucket == self.bucket and key.startswith(f"{self.prefix}/")

    def read(self, key: str) -> Note | None:
        """A note; ``None`` if there is none, or none any more.

        Raises:
            NoteInvalid: If the object is none.
        """
        found = _read(self.client, self.bucket, key)
        return Note.from_json(found.body, f"s3://{self.bucket}/{key}") if found else None

    def remove(self, note: Note) -> None:
        """Remove a note; one that is gone already is no fault."""
        with refusals("S3", "DeleteObject"):
            self.client.delete_object(Bucket=self.bucket, Key=self.key_of(note.answer))


class Taken(StrEnum):
    """What became of an event."""

    COMPLETED = "completed"
    WAITS = "waits"
    """The note is there, the answer is not."""
    NOT_CAPTURED = "not captured"
    """Nobody waits for that answer: its request is not in the sample, or it is captured already."""
    TOO_LARGE = "too large"
    CAPTURE_GONE = "capture gone"


@dataclass(frozen=True)
class LateAnswers:
    """Completes capture records.

    Attributes:
        client: An S3 client.
        notes: What waits.
        count: Takes numbers for CloudWatch by metric name.
        types: How payloads are written down.
        limit: Bytes of an answer that is captured; a larger one is not fetched.
    """

    client: Any
    notes: Notes
    count: Callable[[Mapping[str, float]], None]
    types: MediaTypes = field(default_factory=MediaTypes)
    limit: int = ANSWER_LIMIT

    def arrived(self, bucket: str, key: str) -> Taken:
        """Look at an object that has arrived, an answer or a note, as often as one likes.

        Raises:
            NoteInvalid: If a note is none.
            ServiceRefused: S3 refused.
            ServiceUnavailable: S3 did not answer; ask again.
        """
        is_note = self.notes.holds(bucket, key)
        note = self.notes.read(key if is_note else self.notes.key_of(f"s3://{bucket}/{key}"))
        if note is None:
            return Taken.NOT_CAPTURED
        taken = self._complete(note)
        if taken is not Taken.WAITS:
            self.notes.remove(note)
        return taken

    def _complete(self, note: Note) -> Taken:
        answer = _read(self.client, *bucket_and_key(note.answer), limit=self.limit)
        if answer is None:
            return Taken.WAITS
        if answer.size > self.limit:
            self.count({"AnswersTooLarge": 1.0})
            LOGGER.warning(
                "%s has %d bytes; answers are captured up to %d, so its request stays captured "
                "alone",
                *(note.answer, answer.size, self.limit),
            )
            return Taken.TOO_LARGE
        bucket, key = bucket_and_key(note.capture)
        captured = _read(self.client, bucket, key)
        if captured is None:
            return Taken.CAPTURE_GONE
        record = json.loads(captured.body)
        if "endpointOutput" not in record["captureData"]:
            known = answer.content_type not in _NO_TYPE
            content_type = answer.content_type if known else note.accept or answer.content_type
            output = side(answer.body, content_type, "OUTPUT", self.types)
            record["captureData"]["endpointOutput"] = output
            line = json.dumps(record, separators=(",", ":"))
            with refusals("S3", "PutObject"):
                self.client.put_object(Bucket=bucket, Key=key, Body=f"{line}\n".encode())
            self.count({"AnswersCaptured": 1.0})
        return Taken.COMPLETED


@dataclass(frozen=True)
class _Found:
    body: bytes
    size: int
    content_type: str


def _read(client: Any, bucket: str, key: str, limit: int | None = None) -> _Found | None:
    """An object, without its body if that is beyond the limit; ``None`` if there is none."""
    with refusals("S3", "GetObject"):
        try:
            answer = client.get_object(Bucket=bucket, Key=key)
        except ClientError as error:
            if code_of(error) in _MISSING:
                return None
            raise
        size = int(answer["ContentLength"])
        body = answer["Body"]
        if limit is not None and size > limit:
            body.close()
            return _Found(b"", size, "")
        return _Found(body.read(), size, answer.get("ContentType", ""))


def keep_request(
    capture: InferenceCapture, notes: Notes, exchange: Exchange, answer: str, accept: str
) -> None:
    """Capture the request of a call whose answer comes later; it never fails.

    The note is written last: whoever finds it finds the request captured.

    Args:
        capture: Captures the endpoint's calls.
        notes: Where the note goes.
        exchange: The call, without its answer.
        answer: ``s3://bucket/key`` that the answer will have.
        accept: Media type that the caller asked for.
    """
    place = capture.keep(exchange)
    if not place or not answer:
        return
    try:
        notes.leave(Note(place, answer, accept))
    except Exception:
        LOGGER.exception("of %s the request alone is captured: no note could be left", answer)
