"""The published contracts change only on purpose."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from mlops_framework.registry import Registry
from tests.contracts import golden

DOCUMENTS = dict(golden.documents())
PAGES = dict(golden.pages())
API = json.loads(PAGES[golden.REFERENCE / "openapi.json"])


@pytest.mark.parametrize("name", DOCUMENTS)
def test_a_contract_is_as_published(name: str) -> None:
    published = json.loads((golden.FOLDER / name).read_text(encoding="utf-8"))

    current = json.loads(golden.text_of(DOCUMENTS[name]))

    assert current == published, "If this is meant: python -m tests.contracts.golden"


@pytest.mark.parametrize("file", PAGES, ids=lambda file: file.name)
def test_a_page_for_readers_is_current(file: Path) -> None:
    assert file.read_text(encoding="utf-8") == PAGES[file], "python -m tests.contracts.golden"


def test_nothing_is_published_that_is_gone() -> None:
    published = {file.name for file in golden.FOLDER.glob("*.json")}

    assert published == set(DOCUMENTS)


@pytest.mark.parametrize("kind", Registry.discover().kinds)
def test_a_request_schema_is_a_valid_schema(kind: str) -> None:
    jsonschema.Draft202012Validator.check_schema(DOCUMENTS[f"{kind}.schema.json"])


def test_every_reference_of_the_api_document_resolves() -> None:
    dangling = [ref for ref in _references(API) if not _resolves(API, ref)]

    assert dangling == []


def test_every_operation_of_the_api_has_an_identity_and_a_problem_answer() -> None:
    methods = ("get", "post", "patch", "delete")
    operations = [
        operation
        for path in API["paths"].values()
        for method, operation in path.items()
        if method in methods
    ]

    identities = [operation["operationId"] for operation in operations]

    assert len(set(identities)) == len(identities) == 16
    assert all("default" in operation["responses"] for operation in operations)


def _references(node: Any) -> list[str]:
    if isinstance(node, dict):
        own = [node["$ref"]] if isinstance(node.get("$ref"), str) else []
        return own + [ref for value in node.values() for ref in _references(value)]
    if isinstance(node, list):
        return [ref for value in node for ref in _references(value)]
    return []


def _resolves(document: Any, reference: str) -> bool:
    node = document
    for part in reference.removeprefix("#/").split("/"):
        if not isinstance(node, dict) or part not in node:
            return False
        node = node[part]
    return True
