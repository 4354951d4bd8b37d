"""Derived names."""

from __future__ import annotations

import pytest

from mlops_framework import naming
from mlops_framework.errors import NameRefused


def test_a_pipeline_is_named_by_its_model_and_kind() -> None:
    assert naming.pipeline_id("income", "training") == "income-training"


def test_a_pipeline_id_that_is_too_long_is_refused_with_the_length_that_fits() -> None:
    with pytest.raises(NameRefused, match="at most 27 characters"):
        naming.pipeline_id("m" * 40, "k" * 32)


def test_a_pipeline_id_of_sixty_characters_is_the_longest() -> None:
    assert len(naming.pipeline_id("m" * 40, "k" * 19)) == 60


def test_the_longest_names_fit_their_services() -> None:
    prefix = naming.environment_prefix("p" * 16, "e" * 16)
    pipeline, stage = "i" * naming.PIPELINE_ID_LENGTH, "s" * naming.STAGE_NAME_LENGTH

    assert len(naming.blueprint_stack(prefix, pipeline, stage)) <= 128
    assert len(naming.delivery_stack(prefix, pipeline)) <= 128
    assert len(naming.code_pipeline(prefix, pipeline)) <= 100


def test_names_follow_the_written_rules() -> None:
    prefix = naming.environment_prefix("mlops", "local")

    assert prefix == "mlops-local"
    assert naming.platform_stack(prefix, "Drift") == "mlops-local-Drift"
    assert naming.delivery_stack(prefix, "a-training") == "mlops-local-a-training-delivery"
    assert naming.code_pipeline(prefix, "a-training") == "mlops-local-a-training"
    assert naming.blueprint_stack(prefix, "a-training", "dev") == "mlops-local-a-training-dev"
    assert naming.sagemaker_name(prefix, "a-training", "dev") == "mlops-local-a-training-dev"
    assert naming.platform_parameter(prefix, "key-arn") == "/mlops-local/platform/key-arn"
    assert naming.monitor_parameter(prefix, "ep") == "/mlops-local/drift/monitors/ep"
    assert naming.role_path("mlops") == "/mlops/"
    assert naming.source_key("a-training") == "pipelines/a-training/source.zip"
    assert naming.parameters_file("dev") == "parameters-dev.json"
    assert naming.request_key("a-training", "d1") == "requests/a-training/d1.json"
    assert naming.model_prefix("a") == "models/a"
    assert naming.monitor_prefix("m") == "drift/m"
