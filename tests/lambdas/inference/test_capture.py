"""Calls that the API captures itself are capture records like SageMaker's."""

from __future__ import annotations

import io
from datetime import UTC, datetime
from typing import Any

import pytest

from lambdas.inference.handler import answer
from mlops_framework.aws.inference import SageMakerInference, SageMakerQueue
from mlops_framework.aws.inference_capture import InferenceCapture, MediaTypes
from mlops_framework.aws.objects import S3Objects
from mlops_framework.drift.capture import CaptureReader
from mlops_framework.drift.objects import CaptureKey
from mlops_framework.testing.events import api_event

NOON = datetime(2026, 3, 1, 12, 34, 56, 789_000, tzinfo=UTC)
READER = CaptureReader(("age", "income"))


class Bucket:
    """An S3 client that keeps what is put; ``broken`` makes it fail, as a network does."""

    def __init__(self) -> None:
        self.objects: dict[str, bytes] = {}
        self.broken = False

    def put_object(self, **request: Any) -> None:
        if self.broken:
            raise ConnectionError("S3 cannot be reached")
        self.objects[request["Key"]] = request["Body"]


class Runtime:
    """A SageMaker Runtime client with one answer."""

    def invoke_endpoint(self, **request: Any) -> dict[str, Any]:
        body = io.BytesIO(b"0.25")
        return {"Body": body, "ContentType": "text/csv", "InvokedProductionVariant": "blue"}

    def invoke_endpoint_async(self, **request: Any) -> dict[str, Any]:
        return {"InferenceId": request["InferenceId"], "OutputLocation": "s3://b/out"}


@pytest.fixture
def bucket() -> Bucket:
    return Bucket()


def ask(
    bucket: Bucket, body: object, *, share: int = 100, chance: float = 0.5, many: bool = False
) -> int:
    capture = InferenceCapture(
        bucket, "data", "captures/income", share, lambda: NOON, lambda: chance, MediaTypes()
    )
    event = api_event("POST", "/inference", body)
    model = SageMakerInference(Runtime(), "income")
    said = answer(event, model=model, capture=capture, needs_target=many)
    return int(said["statusCode"])


def test_the_drift_engine_reads_what_the_api_captured(bucket: Bucket) -> None:
    call = {"payload": "42,1200\n", "content_type": "text/csv", "inference_id": "call-7"}
    assert ask(bucket, call) == 200
    ((key, text),) = bucket.objects.items()
    time = NOON.replace(microsecond=0)
    assert CaptureKey.parse(key) == CaptureKey("income", "blue", time, share=100)
    read = READER.read(text)
    assert [list(row) for row in read.inputs] == [["42", "1200"]]
    assert (read.outputs, read.identity) == ({"prediction": ["0.25"]}, "call-7")
    assert read.time == "2026-03-01T12:34:56Z"


def test_of_a_multi_model_endpoint_the_capture_names_the_model(bucket: Bucket) -> None:
    call = {"payload": "42,1200\n", "content_type": "text/csv", "target_model": "eu/rent_2.tar.gz"}
    assert ask(bucket, call, many=True) == 200
    ((key, text),) = bucket.objects.items()
    time = NOON.replace(microsecond=0)
    assert CaptureKey.parse(key) == CaptureKey("income", "blue", time, "eu/rent_2.tar.gz", 100)
    assert key.startswith("captures/income/blue/2026/03/01/12/34-56-789-")
    assert [list(row) for row in READER.read(text).inputs] == [["42", "1200"]]


def test_json_and_other_media_types_are_captured_as_sagemaker_does(bucket: Bucket) -> None:
    ask(bucket, {"payload": {"age": 1, "income": 2}})
    ask(bucket, {"payload": "1,2", "content_type": "text/plain"})
    rows = [[list(row) for row in READER.read(text).inputs] for text in bucket.objects.values()]
    assert rows == [[["1", "2"]], [["1", "2"]]]
    assert [b'"encoding":"BASE64"' in text for text in bucket.objects.values()] == [False, True]


def test_only_the_sample_is_captured(bucket: Bucket) -> None:
    call = {"payload": "1,2", "content_type": "text/csv"}
    ask(bucket, call, share=20, chance=0.2)
    assert bucket.objects == {}
    ask(bucket, call, share=20, chance=0.1999)
    assert len(bucket.objects) == 1


def test_a_call_that_cannot_be_captured_is_answered(bucket: Bucket) -> None:
    bucket.broken = True
    assert ask(bucket, {"payload": "1,2", "content_type": "text/csv"}) == 200


def test_of_a_queued_call_the_request_is_captured_under_its_id(bucket: Bucket) -> None:
    capture = InferenceCapture(bucket, "data", "c/income", 100, lambda: NOON, lambda: 0.0)
    queue = SageMakerQueue(Runtime(), "income", S3Objects(bucket, "data"), "s3://data/in")
    event = api_event("POST", "/inference", {"payload": "1,2", "content_type": "text/csv"})

    said = answer(event, model=SageMakerInference(Runtime(), "x"), queue=queue, capture=capture)

    assert said["statusCode"] == 202
    key, text = next(item for item in bucket.objects.items() if item[0].startswith("c/"))
    read = READER.read(text)
    assert [list(row) for row in read.inputs] == [["1", "2"]]
    assert (read.outputs, key.split("/")[2]) == ({}, "AllTraffic")
    assert read.identity in said["body"]


def test_a_call_that_is_refused_is_not_captured(bucket: Bucket) -> None:
    assert ask(bucket, {"payload": "1,2"}) == 400
    assert bucket.objects == {}
