"""What a contract class must keep to, checked when the class is made."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field, ValidationError

from mlops_framework.contracts.base import PerStage, PipelineRequest, kind_of, value_for
from mlops_framework.contracts.fields import Accepts
from mlops_framework.errors import BlueprintInvalid


class ShadowRequest(PipelineRequest):
    """For these tests."""

    pipeline_type: Literal["acme-shadow"] = Field(description="Kind.")
    traffic: PerStage[Annotated[int, Field(ge=1, le=100)]] = Field(default=10, description="Share.")
    options: dict[str, str] = Field(default_factory=dict, description="Options.")


def contract(annotation: Any, **field: Any) -> type[PipelineRequest]:
    """A contract with one field ``given`` of that type."""
    namespace = {
        "__module__": __name__,
        "__annotations__": {"pipeline_type": Literal["acme-shadow"], "given": annotation},
        "pipeline_type": Field(description="Kind."),
        "given": Field(**field),
    }
    return type("Made", (PipelineRequest,), namespace)


def test_a_field_without_description_is_refused() -> None:
    with pytest.raises(BlueprintInvalid, match=r"Made\.given has no description"):
        contract(str)


@pytest.mark.parametrize("pattern", ["[a-z]+", "^[a-z]+", "[a-z]+$"])
def test_a_pattern_that_is_not_anchored_is_refused(pattern: str) -> None:
    with pytest.raises(BlueprintInvalid, match="not anchored"):
        contract(Annotated[str, Field(pattern=pattern)], description="d")


def test_a_pattern_inside_a_value_per_stage_is_checked_too() -> None:
    with pytest.raises(BlueprintInvalid, match="not anchored"):
        contract(PerStage[Annotated[str, Field(pattern="[a-z]+")]], description="d")


def test_exclusive_limits_are_refused_because_cloudformation_has_none() -> None:
    with pytest.raises(BlueprintInvalid, match="write ge and le"):
        contract(Annotated[int, Field(gt=0)], description="d")


@pytest.mark.parametrize(
    "annotation",
    [
        list[bytes],
        dict[str, Any],
        tuple[int, ...],
        str | int,
        str | None,
        bytes,
        Any,
        Literal[1, 2],
    ],
    ids=str,
)
def test_a_type_that_is_no_template_parameter_is_refused(annotation: Any) -> None:
    with pytest.raises(BlueprintInvalid, match="a field is str, int"):
        contract(annotation, description="d")


@pytest.mark.parametrize("kind", ["Acme", "acme_shadow", "-acme", "acme--x", "a" * 33])
def test_a_kind_that_is_not_kebab_case_is_refused(kind: str) -> None:
    with pytest.raises(BlueprintInvalid, match="kebab-case"):
        type(
            "Made",
            (PipelineRequest,),
            {
                "__module__": __name__,
                "__annotations__": {"pipeline_type": Literal[kind]},
                "pipeline_type": Field(description="Kind."),
            },
        )


def test_a_shared_base_without_kind_is_allowed_but_has_none() -> None:
    class Monitored(PipelineRequest):
        """A base that several blueprints share."""

    with pytest.raises(BlueprintInvalid, match="no Literal"):
        kind_of(Monitored)


def test_a_contract_is_immutable() -> None:
    request = ShadowRequest(pipeline_type="acme-shadow", model_name="m")

    with pytest.raises(ValidationError, match="frozen"):
        request.traffic = 3  # type: ignore[misc]


def test_a_value_holds_for_every_stage_or_is_looked_up() -> None:
    assert value_for(3, "dev") == 3
    assert value_for({"dev": 1, "prod": 9}, "prod") == 9


def test_limits_hold_inside_a_map_per_stage() -> None:
    with pytest.raises(ValidationError):
        ShadowRequest(pipeline_type="acme-shadow", model_name="m", traffic={"dev": 0})


@pytest.mark.parametrize("traffic", ["10", 10.0, True])
def test_types_are_not_converted_silently(traffic: Any) -> None:
    with pytest.raises(ValidationError):
        ShadowRequest(pipeline_type="acme-shadow", model_name="m", traffic=traffic)


def test_a_shape_says_what_it_accepts_in_words() -> None:
    made = contract(Annotated[str, Field(pattern="^a$"), Accepts("the letter a")], description="d")

    assert made.shapes["given"].accepted == "the letter a"
    assert ShadowRequest.shapes["traffic"].accepted == "a whole number from 1 to 100"
    assert ShadowRequest.shapes["traffic"].per_stage
    assert ShadowRequest.shapes["pipeline_type"].accepted == "acme-shadow"


def test_a_pipeline_is_tagged_with_its_identity_and_owner() -> None:
    request = ShadowRequest(pipeline_type="acme-shadow", model_name="m", owner="team x")

    assert request.to_tags() == {
        "mlops:pipeline": "m-acme-shadow",
        "mlops:model": "m",
        "mlops:owner": "team x",
    }
