from __future__ import annotations

import json
from typing import Any

import pytest

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import MonitorInvalid
from mlops_framework.testing.drift import MONITOR

REQUIRED = {
    "version": 1,
    "environment": "mlops-test",
    "data_bucket": "mlops-test-data",
    "model_name": "employment",
    "endpoint_name": "employment-dev",
    "baseline_data": "s3://mlops-test-data/datasets/employment/train.csv",
}


def parse(**changes: Any) -> MonitorConfig:
    return MonitorConfig.parse(json.dumps(REQUIRED | changes), "SSM parameter /p")


def faults(**changes: Any) -> dict[str, str]:
    with pytest.raises(MonitorInvalid) as caught:
        parse(**changes)
    return {fault.path: fault.message for fault in caught.value.faults}


def test_required_keys_are_enough() -> None:
    assert parse() == MONITOR


def test_the_document_is_read_back_as_it_was() -> None:
    assert MonitorConfig.parse(json.dumps(MONITOR.to_document()), "here") == MONITOR


def test_numbers_and_flags_may_be_text_as_cloudformation_writes_them() -> None:
    config = parse(version="1", window_minutes="5", effect_threshold="0.25", retrain="false")
    assert (config.window_minutes, config.effect_threshold, config.retrain) == (5, 0.25, False)


def test_captures_lie_below_the_endpoints_name() -> None:
    assert parse().captures == S3Location("mlops-test-data", "captures/employment-dev")
    elsewhere = parse(capture_location="s3://other-bucket/raw/traffic/")
    assert elsewhere.captures == S3Location("other-bucket", "raw/traffic/employment-dev")


def test_every_fault_is_told_at_once() -> None:
    found = faults(
        window_minutes=0, retrain="maybe", baseline_data="train.csv", colour="red", version=2
    )
    assert found.keys() == {"window_minutes", "retrain", "baseline_data", "colour", "version"}
    assert "a whole number from 1 to 10080" in found["window_minutes"]


@pytest.mark.parametrize(
    "changes",
    [
        {"window_minutes": True},
        {"window_minutes": 1.5},
        {"effect_threshold": "nan"},
        {"effect_threshold": False},
        {"minimum_records": 0},
        {"endpoint_name": ""},
        {"endpoint_name": "-x"},
        {"data_bucket": "Has Spaces"},
        {"baseline_data": "s3://mlops-test-data/"},
        {"retrain_breaches": 3, "retrain_windows": 2},
    ],
)
def test_bad_values_are_refused(changes: dict[str, Any]) -> None:
    assert next(iter(changes)) in faults(**changes)


def test_absent_keys_are_named_with_what_is_accepted() -> None:
    with pytest.raises(MonitorInvalid) as caught:
        MonitorConfig.parse("{}", "SSM parameter /p")
    message = str(caught.value)
    assert message.startswith("SSM parameter /p is not a monitor configuration:")
    assert "endpoint_name: required but absent" in message


@pytest.mark.parametrize("text", ["", "[]", "{"])
def test_what_is_no_json_object_is_refused(text: str) -> None:
    with pytest.raises(MonitorInvalid):
        MonitorConfig.parse(text, "here")


def test_bias_and_attribution_are_read_and_written_and_bias_needs_predictions() -> None:
    bias = {"facets": [{"column": "sex", "values": ["2"]}], "thresholds": {"DI": 0.8}}
    attribution = {"source": "endpoint", "rows": 40}
    truth = {"problem_type": "BinaryClassification", "inference_attribute": "0"}
    document = REQUIRED | {"bias": bias, "attribution": attribution, "ground_truth": truth}
    config = MonitorConfig.from_document(document, "here")
    assert config.bias is not None
    assert config.bias.thresholds == {"DI": 0.8}
    assert config.attribution is not None
    assert config.attribution.asks
    assert MonitorConfig.from_document(config.to_document(), "there") == config
    with pytest.raises(MonitorInvalid, match="bias: needs ground_truth") as refused:
        MonitorConfig.from_document(REQUIRED | {"bias": bias, "attribution": {}}, "here")
    assert len(refused.value.faults) == 1
    with pytest.raises(MonitorInvalid, match=r"attribution: rows is 3; accepted is a whole number"):
        MonitorConfig.from_document(REQUIRED | {"attribution": attribution | {"rows": 3}}, "here")
