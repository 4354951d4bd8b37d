"""From an exception to an answer: one table, and RFC 9457 problem details.

The predecessor's ``message`` and ``detailedMessage`` stand beside the standard's members, so that
its clients go on working. Nothing of the platform's inside reaches the caller of a fault that is
not theirs; the correlation id leads its operator to the log. ``docs/problems.md`` describes each.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from http import HTTPStatus
from typing import Any, Final

from lambdas.orchestrator.reading import BodyMalformed, BodyTooLarge
from mlops_framework.errors import BlueprintUnknown, RequestInvalid
from mlops_framework.governance.errors import CardExists, CardLocked, CardUnknown
from mlops_framework.orchestration.errors import (
    AccessRefused,
    PipelineBroken,
    PipelineBusy,
    PipelineUnknown,
    ServiceRefused,
    ServiceUnavailable,
)

CONTENT_TYPE: Final = "application/problem+json"
DOCUMENTATION: Final = "docs/problems.md"
_RETRY_SECONDS: Final = 5


class RouteUnknown(Exception):
    """No route has that method and path."""


class PlatformFault(Exception):
    """Whatever is not in the table: nothing is wrong with the request."""


@dataclass(frozen=True)
class Kind:
    """One kind of problem.

    Attributes:
        fault: Exception that it stands for.
        status: HTTP status.
        next_step: What the caller does, if the exception does not know better.
        link: Path of the API where there is more to see; empty for the documentation.
    """

    fault: type[Exception]
    status: HTTPStatus
    next_step: str
    link: str = ""

    @property
    def name(self) -> str:
        """The last part of its type, and its heading in the documentation."""
        return _kebab(self.fault.__name__)

    @property
    def title(self) -> str:
        """The condition, for people."""
        return self.name.replace("-", " ").capitalize()


_CORRECT: Final = "Correct what is named and send the request again; nothing was changed."
_PLATFORM: Final = Kind(
    PlatformFault,
    HTTPStatus.INTERNAL_SERVER_ERROR,
    "Give the platform's operator the correlation id; it is in the log of the function.",
)
TABLE: Final[tuple[Kind, ...]] = (
    Kind(BodyMalformed, HTTPStatus.BAD_REQUEST, _CORRECT),
    Kind(
        BodyTooLarge,
        HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
        "Send a smaller body; data and scripts are named by their S3 URI.",
    ),
    Kind(RequestInvalid, HTTPStatus.BAD_REQUEST, _CORRECT, "/blueprints"),
    Kind(RouteUnknown, HTTPStatus.NOT_FOUND, "Look up method and path in the OpenAPI document."),
    Kind(BlueprintUnknown, HTTPStatus.NOT_FOUND, "Take one of the known kinds.", "/blueprints"),
    Kind(
        PipelineUnknown,
        HTTPStatus.NOT_FOUND,
        "Take one of the pipelines that exist, or request this one.",
        "/pipelines",
    ),
    Kind(
        PipelineBusy,
        HTTPStatus.CONFLICT,
        "Send the same request again after the seconds of retry_after.",
        "/pipelines/{pipeline_id}",
    ),
    Kind(
        PipelineBroken,
        HTTPStatus.CONFLICT,
        "Remove the cause that is named and send the request again.",
        "/pipelines/{pipeline_id}",
    ),
    Kind(CardUnknown, HTTPStatus.NOT_FOUND, "Take one of the cards that exist.", "/model-cards"),
    Kind(
        CardExists,
        HTTPStatus.CONFLICT,
        "Change the card that is there, or take another name.",
        "/model-cards",
    ),
    Kind(CardLocked, HTTPStatus.CONFLICT, "Do what is named, then send the request again."),
    Kind(
        ServiceUnavailable,
        HTTPStatus.SERVICE_UNAVAILABLE,
        "Send the same request again after the seconds of retry_after.",
    ),
    Kind(AccessRefused, HTTPStatus.INTERNAL_SERVER_ERROR, _PLATFORM.next_step),
    Kind(
        ServiceRefused,
        HTTPStatus.BAD_GATEWAY,
        "Remove the cause that the service names and send the same request again.",
    ),
    _PLATFORM,
)
"""First match wins; whatever is not here is the platform's own fault, the last one."""


def kind_of(fault: Exception) -> Kind:
    """The kind of problem that an exception is."""
    found = next((kind for kind in TABLE if isinstance(fault, kind.fault)), _PLATFORM)
    return _PLATFORM if found.status is HTTPStatus.INTERNAL_SERVER_ERROR else found


def status_of(fault: Exception) -> HTTPStatus:
    """The HTTP status of an exception."""
    return kind_of(fault).status


def problem_of(
    fault: Exception, *, path: str, correlation_id: str, base: str = ""
) -> dict[str, Any]:
    """The problem document of an exception.

    Args:
        fault: The exception.
        path: That was asked for.
        correlation_id: Of the call.
        base: Address of the API's stage, which links begin with.
    """
    kind = kind_of(fault)
    detail = str(fault)
    if kind is _PLATFORM:
        detail = (
            "The platform could not handle the request; nothing is wrong with it. Give its "
            f"operator the correlation id {correlation_id}."
        )
    documentation = f"{DOCUMENTATION}#{kind.name}"
    document: dict[str, Any] = {
        "type": f"urn:mlops-framework:problem:{kind.name}",
        "title": kind.title,
        "status": kind.status.value,
        "detail": detail,
        "instance": path,
        "correlation_id": correlation_id,
        "next": getattr(fault, "next_step", "") or kind.next_step,
        "link": _link(kind, fault, base) or documentation,
        "documentation": documentation,
        "message": kind.status.phrase.title().replace(" ", ""),
        "detailedMessage": detail,
    }
    if isinstance(fault, RequestInvalid):
        document["faults"] = [asdict(one) for one in fault.faults]
    if isinstance(fault, BlueprintUnknown):
        document["known"] = list(fault.known)
    if isinstance(fault, PipelineBusy) and fault.running is not None:
        document["running"] = asdict(fault.running)
    if seconds := _retry_after(fault):
        document["retry_after"] = seconds
    return document


def headers_of(fault: Exception) -> dict[str, str]:
    """Headers that belong to the answer to an exception."""
    seconds = _retry_after(fault)
    return {"Retry-After": str(seconds)} if seconds else {}


def _retry_after(fault: Exception) -> int:
    if isinstance(fault, PipelineBusy):
        return fault.retry_after
    return _RETRY_SECONDS if isinstance(fault, ServiceUnavailable) else 0


def _link(kind: Kind, fault: Exception, base: str) -> str:
    pipeline = getattr(fault, "pipeline_id", "")
    if "{pipeline_id}" in kind.link:
        return f"{base}{kind.link.format(pipeline_id=pipeline)}" if pipeline else ""
    return f"{base}{kind.link}" if kind.link else ""


def _kebab(name: str) -> str:
    return "".join(f"-{c.lower()}" if c.isupper() else c for c in name).lstrip("-")
