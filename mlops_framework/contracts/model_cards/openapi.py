"""The paths of model cards in the API's description."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mlops_framework.contracts.model_cards.answers import (
    CardAnswer,
    CardDone,
    CardExportAnswer,
    CardExportList,
    CardList,
)
from mlops_framework.contracts.model_cards.requests import (
    NAME_PATTERN,
    CardChange,
    CardCreation,
    CardExport,
)

CARD_ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    CardDone,
    CardAnswer,
    CardList,
    CardExportAnswer,
    CardExportList,
)
_REQUESTS: Final[tuple[type[BaseModel], ...]] = (CardCreation, CardChange, CardExport)
_NAME: Final = {
    "name": "name",
    "in": "path",
    "required": True,
    "description": "Name of the card.",
    "schema": {"type": "string", "pattern": NAME_PATTERN, "maxLength": 63},
}


def card_paths(
    operation: Callable[..., dict[str, Any]], page: list[dict[str, Any]]
) -> dict[str, Any]:
    """The paths below ``/model-cards``.

    Args:
        operation: Writes one operation.
        page: Parameters of a page.
    """

    def reference(model: type[BaseModel]) -> dict[str, str]:
        return {"$ref": f"#/components/schemas/{model.__name__}"}

    def query(name: str, description: str, schema: dict[str, Any]) -> dict[str, Any]:
        return {
            "name": name,
            "in": "query",
            "required": False,
            "description": description,
            "schema": schema,
        }

    version = query("version", "Version of the card.", {"type": "integer", "minimum": 1})
    return {
        "/model-cards": {
            "post": operation(
                "createModelCard",
                "Create a card; the model, job and files of metrics it names are looked up.",
                ("201",),
                "CardDone",
                body=reference(CardCreation),
                problems=("400", "409"),
            ),
            "get": operation(
                "listModelCards",
                "The cards, the newest first.",
                ("200",),
                "CardList",
                parameters=[
                    *page,
                    query("name_contains", "Part of the name.", {"type": "string"}),
                    query("status", "Stage of the review.", {"type": "string"}),
                ],
                problems=("400",),
            ),
        },
        "/model-cards/{name}": {
            "parameters": [_NAME],
            "get": operation(
                "getModelCard",
                "A whole card.",
                ("200",),
                "CardAnswer",
                parameters=[version],
                problems=("400", "404"),
            ),
            "patch": operation(
                "changeModelCard",
                "Replace the sections given, set the status given.",
                ("200",),
                "CardDone",
                body=reference(CardChange),
                problems=("400", "404", "409"),
            ),
            "delete": operation(
                "deleteModelCard",
                "Delete a card with all its versions.",
                ("200",),
                "CardDone",
                problems=("404", "409"),
            ),
        },
        "/model-cards/{name}/versions": {
            "parameters": [_NAME],
            "get": operation(
                "listModelCardVersions",
                "The versions of a card, the newest first.",
                ("200",),
                "CardList",
                parameters=page,
                problems=("404",),
            ),
        },
        "/model-cards/{name}/exports": {
            "parameters": [_NAME],
            "post": operation(
                "exportModelCard",
                "Export a card to a PDF; 202 while SageMaker still writes it.",
                ("200", "202"),
                "CardExportAnswer",
                body=reference(CardExport),
                problems=("400", "404"),
            ),
            "get": operation(
                "listModelCardExports",
                "The exports of a card, the newest first.",
                ("200",),
                "CardExportList",
                problems=("404",),
            ),
        },
    }


def card_request_schemas(reference: str) -> dict[str, Any]:
    """JSON Schemas of the requests, and of the parts of a card, by name.

    Args:
        reference: Template of a reference, with ``{model}``.
    """
    _, definitions = models_json_schema(
        [(model, "validation") for model in _REQUESTS], ref_template=reference
    )
    return dict(definitions["$defs"])
