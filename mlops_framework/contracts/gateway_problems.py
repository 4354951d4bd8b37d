"""What API Gateway refuses by itself, before any function is called, in the form of the others.

``docs/problems.md`` describes each. The names of responses are API Gateway's; source: *Amazon API
Gateway Developer Guide*, "Gateway response types".
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final

_SAID: Final = "$context.error.message"


@dataclass(frozen=True)
class GatewayProblem:
    """One kind of refusal.

    Attributes:
        name: The last part of its type, and its heading in the documentation.
        status: HTTP status.
        responses: API Gateway's responses that it stands for.
        detail: What is wrong; ``$context.error.message`` is API Gateway's own word.
        next_step: What the caller does.
    """

    name: str
    status: HTTPStatus
    responses: tuple[str, ...]
    detail: str
    next_step: str

    def to_document(self) -> Mapping[str, Any]:
        """The answer's template."""
        documentation = f"docs/problems.md#{self.name}"
        return {
            "type": f"urn:mlops-framework:problem:{self.name}",
            "title": self.name.replace("-", " ").capitalize(),
            "status": self.status.value,
            "detail": self.detail,
            "next": self.next_step,
            "link": documentation,
            "documentation": documentation,
            "correlation_id": "$context.requestId",
            "message": _SAID,
        }


GATEWAY_PROBLEMS: Final = (
    GatewayProblem(
        "body-malformed",
        HTTPStatus.BAD_REQUEST,
        ("BAD_REQUEST_BODY",),
        f"{_SAID}: the body must be one JSON object, well formed, with the fields that the route's "
        "model allows.",
        "Correct the body and send the request again; nothing was changed.",
    ),
    GatewayProblem(
        "caller-refused",
        HTTPStatus.FORBIDDEN,
        ("ACCESS_DENIED", "EXPIRED_TOKEN", "INVALID_SIGNATURE", "MISSING_AUTHENTICATION_TOKEN"),
        f"{_SAID}: a request is signed (Signature Version 4) by an IAM identity of this account "
        "that may invoke this API, and asks for a route that there is.",
        "Sign with valid credentials of an identity that has execute-api:Invoke on this API.",
    ),
    GatewayProblem(
        "too-many-requests",
        HTTPStatus.TOO_MANY_REQUESTS,
        ("THROTTLED",),
        f"{_SAID}: more requests came at once than the API lets through.",
        "Send the same request again in a few seconds.",
    ),
    GatewayProblem(
        "answer-overdue",
        HTTPStatus.GATEWAY_TIMEOUT,
        ("INTEGRATION_TIMEOUT",),
        f"{_SAID}: the answer took longer than API Gateway waits. The request may have been "
        "carried out.",
        "Look at GET /pipelines; sending the same request again changes nothing twice.",
    ),
    GatewayProblem(
        "platform-fault",
        HTTPStatus.INTERNAL_SERVER_ERROR,
        ("DEFAULT_5XX",),
        f"{_SAID}: the platform could not handle the request; nothing is wrong with it.",
        "Give the platform's operator the correlation id; it is in the log of the API.",
    ),
)
