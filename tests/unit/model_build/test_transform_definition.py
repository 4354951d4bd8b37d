"""The pipeline of the batch-transform blueprint."""

from __future__ import annotations

import dataclasses
import json

import pytest

from mlops_framework.aws.step_arguments import step_argument_faults
from mlops_framework.model_build import (
    BatchTransform,
    DataCapture,
    PipelineDefinition,
    PipelineParameter,
    TransformStep,
    batch_transform_definition,
    parameter,
)

KEY = "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555"
TRANSFORM = BatchTransform(
    model_name="income",
    environment={"SAGEMAKER_PROGRAM": "inference.py"},
    input_bucket="data",
    input_key="in/",
    s3_data_type="S3Prefix",
    content_type="text/csv",
    compression="None",
    split_type="Line",
    batch_strategy="MultiRecord",
    max_payload_mb=6,
    max_concurrent_transforms=0,
    invocation_timeout_seconds=600,
    invocation_retries=3,
    input_filter="$[1:]",
    output_filter="$[0,-1]",
    join_source="Input",
    output_path="s3://scores/out",
    accept="text/csv",
    assemble_with="Line",
    output_key_arn=KEY,
    resources={"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeKmsKeyId": KEY},
)


def test_every_argument_is_one_the_service_knows() -> None:
    capture = DataCapture(location="s3://data/c", kms_key_arn=KEY, generate_inference_id=True)

    for transform in (TRANSFORM, dataclasses.replace(TRANSFORM, capture=capture)):
        assert step_argument_faults(batch_transform_definition(transform)) == []


def test_a_slip_in_an_argument_is_told_with_its_place() -> None:
    faults = step_argument_faults(
        batch_transform_definition(dataclasses.replace(TRANSFORM, split_type="Lines"))
    )

    assert [fault.split(":")[0] for fault in faults] == ["Transform.TransformInput.SplitType"]


def test_a_start_may_name_another_object_of_the_input_bucket() -> None:
    definition = json.loads(batch_transform_definition(TRANSFORM).to_template_text())
    source = definition["Steps"][0]["Arguments"]["TransformInput"]["DataSource"]["S3DataSource"]

    assert definition["Parameters"] == [
        {"Name": "InputKey", "Type": "String", "DefaultValue": "in/"}
    ]
    assert source["S3Uri"] == {
        "Std:Join": {"On": "/", "Values": ["s3:/", "data", {"Get": "Parameters.InputKey"}]}
    }


def test_nothing_is_captured_unless_asked_for() -> None:
    arguments = batch_transform_definition(TRANSFORM).steps[0].arguments_of_step()

    assert "DataCaptureConfig" not in arguments


def test_a_reference_to_an_undeclared_parameter_is_refused() -> None:
    step = TransformStep(name="Score", arguments={"ModelName": parameter("Model")})

    with pytest.raises(ValueError, match="'Model', which does not exist"):
        PipelineDefinition((step,), (PipelineParameter("Other", "x"),))
