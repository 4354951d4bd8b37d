"""An asynchronous call is one capture record, with both sides once its answer has come."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.exceptions import ClientError

from lambdas.inference.answers import complete
from lambdas.inference.handler import answer
from mlops_framework.aws.inference import SageMakerInference, SageMakerQueue
from mlops_framework.aws.inference_capture import InferenceCapture
from mlops_framework.aws.late_answers import LateAnswers, NoteInvalid, Notes
from mlops_framework.aws.objects import S3Objects
from mlops_framework.drift.capture import CaptureReader
from mlops_framework.drift.objects import CaptureKey
from mlops_framework.errors import FrameworkFault
from mlops_framework.testing.events import api_event

NOON = datetime(2026, 3, 1, 12, 34, 56, 789_000, tzinfo=UTC)
READER = CaptureReader(("age", "income"))
ANSWER = "asynchronous/letters/output/1.out"


class S3:
    """An S3 client with one bucket; ``down`` are key prefixes that it refuses to write."""

    def __init__(self) -> None:
        self.objects: dict[str, tuple[bytes, str]] = {}
        self.writes: list[str] = []
        self.fetched = 0
        self.down: tuple[str, ...] = ()

    def put_object(
        self,
        *,
        Bucket: str,
        Key: str,
        Body: bytes,
        ContentType: str = "binary/octet-stream",
        Tagging: str = "",
    ) -> None:
        if self.down and Key.startswith(self.down):
            raise ConnectionError("S3 cannot be reached")
        # The data bucket's rule deletes notes by their tag.
        assert (Tagging == "mlops%3Akept-as=notes") == Key.startswith("unanswered/")
        self.objects[Key] = (Body, ContentType)
        self.writes.append(Key)

    def get_object(self, *, Bucket: str, Key: str) -> dict[str, Any]:
        if Key not in self.objects:
            raise ClientError({"Error": {"Code": "NoSuchKey", "Message": Key}}, "GetObject")
        body, content_type = self.objects[Key]
        return {"Body": Read(self, body), "ContentLength": len(body), "ContentType": content_type}

    def delete_object(self, *, Bucket: str, Key: str) -> None:
        self.objects.pop(Key, None)

    def below(self, prefix: str) -> list[str]:
        return [key for key in self.objects if key.startswith(prefix)]


class Read(io.BytesIO):
    """A body that counts what is fetched of it."""

    def __init__(self, s3: S3, body: bytes) -> None:
        super().__init__(body)
        self._s3 = s3

    def read(self, size: int | None = -1) -> bytes:
        found = super().read(size)
        self._s3.fetched += len(found)
        return found


class Runtime:
    """A SageMaker Runtime client whose queue takes every call."""

    def invoke_endpoint_async(self, **request: Any) -> dict[str, Any]:
        return {
            "InferenceId": request["InferenceId"],
            "OutputLocation": f"s3://data/{ANSWER}",
            "FailureLocation": "s3://data/asynchronous/letters/failure/1-error.out",
        }


class Platform:
    """The API, S3 and the function that completes captures; events come when a test says so."""

    def __init__(self) -> None:
        self.s3 = S3()
        self.counted: dict[str, float] = {}
        self.notes = Notes.at(self.s3, "s3://data/unanswered/letters")
        self.answers = LateAnswers(self.s3, self.notes, self._count, limit=100)

    def _count(self, values: Mapping[str, float]) -> None:
        for name, value in values.items():
            self.counted[name] = self.counted.get(name, 0) + value

    def ask(self, *, share: int = 100, **body: Any) -> int:
        capture = InferenceCapture(
            self.s3,
            "data",
            "captures/letters",
            share,
            lambda: NOON,
            lambda: 0.5,
            variant="champion",
        )
        queue = SageMakerQueue(Runtime(), "letters", S3Objects(self.s3, "data"), "s3://data/in")
        call = {"payload": "42,1200\n", "content_type": "text/csv", **body}
        said = answer(
            api_event("POST", "/inference", call),
            model=SageMakerInference(Runtime(), "letters"),
            queue=queue,
            capture=capture,
            notes=self.notes,
        )
        return int(said["statusCode"])

    def answered(self, body: bytes = b"0.25", content_type: str = "text/csv") -> None:
        self.s3.put_object(Bucket="data", Key=ANSWER, Body=body, ContentType=content_type)

    def event(self, key: str) -> str:
        detail = {"bucket": {"name": "data"}, "object": {"key": key}}
        return complete({"detail": detail}, answers=self.answers)["taken"]

    @property
    def note(self) -> str:
        return self.notes.key_of(f"s3://data/{ANSWER}")

    def captured(self) -> Any:
        (key,) = self.s3.below("captures/")
        assert CaptureKey.parse(key) == CaptureKey(
            "letters", "champion", NOON.replace(microsecond=0), share=100
        )
        return READER.read(self.s3.objects[key][0])


@pytest.fixture
def platform() -> Platform:
    return Platform()


@pytest.mark.parametrize(
    "events",
    sorted(set(itertools.permutations(["note", "answer", "answer", "note"]))),
    ids=",".join,
)
def test_whatever_comes_first_and_however_often_a_call_is_one_record_of_both_sides(
    platform: Platform, events: tuple[str, ...]
) -> None:
    assert platform.ask(inference_id="letter-7") == 202
    before = platform.captured()
    assert ([list(row) for row in before.inputs], before.outputs) == ([["42", "1200"]], {})

    platform.answered()
    for each in events:
        platform.event(platform.note if each == "note" else ANSWER)

    after = platform.captured()
    assert [list(row) for row in after.inputs] == [["42", "1200"]]
    assert after.outputs == {"prediction": ["0.25"]}
    assert (after.identity, after.time) == ("letter-7", before.time)
    assert platform.counted == {"AnswersCaptured": 1.0}
    assert len([key for key in platform.s3.writes if key.startswith("captures/")]) == 2
    assert platform.s3.below("unanswered/") == []


def test_an_answer_that_comes_before_the_note_is_found_by_the_note(platform: Platform) -> None:
    platform.answered()
    assert platform.event(ANSWER) == "not captured"
    platform.ask()
    assert platform.event(platform.note) == "completed"
    assert platform.captured().outputs == {"prediction": ["0.25"]}


def test_a_request_without_an_answer_stays_captured_and_waits(platform: Platform) -> None:
    platform.ask()
    assert platform.event(platform.note) == "waits"
    assert platform.captured().outputs == {}
    assert platform.s3.below("unanswered/") == [platform.note]


def test_an_answer_beyond_the_limit_is_counted_and_not_fetched(platform: Platform) -> None:
    platform.ask()
    platform.answered(b"1," * 51)
    assert platform.event(ANSWER) == "too large"
    assert platform.counted == {"AnswersTooLarge": 1.0}
    assert platform.s3.fetched < 1000
    assert platform.captured().outputs == {}
    assert platform.event(ANSWER) == "not captured"


def test_calls_outside_the_sample_leave_neither_capture_nor_note(platform: Platform) -> None:
    platform.ask(share=20)
    assert platform.s3.below("captures/") + platform.s3.below("unanswered/") == []
    platform.answered()
    assert platform.event(ANSWER) == "not captured"


@pytest.mark.parametrize(
    ("stored", "accept", "encoding", "observed"),
    [
        ("application/json", "", "JSON", "application/json"),
        ("binary/octet-stream", "application/json", "JSON", "application/json"),
        ("binary/octet-stream", "", "BASE64", "binary/octet-stream"),
    ],
    ids=["as it is stored", "as it was asked for", "nobody knows"],
)
def test_an_answer_is_written_down_as_its_media_type_says(
    platform: Platform, stored: str, accept: str, encoding: str, observed: str
) -> None:
    asked: dict[str, Any] = {"accept": accept} if accept else {}
    platform.ask(**asked)
    platform.answered(b"[0.25]", stored)
    platform.event(ANSWER)
    (key,) = platform.s3.below("captures/")
    side = json.loads(platform.s3.objects[key][0])["captureData"]["endpointOutput"]
    assert (side["encoding"], side["observedContentType"]) == (encoding, observed)
    assert platform.captured().outputs == {"prediction": ["0.25"]}


@pytest.mark.parametrize("down", ["captures/", "unanswered/"])
def test_a_call_is_taken_whatever_cannot_be_written(platform: Platform, down: str) -> None:
    platform.s3.down = (down,)
    assert platform.ask() == 202
    assert len(platform.s3.below("captures/")) == (down != "captures/")
    assert platform.s3.below("unanswered/") == []


def test_a_record_that_could_not_be_completed_is_completed_when_lambda_calls_again(
    platform: Platform,
) -> None:
    platform.ask()
    platform.answered()
    platform.s3.down = ("captures/",)
    with pytest.raises((ConnectionError, FrameworkFault)):
        platform.event(ANSWER)
    platform.s3.down = ()
    assert platform.event(ANSWER) == "completed"


def test_a_capture_that_was_deleted_meanwhile_is_not_made_again(platform: Platform) -> None:
    platform.ask()
    platform.s3.objects.pop(platform.s3.below("captures/")[0])
    platform.answered()
    assert platform.event(ANSWER) == "capture gone"
    assert platform.s3.below("captures/") + platform.s3.below("unanswered/") == []


def test_what_lies_among_the_notes_and_is_none_is_told_by_name(platform: Platform) -> None:
    platform.s3.objects["unanswered/letters/x.json"] = (b"{}", "application/json")
    with pytest.raises(NoteInvalid, match=r"s3://data/unanswered/letters/x\.json"):
        platform.event("unanswered/letters/x.json")
