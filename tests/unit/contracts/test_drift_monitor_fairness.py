"""What a drift-monitor request may say of bias and attributions is what the engine takes."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic_core import PydanticUndefined

from mlops_framework.blueprints.drift_monitor.contract import DriftMonitorRequest
from mlops_framework.blueprints.drift_monitor.fairness import (
    BIAS_METRICS,
    MOST_PREDICTIONS,
    Attribution,
    Bias,
)
from mlops_framework.drift.attribution import settings as attribution_settings
from mlops_framework.drift.attribution.settings import AttributionSettings
from mlops_framework.drift.bias.metrics import METRICS
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Registry

TRUTH = {"problem_type": "BinaryClassification", "inference_attribute": "0"}
REGISTRY = Registry.discover()
FACET = {"column": "sex", "values": ["2"]}


def request(**members: Any) -> dict[str, Any]:
    return {
        "pipeline_type": "drift-monitor",
        "model_name": "m",
        "endpoint_name": "e",
        "baseline_data": "s3://mlops-data/train.csv",
        **members,
    }


def test_requests_and_engine_know_the_same_metrics_and_limits() -> None:
    assert BIAS_METRICS == METRICS
    assert MOST_PREDICTIONS == attribution_settings.MOST_PREDICTIONS


@pytest.mark.parametrize(
    ("document", "settings"),
    [
        (Bias, BiasSettings.from_document({"facets": [FACET]})),
        (Attribution, AttributionSettings.from_document({"source": "endpoint"})),
    ],
)
def test_what_is_left_out_means_the_same_to_both(document: Any, settings: Any) -> None:
    members = document.model_fields
    assert members.keys() == type(settings).__dataclass_fields__.keys()
    for name, member in members.items():
        default = member.get_default(call_default_factory=True)
        if default not in (PydanticUndefined, None):
            known = getattr(settings, name)
            assert default == (list(known) if isinstance(known, tuple) else known), name


def test_the_engine_takes_what_a_request_says() -> None:
    made = DriftMonitorRequest.model_validate(
        request(
            ground_truth=TRUTH,
            bias={
                "facets": [
                    FACET,
                    {"column": "age", "above": "40"},
                    {"column": "pay", "up_to": "-1.5"},
                ],
                "prediction": {"values": [1, "yes", 2.5]},
                "thresholds": {"DI": 0.8},
                "flip_test_columns": ["age"],
            },
            attribution={"source": "captured", "outputs": {"age": "prediction.1"}},
        )
    )
    assert made.bias is not None
    assert made.attribution is not None
    bias = BiasSettings.from_document(made.bias.model_dump(mode="json", exclude_none=True))
    assert [facet.name for facet in bias.facets] == ["sex 2", "age above 40", "pay up to -1.5"]
    assert bias.counting.prediction.values == ("1", "yes", "2.5")
    attribution = AttributionSettings.from_document(
        made.attribution.model_dump(mode="json", exclude_none=True)
    )
    assert attribution.outputs == {"age": "prediction.1"}
    assert made.parameter_value("asks_endpoint", "dev") == "false"
    asks = request(attribution={"source": "endpoint"})
    asked = DriftMonitorRequest.model_validate(asks)
    assert asked.parameter_value("asks_endpoint", "dev") == "true"


@pytest.mark.parametrize(
    ("members", "path", "message"),
    [
        ({"bias": {"facets": [FACET]}}, "ground_truth", "Required with bias"),
        (
            {"ground_truth": TRUTH, "bias": {"facets": [{"column": "a"}]}},
            "bias.facets.0",
            "one of values, above and up_to",
        ),
        (
            {"ground_truth": TRUTH, "bias": {"facets": [FACET], "thresholds": {"DPL": 1}}},
            "bias.thresholds.DPL",
            "Not a bias metric",
        ),
        (
            {"ground_truth": TRUTH, "bias": {"facets": [FACET], "thresholds": {"DI": 1.2}}},
            "bias.thresholds.DI",
            "Not a limit for this metric",
        ),
        ({"attribution": {"source": "captured"}}, "attribution.outputs", "Required with source"),
        (
            {"attribution": {"source": "endpoint", "outputs": {"a": "b"}}},
            "attribution.outputs",
            "Of source captured alone",
        ),
        (
            {"attribution": {"source": "endpoint", "rows": 1000, "samples": 1000}},
            "attribution.samples",
            "1,000,000 predictions a window",
        ),
        (
            {"attribution": {"source": "endpoint", "minimum_rows": 60}},
            "attribution.minimum_rows",
            "No more than 50 rows",
        ),
    ],
)
def test_what_does_not_go_together_is_refused_where_it_stands(
    members: dict[str, Any], path: str, message: str
) -> None:
    with pytest.raises(RequestInvalid) as refused:
        REGISTRY.parse(request(**members))
    (fault,) = refused.value.faults
    assert fault.path == path
    assert message in fault.message
