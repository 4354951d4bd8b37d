"""From a contract to template parameters and their values."""

from __future__ import annotations

import json
import re
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import Field

from mlops_framework.contracts.base import PerStage, PipelineRequest
from mlops_framework.contracts.parameters import (
    IDENTITY_PARAMETERS,
    as_text,
    parameters_of,
    template_parameters,
    template_values,
    values_for,
)
from mlops_framework.registry import Registry


class ShadowRequest(PipelineRequest):
    """For these tests."""

    pipeline_type: Literal["acme-shadow"] = Field(description="Kind.")
    volume_size_gb: PerStage[Annotated[int, Field(ge=1, le=9)]] = Field(
        default=3, description="Volume."
    )
    threshold: float = Field(default=0.5, description="Bound.")
    mirrored: bool = Field(default=True, description="Whether.")
    mode: Literal["fast", "slow"] = Field(default="fast", description="How.")
    options: dict[str, str] = Field(default_factory=dict, description="Options.")
    label: Annotated[str, Field(pattern="^[a-z]*$", min_length=0, max_length=5)] = Field(
        default="", description="Label."
    )


PARAMETERS = {parameter.name: parameter for parameter in parameters_of(ShadowRequest)}


def shadow(**fields: Any) -> ShadowRequest:
    return ShadowRequest(pipeline_type="acme-shadow", model_name="income", **fields)


def test_each_field_is_one_parameter_except_kind_and_metadata() -> None:
    assert list(PARAMETERS) == [
        "ModelName",
        "VolumeSizeGb",
        "Threshold",
        "Mirrored",
        "Mode",
        "Options",
        "Label",
    ]


def test_a_template_declares_pipeline_and_stage_first() -> None:
    assert template_parameters(ShadowRequest)[:2] == IDENTITY_PARAMETERS
    assert [parameter.name for parameter in IDENTITY_PARAMETERS] == ["PipelineId", "Stage"]


def test_a_number_keeps_its_limits() -> None:
    volume = PARAMETERS["VolumeSizeGb"]

    assert (volume.kind, volume.default, volume.min_value, volume.max_value) == (
        "Number",
        "3",
        1,
        9,
    )


def test_a_boolean_is_one_of_two_texts() -> None:
    assert PARAMETERS["Mirrored"].allowed_values == ("true", "false")
    assert PARAMETERS["Mirrored"].default == "true"


def test_a_choice_lists_its_values() -> None:
    assert PARAMETERS["Mode"].allowed_values == ("fast", "slow")


def test_a_map_is_json_text() -> None:
    assert (PARAMETERS["Options"].kind, PARAMETERS["Options"].default) == ("String", "{}")


def test_a_text_keeps_its_pattern() -> None:
    assert (PARAMETERS["Label"].pattern, PARAMETERS["Label"].max_length) == ("^[a-z]*$", 5)


def test_a_required_field_has_no_default() -> None:
    assert PARAMETERS["ModelName"].default is None


def test_values_are_given_for_exactly_the_declared_parameters() -> None:
    assert template_values(shadow(), "dev").keys() == {
        parameter.name for parameter in template_parameters(ShadowRequest)
    }


def test_values_are_those_of_the_stage() -> None:
    request = shadow(volume_size_gb={"dev": 1, "prod": 9})

    assert values_for(request, "dev")["VolumeSizeGb"] == "1"
    assert values_for(request, "prod")["VolumeSizeGb"] == "9"


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (7, "7"),
        (0.7, "0.7"),
        (1.0, "1"),
        (1e-06, "0.000001"),
        (1e21, "1000000000000000000000"),
        ("text", "text"),
        ({"b": "2", "a": "é"}, '{"a":"é","b":"2"}'),
    ],
)
def test_a_value_is_the_text_cloudformation_takes(value: Any, text: str) -> None:
    assert as_text(value) == text


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_survives_its_text(value: float) -> None:
    text = as_text(value)

    assert float(text) == value
    assert re.fullmatch(r"-?[0-9]+(\.[0-9]+)?", text)


@given(st.dictionaries(st.text(), st.text()))
def test_a_map_survives_its_text_whatever_its_order(value: dict[str, str]) -> None:
    backwards = dict(reversed(value.items()))

    assert json.loads(as_text(value)) == value
    assert as_text(backwards) == as_text(value)


@pytest.mark.parametrize("blueprint", Registry.discover().blueprints, ids=lambda b: b.kind)
def test_no_default_of_a_shipped_contract_breaks_its_own_parameter(blueprint: Any) -> None:
    for parameter in parameters_of(blueprint.request):
        if parameter.default is None or parameter.kind == "Number":
            continue
        assert re.fullmatch(parameter.pattern or ".*", parameter.default), parameter
        assert not parameter.allowed_values or parameter.default in parameter.allowed_values
        assert parameter.description


@pytest.mark.parametrize("blueprint", Registry.discover().blueprints, ids=lambda b: b.kind)
def test_no_text_of_a_shipped_contract_can_leave_its_json_string(blueprint: Any) -> None:
    for parameter in parameters_of(blueprint.request):
        if parameter.kind == "String" and not parameter.allowed_values and parameter.pattern:
            for character in ('"', "\\", "\n", "${"):
                assert not re.fullmatch(parameter.pattern, f"s3://bucket/a{character}b"), parameter
                assert not re.fullmatch(parameter.pattern, f"a{character}b"), parameter
