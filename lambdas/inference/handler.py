"""``POST /inference``: parse, ask the model, one table of exceptions."""

from __future__ import annotations

import base64
import dataclasses
import json
import logging
from collections.abc import Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from lambdas.inference import wiring
from lambdas.inference.request import (
    InferenceRequest,
    PayloadTooLarge,
    RequestMalformed,
    read_request,
)
from mlops_framework.aws.inference import ModelNotReady, ModelRefused, TargetUnknown
from mlops_framework.aws.inference_capture import Exchange
from mlops_framework.aws.late_answers import Notes, keep_request
from mlops_framework.orchestration.errors import ServiceRefused, ServiceUnavailable

if TYPE_CHECKING:
    from mlops_framework.aws.inference import (
        Prediction,
        Queued,
        SageMakerInference,
        SageMakerQueue,
    )
    from mlops_framework.aws.inference_capture import InferenceCapture

LOGGER = logging.getLogger(__name__)
LOGGER.setLevel(logging.INFO)

TABLE: Final[tuple[tuple[type[Exception], HTTPStatus, str], ...]] = (
    (RequestMalformed, HTTPStatus.BAD_REQUEST, ""),
    (PayloadTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, ""),
    (TargetUnknown, HTTPStatus.NOT_FOUND, ""),
    (ModelRefused, HTTPStatus.FAILED_DEPENDENCY, ""),
    (ModelNotReady, HTTPStatus.SERVICE_UNAVAILABLE, "The endpoint is starting its model."),
    (ServiceUnavailable, HTTPStatus.SERVICE_UNAVAILABLE, "The endpoint did not answer in time."),
    (ServiceRefused, HTTPStatus.BAD_GATEWAY, "The endpoint could not be asked."),
)
"""First match wins. The text replaces the exception's where that would tell of the inside."""
_TRACEBACK: Final = "Traceback (most recent call last)"
_UNKNOWN: Final = (HTTPStatus.INTERNAL_SERVER_ERROR, "The request could not be handled.")


def answer(
    event: Mapping[str, Any],
    *,
    model: SageMakerInference,
    queue: SageMakerQueue | None = None,
    capture: InferenceCapture | None = None,
    notes: Notes | None = None,
    needs_target: bool = False,
) -> dict[str, Any]:
    """The prediction for a request, where it will be, or a problem document.

    Args:
        event: As API Gateway passes it on.
        model: The endpoint.
        queue: The endpoint's queue; none when it answers at once.
        capture: Captures the call; none where SageMaker does, or nobody.
        notes: Where captured requests wait for answers that come later.
        needs_target: Whether a call names the model that answers it; others may not.
    """
    try:
        request = read_request(
            event.get("body"), is_base64=bool(event.get("isBase64Encoded", False))
        )
        _check_target(request, needs_target)
        if queue is not None:
            return _taken(_asked(request, queue, capture, notes))
        prediction = model.predict(
            request.body,
            content_type=request.content_type,
            accept=request.accept,
            inference_id=request.inference_id,
            variant=request.target_variant,
            target_model=request.target_model,
        )
        if capture is not None:
            capture.keep(
                Exchange(
                    request.body,
                    request.content_type,
                    prediction.body,
                    prediction.content_type,
                    prediction.variant,
                    request.target_model,
                    request.inference_id,
                )
            )
    except Exception as fault:
        return _problem(event, fault)
    return _prediction(prediction)


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return answer(
        event,
        model=wiring.model(),
        queue=wiring.queue(),
        capture=wiring.capture(),
        notes=wiring.notes(),
        needs_target=wiring.needs_target(),
    )


def _check_target(request: InferenceRequest, needs_target: bool) -> None:
    if needs_target and not request.target_model:
        raise RequestMalformed(
            "target_model is missing: this endpoint has many models; name the one that answers, "
            "as its key below the endpoint's models_location, for example churn.tar.gz."
        )
    if request.target_model and not needs_target:
        raise RequestMalformed(
            "target_model: this endpoint has no models to choose from; leave it out."
        )


def _asked(
    request: InferenceRequest,
    queue: SageMakerQueue,
    capture: InferenceCapture | None,
    notes: Notes | None,
) -> Queued:
    """Put the call into the queue, and capture what was asked."""
    if request.target_variant:
        raise RequestMalformed("target_variant: an asynchronous endpoint has one variant.")
    queued = queue.ask(
        request.body,
        content_type=request.content_type,
        accept=request.accept,
        inference_id=request.inference_id,
    )
    if capture is not None:
        exchange = Exchange(request.body, request.content_type, inference_id=queued.inference_id)
        if notes is None:
            capture.keep(exchange)
        else:
            keep_request(capture, notes, exchange, queued.output_location, request.accept)
    return queued


def _taken(queued: Queued) -> dict[str, Any]:
    """The answer comes later: where to look for it."""
    return {
        "statusCode": HTTPStatus.ACCEPTED.value,
        "headers": {"Content-Type": "application/json", "Cache-Control": "no-store"},
        "body": json.dumps(dataclasses.asdict(queued)),
        "isBase64Encoded": False,
    }


def _prediction(prediction: Prediction) -> dict[str, Any]:
    headers = {"Content-Type": prediction.content_type, "Cache-Control": "no-store"}
    if prediction.variant:
        headers["X-Model-Variant"] = prediction.variant
    try:
        body, encoded = prediction.body.decode(), False
    except UnicodeDecodeError:
        body, encoded = base64.b64encode(prediction.body).decode(), True
    return {
        "statusCode": HTTPStatus.OK.value,
        "headers": headers,
        "body": body,
        "isBase64Encoded": encoded,
    }


def _said(message: str) -> str:
    """The message without the traceback that model servers append: that is for the log."""
    said = message.partition(_TRACEBACK)[0].strip()
    return said or message.strip().rpartition("\n")[2]


def _problem(event: Mapping[str, Any], fault: Exception) -> dict[str, Any]:
    found = next(((status, text) for kind, status, text in TABLE if isinstance(fault, kind)), None)
    status, text = found or _UNKNOWN
    correlation_id = event.get("requestContext", {}).get("requestId", "unknown")
    log = LOGGER.exception if status >= HTTPStatus.INTERNAL_SERVER_ERROR else LOGGER.info
    log("%s: %s (correlation id %s)", type(fault).__name__, fault, correlation_id)
    detail = text or _said(str(fault))
    document: dict[str, Any] = {
        "type": "about:blank",
        "title": status.phrase,
        "status": status.value,
        "detail": detail,
        "instance": event.get("path", "/inference"),
        "correlation_id": correlation_id,
        "message": status.phrase.title().replace(" ", ""),
        "detailedMessage": detail,
    }
    headers = {"Content-Type": "application/problem+json", "X-Correlation-Id": correlation_id}
    if isinstance(fault, ModelRefused):
        document["model_status"] = fault.status
    if status is HTTPStatus.SERVICE_UNAVAILABLE:
        headers["Retry-After"] = "5"
    return {
        "statusCode": status.value,
        "headers": headers,
        "body": json.dumps(document, ensure_ascii=False),
        "isBase64Encoded": False,
    }
