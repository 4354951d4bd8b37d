"""The REST API of the platform: parse, one call, one table of exceptions."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from aws_lambda_powertools.event_handler.exceptions import NotFoundError
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from lambdas.orchestrator.answers import Answer, answer, correlation_id, refuse
from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.model_cards import CARD_LIMIT, add_card_routes, answer_as_predecessor
from lambdas.orchestrator.problems import RouteUnknown
from lambdas.orchestrator.reading import (
    BODY_LIMIT,
    FOLDER_LIMIT,
    BodyTooLarge,
    read_folder,
    read_json,
    read_limit,
    read_origin,
)
from mlops_framework.orchestration.predecessor import card_request, speaks
from mlops_framework.orchestration.provisioning import Outcome, Provisioned, Requester

if TYPE_CHECKING:
    from mlops_framework.governance.cards import ModelCards
    from mlops_framework.orchestration.service import Orchestrator

LOGGER = Logger(service="orchestrator", level="INFO")
# The library logs through the standard logger of its package, which has to exist by now.
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})


def build_app(
    service: Callable[[], Orchestrator], cards: Callable[[], ModelCards] = wiring.model_cards
) -> APIGatewayRestResolver:
    """The routes; tests pass their own services."""
    app = APIGatewayRestResolver()
    add_card_routes(app, cards)

    @app.post("/provisionpipeline")
    def provision() -> Answer:
        body = _request(app)
        if kind := card_request(body):
            return answer_as_predecessor(app, kind, body, cards())
        done = service().provision(body, _requester(app))
        LOGGER.info(done.message, extra={"pipeline_id": done.pipeline_id, "outcome": done.outcome})
        return answer(app, _status_of(done, body), _document(done))

    @app.post("/plans")
    def plan() -> Answer:
        folder = read_folder(_body(app, limit=FOLDER_LIMIT))
        planned = service().plan_folder(folder.files, origin=folder.origin, prune=folder.prune)
        return answer(app, HTTPStatus.OK, planned.to_document())

    @app.post("/pipelinestatus")
    def predecessor_status() -> Answer:
        body = _body(app)
        return answer(app, HTTPStatus.OK, service().predecessor_status(body))

    @app.get("/pipelines")
    def pipelines() -> Answer:
        query = app.current_event.query_string_parameters or {}
        page = service().pipelines(limit=read_limit(query), token=query.get("next_token", ""))
        return answer(app, HTTPStatus.OK, page)

    @app.get("/pipelines/<pipeline_id>")
    def status(pipeline_id: str) -> Answer:
        return answer(app, HTTPStatus.OK, service().status(pipeline_id))

    @app.delete("/pipelines/<pipeline_id>")
    def delete(pipeline_id: str) -> Answer:
        return answer(app, HTTPStatus.ACCEPTED, service().delete(pipeline_id, _requester(app)))

    @app.get("/blueprints")
    def blueprints() -> Answer:
        return answer(app, HTTPStatus.OK, service().blueprints())

    @app.get("/blueprints/<kind>/schema")
    def schema(kind: str) -> Answer:
        return answer(app, HTTPStatus.OK, service().schema(kind))

    @app.not_found
    def unknown(_: NotFoundError) -> Answer:
        event = app.current_event
        fault = RouteUnknown(f"There is no {event.http_method} {event.path}.")
        return refuse(app, fault, LOGGER)

    @app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # Powertools' own
    def failed(fault: Exception) -> Answer:
        return refuse(app, fault, LOGGER)

    return app


APP = build_app(wiring.service)


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: Any, context: Any) -> dict[str, Any]:
    """Entry point of the function: a request of the API, or a body by itself."""
    return APP.resolve(as_request(event, request_id=context.aws_request_id), context)


def _request(app: APIGatewayRestResolver) -> Any:
    """The body of a request for a pipeline, or about a model card, which may be longer."""
    try:
        return _body(app)
    except BodyTooLarge:
        body = _body(app, limit=CARD_LIMIT)
        if card_request(body) is None:
            raise
        return body


def _body(app: APIGatewayRestResolver, limit: int = BODY_LIMIT) -> Any:
    event = app.current_event
    return read_json(event.body, is_base64=event.is_base64_encoded or False, limit=limit)


def _status_of(done: Provisioned, body: Any) -> HTTPStatus:
    """What the predecessor's clients got for a pipeline on its way was 200."""
    there = done.outcome is Outcome.UNCHANGED or speaks(body)
    return HTTPStatus.OK if there else HTTPStatus.ACCEPTED


def _document(done: Provisioned) -> dict[str, Any]:
    document = asdict(done)
    return document if done.notes else {k: v for k, v in document.items() if k != "notes"}


def _requester(app: APIGatewayRestResolver) -> Requester:
    identity = app.current_event.request_context.identity
    origin = read_origin(app.current_event.query_string_parameters or {})
    return Requester(identity.user_arn or "unknown", correlation_id(app), origin)
