"""JSON Schemas of the files that are written, for whoever wants to check them."""

from __future__ import annotations

import json
from importlib import resources
from typing import Any, Literal

Name = Literal[
    "statistics",
    "constraints",
    "constraint_violations",
    "model_quality_statistics",
    "model_quality_constraints",
    "analysis",
]


def schema(name: Name) -> Any:
    """The schema of one kind of file."""
    text = resources.files(__package__ or "").joinpath(f"{name}.schema.json").read_text("utf-8")
    return json.loads(text)
