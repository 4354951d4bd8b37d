"""The published form of every contract, as files that a reviewer reads in a change's diff.

Write them anew after a change that is meant: ``python -m tests.contracts.golden``.
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from mlops_framework.contracts.events import events_document
from mlops_framework.contracts.openapi import (
    openapi_document,
)
from mlops_framework.contracts.parameters import template_parameters
from mlops_framework.contracts.reference import reference_page
from mlops_framework.registry import Registry

FOLDER = Path(__file__).parent / "golden"
REFERENCE = Path(__file__).parents[2] / "docs" / "reference"
VERSION = tomllib.loads((Path(__file__).parents[2] / "pyproject.toml").read_text(encoding="utf-8"))[
    "project"
]["version"]


def pages() -> Iterator[tuple[Path, str]]:
    """File and text of what is published for readers."""
    registry = Registry.discover()
    yield REFERENCE / "requests.md", reference_page(registry)
    yield REFERENCE / "events.schema.json", text_of(events_document())
    yield REFERENCE / "openapi.json", text_of(openapi_document(registry, version=VERSION))


def documents() -> Iterator[tuple[str, Any]]:
    """File name and content of each golden document."""
    registry = Registry.discover()
    for blueprint in registry.blueprints:
        yield f"{blueprint.kind}.schema.json", registry.schema(blueprint.kind)
        table = [
            {key: value for key, value in asdict(parameter).items() if value not in (None, ())}
            for parameter in template_parameters(blueprint.request)
        ]
        yield f"{blueprint.kind}.parameters.json", table
    yield "catalogue.json", registry.to_catalogue()


def text_of(document: Any) -> str:
    """As it stands in the file."""
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    FOLDER.mkdir(exist_ok=True)
    for name, document in documents():
        (FOLDER / name).write_text(text_of(document), encoding="utf-8")
    REFERENCE.mkdir(exist_ok=True)
    for file, text in pages():
        file.write_text(text, encoding="utf-8")
