"""What a batch-transform request takes and refuses."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import botocore.session
import pytest

from mlops_framework.blueprints import batch_transform
from mlops_framework.blueprints.batch_transform.contract import BatchTransformRequest
from mlops_framework.contracts.base import Place
from mlops_framework.contracts.parameters import template_parameters, values_for
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Blueprint, Registry

REGISTRY = Registry(
    [
        Blueprint(
            kind="batch-transform",
            summary="Score objects.",
            request=BatchTransformRequest,
            stack="nowhere:Stack",
        )
    ]
)
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/scorer:1"
PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/3"
PLACE = Place("eu-west-1", "aws", "111122223333", "data-bucket", "mlops-test")
BODY: Mapping[str, Any] = {
    "pipeline_type": "batch-transform",
    "model_name": "income",
    "image_uri": IMAGE,
    "model_artifact_location": "s3://models-bucket/income/model.tar.gz",
    "input_location": "s3://data-bucket/in/",
}


def parse(**more: Any) -> BatchTransformRequest:
    body = {name: value for name, value in {**BODY, **more}.items() if value is not None}
    request = REGISTRY.parse(body)
    assert isinstance(request, BatchTransformRequest)
    return request


def faults(**more: Any) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as refusal:
        parse(**more)
    return {fault.path: fault.message for fault in refusal.value.faults}


def test_a_short_request_scores_csv_line_by_line_once_per_delivery() -> None:
    values = values_for(parse(), "prod")
    told = ("ContentType", "Accept", "SplitType", "AssembleWith", "RunOnDeployment", "DataCapture")
    assert [values[name] for name in told] == [
        "text/csv",
        "text/csv",
        "Line",
        "Line",
        "true",
        "false",
    ]


def test_a_stage_with_a_schedule_does_not_run_at_its_delivery_unless_asked() -> None:
    schedule = {"dev": "", "prod": "cron(0 6 * * ? *)"}
    request = parse(schedule_expression=schedule)
    runs = [values_for(request, stage)["RunOnDeployment"] for stage in ("dev", "prod")]
    asked = values_for(parse(schedule_expression=schedule, run_on_deployment=True), "prod")
    assert (runs, asked["RunOnDeployment"]) == (["true", "false"], "true")


def test_a_capture_location_turns_capture_on_where_it_is_given() -> None:
    request = parse(data_capture_location={"dev": "", "prod": "s3://capture-bucket/c"})
    captured = [values_for(request, stage)["DataCapture"] for stage in ("dev", "prod")]
    assert captured == ["false", "true"]


def test_the_entry_point_reaches_the_container_and_the_request_has_the_last_word() -> None:
    request = parse(inference_entry_point="inference.py", environment={"WORKERS": 2})
    assert request.parameter_value("environment", "prod") == {
        "SAGEMAKER_PROGRAM": "inference.py",
        "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
        "WORKERS": "2",
    }


def test_whole_objects_are_sent_one_by_one() -> None:
    assert values_for(parse(split_type="None"), "prod")["BatchStrategy"] == "SingleRecord"


def test_fields_that_the_template_cannot_use_are_no_parameters() -> None:
    names = {parameter.field for parameter in template_parameters(BatchTransformRequest)}
    assert not names & {"algorithm", "algorithm_version", "model_package_group"}


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"model_package_name": PACKAGE}, "model_package_name"),
        ({"image_uri": None, "model_artifact_location": None}, "model_package_name"),
        ({"image_uri": None, "algorithm_version": "1.7-1"}, "algorithm"),
        ({"image_uri": None}, "image_uri"),
        (
            {
                "image_uri": None,
                "model_artifact_location": None,
                "model_package_name": PACKAGE,
                "model_package_group": "churn",
            },
            "model_package_group",
        ),
        ({"input_location": "s3://data-bucket"}, "input_location"),
        ({"output_location": "s3://data-bucket/in/out"}, "output_location"),
        ({"output_location": "s3://data-bucket/in"}, "output_location"),
        (
            {"data_capture_location": {"prod": "s3://data-bucket/in/c"}},
            "data_capture_location.prod",
        ),
        ({"max_concurrent_transforms": 20}, "max_concurrent_transforms"),
        ({"join_source": "Input", "content_type": "image/png"}, "content_type"),
        ({"input_filter": "$[1:]", "accept": "application/x-npy"}, "accept"),
        ({"input_filter": "$[1:]", "split_type": "TFRecord"}, "split_type"),
        ({"input_filter": "$..id"}, "input_filter"),
        ({"environment": {"1A": "x"}}, "environment.1A"),
        ({"environment": {f"V{number}": "x" for number in range(17)}}, "environment"),
        ({"schedule_expression": "every day"}, "schedule_expression"),
    ],
)
def test_what_cannot_work_is_refused_at_its_field(more: Mapping[str, Any], path: str) -> None:
    assert path in faults(**more)


def test_the_template_is_told_bucket_and_key_of_the_input_apart() -> None:
    values = values_for(parse(input_location={"dev": "s3://data-bucket/in/2026/x"}), "dev")
    assert (values["InputBucket"], values["InputKey"]) == ("data-bucket", "in/2026/x")


def test_a_key_is_for_volumes_only_where_instances_have_some() -> None:
    kinds = {"dev": "ml.m5.large", "prod": "ml.g4dn.xlarge"}
    values = [values_for(parse(instance_type=kinds), stage) for stage in kinds]
    assert [value["EncryptsVolumes"] for value in values] == ["true", "false"]


def test_an_algorithm_becomes_the_image_of_the_region() -> None:
    asked = parse(image_uri=None, algorithm="xgboost", algorithm_version="1.7-1")
    resolved = asked.resolved(PLACE)
    assert resolved.image_uri.endswith("/sagemaker-xgboost:1.7-1")
    assert ".ecr.eu-west-1." in resolved.image_uri
    assert resolved.resolved(PLACE) == resolved


@pytest.mark.parametrize(
    ("more", "path"),
    [
        ({"algorithm": "xgbost", "algorithm_version": "1.7-1"}, "algorithm"),
        ({"algorithm": "xgboost", "algorithm_version": "99"}, "algorithm_version"),
        ({"algorithm": "xgboost", "algorithm_version": "1.7-1", "image_uri": IMAGE}, "image_uri"),
    ],
)
def test_an_algorithm_without_image_is_told_where_it_stands(
    more: Mapping[str, Any], path: str
) -> None:
    with pytest.raises(RequestInvalid) as refusal:
        parse(**{"image_uri": None, **more}).resolved(PLACE)
    assert [fault.path for fault in refusal.value.faults] == [path]


def test_a_sibling_of_the_input_may_be_the_output() -> None:
    scores = "s3://data-bucket/in-scores"
    assert parse(output_location=scores).output_location == scores


@pytest.mark.parametrize(
    ("field", "shape"),
    [
        ("split_type", "SplitType"),
        ("batch_strategy", "BatchStrategy"),
        ("compression", "CompressionType"),
        ("assemble_with", "AssemblyType"),
        ("join_source", "JoinSource"),
    ],
)
def test_choices_are_those_of_sagemaker(field: str, shape: str) -> None:
    model: Any = botocore.session.Session().get_service_model("sagemaker")
    choices = BatchTransformRequest.shapes[field].choices
    assert set(choices) == set(model.shape_for(shape).enum)


def test_the_request_of_the_readme_is_accepted_as_it_stands() -> None:
    readme = Path(batch_transform.__file__).with_name("README.md").read_text()
    body = json.loads(readme.split("```json")[1].split("```")[0])

    request = REGISTRY.parse(body)

    assert values_for(request, "prod")["RunOnDeployment"] == "false"
