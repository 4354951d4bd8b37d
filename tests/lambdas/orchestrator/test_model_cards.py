"""Model cards through the API: the direct routes, and the predecessor's requests unchanged."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.handler import build_app
from mlops_framework.governance.cards import ModelCards
from mlops_framework.governance.ports import CardPorts
from mlops_framework.testing.events import FakeContext, api_event
from mlops_framework.testing.model_cards import InMemoryCards, KnownFacts, KnownMetricFiles


@dataclass
class CardApi:
    """The API with model cards in memory; no pipeline can be reached."""

    cards: InMemoryCards = field(default_factory=InMemoryCards)

    def __call__(self, method: str, path: str, body: object = None, **more: Any) -> Any:
        return self.send(api_event(method, path, body, **more))

    def send(self, event: dict[str, Any]) -> tuple[int, dict[str, Any]]:
        def no_pipelines() -> Any:
            raise AssertionError("a request about a model card reached the pipelines")

        ports = CardPorts(self.cards, KnownFacts(), KnownMetricFiles(), lambda _: None)
        use = ModelCards(ports, bucket="data", key_arn="", tags={})
        answer = build_app(no_pipelines, lambda: use).resolve(event, FakeContext())
        return answer["statusCode"], json.loads(answer["body"])


@pytest.fixture
def api() -> CardApi:
    return CardApi()


def test_a_card_lives_from_creation_to_deletion(api: CardApi) -> None:
    created, _ = api("POST", "/model-cards", {"name": "c", "intended_uses": {"risk_rating": "low"}})
    changed, told = api("PATCH", "/model-cards/c", {"business_details": {"business_problem": "b"}})
    _, card = api("GET", "/model-cards/c")
    _, versions = api("GET", "/model-cards/c/versions")
    exported, export = api("POST", "/model-cards/c/exports", {})
    _, exports = api("GET", "/model-cards/c/exports")
    deleted, _ = api("DELETE", "/model-cards/c")
    gone, problem = api("GET", "/model-cards/c")

    assert (created, changed, exported, deleted, gone) == (201, 200, 200, 200, 404)
    assert (
        told["message"] == "Model card c is changed: business_details replaced, version 2, Draft."
    )
    assert card["content"]["intended_uses"] == {"risk_rating": "Low"}
    assert card["content"]["business_details"] == {"business_problem": "b"}
    assert [one["version"] for one in versions["model_cards"]] == [2, 1]
    assert export["location"] == "s3://data/model_card_exports/c/c-v2.pdf"
    assert exports["exports"] == [export]
    assert "There is no model card 'c'" in problem["detail"]


def test_a_list_is_paginated_and_filtered(api: CardApi) -> None:
    for name in ("risk-1", "risk-2", "other"):
        api("POST", "/model-cards", {"name": name})

    _, first = api("GET", "/model-cards", query={"limit": "1", "name_contains": "risk"})
    _, second = api(
        "GET",
        "/model-cards",
        query={"limit": "1", "name_contains": "risk", "next_token": first["next_token"]},
    )

    assert [one["name"] for one in first["model_cards"]] == ["risk-2"]
    assert [one["name"] for one in second["model_cards"]] == ["risk-1"]
    assert second["next_token"] == ""


def test_a_request_of_the_predecessor_is_answered_at_once(api: CardApi) -> None:
    body = {"pipeline_type": "create_model_card", "name": "c", "status": "Draft"}

    status, answer = api("POST", "/provisionpipeline", body)
    _, described = api(
        "POST", "/provisionpipeline", {"pipeline_type": "describe_model_card", "name": "c"}
    )

    assert status == 200
    assert answer["message"] == "Model card c is created, version 1, Draft."
    assert described["message"]["ModelCardName"] == "c"


def test_a_body_alone_is_a_request_as_well(api: CardApi) -> None:
    status, answer = api.send(as_request({"pipeline_type": "list_model_cards"}, request_id="r"))

    assert (status, answer["message"]) == (200, {"ModelCardSummaries": []})


def test_a_card_may_be_longer_than_any_request_for_a_pipeline(api: CardApi) -> None:
    details = {f"k{number}": "x" * 1000 for number in range(80)}
    body = {
        "pipeline_type": "create_model_card",
        "name": "c",
        "additional_information": {"custom_details": details},
    }

    assert api("POST", "/provisionpipeline", body)[0] == 200
    assert api("POST", "/provisionpipeline", {**body, "pipeline_type": "training"})[0] == 413


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    [
        ("POST", "/model-cards", {"nam": "c"}, 400, "Did you mean 'name'?"),
        ("POST", "/model-cards", {"name": "c"}, 409, "PATCH /model-cards/c"),
        ("POST", "/model-cards", [], 400, "Must be an object"),
        ("PATCH", "/model-cards/c", {"status": "Done"}, 400, "Give one of Draft"),
        ("PATCH", "/model-cards/gone", {"status": "Draft"}, 404, "no model card 'gone'"),
        ("DELETE", "/model-cards/-", None, 400, "Not a model card's name"),
        ("POST", "/model-cards/c/exports", {"model_card_version": 0}, 400, "at least 1"),
    ],
)
def test_what_is_wrong_is_told_with_what_to_do(
    api: CardApi, method: str, path: str, body: object, status: int, said: str
) -> None:
    api("POST", "/model-cards", {"name": "c"})

    answered, problem = api(method, path, body)

    assert answered == status
    assert said in json.dumps(problem, ensure_ascii=False)
