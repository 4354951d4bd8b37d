"""The contracts of the four Model Monitor kinds."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.blueprints.monitors import (
    data_quality,
    explainability,
    model_bias,
    model_quality,
)
from mlops_framework.contracts.base import Place
from mlops_framework.contracts.parameters import values_for
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Registry

PLACE = Place("us-east-1", "aws", "111122223333", "mlops-data", "mlops-test")
REGISTRY = Registry(
    [module.BLUEPRINT for module in (data_quality, model_quality, model_bias, explainability)]
)
WATCHED = {
    "model_name": "churn",
    "endpoint_name": "churn",
    "baseline_data": "s3://my-data/train.csv",
}
BODIES: Mapping[str, Mapping[str, Any]] = {
    "data-quality-monitor": WATCHED,
    "model-quality-monitor": {
        **WATCHED,
        "problem_type": "BinaryClassification",
        "baseline_probability_attribute": "probability",
        "baseline_ground_truth_attribute": "label",
        "ground_truth_location": "s3://my-data/truth",
        "probability_attribute": "0",
    },
    "model-bias-monitor": {
        **WATCHED,
        "label": "label",
        "bias_config": {
            "label_values_or_threshold": [1],
            "facets": [{"name": "age", "values_or_threshold": [40]}],
        },
        "model_predicted_label_config": {"probability": "0"},
        "ground_truth_location": "s3://my-data/truth",
        "probability_attribute": "0",
    },
    "model-explainability-monitor": {**WATCHED, "shap_config": {"num_clusters": 1}},
}
CLARIFY = ("model-bias-monitor", "model-explainability-monitor")


def request(kind: str, **more: Any) -> Any:
    body = {**BODIES[kind], "pipeline_type": kind, **more}
    return REGISTRY.parse(body, stages=("dev", "prod")).resolved(PLACE)


def faults(kind: str, **more: Any) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as refusal:
        request(kind, **more)
    return {fault.path: fault.message for fault in refusal.value.faults}


@pytest.fixture(params=BODIES)
def kind(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def test_what_is_left_out_is_filled_in_with_the_platforms_own(kind: str) -> None:
    values = values_for(request(kind), "dev")

    assert values["DataCaptureLocation"] == "s3://mlops-data/captures"
    assert (
        values["OutputLocation"] == values["BaselineOutputLocation"] == "s3://mlops-data/monitors"
    )
    assert ".dkr.ecr.us-east-1.amazonaws.com/" in values["ImageUri"]
    assert values["SettledBaseline"] == "none"


def test_resolving_a_request_again_changes_nothing(kind: str) -> None:
    once = request(kind)

    assert once.resolved(PLACE) == once


def test_a_schedules_name_tells_the_stage_stays_the_same_and_fits(kind: str) -> None:
    long = "a-model-with-quite-a-long-name"
    values = [
        values_for(request(kind, model_name=long, **more), stage)["MonitorName"]
        for stage in ("dev", "prod")
        for more in ({}, {"schedule_expression": "cron(0 6 ? * * *)"})
    ]

    assert values[0] == values[1] != values[2] == values[3]
    assert all(len(value) <= 63 for value in values)
    assert values[0].endswith("-dev")


def test_another_baseline_is_computed_only_for_what_it_depends_on(kind: str) -> None:
    first = values_for(request(kind), "dev")["BaselineKey"]

    same: list[dict[str, Any]] = [
        {"schedule_expression": "cron(0 6 ? * * *)"},
        {"volume_size_gb": 50},
        {"owner": "ann"},
    ]
    for more in same:
        assert values_for(request(kind, **more), "dev")["BaselineKey"] == first, more
    for more in ({"baseline_data": "s3://my-data/other.csv"}, {"baseline_revision": "2"}):
        assert values_for(request(kind, **more), "dev")["BaselineKey"] != first, more


def test_something_has_to_be_watched(kind: str) -> None:
    told = faults(kind, endpoint_name="")

    assert told["endpoint_name"].startswith("Nothing to watch")


def test_something_has_to_be_compared_with(kind: str) -> None:
    told = faults(kind, baseline_data="")

    assert told["baseline_data"].startswith("Nothing to compare with")


@pytest.mark.parametrize(
    ("kind", "seconds"),
    [
        ("data-quality-monitor", 3600),
        ("model-quality-monitor", 1800),
        ("model-bias-monitor", 1800),
        ("model-explainability-monitor", 3600),
    ],
)
def test_an_hourly_run_ends_when_sagemaker_ends_it(kind: str, seconds: int) -> None:
    assert request(kind, max_runtime_seconds=seconds).max_runtime_seconds == seconds

    told = faults(kind, max_runtime_seconds=seconds + 1)

    assert f"SageMaker stops it after {seconds} s" in told["max_runtime_seconds"]


def test_a_run_a_day_may_take_longer_in_one_stage_than_in_another(kind: str) -> None:
    daily = request(
        kind,
        schedule_expression={"dev": "cron(0 * ? * * *)", "prod": "cron(0 6 ? * * *)"},
        max_runtime_seconds={"dev": 900, "prod": 7200},
    )

    assert values_for(daily, "prod")["MaxRuntimeSeconds"] == "7200"
    told = faults(
        kind,
        schedule_expression={"dev": "cron(0 * ? * * *)", "prod": "cron(0 6 ? * * *)"},
        max_runtime_seconds={"dev": 7200, "prod": 7200},
    )
    assert [*told] == ["max_runtime_seconds.dev"]


def test_a_baseline_of_columns_is_two_files() -> None:
    constraints = {"baseline_constraints_location": "s3://my-data/b/constraints.json"}
    statistics = {"baseline_statistics_location": "s3://my-data/b/statistics.json"}

    assert request("data-quality-monitor", baseline_data="", **constraints, **statistics)
    assert "baseline_data" in faults("data-quality-monitor", baseline_data="", **constraints)


def test_a_script_is_told_to_the_baseline_job_where_it_finds_it() -> None:
    values = values_for(
        request(
            "data-quality-monitor", record_preprocessor_location="s3://my-data/code/prepare.py"
        ),
        "dev",
    )

    environment = json.loads(values["BaselineEnvironment"])
    inputs = {
        given["InputName"]: given["S3Input"]["LocalPath"]
        for given in json.loads(values["BaselineInputs"])
    }
    script = environment["record_preprocessor_script"]
    assert script.startswith(inputs["record_preprocessor_script_input"])
    assert script.endswith("/prepare.py")
    assert environment["dataset_source"] == inputs["baseline_dataset_input"]


@pytest.mark.parametrize(
    ("problem", "missing"),
    [
        ("BinaryClassification", {"baseline_inference_attribute"}),
        ("Regression", {"baseline_inference_attribute", "inference_attribute"}),
    ],
)
def test_quality_asks_for_the_columns_of_its_kind_of_problem(
    problem: str, missing: set[str]
) -> None:
    told = faults(
        "model-quality-monitor",
        problem_type=problem,
        baseline_probability_attribute="",
        baseline_ground_truth_attribute="",
        probability_attribute="",
    )

    assert {*told} == {*missing, "baseline_ground_truth_attribute"}


def test_a_threshold_is_set_where_there_is_a_probability_to_compare() -> None:
    with_one = values_for(request("model-quality-monitor"), "dev")
    without = values_for(
        request(
            "model-quality-monitor",
            problem_type="Regression",
            baseline_inference_attribute="predicted",
            inference_attribute="0",
            probability_attribute="",
        ),
        "dev",
    )

    assert (with_one["ProbabilityThreshold"], without["ProbabilityThreshold"]) == ("0.5", "")


@pytest.mark.parametrize("clarify", CLARIFY)
def test_clarify_is_told_of_its_model_or_where_to_look_for_it(clarify: str) -> None:
    looked_up = json.loads(request(clarify).documents("dev")["analysis.json"])
    named = json.loads(
        request(clarify, predictor_model_name="churn-7").documents("dev")["analysis.json"]
    )

    assert looked_up["model_of"] == "churn"
    assert looked_up["headers_of"] == "s3://my-data/train.csv"
    assert named["model_of"] == ""
    assert named["baseline"]["predictor"]["model_name"] == "churn-7"


@pytest.mark.parametrize("clarify", CLARIFY)
def test_an_analysis_lies_under_its_own_digest(clarify: str) -> None:
    first, other = request(clarify), request(clarify, predictor_model_name="churn-7")
    keys = [values_for(each, "dev")["AnalysisKey"] for each in (first, other)]

    assert len({*keys}) == 2
    assert all(key.endswith("/analysis.json") for key in keys)


@pytest.mark.parametrize("clarify", CLARIFY)
def test_without_an_endpoint_clarify_has_to_be_told_which_model_it_asks(clarify: str) -> None:
    told = faults(clarify, endpoint_name="", data_capture_location="s3://my-data/captures/batch")

    assert [*told] == ["predictor_model_name"]


def test_a_group_by_name_needs_names_of_columns() -> None:
    told = faults("model-bias-monitor", baseline_data_format="csv-without-header")

    assert "bias_config.facets.0.name" in told
    assert request(
        "model-bias-monitor",
        baseline_data_format="csv-without-header",
        headers=["label", "age"],
    )


def test_bias_says_between_whom_and_with_which_probability() -> None:
    document = json.loads(request("model-bias-monitor").documents("dev")["analysis.json"])

    baseline = document["baseline"]
    assert baseline["facet"] == [{"name_or_index": "age", "value_or_threshold": [40]}]
    assert baseline["predictor"]["probability"] == 0
    assert baseline["probability_threshold"] == 0.5
    assert {*baseline["methods"]} == {"report", "pre_training_bias", "post_training_bias"}


def test_shapley_values_are_computed_in_the_same_way_by_baseline_and_runs() -> None:
    document = json.loads(
        request("model-explainability-monitor", headers=["label", "age"], label="label").documents(
            "dev"
        )["analysis.json"]
    )

    assert document["baseline"]["methods"]["shap"] == document["monitor"]["methods"]["shap"]
    # Captured records hold no label.
    assert document["monitor"]["headers"] == ["age"]
