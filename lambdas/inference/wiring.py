"""The composition root of the inference function."""

from __future__ import annotations

from functools import cache
from typing import Final

from lambdas.inference.settings import InferenceSettings
from mlops_framework.aws.clients import client
from mlops_framework.aws.inference import SageMakerInference

READ_SECONDS: Final = 27
"""Below the 29 seconds of API Gateway, so that the caller gets an answer of ours."""


@cache
def model() -> SageMakerInference:
    """The endpoint, made once per execution environment."""
    settings = InferenceSettings.from_environ()
    # Two attempts: a prediction changes nothing, but a slow model must not be asked three times.
    runtime = client("sagemaker-runtime", read_seconds=READ_SECONDS, attempts=2)
    return SageMakerInference(runtime, settings.endpoint_name)
