"""What the API answers: JSON, or a problem document, each with its correlation id."""

from __future__ import annotations

import json
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response

from lambdas.orchestrator.problems import CONTENT_TYPE, headers_of, problem_of, status_of

Answer = Response[str]


def correlation_id(app: APIGatewayRestResolver) -> str:
    """API Gateway's id of the request; stands in record, log and answer."""
    return app.current_event.request_context.request_id or "unknown"


def answer(app: APIGatewayRestResolver, status: HTTPStatus, document: Mapping[str, Any]) -> Answer:
    """A document as it is."""
    return _response(app, status, document, "application/json", {})


def refuse(app: APIGatewayRestResolver, fault: Exception, logger: Logger) -> Answer:
    """The problem document of an exception; what the caller may not see goes to the log."""
    status, reference = status_of(fault), correlation_id(app)
    log = logger.exception if status >= HTTPStatus.INTERNAL_SERVER_ERROR else logger.info
    log("%s: %s", type(fault).__name__, fault, extra={"correlation_id": reference})
    problem = problem_of(
        fault, path=app.current_event.path, correlation_id=reference, base=_base(app)
    )
    return _response(app, status, problem, CONTENT_TYPE, headers_of(fault))


def _base(app: APIGatewayRestResolver) -> str:
    """Address of the API as it was called; nothing where the event did not come through it."""
    context = app.current_event.raw_event["requestContext"]
    domain, whole, path = (context.get("domainName"), context.get("path"), app.current_event.path)
    if not domain or not whole or not str(whole).endswith(path):
        return ""
    return f"https://{domain}{str(whole)[: -len(path)]}"


def _response(
    app: APIGatewayRestResolver,
    status: HTTPStatus,
    document: Mapping[str, Any],
    content_type: str,
    headers: Mapping[str, str],
) -> Answer:
    return Response(
        status_code=status.value,
        content_type=content_type,
        body=json.dumps(dict(document), ensure_ascii=False),
        headers={
            "X-Correlation-Id": correlation_id(app),
            "Cache-Control": "no-store",
            **headers,
        },
    )
