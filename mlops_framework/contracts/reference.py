"""The reference page of all requests, from the contracts: what a person reads, Markdown."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from mlops_framework.contracts.parameters import as_text

if TYPE_CHECKING:
    from mlops_framework.registry import Blueprint, Registry

_OPENING = """# Requests

What each kind of pipeline may be asked for. This page is written from the contracts
(`mlops_framework/blueprints/*/contract.py`); the same lines validate a request, declare the
template's parameters and make the JSON Schema (`mlops blueprints show KIND --json`).

A field marked *per stage* takes one value for every stage, or a map from each stage of the
environment to its value: `"instance_count": {"dev": 1, "prod": 2}`.
"""


def reference_page(registry: Registry) -> str:
    """The page, one section for each blueprint."""
    sections = ("\n".join(_section(blueprint)) for blueprint in registry.blueprints)
    return "\n".join([_OPENING, *sections])


def _section(blueprint: Blueprint) -> Iterator[str]:
    yield f"## {blueprint.kind}\n"
    yield f"{blueprint.summary}\n"
    yield "| field | default | accepted | meaning |"
    yield "| --- | --- | --- | --- |"
    for name, field in blueprint.request.model_fields.items():
        shape = blueprint.request.shapes[name]
        if field.is_required():
            default = "**required**"
        elif field.default_factory is not None:
            default = ""
        else:
            text = as_text(field.default)
            default = f"`{text}`" if text else ""
        accepted = _plain(shape.accepted) + (" (*per stage*)" if shape.per_stage else "")
        yield f"| `{name}` | {default} | {accepted} | {_plain(field.description or '')} |"
    yield ""


def _plain(text: str) -> str:
    """Text that is not taken for markup, and does not end its table cell."""
    entities = {"&": "&amp;", "<": "&lt;", ">": "&gt;", "|": "&#124;", "*": "&#42;", "_": "&#95;"}
    return "".join(entities.get(character, character) for character in text)
