"""10,000 bodies through the real handler: none breaks it, none that is refused leaves a trace."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.handler import build_app
from mlops_framework.orchestration.predecessor import TYPES, Setting, speaks, translate
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.events import FakeContext
from tests.contracts.fuzz import anything, changed, of_schema
from tests.contracts.orchestrator import InMemoryWorld

BODIES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).with_name("predecessor") / "bodies.json").read_text()
)
CATALOGUE = InMemoryCatalogue(Registry.discover())
REGISTRY = CATALOGUE.registry
OLD = [
    body
    for body in BODIES.values()
    if speaks(body) and TYPES[body["pipeline_type"]].kind in REGISTRY.kinds
]
OURS = [dict(translate(body, Setting({"dev": ()}, "assets")).body) for body in OLD]
SCHEMAS = [REGISTRY.schema(kind) for kind in REGISTRY.kinds]
WORLDS: list[InMemoryWorld] = []
APP = build_app(lambda: WORLDS[-1].orchestrator)


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def sent(body: Any) -> int:
    """The status of a body; a refused one has left nothing, an accepted one has made a pipeline."""
    WORLDS.append(world := InMemoryWorld(catalogue=CATALOGUE))
    event = as_request({"body": json.dumps(body)}, request_id="r-1")
    answered = APP.resolve(event, FakeContext())
    WORLDS.clear()
    status, answer = answered["statusCode"], json.loads(answered["body"])
    assert status < 500, (body, answer)
    if status < 400:
        assert world.records.get(answer["pipeline_id"]), body
        assert world.stacks.stacks, body
    else:
        assert answer["detail"], body
        assert not world.records.page(limit=1).records, body
        assert not world.stacks.stacks, body
        assert not world.objects.objects, body
    return status


def test_the_bodies_that_are_changed_here_are_accepted_as_they_are() -> None:
    assert {sent(body) for body in OLD} == {200}
    assert {sent(body) for body in OURS} == {202}


@fuzzed(1500)
@given(anything)
def test_any_json_is_refused(body: Any) -> None:
    assert sent(body) == 400


@fuzzed(45)
@given(st.integers(0, 2**32))
def test_changed_bodies_of_the_predecessor_are_accepted_or_refused(seed: int) -> None:
    dice = Random(seed)
    statuses = {sent(changed(dice, dice.choice(OLD))) for _ in range(100)}
    assert statuses == {200, 400}


@fuzzed(25)
@given(st.integers(0, 2**32))
def test_changed_bodies_of_ours_are_accepted_or_refused(seed: int) -> None:
    dice = Random(seed)
    statuses = {sent(changed(dice, dice.choice(OURS))) for _ in range(100)}
    assert statuses == {202, 400}


@fuzzed(1500)
@given(st.one_of([of_schema(schema, schema.get("$defs", {})) for schema in SCHEMAS]))
def test_bodies_made_from_the_schemas_are_accepted_or_refused(body: Any) -> None:
    sent(body)
