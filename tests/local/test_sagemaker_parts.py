"""The parts of the local SageMaker that need no emulator: values in, values out."""

from __future__ import annotations

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.local.plane.sagemaker import capture, images, listing, objects
from mlops_framework.local.plane.sagemaker.pipelines import conditions, expressions
from mlops_framework.local.plane.service import AwsFault

MOMENT = dt.datetime(2026, 3, 4, 5, 6, 7, tzinfo=dt.UTC)


class Known:
    """What an execution knows, written down."""

    def parameter(self, name: str) -> Any:
        return {"Threshold": 0.7, "Stage": "dev"}[name]

    def variable(self, name: str) -> Any:
        return {"PipelineExecutionId": "abc123"}[name]

    def result(self, step: str) -> Mapping[str, Any]:
        outputs = [{"OutputName": "report", "S3Output": {"S3Uri": "s3://b/r"}}]
        return {
            "Train": {"ModelArtifacts": {"S3ModelArtifacts": "s3://b/m"}},
            "Evaluate": {"ProcessingOutputConfig": {"Outputs": outputs}},
        }[step]

    def property_file(self, step: str, name: str) -> Any:
        return {"metrics": {"accuracy": {"value": 0.9}}, "classes": ["no", "yes"]}


def json_get(path: str) -> dict[str, Any]:
    file = {"Get": "Steps.Evaluate.PropertyFiles.Report"}
    return {"Std:JsonGet": {"PropertyFile": file, "Path": path}}


@pytest.mark.parametrize(
    ("expression", "value"),
    [
        ({"Get": "Parameters.Threshold"}, 0.7),
        ({"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}, "s3://b/m"),
        (
            {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['report'].S3Output.S3Uri"},
            "s3://b/r",
        ),
        ({"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs[0].OutputName"}, "report"),
        (json_get("metrics.accuracy.value"), 0.9),
        (json_get("metrics['accuracy'].value"), 0.9),
        (json_get("classes[1]"), "yes"),
        (
            {"Std:Join": {"On": "/", "Values": ["s3:/", {"Get": "Parameters.Stage"}, 1, True]}},
            "s3://dev/1/true",
        ),
        ({"a": [{"Get": "Execution.PipelineExecutionId"}]}, {"a": ["abc123"]}),
    ],
)
def test_expressions_have_the_values_that_sagemaker_gives_them(
    expression: Any, value: object
) -> None:
    assert expressions.evaluate(expression, Known()) == value


@pytest.mark.parametrize(
    ("expression", "told"),
    [
        (json_get("metrics.f1.value"), "holds nothing at 'metrics.f1.value'"),
        (json_get("classes[2]"), "holds nothing at"),
        ({"Get": "Steps.Train.Nothing"}, "The step 'Train' has no property 'Nothing'"),
    ],
)
def test_an_expression_without_a_value_says_which(expression: Any, told: str) -> None:
    with pytest.raises(expressions.ExpressionError, match=told.replace("[", r"\[")):
        expressions.evaluate(expression, Known())


def compare(kind: str, left: object, right: object) -> dict[str, Any]:
    return {"Type": kind, "LeftValue": left, "RightValue": right}


@pytest.mark.parametrize(
    ("condition", "held"),
    [
        (compare("Equals", {"Get": "Parameters.Stage"}, "dev"), True),
        (compare("GreaterThan", 1, 1), False),
        (compare("GreaterThanOrEqualTo", 1, 1), True),
        (compare("LessThan", json_get("metrics.accuracy.value"), 0.95), True),
        (compare("LessThanOrEqualTo", 2, 1), False),
        ({"Type": "In", "QueryValue": "dev", "Values": ["dev", "prod"]}, True),
        ({"Type": "Not", "Expression": compare("Equals", 1, 1)}, False),
        ({"Type": "Or", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, True),
        ({"Type": "And", "Conditions": [compare("Equals", 1, 2), compare("Equals", 1, 1)]}, False),
    ],
)
def test_every_type_of_condition_is_decided(condition: dict[str, Any], held: bool) -> None:
    assert conditions.holds([condition], Known()) is held


def test_a_number_is_not_compared_with_a_word() -> None:
    with pytest.raises(expressions.ExpressionError, match="it was given 'high' and 1"):
        conditions.holds([compare("LessThan", "high", 1)], Known())


@pytest.mark.parametrize(
    ("key", "prefix", "place"),
    [
        ("data/rows.csv", "data/rows.csv", "rows.csv"),
        ("data/2015/rows.csv", "data", "2015/rows.csv"),
        ("data/2015/rows.csv", "data/", "2015/rows.csv"),
        ("data/part-001", "data/part-", "part-001"),
        ("rows.csv", "", "rows.csv"),
    ],
)
def test_an_object_lands_by_what_follows_the_prefix(key: str, prefix: str, place: str) -> None:
    assert objects.relative(key, prefix) == place


@pytest.mark.parametrize(
    ("content_type", "payload", "encoding", "data"),
    [
        ("text/csv", b"1,2\n", "CSV", "1,2\n"),
        ("text/csv; charset=utf-8", b"1,2\n", "CSV", "1,2\n"),
        ("application/json", b'{"a":1}', "JSON", '{"a":1}'),
        ("application/octet-stream", b"\x00", "BASE64", "AA=="),
        ("text/csv", b"\xff", "BASE64", "/w=="),
    ],
)
def test_captured_data_is_encoded_by_its_content_type(
    content_type: str, payload: bytes, encoding: str, data: str
) -> None:
    config = {
        "CaptureOptions": [{"CaptureMode": "InputAndOutput"}],
        "CaptureContentTypeHeader": {
            "CsvContentTypes": ["text/csv"],
            "JsonContentTypes": ["application/json"],
        },
    }
    exchange = capture.Exchange(payload, content_type, b"", "text/csv", custom_attributes="c")
    record = capture.record_of(exchange, config, MOMENT)
    given = record["captureData"]["endpointInput"]
    assert (given["encoding"], given["data"]) == (encoding, data)
    assert record["eventMetadata"]["inferenceTime"] == "2026-03-04T05:06:07Z"
    assert record["eventMetadata"]["customAttributes"] == ["c"]
    assert "inferenceId" not in record["eventMetadata"]


@pytest.mark.parametrize(
    "image",
    [
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3",
        "registry.example.com/team/sagemaker-scikit-learn-plus@sha256:00",
    ],
)
def test_scikit_learn_images_are_carried_from_any_registry(image: str) -> None:
    images.check_image(image, told_as="Image")


@pytest.mark.parametrize("image", ["registry/sagemaker-xgboost:1.7", "sagemaker-xgboost", None])
def test_other_images_are_refused(image: str | None) -> None:
    with pytest.raises(AwsFault, match="does not carry"):
        images.check_image(image, told_as="Image")


def test_a_page_ends_where_its_token_says() -> None:
    records = [
        {"Name": name, "CreationTime": MOMENT + dt.timedelta(hours=hour)}
        for hour, name in enumerate("abc")
    ]
    first, token = listing.page(records, {"MaxResults": 2}, name="Name")
    rest, end = listing.page(records, {"NextToken": token}, name="Name")
    assert [each["Name"] for each in first + rest] == ["c", "b", "a"]
    assert end is None
    with pytest.raises(AwsFault, match="is not one that this operation returned"):
        listing.page(records, {"NextToken": "zzz"}, name="Name")
