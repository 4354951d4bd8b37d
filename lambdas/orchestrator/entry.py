"""Which form an event has, and the request of the API that it stands for.

The API is one way in. The function may also be called with a body alone, as pipelines of the
predecessor up to 2.2.2 did, and is called when a file is put into the configuration bucket. All of
them go through the same routes, so that they are read, refused and answered alike.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import Any, Final

_STATUS: Final = "/pipelinestatus"
_PROVISION: Final = "/provisionpipeline"


def is_request(event: Any) -> bool:
    """Tells whether an event is a request of the API, or written like one."""
    return isinstance(event, dict) and "httpMethod" in event and "path" in event


def as_request(event: Any, *, request_id: str) -> dict[str, Any]:
    """The request of the API that an event stands for.

    Args:
        event: A request; ``{"body": …}`` with an object or its JSON; or the body itself. A body
            with a ``pipeline_id`` and no ``pipeline_type`` asks for a status.
        request_id: Of the invocation; the correlation id.
    """
    if is_request(event):
        return _completed(event, request_id)
    given = event["body"] if isinstance(event, dict) and _is_wrapped(event) else event
    text = given if isinstance(given, str) else json.dumps(given)
    asks = isinstance(given, dict) and "pipeline_id" in given and "pipeline_type" not in given
    return request(_STATUS if asks else _PROVISION, text.encode(), request_id, "direct invocation")


def request(path: str, body: bytes, request_id: str, caller: str) -> dict[str, Any]:
    """A request of the API, as API Gateway hands it on.

    Args:
        path: Of the route.
        body: As it was sent, whatever its encoding.
        request_id: The correlation id.
        caller: Who asks.
    """
    return {
        "httpMethod": "POST",
        "path": path,
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "body": base64.b64encode(body).decode(),
        "isBase64Encoded": True,
        "requestContext": _context(request_id, caller),
    }


def _is_wrapped(event: Mapping[str, Any]) -> bool:
    return "body" in event and "pipeline_type" not in event and "pipeline_id" not in event


def _completed(event: Mapping[str, Any], request_id: str) -> dict[str, Any]:
    """A request that somebody wrote by hand may leave out what only API Gateway knows."""
    context = event.get("requestContext")
    if isinstance(context, dict) and isinstance(context.get("identity"), dict):
        return dict(event)
    empty: dict[str, Any] = {
        "headers": {},
        "multiValueHeaders": {},
        "queryStringParameters": None,
        "multiValueQueryStringParameters": None,
        "body": None,
    }
    return {**empty, **event, "requestContext": _context(request_id, "direct invocation")}


def _context(request_id: str, caller: str) -> dict[str, Any]:
    return {"requestId": request_id, "identity": {"userArn": caller}}
