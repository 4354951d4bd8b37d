"""Clients of the AWS MLOps Framework 2.x at the deployed platform: API, function, file."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import pytest

from tests.contracts.fuzz import changed

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
KEY = "mlops-config-door.json"
SECONDS = 60


@pytest.fixture
def body(loop: Any, bucket: str) -> dict[str, Any]:
    """A body with a path of each form, for a model that is not there: nothing comes of it."""
    return {
        "pipeline_type": " BYOM_Batch_Custom ",
        "model_name": "Door",
        "custom_image_uri": IMAGE,
        "model_artifact_location": "models/door/model.tar.gz",
        "inference_instance": {"dev": "ml.m5.large", "staging": "x", "prod": "x"},
        "batch_inference_data": f"{bucket}/door/in/data.csv",
        "batch_job_output_location": f"s3://{bucket}/door/out/",
    }


@pytest.fixture
def api(loop: Any) -> Callable[[Any], tuple[int, dict[str, Any]]]:
    """Calls the orchestrator's function with an event; status and answer."""
    functions = loop.place.client("lambda")
    (name,) = (
        each["FunctionName"]
        for page in functions.get_paginator("list_functions").paginate()
        for each in page["Functions"]
        if each["Handler"] == "lambdas.orchestrator.handler.handler"
    )

    def call(event: Any) -> tuple[int, dict[str, Any]]:
        answered = functions.invoke(FunctionName=name, Payload=json.dumps(event).encode())
        answer = json.loads(answered["Payload"].read())
        return answer["statusCode"], json.loads(answer["body"])

    return call


@pytest.fixture(autouse=True)
def removed(mlops: Any) -> Iterator[None]:
    yield
    if any(
        p["pipeline_id"] == "door-batch-transform" for p in mlops("pipelines", "list")["pipelines"]
    ):
        mlops("pipelines", "delete", "door-batch-transform", "--yes", "--wait")


def test_a_file_in_the_configuration_bucket_becomes_a_pipeline_and_is_answered_beside_it(
    loop: Any, mlops: Any, body: dict[str, Any]
) -> None:
    s3, bucket = loop.place.client("s3"), loop.place.value("configuration-bucket-name")
    s3.put_object(Bucket=bucket, Key=KEY, Body=json.dumps(body).encode())

    result = _result(s3, bucket, f"{KEY}.result.json")

    assert (result["accepted"], result["status"]) == (True, 200), result
    assert result["answer"]["pipeline_id"] == "door-batch-transform"
    assert "no stage staging or prod" in result["answer"]["notes"][0]
    listed = mlops("pipelines", "list")["pipelines"]
    assert "door-batch-transform" in [each["pipeline_id"] for each in listed]


def test_the_function_takes_a_body_by_itself_and_refuses_it_in_its_own_words(
    api: Any, body: dict[str, Any]
) -> None:
    status, answer = api({**body, "inference_instance": "large", "batch_inference_dat": "x"})

    assert status == 400
    assert {fault["path"] for fault in answer["faults"]} == {
        "inference_instance",
        "batch_inference_dat",
    }


def test_two_hundred_wrong_bodies_are_refused_and_leave_nothing(
    api: Any, mlops: Any, body: dict[str, Any]
) -> None:
    dice = Random(7)
    before = mlops("pipelines", "list")["pipelines"]

    statuses = {
        api({"body": {**changed(dice, body), "model_name": "my_model"}})[0] for _ in range(200)
    }

    assert statuses == {400}
    assert mlops("pipelines", "list")["pipelines"] == before


def _result(s3: Any, bucket: str, key: str) -> dict[str, Any]:
    deadline = time.monotonic() + SECONDS
    while time.monotonic() < deadline:
        try:
            document: dict[str, Any] = json.loads(
                s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            )
        except s3.exceptions.NoSuchKey:
            time.sleep(0.2)
        else:
            return document
    raise AssertionError(f"no {key} after {SECONDS} s")
