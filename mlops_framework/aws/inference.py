"""Asking a SageMaker endpoint, at once or through its queue."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_framework.aws.objects import S3Objects
from mlops_framework.aws.refusals import code_of, message_of, refusals

_SERVICE: Final = "SageMaker Runtime"
# InvokeEndpoint has one code for every refusal; only the text names this one.
_NO_COPY: Final = "no capacity"


def bucket_and_key(uri: str) -> tuple[str, str]:
    """``s3://bucket/some/key`` is the key ``some/key`` in ``bucket``."""
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key


@dataclass(frozen=True)
class Prediction:
    """What the model answered."""

    body: bytes
    content_type: str
    variant: str


@dataclass(frozen=True)
class Queued:
    """A call that an asynchronous endpoint has taken.

    Attributes:
        inference_id: Of the call.
        output_location: Object that will hold the answer.
        failure_location: Object that will hold the error instead, if it fails.
    """

    inference_id: str
    output_location: str
    failure_location: str


class ModelRefused(Exception):
    """The model's container answered with an error.

    Attributes:
        status: HTTP status of the container.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class ModelNotReady(Exception):
    """The endpoint exists but cannot answer yet: it starts its model, or comes back from zero."""


class TargetUnknown(Exception):
    """The endpoint has no such variant, or no such model."""


class SageMakerInference:
    """One endpoint.

    Args:
        client: A SageMaker Runtime client.
        endpoint: Name of the endpoint.
        component: Name of the inference component that it serves through, if it does.
    """

    def __init__(self, client: Any, endpoint: str, component: str = "") -> None:
        self._client = client
        self._endpoint = endpoint
        self._component = component

    def predict(
        self,
        body: bytes,
        *,
        content_type: str,
        accept: str = "",
        inference_id: str = "",
        variant: str = "",
        target_model: str = "",
    ) -> Prediction:
        """Ask the model.

        Args:
            body: What the container gets.
            content_type: Its media type.
            accept: Media type that the answer should have; empty = the container's choice.
            inference_id: Goes into the capture, to be joined with ground truth later.
            variant: Which one answers; empty = by the variants' weights.
            target_model: Which model of a multi-model endpoint answers: its key below the prefix.

        Raises:
            ModelRefused: The container answered with an error.
            ModelNotReady: The endpoint is still starting its model, or has scaled to zero.
            TargetUnknown: There is no such variant or model.
            ServiceRefused: SageMaker refused, for example because there is no such endpoint.
        """
        optional = {
            "Accept": accept,
            "InferenceId": inference_id,
            "TargetVariant": variant,
            "TargetModel": target_model,
            "InferenceComponentName": self._component,
        }
        with refusals(_SERVICE, "InvokeEndpoint", {"ModelNotReadyException": ModelNotReady}):
            try:
                answer = self._client.invoke_endpoint(
                    EndpointName=self._endpoint,
                    Body=body,
                    ContentType=content_type,
                    **{name: value for name, value in optional.items() if value},
                )
                content = answer["Body"].read()
            except ClientError as error:
                if code_of(error) == "ValidationError" and _NO_COPY in message_of(error):
                    raise ModelNotReady(message_of(error)) from error
                targets = [target for target in (variant, target_model) if target]
                if code_of(error) == "ValidationError" and any(t in str(error) for t in targets):
                    raise TargetUnknown(message_of(error)) from error
                if code_of(error) != "ModelError":
                    raise
                said: Mapping[str, Any] = error.response
                raise ModelRefused(
                    int(said.get("OriginalStatusCode", 500)),
                    str(said.get("OriginalMessage") or message_of(error)),
                ) from error
        return Prediction(
            content,
            answer.get("ContentType", "application/octet-stream"),
            answer.get("InvokedProductionVariant", ""),
        )


class SageMakerQueue:
    """One asynchronous endpoint.

    Args:
        client: A SageMaker Runtime client.
        endpoint: Name of the endpoint.
        objects: The bucket for what is asked.
        place: ``s3://bucket/prefix`` in it.
    """

    def __init__(self, client: Any, endpoint: str, objects: S3Objects, place: str) -> None:
        self._client = client
        self._endpoint = endpoint
        self._objects = objects
        self._place = place

    def ask(
        self, body: bytes, *, content_type: str, accept: str = "", inference_id: str = ""
    ) -> Queued:
        """Put a call into the queue.

        Args:
            body: What the container gets.
            content_type: Its media type.
            accept: Media type that the answer should have; empty = the container's choice.
            inference_id: Of the call; empty for one that is made here.

        Raises:
            ServiceRefused: S3 or SageMaker refused.
        """
        name = inference_id or str(uuid.uuid4())
        # Not under the caller's id: two calls with the same one would read the later one's object.
        place = f"{self._place}/{uuid.uuid4()}"
        _, key = bucket_and_key(place)
        self._objects.put(key, body, content_type=content_type)
        optional = {"Accept": accept} if accept else {}
        with refusals(_SERVICE, "InvokeEndpointAsync"):
            taken = self._client.invoke_endpoint_async(
                EndpointName=self._endpoint,
                InputLocation=place,
                ContentType=content_type,
                InferenceId=name,
                **optional,
            )
        return Queued(
            taken.get("InferenceId", name),
            taken.get("OutputLocation", ""),
            taken.get("FailureLocation", ""),
        )
