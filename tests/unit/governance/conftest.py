from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

import pytest

from mlops_framework.errors import RequestInvalid
from mlops_framework.governance.card_door import answer_card_request
from mlops_framework.governance.cards import ModelCards
from mlops_framework.governance.ports import CardPorts, ModelFacts, TrainingFacts
from mlops_framework.orchestration.predecessor import card_request
from mlops_framework.testing.model_cards import InMemoryCards, KnownFacts, KnownMetricFiles

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/xgboost:1.7-1"
ARTIFACT = "s3://data/models/m/j/output/model.tar.gz"
MODEL = ModelFacts("arn:aws:sagemaker:us-east-1:111122223333:model/m", [ARTIFACT], [IMAGE])
JOB = TrainingFacts(
    arn="arn:aws:sagemaker:us-east-1:111122223333:training-job/j",
    artifact=ARTIFACT,
    datasets=["s3://data/train/"],
    images=[IMAGE],
    metrics={"validation:auc": 0.91},
    hyperparameters={"num_round": "400", "sagemaker_submit_directory": "x" * 300},
)
BIAS = {
    "version": "1.0",
    "pre_training_bias_metrics": {
        "label": "income",
        "label_value_or_threshold": "1",
        "facets": {
            "age": [
                {
                    "value_or_threshold": "40",
                    "metrics": [
                        {"name": "CI", "description": "Class Imbalance", "value": 0.2},
                        {"name": "KL", "description": "Divergence", "value": None},
                    ],
                }
            ]
        },
    },
}


@dataclass
class World:
    """Model cards, with what SageMaker and S3 know of one model."""

    cards: InMemoryCards = field(default_factory=InMemoryCards)
    facts: KnownFacts = field(default_factory=KnownFacts)
    files: KnownMetricFiles = field(default_factory=KnownMetricFiles)
    waited: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.facts.models["m"] = MODEL
        self.facts.jobs["j"] = JOB
        self.files.files["s3://b/k.json"] = json.dumps(BIAS).encode()

    @property
    def use(self) -> ModelCards:
        ports = CardPorts(self.cards, self.facts, self.files, self.waited.append)
        return ModelCards(ports, bucket="data", key_arn="the-key", tags={"team": "risk"})

    def ask(self, **body: Any) -> dict[str, Any]:
        """A request in the predecessor's form."""
        kind = card_request(body)
        assert kind is not None
        return answer_card_request(kind, body, self.use)

    def refused(self, **body: Any) -> dict[str, str]:
        with pytest.raises(RequestInvalid) as caught:
            self.ask(**body)
        return {fault.path: fault.message for fault in caught.value.faults}


@pytest.fixture
def world() -> World:
    return World()
