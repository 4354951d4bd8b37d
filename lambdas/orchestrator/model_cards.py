"""The routes of model cards, which make no pipeline and are answered at once."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import APIGatewayRestResolver
from pydantic import BaseModel

from lambdas.orchestrator.answers import Answer, answer
from lambdas.orchestrator.reading import read_json, read_limit
from mlops_framework.errors import Fault, RequestInvalid
from mlops_framework.governance.card_door import answer_card_request

if TYPE_CHECKING:
    from mlops_framework.governance.cards import ModelCards

CARD_LIMIT = 256 * 1024
"""Bytes of a request about a card; the card itself has at most 100,000 characters."""


def add_card_routes(app: APIGatewayRestResolver, cards: Callable[[], ModelCards]) -> None:
    """Add ``/model-cards`` and what is below it."""

    @app.post("/model-cards")
    def create_card() -> Answer:
        return _done(app, cards().create(_body(app)), HTTPStatus.CREATED)

    @app.get("/model-cards")
    def list_cards() -> Answer:
        query = _query(app)
        page = cards().page(
            limit=read_limit(query),
            token=query.get("next_token", ""),
            name_contains=query.get("name_contains", ""),
            status=query.get("status", ""),
        )
        return _done(app, page)

    @app.get("/model-cards/<name>")
    def show_card(name: str) -> Answer:
        return _done(app, cards().show(name, _version(_query(app))))

    @app.patch("/model-cards/<name>")
    def change_card(name: str) -> Answer:
        return _done(app, cards().change(name, _body(app)))

    @app.delete("/model-cards/<name>")
    def delete_card(name: str) -> Answer:
        return _done(app, cards().delete(name))

    @app.get("/model-cards/<name>/versions")
    def list_versions(name: str) -> Answer:
        query = _query(app)
        page = cards().versions(name, limit=read_limit(query), token=query.get("next_token", ""))
        return _done(app, page)

    @app.post("/model-cards/<name>/exports")
    def export_card(name: str) -> Answer:
        export = cards().export(name, _body(app))
        running = export.status == "InProgress"
        return _done(app, export, HTTPStatus.ACCEPTED if running else HTTPStatus.OK)

    @app.get("/model-cards/<name>/exports")
    def list_exports(name: str) -> Answer:
        return _done(app, cards().exports(name))


def answer_as_predecessor(
    app: APIGatewayRestResolver, kind: str, body: Mapping[str, Any], cards: ModelCards
) -> Answer:
    """The answer of ``/provisionpipeline`` to one of the six requests about model cards."""
    return answer(app, HTTPStatus.OK, answer_card_request(kind, body, cards))


def _done(
    app: APIGatewayRestResolver, document: BaseModel, status: HTTPStatus = HTTPStatus.OK
) -> Answer:
    return answer(app, status, document.model_dump(mode="json"))


def _body(app: APIGatewayRestResolver) -> Any:
    event = app.current_event
    return read_json(event.body, is_base64=event.is_base64_encoded or False, limit=CARD_LIMIT)


def _query(app: APIGatewayRestResolver) -> Mapping[str, str]:
    return app.current_event.query_string_parameters or {}


def _version(query: Mapping[str, str]) -> int | None:
    given = query.get("version", "")
    if not given:
        return None
    if given.isascii() and given.isdigit() and 1 <= int(given[:10]) < 2**31:
        return int(given[:10])
    accepted = "a whole number, at least 1"
    fault = Fault("version", f"Not a version of a model card: {given[:20]}.", accepted, given[:20])
    raise RequestInvalid([fault])
