"""The pipeline of the batch-transform blueprint."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

import pytest

from mlops_framework.aws.step_arguments import step_argument_faults
from mlops_framework.model_build.definition import PipelineDefinition, PipelineParameter
from mlops_framework.model_build.expressions import parameter
from mlops_framework.model_build.transform import (
    CAPTURE,
    BatchTransform,
    TransformStep,
    batch_transform_definition,
)
from mlops_framework.model_build.volumes import VOLUME_KEY

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
    instance_type="ml.m5.large",
    instance_count=1,
    kms_key_arn=KEY,
    capture_location="s3://data/c",
    generate_inference_id=True,
)


def test_every_argument_is_one_the_service_knows() -> None:
    assert step_argument_faults(batch_transform_definition(TRANSFORM)) == []


def test_a_slip_in_an_argument_is_told_with_its_place() -> None:
    faults = step_argument_faults(
        batch_transform_definition(dataclasses.replace(TRANSFORM, split_type="Lines"))
    )

    assert [fault.split(":")[0] for fault in faults] == ["Transform.TransformInput.SplitType"]


def test_a_start_may_name_another_object_of_the_input_bucket() -> None:
    definition = batch_transform_definition(TRANSFORM).to_dict()
    source = definition["Steps"][0]["Arguments"]["TransformInput"]["DataSource"]["S3DataSource"]

    assert definition["Parameters"] == [
        {"Name": "InputKey", "Type": "String", "DefaultValue": "in/"}
    ]
    assert source["S3Uri"] == {
        "Std:Join": {"On": "/", "Values": ["s3:/", "data", {"Get": "Parameters.InputKey"}]}
    }


def test_capture_and_the_volumes_key_are_there_where_their_conditions_hold() -> None:
    written = batch_transform_definition(TRANSFORM).to_template()

    def arguments(*, captures: bool) -> Mapping[str, Any]:
        text = written.text
        for name, member in written.options.items():
            text = text.replace(f"${{{name}}}", member if captures or name != CAPTURE else "")
        arguments: Mapping[str, Any] = json.loads(text)["Steps"][0]["Arguments"]
        return arguments

    assert sorted(written.options) == [CAPTURE, VOLUME_KEY]
    assert "DataCaptureConfig" not in arguments(captures=False)
    assert arguments(captures=True)["DataCaptureConfig"]["GenerateInferenceId"] is True
    assert arguments(captures=True)["TransformResources"]["VolumeKmsKeyId"] == KEY


def test_a_reference_to_an_undeclared_parameter_is_refused() -> None:
    step = TransformStep(name="Score", arguments={"ModelName": parameter("Model")})

    with pytest.raises(ValueError, match="'Model', which does not exist"):
        PipelineDefinition((step,), (PipelineParameter("Other", "x"),))
