"""The REST API of the platform: parse, one call, one table of exceptions."""

from __future__ import annotations

import json
import logging
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver, Response
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from lambdas.orchestrator.body import read_json
from lambdas.orchestrator.problems import (
    CONTENT_TYPE,
    RouteUnknown,
    headers_of,
    problem_of,
    status_of,
)
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.orchestration.provisioning import Outcome, Requester

if TYPE_CHECKING:
    from mlops_framework.orchestration.service import Orchestrator

LOGGER = Logger(service="orchestrator", level="INFO")
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})

Answer = Response[str]


def build_app(service: Callable[[], Orchestrator]) -> APIGatewayRestResolver:
    """The routes; tests pass their own service."""
    app = APIGatewayRestResolver()

    @app.post("/provisionpipeline")
    def provision() -> Answer:
        body = _body(app)
        done = service().provision(body, _requester(app))
        status = HTTPStatus.OK if done.outcome is Outcome.UNCHANGED else HTTPStatus.ACCEPTED
        return _answer(
            app,
            status,
            {"message": done.message, "pipeline_id": done.pipeline_id, "outcome": done.outcome},
        )

    @app.post("/pipelinestatus")
    def predecessor_status() -> Answer:
        body = _body(app)
        return _answer(app, HTTPStatus.OK, service().predecessor_status(body))

    @app.get("/pipelines")
    def pipelines() -> Answer:
        query = app.current_event.query_string_parameters or {}
        page = service().pipelines(limit=_limit(query), token=query.get("next_token", ""))
        return _answer(app, HTTPStatus.OK, page)

    @app.get("/pipelines/<pipeline_id>")
    def status(pipeline_id: str) -> Answer:
        return _answer(app, HTTPStatus.OK, service().status(pipeline_id))

    @app.delete("/pipelines/<pipeline_id>")
    def delete(pipeline_id: str) -> Answer:
        return _answer(app, HTTPStatus.ACCEPTED, service().delete(pipeline_id, _requester(app)))

    @app.get("/blueprints")
    def blueprints() -> Answer:
        return _answer(app, HTTPStatus.OK, service().blueprints())

    @app.get("/blueprints/<kind>/schema")
    def schema(kind: str) -> Answer:
        return _answer(app, HTTPStatus.OK, service().schema(kind))

    @app.not_found
    def unknown(_: NotFoundError) -> Answer:
        event = app.current_event
        return _refuse(app, RouteUnknown(f"There is no {event.http_method} {event.path}."))

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools' own
    def refuse(fault: Exception) -> Answer:
        return _refuse(app, fault)

    return app


APP = build_app(wiring.service)


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return APP.resolve(event, context)


def _body(app: APIGatewayRestResolver) -> Any:
    event = app.current_event
    return read_json(event.body, is_base64=event.is_base64_encoded or False)


def _requester(app: APIGatewayRestResolver) -> Requester:
    identity = app.current_event.request_context.identity
    return Requester(identity.user_arn or "unknown", _correlation_id(app))


def _correlation_id(app: APIGatewayRestResolver) -> str:
    return app.current_event.request_context.request_id or "unknown"


def _limit(query: dict[str, str]) -> int:
    given = query.get("limit", "100")
    if given.isascii() and given.isdigit() and 1 <= int(given) <= 100:
        return int(given)
    wanted = "a whole number from 1 to 100"
    fault = Fault("limit", "limit says how many pipelines a page has.", wanted, given[:20])
    raise RequestInvalid([fault])


def _answer(app: APIGatewayRestResolver, status: HTTPStatus, document: dict[str, Any]) -> Answer:
    return Response(
        status_code=status.value,
        content_type="application/json",
        body=json.dumps(document, ensure_ascii=False),
        headers={"X-Correlation-Id": _correlation_id(app), "Cache-Control": "no-store"},
    )


def _refuse(app: APIGatewayRestResolver, fault: Exception) -> Answer:
    status, correlation_id = status_of(fault), _correlation_id(app)
    log = LOGGER.exception if status >= HTTPStatus.INTERNAL_SERVER_ERROR else LOGGER.info
    log("%s: %s", type(fault).__name__, fault, extra={"correlation_id": correlation_id})
    problem = problem_of(fault, path=app.current_event.path, correlation_id=correlation_id)
    return Response(
        status_code=status.value,
        content_type=CONTENT_TYPE,
        body=json.dumps(problem, ensure_ascii=False),
        headers={
            "X-Correlation-Id": correlation_id,
            "Cache-Control": "no-store",
            **headers_of(fault),
        },
    )
