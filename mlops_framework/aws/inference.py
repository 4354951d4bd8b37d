"""Asking a SageMaker endpoint."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_framework.aws.refusals import code_of, message_of, refusals

_SERVICE: Final = "SageMaker Runtime"


@dataclass(frozen=True)
class Prediction:
    """What the model answered."""

    body: bytes
    content_type: str
    variant: str


class ModelRefused(Exception):
    """The model's container answered with an error.

    Attributes:
        status: HTTP status of the container.
    """

    def __init__(self, status: int, message: str) -> None:
        self.status = status
        super().__init__(message)


class ModelNotReady(Exception):
    """The endpoint exists but cannot answer yet."""


class SageMakerInference:
    """One endpoint.

    Args:
        client: A SageMaker Runtime client.
        endpoint: Name of the endpoint.
    """

    def __init__(self, client: Any, endpoint: str) -> None:
        self._client = client
        self._endpoint = endpoint

    def predict(
        self, body: bytes, *, content_type: str, accept: str = "", inference_id: str = ""
    ) -> Prediction:
        """Ask the model.

        Args:
            body: What the container gets.
            content_type: Its media type.
            accept: Media type that the answer should have; empty = the container's choice.
            inference_id: Goes into the capture, to be joined with ground truth later.

        Raises:
            ModelRefused: The container answered with an error.
            ModelNotReady: The endpoint is still starting its model.
            ServiceRefused: SageMaker refused, for example because there is no such endpoint.
        """
        optional = {"Accept": accept, "InferenceId": inference_id}
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
