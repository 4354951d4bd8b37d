"""The composition root of the inference function."""

from __future__ import annotations

import random
from collections.abc import Mapping
from datetime import UTC, datetime
from functools import cache
from typing import Final

from lambdas.inference.settings import AnswerSettings, InferenceSettings
from mlops_framework.aws.clients import client
from mlops_framework.aws.embedded_metrics import metric_line
from mlops_framework.aws.inference import SageMakerInference, SageMakerQueue, bucket_and_key
from mlops_framework.aws.inference_capture import InferenceCapture, MediaTypes
from mlops_framework.aws.late_answers import LateAnswers, Notes
from mlops_framework.aws.objects import S3Objects

READ_SECONDS: Final = 27
"""Below the 29 seconds of API Gateway, so that the caller gets an answer of ours."""
CAPTURE_SECONDS: Final = 2
METRICS: Final = "MLOps/Inference"


@cache
def model() -> SageMakerInference:
    """The endpoint, made once per execution environment."""
    settings = InferenceSettings.from_environ()
    # Two attempts: a prediction changes nothing, but a slow model must not be asked three times.
    runtime = client("sagemaker-runtime", read_seconds=READ_SECONDS, attempts=2)
    return SageMakerInference(runtime, settings.endpoint_name, settings.inference_component)


@cache
def queue() -> SageMakerQueue | None:
    """The endpoint's queue, if it has one."""
    settings = InferenceSettings.from_environ()
    if settings.endpoint_mode != "asynchronous":
        return None
    # One attempt: a call that was taken twice is answered, and paid for, twice.
    runtime = client("sagemaker-runtime", read_seconds=READ_SECONDS, attempts=1)
    bucket, _ = bucket_and_key(settings.input_location)
    objects = S3Objects(client("s3"), bucket)
    return SageMakerQueue(runtime, settings.endpoint_name, objects, settings.input_location)


@cache
def capture() -> InferenceCapture | None:
    """What captures the endpoint's calls, if this function does."""
    settings = InferenceSettings.from_environ()
    if not settings.capture_percentage:
        return None
    bucket, prefix = bucket_and_key(settings.capture_location)
    return InferenceCapture(
        # One attempt and a second: the caller waits for it.
        client("s3", read_seconds=CAPTURE_SECONDS, attempts=1),
        bucket,
        f"{prefix.rstrip('/')}/{settings.endpoint_name}".lstrip("/"),
        settings.capture_percentage,
        lambda: datetime.now(UTC),
        random.random,
        _types(settings),
        settings.variant_name,
    )


@cache
def notes() -> Notes | None:
    """Where captured requests wait for their answers, if the endpoint's answers come later."""
    settings = InferenceSettings.from_environ()
    if settings.endpoint_mode != "asynchronous" or not settings.capture_percentage:
        return None
    s3 = client("s3", read_seconds=CAPTURE_SECONDS, attempts=1)
    return Notes.at(s3, settings.notes_location)


@cache
def needs_target() -> bool:
    """Whether a call has to name the model that answers it."""
    return InferenceSettings.from_environ().many_models


@cache
def answers() -> LateAnswers:
    """What completes capture records of an asynchronous endpoint."""
    settings = AnswerSettings.from_environ()
    s3 = client("s3", read_seconds=60)

    def count(values: Mapping[str, float]) -> None:
        dimensions = {
            "Environment": settings.environment_prefix,
            "Endpoint": settings.endpoint_name,
        }
        line = metric_line(METRICS, dimensions, values, datetime.now(UTC))
        print(line, flush=True)  # A bare line: CloudWatch reads metrics only from JSON.

    return LateAnswers(s3, Notes.at(s3, settings.notes_location), count, _types(settings))


def _types(settings: InferenceSettings | AnswerSettings) -> MediaTypes:
    return MediaTypes(settings.capture_csv_types.split(","), settings.capture_json_types.split(","))
