from __future__ import annotations

import functools
from typing import Any

import botocore.session
import pytest

from mlops_framework.local.plane.members import members


@functools.cache
def service(name: str) -> Any:
    return botocore.session.get_session().get_service_model(name)


def test_members_are_spelt_as_the_api_spells_them() -> None:
    shape = service("codebuild").shape_for("ProjectSource")

    assert members(shape, {"Type": "NO_SOURCE", "BuildSpec": "version: 0.2"}) == {
        "type": "NO_SOURCE",
        "buildspec": "version: 0.2",
    }


@pytest.mark.parametrize(
    ("written", "meant"),
    [("3", 3), (3, 3), ("three", "three")],
)
def test_a_number_may_be_text(written: Any, meant: Any) -> None:
    shape = service("sagemaker").shape_for("ProductionVariant")

    assert members(shape, {"InitialInstanceCount": written}) == {"InitialInstanceCount": meant}


def test_text_may_be_a_number_or_a_boolean_and_a_boolean_text() -> None:
    stage = service("codepipeline").shape_for("ActionDeclaration")
    capture = service("sagemaker").shape_for("DataCaptureConfig")

    assert members(stage, {"Configuration": {"PollForSourceChanges": False, "Count": 2}}) == {
        "configuration": {"PollForSourceChanges": "false", "Count": "2"}
    }
    assert members(capture, {"EnableCapture": "true"}) == {"EnableCapture": True}


def test_a_map_may_be_json_text_since_a_parameter_is_never_anything_else() -> None:
    shape = service("sagemaker").shape_for("ContainerDefinition")

    assert members(shape, {"Environment": '{"WORKERS":2}'}) == {"Environment": {"WORKERS": "2"}}


def test_a_member_that_the_api_does_not_have_is_left_for_its_check() -> None:
    shape = service("sagemaker").shape_for("ProductionVariant")

    assert members(shape, {"Colour": "red"}) == {"Colour": "red"}
