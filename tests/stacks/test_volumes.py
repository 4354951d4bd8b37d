"""Who encrypts what a job's instances keep on disk: the key, or the machine itself."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from tests.stacks.conftest import ANALYZERS, Synthesized
from tests.stacks.deployed import Deployed
from tests.stacks.test_monitors import OWN, SETTLED, WATCHED

SEARCHED = {
    "objective_metric": "validation:auc",
    "integer_ranges": [{"name": "max_depth", "minimum": 1, "maximum": 9}],
}
BUILT = {
    "training_data": "s3://data/train/",
    "image_uri": "111122223333.dkr.ecr.us-east-1.amazonaws.com/own:1",
    "evaluation_script": "s3://data/evaluate.py",
    "evaluation_data": "s3://data/test.csv",
}
SCORED = {
    "image_uri": BUILT["image_uri"],
    "model_artifact_location": "s3://data/model.tar.gz",
    "input_location": "s3://data/rows/",
}
# Kind: what a request of it says, and how many jobs with instances it asks SageMaker for.
ASKED: Mapping[str, tuple[Mapping[str, Any], int]] = {
    "training": (BUILT, 2),
    "tuning": ({**BUILT, **SEARCHED}, 2),
    "batch-transform": (SCORED, 1),
    **{kind: ({**WATCHED, **OWN[kind]}, 2) for kind in ANALYZERS},
}


@pytest.mark.parametrize("kind", ASKED)
def test_instances_with_disks_of_their_own_get_no_key_that_sagemaker_would_refuse(
    dev: Synthesized, kind: str
) -> None:
    body, jobs = ASKED[kind]

    def keys(instance_type: str) -> list[str | None]:
        given = {"pipeline_type": kind, "model_name": "churn", "instance_type": instance_type}
        found = Deployed(dev.blueprints[kind], {**given, **body}, given=_settled(kind))
        return [cluster.get("VolumeKmsKeyId") for cluster in _clusters(found)]

    assert keys("ml.m5.xlarge") == ["<PlatformKeyArn>"] * jobs
    assert keys("ml.g4dn.xlarge") == [None] * jobs


def _settled(kind: str) -> Mapping[str, str]:
    return SETTLED if kind in ANALYZERS else {}


def _clusters(found: Deployed) -> Iterator[Mapping[str, Any]]:
    """What says on which instances a job runs, wherever it stands."""
    for _, properties in found.resources.values():
        if "PipelineDefinition" in properties:
            text = properties["PipelineDefinition"]["PipelineDefinitionBody"]
            yield from _with_instances(json.loads(text))
        elif "JobResources" in properties:
            yield from _with_instances(properties["JobResources"])


def _with_instances(value: Any) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, Mapping):
        if "InstanceType" in value:
            yield value
        for inner in value.values():
            yield from _with_instances(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from _with_instances(inner)
