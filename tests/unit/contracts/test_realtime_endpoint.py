"""What a realtime-endpoint request may say, and what it is told otherwise."""

from __future__ import annotations

import json
import re
from importlib.resources import files
from typing import Any

import pytest

from mlops_framework.blueprints.realtime_endpoint import BLUEPRINT
from mlops_framework.contracts.base import Place
from mlops_framework.contracts.instances import has_local_disk
from mlops_framework.contracts.parameters import template_values
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Registry

REGISTRY = Registry([BLUEPRINT])
README = files("mlops_framework.blueprints.realtime_endpoint").joinpath("README.md")
EXAMPLES = re.findall(r"```json\n(.*?)```", README.read_text("utf-8"), re.DOTALL)
GROUP = {"model_package_group": "income"}
ARTEFACT = {"model_artifact_location": "s3://data/models/model.tar.gz"}
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1"
PLACE = Place("us-east-1", "aws", "111122223333", "data", "mlops-test")


def request(**fields: Any) -> Any:
    body = {"pipeline_type": "realtime-endpoint", "model_name": "income", **fields}
    return REGISTRY.parse(body, stages=("dev", "prod"))


def faults(**fields: Any) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as refusal:
        request(**fields)
    return {fault.path: fault.message for fault in refusal.value.faults}


def test_the_readme_shows_every_mode() -> None:
    modes = {json.loads(example).get("endpoint_mode", "real-time") for example in EXAMPLES}

    assert modes == {"real-time", "serverless", "asynchronous"}


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"instance_type": "ml.g5.xlarge"}, "instance_type", "none with a GPU"),
        ({"volume_size_gb": 30}, "volume_size_gb", "no volume"),
        ({"data_capture_percentage": 100}, "data_capture_percentage", "captures no traffic"),
        ({"autoscaling_max_instances": 3}, "autoscaling_max_instances", "scales by itself"),
        ({"serverless_memory_mb": 1500}, "serverless_memory_mb", "steps of 1024"),
        (
            {"serverless_provisioned_concurrency": 11},
            "serverless_provisioned_concurrency",
            "More than serverless_max_concurrency",
        ),
        ({"async_max_concurrent_invocations": 2}, "async_max_concurrent_invocations", "Only asy"),
    ],
)
def test_what_a_serverless_endpoint_cannot_do_is_told(fields, path, said) -> None:
    assert said in faults(endpoint_mode="serverless", **GROUP, **fields)[path]


def test_the_api_captures_where_sagemaker_does_not() -> None:
    asked = request(endpoint_mode="serverless", **GROUP, api_capture_percentage=20)
    assert asked.parameter_value("api_capture_percentage", "dev") == 20
    refused = faults(**GROUP, api_capture_percentage=20)
    assert "SageMaker captures the traffic of real-time" in refused["api_capture_percentage"]


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"data_capture_percentage": {"dev": 0, "prod": 5}}, "data_capture_percentage", "in S3"),
        (
            {"autoscaling_invocations_per_instance": 5.0},
            "autoscaling_invocations_per_instance",
            "autoscaling_backlog_per_instance",
        ),
        (
            {"further_variants": [{"variant_name": "b", "image_uri": "", **ARTEFACT}]},
            "further_variants",
            "has one variant",
        ),
    ],
)
def test_what_an_asynchronous_endpoint_cannot_do_is_told(fields, path, said) -> None:
    assert said in faults(endpoint_mode="asynchronous", **GROUP, **fields)[path]


FOLDER = {"models_location": {"dev": "s3://data/models/dev", "prod": "s3://data/models/prod/"}}


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        (GROUP, "model_package_group", "one model"),
        (ARTEFACT, "model_artifact_location", "archives below models_location"),
        ({"image_uri": ""}, "image_uri", "the image that serves all models"),
        ({"endpoint_mode": "serverless"}, "models_location", "in real time alone"),
        ({"endpoint_mode": "asynchronous"}, "models_location", "in real time alone"),
        (
            {"autoscaling_min_instances": {"dev": 0, "prod": 1}, "autoscaling_max_instances": 2},
            "autoscaling_min_instances",
            "has one model",
        ),
        (
            {"further_variants": [{"variant_name": "b", "image_uri": IMAGE, **ARTEFACT}]},
            "further_variants",
            "told apart by target_model",
        ),
        ({"data_capture_percentage": 10}, "data_capture_percentage", "do not say which model"),
    ],
)
def test_what_a_multi_model_endpoint_cannot_do_is_told(fields, path, said) -> None:
    assert said in faults(**{**FOLDER, "image_uri": IMAGE, **fields})[path]


def test_a_multi_model_endpoint_has_an_image_a_folder_and_the_apis_captures() -> None:
    asked = request(**FOLDER, image_uri=IMAGE, api_capture_percentage=50).resolved(PLACE)
    values = template_values(asked, "prod")
    assert values["ModelsLocation"] == "s3://data/models/prod/"
    assert (values["DataCapturePercentage"], values["ApiCapturePercentage"]) == ("0", "50")
    # Where a script is, each model's own archive says.
    assert values["Environment"] == "{}"
    assert template_values(asked, "dev")["ModelsLocation"] == "s3://data/models/dev/"


@pytest.mark.parametrize(
    ("fields", "path", "said"),
    [
        ({"autoscaling_min_instances": 0}, "autoscaling_max_instances", "nothing scales"),
        (
            {"autoscaling_min_instances": {"dev": 1, "prod": 4}, "autoscaling_max_instances": 3},
            "autoscaling_min_instances.prod",
            "More than autoscaling_max_instances",
        ),
        (
            {"instance_type": {"dev": "ml.t2.medium", "prod": "ml.m5.large"}}
            | {"autoscaling_max_instances": 2},
            "instance_type.dev",
            "CPU credits",
        ),
        (
            {"instance_type": "ml.m5d.large", "volume_size_gb": 20},
            "instance_type",
            "a disk of its own",
        ),
        ({"component_memory_mb": 512}, "component_memory_mb", "scales to zero"),
        ({"environment": {"KEY": "{{resolve:ssm:secret}}"}}, "environment.KEY", "Not accepted"),
        ({"image_uri": "", **ARTEFACT}, "model_package_group", "give one of"),
        ({"initial_variant_weight": 0.0}, "initial_variant_weight", "No variant takes traffic"),
    ],
)
def test_what_a_real_time_endpoint_cannot_do_is_told(fields, path, said) -> None:
    assert said in faults(**GROUP, **fields)[path]


def test_a_further_variant_without_a_model_is_told_with_its_place() -> None:
    twins = [{"variant_name": "AllTraffic"}]

    told = faults(**GROUP, further_variants=twins)

    assert "No model to serve" in told["further_variants.0.model_package_name"]
    assert "Two variants have this name" in told["further_variants.0.variant_name"]


def test_an_algorithm_becomes_its_image_and_stays_in_the_record() -> None:
    asked = request(algorithm="xgboost", algorithm_version="1.7-1", **ARTEFACT)

    resolved = asked.resolved(PLACE)

    assert resolved.image_uri.endswith("/sagemaker-xgboost:1.7-1")
    assert resolved.algorithm == "xgboost"
    assert resolved.resolved(PLACE) == resolved
    assert REGISTRY.parse(resolved.model_dump(mode="json")) == resolved
    assert template_values(resolved, "dev")["Environment"] == "{}"


def test_an_algorithm_that_aws_does_not_have_is_told_with_the_nearest_one() -> None:
    asked = request(algorithm="xgbost", algorithm_version="1.7-1", **ARTEFACT)

    with pytest.raises(RequestInvalid) as refusal:
        asked.resolved(PLACE)

    (fault,) = refusal.value.faults
    assert fault.path == "algorithm"
    assert "xgboost" in fault.message


def test_a_mode_without_capture_gives_the_template_none() -> None:
    asked = request(endpoint_mode="asynchronous", **GROUP)

    assert template_values(asked, "dev")["DataCapturePercentage"] == "0"
    assert asked.resolved(PLACE).data_capture_percentage == 0


@pytest.mark.parametrize(
    ("instance_type", "local"),
    [
        ("ml.m5.large", False),
        ("ml.m5d.large", True),
        ("ml.c6gd.large", True),
        ("ml.c6g.large", False),
        ("ml.g4dn.xlarge", True),
        ("ml.g5.xlarge", True),
        ("ml.p3.2xlarge", False),
        ("ml.p4de.24xlarge", True),
        ("ml.p6-b200.48xlarge", True),
        ("ml.inf2.xlarge", False),
        ("ml.trn1.2xlarge", True),
    ],
)
def test_a_local_disk_is_told_by_the_instance_family(instance_type: str, local: bool) -> None:
    assert has_local_disk(instance_type) is local
