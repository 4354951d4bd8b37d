from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from typing import Any

import pytest

from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.errors import CatalogueInvalid


def _files(source: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(source)) as bundle:
        return {name: json.loads(bundle.read(name)) for name in bundle.namelist()}


def test_the_same_request_gives_the_same_plan_byte_for_byte(world, training) -> None:
    shuffled = dict(reversed(training.items()))

    assert world.plan(training) == world.plan(shuffled)


def test_names_come_from_environment_model_and_kind(world, training) -> None:
    planned = world.plan(training)

    assert planned.pipeline_id == "income-training"
    assert planned.delivery_stack == "mlops-test-income-training-delivery"
    assert planned.code_pipeline == "mlops-test-income-training"
    assert planned.source_key == "pipelines/income-training/source.zip"
    assert planned.request_key == f"requests/income-training/{planned.request_digest}.json"
    assert [stage.stack_name for stage in planned.stages] == [
        "mlops-test-income-training-dev",
        "mlops-test-income-training-prod",
    ]


def test_the_source_holds_the_template_and_one_parameters_file_a_stage(world, training) -> None:
    training["instance_type"] = {"dev": "ml.m5.large", "prod": "ml.m5.xlarge"}

    files = _files(world.plan(training).source)

    assert sorted(files) == ["parameters-dev.json", "parameters-prod.json", "template.json"]
    assert files["template.json"] == world.catalogue.blueprint_template("training")
    assert files["parameters-dev.json"]["Parameters"]["InstanceType"] == "ml.m5.large"
    assert files["parameters-prod.json"]["Parameters"]["InstanceType"] == "ml.m5.xlarge"
    assert files["parameters-prod.json"]["Parameters"]["Stage"] == "prod"


def test_everything_is_tagged_with_its_pipeline_model_and_stage(world, training) -> None:
    tags = _files(world.plan(training).source)["parameters-dev.json"]["Tags"]

    assert tags == {
        "team": "platform",
        "mlops:pipeline": "income-training",
        "mlops:model": "income",
        "mlops:stage": "dev",
    }


def test_another_value_is_another_plan(world, training) -> None:
    before = world.plan(training)

    training["volume_size_gb"] = 31

    assert world.plan(training).digest != before.digest


def test_another_template_is_another_plan_of_the_same_request(world, training) -> None:
    before = world.plan(training)

    world.catalogue.deliveries["training"]["Description"] = "a second version of the platform"

    after = world.plan(training)
    assert after.request_digest == before.request_digest
    assert after.digest != before.digest


def test_a_template_without_a_parameter_of_the_contract_is_the_operators_fault(
    world, training
) -> None:
    del world.catalogue.blueprints["training"]["Parameters"]["InstanceType"]

    with pytest.raises(CatalogueInvalid, match="does not declare the parameter InstanceType"):
        world.plan(training)


def test_a_template_parameter_that_nothing_fills_is_the_operators_fault(world, training) -> None:
    world.catalogue.blueprints["training"]["Parameters"]["Forgotten"] = {"Type": "String"}

    with pytest.raises(CatalogueInvalid, match="Forgotten has no default"):
        world.plan(training)


def test_a_delivery_template_that_is_too_large_is_refused_before_anything_is_created(
    world, training
) -> None:
    world.catalogue.deliveries["training"]["Description"] = "x" * 60_000

    with pytest.raises(CatalogueInvalid, match="51200"):
        world.plan(training)


def test_a_blueprint_template_that_is_too_large_is_refused(world, training) -> None:
    world.catalogue.blueprints["training"]["Description"] = "x" * 1_000_001

    with pytest.raises(CatalogueInvalid, match="1000000"):
        world.plan(training)


def test_values_that_cloudformation_would_refuse_are_all_told_with_field_and_stage(
    world, training
) -> None:
    declared = world.catalogue.blueprints["training"]["Parameters"]
    declared["InstanceType"]["AllowedValues"] = ["ml.m5.xlarge"]
    declared["VolumeSizeGb"]["MaxValue"] = 10

    with pytest.raises(RequestInvalid) as refused:
        world.plan(training)

    assert [(fault.path, fault.accepted) for fault in refused.value.faults] == [
        ("instance_type", "ml.m5.xlarge"),
        ("volume_size_gb", "1 to 10"),
    ] * 2
    assert "stage dev" in refused.value.faults[0].message


def test_the_stages_are_the_environments_whatever_their_names(world, training) -> None:
    world.environment = replace(world.environment, stages=("canary", "eu-west", "rest"))

    assert [stage.name for stage in world.plan(training).stages] == ["canary", "eu-west", "rest"]
