"""The API's description: OpenAPI 3.1 for people and tools, a draft-4 model for API Gateway."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from mlops_framework import naming
from mlops_framework.contracts.model_cards.openapi import (
    CARD_ANSWERS,
    card_paths,
    card_request_schemas,
)
from mlops_framework.contracts.responses import (
    PROBLEM_MEDIA_TYPE,
    BlueprintList,
    DeletionAnswer,
    FolderPlanAnswer,
    PipelineList,
    PipelineStatus,
    PredecessorStatus,
    Problem,
    ProvisionAnswer,
)

if TYPE_CHECKING:
    from mlops_framework.registry import Registry

_JSON: Final = "application/json"
_REFERENCE: Final = "#/components/schemas/{model}"
_ANSWERS: Final[tuple[type[BaseModel], ...]] = (
    ProvisionAnswer,
    PipelineStatus,
    PredecessorStatus,
    PipelineList,
    FolderPlanAnswer,
    DeletionAnswer,
    BlueprintList,
    Problem,
    *CARD_ANSWERS,
)


def openapi_document(registry: Registry, *, version: str) -> dict[str, Any]:
    """The orchestrator API as OpenAPI 3.1, with the request schema of every blueprint.

    Args:
        registry: The blueprints that are described.
        version: Of the framework.
    """
    requests = {
        blueprint.kind: registry.schema(blueprint.kind) for blueprint in registry.blueprints
    }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "MLOps Framework for AWS",
            "version": version,
            "description": "Start, follow and remove machine learning pipelines. Every call is "
            "signed with AWS Signature Version 4 for the service execute-api.",
        },
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "security": [{"sigv4": []}],
        "paths": _paths(),
        "components": {
            "schemas": {
                **_answer_schemas(),
                **card_request_schemas(_REFERENCE),
                **_request_schemas(requests),
            },
            "responses": {
                "Problem": {
                    "description": "What is wrong, where, what is accepted and what to do.",
                    "content": {PROBLEM_MEDIA_TYPE: {"schema": _reference("Problem")}},
                }
            },
            "securitySchemes": {
                "sigv4": {
                    "type": "apiKey",
                    "name": "Authorization",
                    "in": "header",
                    "x-amazon-apigateway-authtype": "awsSigv4",
                }
            },
        },
    }


def _paths() -> dict[str, Any]:
    identity = {
        "name": "pipeline_id",
        "in": "path",
        "required": True,
        "description": "<model_name>-<kind>, as answered when it was requested.",
        "schema": {"type": "string", "maxLength": naming.PIPELINE_ID_LENGTH},
    }
    kind = {
        "name": "kind",
        "in": "path",
        "required": True,
        "description": "Kind of the blueprint.",
        "schema": {"type": "string", "maxLength": naming.KIND_LENGTH},
    }
    page = {
        "name": "next_token",
        "in": "query",
        "required": False,
        "description": "From the page before.",
        "schema": {"type": "string"},
    }
    limit = {
        "name": "limit",
        "in": "query",
        "required": False,
        "description": "How many a page has.",
        "schema": {"type": "integer", "minimum": 1, "maximum": 100},
    }
    status_body = {
        "title": "PipelineStatusRequest",
        "type": "object",
        "required": ["pipeline_id"],
        "properties": {"pipeline_id": {"type": "string", "minLength": 1, "maxLength": 2048}},
    }
    origin = {"type": "string", "pattern": "^[A-Za-z]+:.+$", "maxLength": 256}
    origin_parameter = {
        "name": "origin",
        "in": "query",
        "required": False,
        "description": "Folder or Git source that the request stands in, such as git:models.",
        "schema": origin,
    }
    folder_body = {
        "title": "FolderRequest",
        "type": "object",
        "additionalProperties": False,
        "required": ["origin", "files"],
        "properties": {
            "origin": origin,
            "prune": {"type": "boolean", "default": False},
            "files": {"type": "object", "description": "Request by file name."},
        },
    }
    return {
        "/provisionpipeline": {
            "post": _operation(
                "provisionPipeline",
                "Request a pipeline; the same body twice changes nothing.",
                ("200", "202"),
                "ProvisionAnswer",
                parameters=[origin_parameter],
                body=_reference("PipelineRequest"),
                problems=("400", "404", "409"),
            )
        },
        "/plans": {
            "post": _operation(
                "planFolder",
                "What applying a folder of requests would do; changes nothing.",
                ("200",),
                "FolderPlanAnswer",
                body=folder_body,
                problems=("400",),
            )
        },
        "/pipelinestatus": {
            "post": _operation(
                "pipelineStatus",
                "State of a pipeline, in the predecessor's form.",
                ("200",),
                "PredecessorStatus",
                body=status_body,
                problems=("400", "404"),
            )
        },
        "/pipelines": {
            "get": _operation(
                "listPipelines",
                "The pipelines.",
                ("200",),
                "PipelineList",
                parameters=[page, limit],
            )
        },
        "/pipelines/{pipeline_id}": {
            "parameters": [identity],
            "get": _operation(
                "getPipeline", "State of a pipeline.", ("200",), "PipelineStatus", problems=("404",)
            ),
            "delete": _operation(
                "deletePipeline",
                "Take a pipeline down, in order; data and records stay.",
                ("202",),
                "DeletionAnswer",
                problems=("404", "409"),
            ),
        },
        "/blueprints": {
            "get": _operation("listBlueprints", "What may be requested.", ("200",), "BlueprintList")
        },
        "/blueprints/{kind}/schema": {
            "parameters": [kind],
            "get": _operation(
                "getBlueprintSchema",
                "JSON Schema of a kind's request.",
                ("200",),
                None,
                problems=("404",),
            ),
        },
        **card_paths(_operation, [page, limit]),
    }


def _operation(
    identity: str,
    summary: str,
    statuses: tuple[str, ...],
    answer: str | None,
    *,
    body: Mapping[str, Any] | None = None,
    parameters: list[dict[str, Any]] | None = None,
    problems: tuple[str, ...] = (),
) -> dict[str, Any]:
    schema: Mapping[str, Any] = _reference(answer) if answer else {"type": "object"}
    operation: dict[str, Any] = {"operationId": identity, "summary": summary}
    if parameters:
        operation["parameters"] = parameters
    if body is not None:
        operation["requestBody"] = {"required": True, "content": {_JSON: {"schema": dict(body)}}}
    operation["responses"] = {
        **{
            status: {"description": summary, "content": {_JSON: {"schema": schema}}}
            for status in statuses
        },
        **{code: {"$ref": "#/components/responses/Problem"} for code in (*problems, "default")},
    }
    return operation


def _reference(name: str) -> dict[str, str]:
    return {"$ref": _REFERENCE.format(model=name)}


def _answer_schemas() -> dict[str, Any]:
    _, definitions = models_json_schema(
        [(answer, "serialization") for answer in _ANSWERS],
        by_alias=True,
        ref_template=_REFERENCE,
    )
    return dict(definitions["$defs"])


def _request_schemas(requests: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    named = {f"{_title(kind)}Request": schema for kind, schema in requests.items()}
    # A schema inside the document is of the document's own dialect.
    stripped = {
        name: _inside(
            _REFERENCE.format(model=name),
            {key: value for key, value in schema.items() if key != "$schema"},
        )
        for name, schema in named.items()
    }
    choice = {
        "oneOf": [_reference(name) for name in named],
        "discriminator": {
            "propertyName": "pipeline_type",
            "mapping": {
                kind: _REFERENCE.format(model=f"{_title(kind)}Request") for kind in requests
            },
        },
    }
    return {**stripped, "PipelineRequest": choice}


def _inside(place: str, value: Any) -> Any:
    """A schema whose references to its own ``$defs`` are found from the document's root."""
    if isinstance(value, dict):
        return {
            key: inner.replace("#/$defs/", f"{place}/$defs/", 1)
            if key == "$ref" and isinstance(inner, str)
            else _inside(place, inner)
            for key, inner in value.items()
        }
    return [_inside(place, inner) for inner in value] if isinstance(value, list) else value


def _title(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("-"))
