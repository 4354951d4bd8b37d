"""10,000 bodies through the real handler: none breaks it, none that is refused leaves a trace."""

from __future__ import annotations

import copy
import json
import logging
from collections.abc import Iterator
from pathlib import Path
from random import Random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel

from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.handler import build_app
from mlops_framework.contracts.model_cards.requests import CardChange, CardCreation, CardExport
from mlops_framework.governance.cards import ModelCards
from mlops_framework.governance.ports import CardPorts
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.orchestration.predecessor import (
    TYPES,
    Setting,
    card_request,
    speaks,
    translate,
)
from mlops_framework.registry import Registry
from mlops_framework.testing.catalogue import InMemoryCatalogue
from mlops_framework.testing.events import FakeContext, api_event
from mlops_framework.testing.model_cards import InMemoryCards, KnownFacts, KnownMetricFiles
from tests.contracts.fuzz import anything, changed, of_schema
from tests.contracts.orchestrator import PREFIX, InMemoryWorld

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
OLD_CARDS = [body for body in BODIES.values() if card_request(body)]
PLATFORMS = (("dev",), ("dev", "staging", "prod"))
CARD_ROUTES: tuple[tuple[tuple[str, str], type[BaseModel]], ...] = (
    (("POST", "/model-cards"), CardCreation),
    (("PATCH", "/model-cards/c"), CardChange),
    (("POST", "/model-cards/c/exports"), CardExport),
)
WORLDS: list[InMemoryWorld] = []
CARDS: list[InMemoryCards] = []


def cards_in_memory() -> ModelCards:
    ports = CardPorts(CARDS[-1], KnownFacts(), KnownMetricFiles(), lambda _: None)
    return ModelCards(ports, bucket="data", key_arn="", tags={})


APP = build_app(lambda: WORLDS[-1].orchestrator, cards_in_memory)


def fuzzed(examples: int) -> settings:
    return settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )


def of_model(form: type[BaseModel]) -> st.SearchStrategy[Any]:
    schema = form.model_json_schema()
    return of_schema(schema, schema.get("$defs", {}))


@pytest.fixture(autouse=True, scope="module")
def quiet() -> Iterator[None]:
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)


def sent(body: Any, stages: tuple[str, ...] = ("dev",)) -> int:
    """The status of a body; a refused one has left nothing, an accepted one has made a pipeline."""
    environment = EnvironmentView(PREFIX, stages, "artifacts", {})
    WORLDS.append(world := InMemoryWorld(environment=environment, catalogue=CATALOGUE))
    status, answer = answered({"body": json.dumps(body)})
    WORLDS.clear()
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


def answered(event: Any) -> tuple[int, Any]:
    answer = APP.resolve(as_request(event, request_id="r-1"), FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def asked_of_cards(method: str, path: str, body: Any) -> int:
    """The status of a request about model cards; a refused one has changed none of them."""
    WORLDS.append(world := InMemoryWorld(catalogue=CATALOGUE))
    CARDS.append(cards := InMemoryCards())
    cards.create("c", content="{}", status="Draft", key_arn="", tags={})
    before = copy.deepcopy(vars(cards))
    status, answer = answered(api_event(method, path, body))
    CARDS.clear()
    WORLDS.clear()
    assert not world.records.page(limit=1).records, body
    assert status < 500, (body, answer)
    if status >= 400:
        assert answer["detail"], body
        assert vars(cards) == before, body
    return status


def test_the_bodies_that_are_changed_here_are_accepted_as_they_are() -> None:
    assert {sent(body) for body in OLD} == {200}
    assert {sent(body) for body in OURS} == {202}
    assert {TYPES[body["pipeline_type"]].kind for body in OLD} == {*REGISTRY.kinds} - {
        "drift-monitor"
    }


@fuzzed(1200)
@given(anything)
def test_any_json_is_refused(body: Any) -> None:
    assert sent(body) == 400


@fuzzed(40)
@given(st.integers(0, 2**32))
def test_changed_bodies_of_the_predecessor_are_accepted_or_refused(seed: int) -> None:
    dice = Random(seed)
    statuses = {sent(changed(dice, dice.choice(OLD)), dice.choice(PLATFORMS)) for _ in range(100)}
    assert statuses == {200, 400}


@fuzzed(20)
@given(st.integers(0, 2**32))
def test_changed_bodies_of_ours_are_accepted_or_refused(seed: int) -> None:
    dice = Random(seed)
    statuses = {sent(changed(dice, dice.choice(OURS)), dice.choice(PLATFORMS)) for _ in range(100)}
    assert statuses == {202, 400}


@fuzzed(1500)
@given(st.one_of([of_schema(schema, schema.get("$defs", {})) for schema in SCHEMAS]))
def test_bodies_made_from_the_schemas_are_accepted_or_refused(body: Any) -> None:
    sent(body)


@fuzzed(10)
@given(st.integers(0, 2**32))
def test_changed_requests_of_the_predecessor_about_cards_are_answered_or_refused(seed: int) -> None:
    dice = Random(seed)
    statuses = {
        asked_of_cards("POST", "/provisionpipeline", changed(dice, dice.choice(OLD_CARDS)))
        for _ in range(100)
    }
    assert {200, 400} <= statuses


@fuzzed(300)
@given(st.one_of([st.tuples(st.just(route), of_model(form)) for route, form in CARD_ROUTES]))
def test_cards_made_from_the_schemas_are_accepted_or_refused(asked: Any) -> None:
    (method, path), body = asked
    asked_of_cards(method, path, body)
