from __future__ import annotations

import importlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.contracts.base import PipelineRequest, Place, kind_of
from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.predecessor import Setting, translate
from mlops_framework.registry import Blueprint, Registry

PLACE = Place("us-east-1", "aws", "111122223333", "assets", "mlops-test")
BODIES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).parents[2] / "contracts" / "predecessor" / "bodies.json").read_text()
)
KINDS = (
    "autopilot",
    "batch_transform",
    "image_builder",
    "monitors.data_quality",
    "monitors.explainability",
    "monitors.model_bias",
    "monitors.model_quality",
    "realtime_endpoint",
    "training",
    "tuning",
)
Stages = dict[str, tuple[str, ...]]
ONE: Stages = {"live": ()}


def _blueprint(folder: str) -> Blueprint:
    module = importlib.import_module(f"mlops_framework.blueprints.{folder}.contract")
    contract = next(
        value
        for value in vars(module).values()
        if isinstance(value, type)
        and issubclass(value, PipelineRequest)
        and value.__module__ == module.__name__
    )
    return Blueprint(kind_of(contract), folder, contract, "not.needed:Here")


class Door:
    """Reads bodies as the orchestrator does, up to the resolved request."""

    def __init__(self) -> None:
        self.registry = Registry(map(_blueprint, KINDS))
        self.notes: tuple[str, ...] = ()

    def __call__(self, body: dict[str, Any], stages: Stages = ONE) -> PipelineRequest:
        translation = translate(body, Setting(stages, "assets"))
        self.notes = translation.notes
        with translation.in_their_words():
            request = self.registry.parse(
                translation.body, stages=list(stages), prefix="mlops-test"
            )
            return request.resolved(PLACE)

    def refused(self, body: dict[str, Any], stages: Stages = ONE) -> dict[str, str]:
        """The message of each fault, by its path."""
        with pytest.raises(RequestInvalid) as refusal:
            self(body, stages)
        return {fault.path: fault.message for fault in refusal.value.faults}


@pytest.fixture(scope="session")
def registry_of_all() -> Door:
    return Door()


@pytest.fixture
def door(registry_of_all: Door) -> Door:
    return registry_of_all


@pytest.fixture
def body() -> Callable[..., dict[str, Any]]:
    """A body of the predecessor's documentation by its name, with changes; ``...`` leaves out."""

    def chosen(name: str, **changes: Any) -> dict[str, Any]:
        changed = {**BODIES[name], **changes}
        return {key: value for key, value in changed.items() if value is not ...}

    return chosen
