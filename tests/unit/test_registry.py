"""Blueprints: found, frozen, read back; and a body turned into a request or into its faults."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Literal

import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import Field

from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.contracts.parameters import values_for
from mlops_framework.errors import BlueprintInvalid, BlueprintUnknown, Fault, RequestInvalid
from mlops_framework.registry import Blueprint, Registry

REGISTRY = Registry.discover()
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.2-1-cpu-py3"
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/1"

TRAINING = {
    "pipeline_type": "training",
    "model_name": "income",
    "training_data": "s3://data/train/",
    "evaluation_data": "s3://data/evaluation.csv",
    "source_archive": "s3://data/source.tar.gz",
    "evaluation_script": "s3://data/evaluate.py",
    "image_uri": IMAGE,
}
ENDPOINT = {
    "pipeline_type": "realtime-endpoint",
    "model_name": "income",
    "model_package_name": PACKAGE,
}
MONITOR = {
    "pipeline_type": "drift-monitor",
    "model_name": "income",
    "endpoint_name": "income",
    "baseline_data": "s3://data/baseline.csv",
}
EXAMPLES = (TRAINING, ENDPOINT, MONITOR)


class ShadowRequest(PipelineRequest):
    """For these tests."""

    pipeline_type: Literal["acme-shadow-of-a-long-endpoint"] = Field(description="Kind.")


def faults_of(body: Any, **known: Any) -> dict[str, Fault]:
    with pytest.raises(RequestInvalid) as refused:
        REGISTRY.parse(body, **known)
    return {fault.path: fault for fault in refused.value.faults}


def told_of(body: Any, **known: Any) -> tuple[Fault, ...] | None:
    """The faults of a body, or none if it is a request."""
    try:
        REGISTRY.parse(body, **known)
    except RequestInvalid as refused:
        return refused.faults
    return None


def test_the_built_in_blueprints_are_found() -> None:
    assert {"drift-monitor", "realtime-endpoint", "training"} < set(REGISTRY.kinds)
    assert list(REGISTRY.kinds) == sorted(REGISTRY.kinds)


@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: str(body["pipeline_type"]))
def test_the_smallest_request_of_each_kind_is_accepted(body: Mapping[str, Any]) -> None:
    request = REGISTRY.parse(dict(body), stages=["dev", "prod"], prefix="mlops-dev")

    assert request.pipeline_id == f"income-{body['pipeline_type']}"


@pytest.mark.parametrize("body", EXAMPLES, ids=lambda body: str(body["pipeline_type"]))
def test_the_schema_accepts_what_the_contract_accepts(body: Mapping[str, Any]) -> None:
    jsonschema.validate(dict(body), REGISTRY.schema(str(body["pipeline_type"])))


def test_every_fault_of_a_body_is_told_at_once() -> None:
    body = {
        "pipeline_type": "realtime-endpoint",
        "model_name": "My_Model",
        "instance_type": {"dev": "large", "prdo": "ml.m5.large"},
        "instance_cuont": 3,
        "data_capture_percentage": "4",
    }

    faults = faults_of(body, stages=["dev", "prod"])

    assert set(faults) == {
        "model_name",
        "instance_type.dev",
        "instance_type.prdo",
        "instance_type.prod",
        "instance_cuont",
        "data_capture_percentage",
        "model_package_name",
    }


def test_a_fault_says_what_is_accepted_and_what_was_found() -> None:
    fault = faults_of({**TRAINING, "instance_count": 0})["instance_count"]

    assert fault.accepted == "a whole number from 1 to 100"
    assert fault.found == "0"


def test_a_model_name_that_cloudformation_would_refuse_is_refused_with_the_rule() -> None:
    fault = faults_of({**TRAINING, "model_name": "my_model.v1"})["model_name"]

    assert "CloudFormation" in fault.message
    assert "underscore" in fault.message


def test_an_unknown_field_is_told_with_the_nearest_one() -> None:
    fault = faults_of({**TRAINING, "trainig_entry_point": "a.py"})["trainig_entry_point"]

    assert "Did you mean 'training_entry_point'?" in fault.message


def test_a_missing_field_is_told_with_its_description() -> None:
    body = {key: value for key, value in TRAINING.items() if key != "training_data"}

    fault = faults_of(body)["training_data"]

    assert str(REGISTRY.get("training").request.model_fields["training_data"].description) in (
        fault.message
    )
    assert fault.found == "nothing"


def test_a_wrong_choice_is_told_with_the_nearest_one() -> None:
    fault = faults_of({**TRAINING, "quality_direction": "atleast"})["quality_direction"]

    assert "Did you mean 'at-least'?" in fault.message


def test_an_unknown_blueprint_is_told_with_the_known_and_the_nearest() -> None:
    with pytest.raises(BlueprintUnknown) as unknown:
        REGISTRY.parse({"pipeline_type": "trainning"})

    assert unknown.value.suggestion == "training"
    assert ", ".join(REGISTRY.kinds) in str(unknown.value)


@pytest.mark.parametrize("body", [None, [], "text", 7, True], ids=repr)
def test_a_body_that_is_no_object_is_refused(body: Any) -> None:
    assert faults_of(body)[""].accepted == "a JSON object"


@pytest.mark.parametrize("body", [{}, {"pipeline_type": 3}, {"pipeline_type": None}], ids=repr)
def test_a_body_without_kind_is_refused_with_the_known_kinds(body: Any) -> None:
    assert "training" in faults_of(body)["pipeline_type"].accepted


def test_a_map_per_stage_must_name_exactly_the_stages() -> None:
    body = {**ENDPOINT, "instance_count": {"dev": 1, "porduction": 2}}

    faults = faults_of(body, stages=["dev", "production"])

    assert "Did you mean 'production'?" in faults["instance_count.porduction"].message
    assert "No value for the stage 'production'" in faults["instance_count.production"].message


def test_a_map_per_stage_is_not_judged_where_the_stages_are_unknown() -> None:
    request = REGISTRY.parse({**ENDPOINT, "instance_count": {"anything": 1}})

    assert values_for(request, "anything")["InstanceCount"] == "1"


def test_a_model_comes_from_the_registry_or_from_image_and_artefact() -> None:
    both = faults_of({**ENDPOINT, "image_uri": IMAGE})
    half = faults_of({**ENDPOINT, "model_package_name": "", "image_uri": IMAGE})

    assert "Given together" in both["model_package_name"].message
    assert "Missing beside image_uri" in half["model_artifact_location"].message


def test_a_derived_endpoint_name_that_is_too_long_is_refused_before_anything_is_made() -> None:
    body = {**ENDPOINT, "model_name": "a-model-with-a-name-of-forty-characters1"}

    fault = faults_of(body, stages=["production"], prefix="mlops-production")["endpoint_name"]

    assert "Set endpoint_name or shorten model_name" in fault.message


def test_a_pipeline_id_that_is_too_long_is_refused_even_beside_other_faults() -> None:
    registry = Registry(
        [Blueprint("acme-shadow-of-a-long-endpoint", "For tests.", ShadowRequest, "acme.stack:S")]
    )
    body = {"pipeline_type": "acme-shadow-of-a-long-endpoint", "model_name": "m" * 40, "x": 1}

    with pytest.raises(RequestInvalid) as refused:
        registry.parse(body)

    assert {fault.path for fault in refused.value.faults} == {"model_name", "x"}


def test_hyperparameters_may_be_numbers_and_get_what_script_mode_needs() -> None:
    request = REGISTRY.parse({**TRAINING, "hyperparameters": {"trees": 100, "rate": 0.5}})

    assert json.loads(values_for(request, "dev")["Hyperparameters"]) == {
        "trees": "100",
        "rate": "0.5",
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": "s3://data/source.tar.gz",
    }


def test_hyperparameters_that_script_mode_owns_are_refused() -> None:
    body = {**TRAINING, "hyperparameters": {"sagemaker_program": "evil.py"}}

    assert "script mode's own" in faults_of(body)["hyperparameters.sagemaker_program"].message


def test_hyperparameters_beyond_a_template_parameter_are_refused() -> None:
    body = {**TRAINING, "hyperparameters": {"a": "x" * 2400, "b": "y" * 2400}}

    fault = faults_of(body, stages=["dev"])["hyperparameters"]

    assert fault.accepted == "at most 4096 characters as JSON"


def test_a_model_package_group_is_named_after_the_model_unless_said() -> None:
    assert values_for(REGISTRY.parse(TRAINING), "dev")["ModelPackageGroup"] == "income"


def test_more_breaches_than_windows_are_refused() -> None:
    body = {**MONITOR, "retrain_breaches": 3, "retrain_windows": 2}

    assert "cannot happen" in faults_of(body)["retrain_breaches"].message


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("training_data", "data/train"),
        ("training_data", 's3://data/a"b'),
        ("training_data", "s3://data/a\nb"),
        ("source_archive", "s3://data/folder/"),
        ("image_uri", "sklearn:latest"),
        ("training_entry_point", "/etc/passwd"),
        ("training_entry_point", "../train.py"),
        ("quality_metric", 'no"quote'),
        ("quality_threshold", float("nan")),
        ("model_name", ""),
        ("model_name", "a" * 41),
        ("model_name", "income\n"),
    ],
)
def test_a_bad_value_is_refused(field: str, value: Any) -> None:
    assert set(faults_of({**TRAINING, field: value})) == {field}


_FIELDS = sorted({name for b in REGISTRY.blueprints for name in b.request.model_fields})
_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["dev", "prod", "x", "0"]), inner, max_size=3)
    ),
    max_leaves=6,
)


@settings(deadline=None)
@given(
    st.sampled_from(REGISTRY.kinds),
    st.dictionaries(st.sampled_from([*_FIELDS, "x"]), _VALUES, max_size=8),
)
def test_any_body_is_a_request_or_is_refused_with_faults(kind: str, fields: dict[str, Any]) -> None:
    told = told_of({**fields, "pipeline_type": kind}, stages=["dev", "prod"], prefix="p-dev")

    assert told is None or told
    assert all(fault.message and fault.accepted and fault.found for fault in told or ())


def test_a_catalogue_brings_back_the_same_registry() -> None:
    catalogue = json.loads(json.dumps(REGISTRY.to_catalogue()))

    assert Registry.from_catalogue(catalogue) == REGISTRY


def test_a_catalogue_of_another_version_is_refused_with_the_way_out() -> None:
    with pytest.raises(BlueprintInvalid, match="deploy the platform again"):
        Registry.from_catalogue({"version": 99, "blueprints": []})


@pytest.mark.parametrize("reference", ["no.such.module:X", "mlops_framework.naming:Gone"])
def test_a_catalogue_whose_contract_is_gone_says_so(reference: str) -> None:
    catalogue = REGISTRY.to_catalogue()
    catalogue["blueprints"][0]["request"] = reference

    with pytest.raises(BlueprintInvalid, match="not in this bundle"):
        Registry.from_catalogue(catalogue)


def test_a_catalogue_cannot_name_something_else_than_a_contract() -> None:
    catalogue = REGISTRY.to_catalogue()
    catalogue["blueprints"][0]["request"] = "subprocess:Popen"

    with pytest.raises(BlueprintInvalid, match="not a PipelineRequest"):
        Registry.from_catalogue(catalogue)


def test_a_kind_cannot_be_registered_twice() -> None:
    twice = [REGISTRY.get("training"), REGISTRY.get("training")]

    with pytest.raises(BlueprintInvalid, match="Offered twice: training"):
        Registry(twice)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "acme"}, "its request has pipeline_type"),
        ({"stack": "acme.stack"}, "package.module:Class"),
        ({"after_deploy": "pray"}, "none of none, run-model-build"),
        ({"summary": " "}, "no summary"),
    ],
)
def test_a_blueprint_whose_parts_do_not_fit_is_refused(change: dict[str, Any], said: str) -> None:
    parts: dict[str, Any] = {
        "kind": "acme-shadow-of-a-long-endpoint",
        "summary": "For tests.",
        "request": ShadowRequest,
        "stack": "acme.stack:Stack",
    }

    with pytest.raises(BlueprintInvalid, match=said):
        Blueprint(**{**parts, **change})
