"""All that the predecessor took, through each way in: the API, the function itself, a file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from lambdas.orchestrator.entry import as_request
from lambdas.orchestrator.files import carry_out
from lambdas.orchestrator.handler import build_app
from mlops_framework.governance.cards import ModelCards
from mlops_framework.governance.ports import CardPorts, ModelFacts, TrainingFacts
from mlops_framework.orchestration.plan import EnvironmentView
from mlops_framework.testing.configuration_files import InMemoryFiles
from mlops_framework.testing.events import FakeContext, api_event, event_bridge_event
from mlops_framework.testing.model_cards import InMemoryCards, KnownFacts, KnownMetricFiles
from tests.contracts.orchestrator import PREFIX, InMemoryWorld

BODIES: dict[str, dict[str, Any]] = json.loads(
    (Path(__file__).with_name("predecessor") / "bodies.json").read_text()
)
PLATFORMS = {"one stage": ("live",), "three stages": ("dev", "staging", "prod")}
KEY = "mlops-config.json"
CI = {"name": "CI", "description": "Class Imbalance", "value": 0.2}
BIAS = {
    "version": "1.0",
    "pre_training_bias_metrics": {
        "label": "y",
        "label_value_or_threshold": "1",
        "facets": {"age": [{"value_or_threshold": "40", "metrics": [CI]}]},
    },
}

Answered = tuple[int, dict[str, Any]]
Door = Callable[[Any, dict[str, Any]], Answered]


def by_the_api(app: Any, body: dict[str, Any]) -> Answered:
    answer = app.resolve(api_event("POST", "/provisionpipeline", body), FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def by_the_function(app: Any, body: dict[str, Any]) -> Answered:
    answer = app.resolve(as_request(body, request_id="r-1"), FakeContext())
    return answer["statusCode"], json.loads(answer["body"])


def by_a_file(app: Any, body: dict[str, Any]) -> Answered:
    desk = InMemoryFiles()
    desk.objects["requests", KEY] = json.dumps(body).encode()
    detail = {"bucket": {"name": "requests"}, "object": {"key": KEY}}
    event = event_bridge_event("aws.s3", "Object Created", detail)
    carry_out(event, FakeContext(), app=app, desk=desk)
    result = json.loads(desk.objects["requests", f"{KEY}.result.json"])
    return result["status"], result["answer"]


def cards(with_card: bool) -> ModelCards:
    """What a body about a card speaks of: a model, its job, a metric file, and the card itself."""
    store, facts, files = InMemoryCards(), KnownFacts(), KnownMetricFiles()
    facts.models["m"] = ModelFacts("arn:aws:sagemaker:us-east-1:111122223333:model/m", [], [])
    facts.jobs["j"] = TrainingFacts(
        arn="arn:aws:sagemaker:us-east-1:111122223333:training-job/j",
        artifact="",
        datasets=[],
        images=[],
        metrics={},
        hyperparameters={},
    )
    files.files["s3://b/k.json"] = json.dumps(BIAS).encode()
    if with_card:
        store.create("c", content="{}", status="Draft", key_arn="", tags={})
    return ModelCards(
        CardPorts(store, facts, files, lambda _: None), bucket="data", key_arn="", tags={}
    )


@pytest.mark.parametrize("door", [by_the_api, by_the_function, by_a_file])
@pytest.mark.parametrize("platform", PLATFORMS)
def test_every_documented_body_is_taken(door: Door, platform: str) -> None:
    answers = {}
    for name, body in BODIES.items():
        if name.endswith("-stages") and platform == "one stage":
            continue
        stages = PLATFORMS[platform]
        world = InMemoryWorld(environment=EnvironmentView(PREFIX, stages, "artifacts", {}))
        of_cards = cards(with_card=name != "card-create")
        app = build_app(lambda world=world: world.orchestrator, lambda of=of_cards: of)  # type: ignore[misc]
        answers[name] = door(app, body)

    refused = {name: answer for name, (status, answer) in answers.items() if status != 200}
    messages = {answer["message"] for name, (_, answer) in answers.items() if "card" not in name}
    assert not refused
    assert messages == {"success: stack creation started"}
