"""From an exception to an answer: one table, and RFC 9457 problem details.

The predecessor's ``message`` and ``detailedMessage`` stand beside the standard's members, so that
its clients go on working. Nothing of the platform's inside reaches the caller of a fault that is
not theirs; the correlation id leads its operator to the log.
"""

from __future__ import annotations

from dataclasses import asdict
from http import HTTPStatus
from typing import Any, Final

from lambdas.orchestrator.reading import BodyMalformed, BodyTooLarge
from mlops_framework.errors import BlueprintUnknown, RequestInvalid
from mlops_framework.governance.errors import CardExists, CardLocked, CardUnknown
from mlops_framework.orchestration.errors import (
    AccessRefused,
    PipelineBusy,
    PipelineUnknown,
    ServiceRefused,
    ServiceUnavailable,
)

CONTENT_TYPE: Final = "application/problem+json"
_RETRY_SECONDS: Final = 5


class RouteUnknown(Exception):
    """No route has that method and path."""


TABLE: Final[tuple[tuple[type[Exception], HTTPStatus], ...]] = (
    (BodyMalformed, HTTPStatus.BAD_REQUEST),
    (BodyTooLarge, HTTPStatus.REQUEST_ENTITY_TOO_LARGE),
    (RequestInvalid, HTTPStatus.BAD_REQUEST),
    (RouteUnknown, HTTPStatus.NOT_FOUND),
    (BlueprintUnknown, HTTPStatus.NOT_FOUND),
    (PipelineUnknown, HTTPStatus.NOT_FOUND),
    (PipelineBusy, HTTPStatus.CONFLICT),
    (CardUnknown, HTTPStatus.NOT_FOUND),
    (CardExists, HTTPStatus.CONFLICT),
    (CardLocked, HTTPStatus.CONFLICT),
    (ServiceUnavailable, HTTPStatus.SERVICE_UNAVAILABLE),
    (AccessRefused, HTTPStatus.INTERNAL_SERVER_ERROR),
    (ServiceRefused, HTTPStatus.BAD_GATEWAY),
)
"""First match wins; whatever is not here is the platform's own fault, 500."""


def status_of(fault: Exception) -> HTTPStatus:
    """The HTTP status of an exception."""
    return next(
        (status for kind, status in TABLE if isinstance(fault, kind)),
        HTTPStatus.INTERNAL_SERVER_ERROR,
    )


def problem_of(fault: Exception, *, path: str, correlation_id: str) -> dict[str, Any]:
    """The problem document of an exception."""
    status = status_of(fault)
    detail = str(fault)
    kind = type(fault).__name__
    if status is HTTPStatus.INTERNAL_SERVER_ERROR:
        kind = "PlatformFault"
        detail = (
            "The platform could not handle the request; nothing is wrong with it. Give its "
            f"operator the correlation id {correlation_id}."
        )
    document: dict[str, Any] = {
        "type": f"urn:mlops-framework:problem:{_kebab(kind)}",
        "title": _words(kind),
        "status": status.value,
        "detail": detail,
        "instance": path,
        "correlation_id": correlation_id,
        "message": status.phrase.title().replace(" ", ""),
        "detailedMessage": detail,
    }
    if isinstance(fault, RequestInvalid):
        document["faults"] = [asdict(one) for one in fault.faults]
    if isinstance(fault, BlueprintUnknown):
        document["known"] = list(fault.known)
    return document


def headers_of(fault: Exception) -> dict[str, str]:
    """Headers that belong to the answer to an exception."""
    if isinstance(fault, PipelineBusy):
        return {"Retry-After": str(fault.retry_after)}
    if isinstance(fault, ServiceUnavailable):
        return {"Retry-After": str(_RETRY_SECONDS)}
    return {}


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")


def _words(name: str) -> str:
    return _kebab(name).replace("-", " ").capitalize()
