"""Each test of the suite fails for the mistake that it is there for, and says what to do."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import pytest
from pydantic import Field

from mlops_framework.cdk.conformance import Specimen, specimen
from mlops_framework.contracts.base import PipelineRequest
from mlops_framework.environments.loader import load_environment
from mlops_framework.registry import Blueprint
from mlops_framework.testing.blueprint_suite import BlueprintSuite

ROOT = Path(__file__).resolve().parents[2]


class ParcelRequest(PipelineRequest):
    """A request for a parcel."""

    pipeline_type: Literal["parcel"] = Field(description="Kind of the blueprint.")
    weight: int = Field(default=1, ge=1, description="Of the parcel, kilograms.")


BLUEPRINT = Blueprint(
    kind="parcel", summary="A parcel.", request=ParcelRequest, stack="parcels.stack:ParcelStack"
)


class Parcel(BlueprintSuite):
    blueprint = BLUEPRINT
    example = {"pipeline_type": "parcel", "model_name": "income"}  # noqa: RUF012


def seen(**changes: Any) -> Specimen:
    template = {
        "Parameters": {
            "Weight": {"Type": "Number", "MinValue": 1},
            "Surprise": {"Type": "String"},
        },
        "Resources": {},
    }
    return dataclasses.replace(Specimen(template, (), (), ()), **changes)


Check = Callable[[BlueprintSuite, Specimen], None]


@pytest.mark.parametrize(
    ("check", "specimen", "said"),
    [
        (BlueprintSuite.test_its_template_takes_what_the_contract_says, seen(), "Surprise"),
        (BlueprintSuite.test_its_example_gives_every_parameter_a_value, seen(), "Surprise"),
        (
            BlueprintSuite.test_its_template_has_no_custom_resource,
            seen(template={"Resources": {"Empty": {"Type": "Custom::EmptyBucket"}}}),
            "Custom::EmptyBucket",
        ),
        (
            BlueprintSuite.test_cdk_nag_finds_nothing_in_it,
            seen(findings=("AwsSolutions-SQS4 at parcel/Queue: no TLS",)),
            "SQS4",
        ),
        (
            BlueprintSuite.test_cloudformation_takes_templates_of_its_size,
            seen(too_large=("the template of 'parcel' has 1000001 bytes",)),
            "1000001",
        ),
        (
            BlueprintSuite.test_deploying_each_of_its_types_is_known,
            seen(unknown_types=("AWS::SQS::Queue",)),
            "declare in deploy_permissions of the stack: AWS::SQS::Queue",
        ),
    ],
)
def test_a_mistake_in_the_template_is_told(check: Check, specimen: Specimen, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        check(Parcel(), specimen)


def test_an_output_that_delivery_misses_is_named() -> None:
    class Endpoint(Parcel):
        blueprint = dataclasses.replace(BLUEPRINT, after_deploy="verify-endpoint")

    with pytest.raises(AssertionError, match="verify-endpoint reads EndpointName, Endpoint"):
        Endpoint().test_it_has_the_outputs_that_delivery_reads(seen())


def test_an_example_that_is_not_accepted_is_told_with_its_faults() -> None:
    class Heavy(Parcel):
        example = {**Parcel.example, "weight": "heavy"}  # noqa: RUF012

    with pytest.raises(Exception, match="weight"):
        Heavy().test_its_example_is_accepted()


def test_a_contract_that_ignores_unknown_fields_is_found() -> None:
    class LenientRequest(ParcelRequest):
        model_config = {"extra": "ignore"}  # noqa: RUF012

    class Lenient(Parcel):
        blueprint = dataclasses.replace(BLUEPRINT, request=LenientRequest)

    with pytest.raises(pytest.fail.Exception, match="DID NOT RAISE"):
        Lenient().test_an_unknown_field_is_refused_with_the_nearest_known_one()


def test_a_contract_that_loads_the_cdk_is_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "eager_contract.py").write_text("import aws_cdk\n")
    monkeypatch.syspath_prepend(tmp_path)

    class EagerRequest(ParcelRequest):
        """Says that it lives in the eager module."""

    EagerRequest.__module__ = "eager_contract"

    class Eager(Parcel):
        blueprint = dataclasses.replace(BLUEPRINT, request=EagerRequest)

    with pytest.raises(AssertionError, match="eager_contract loads aws_cdk, constructs, jsii"):
        Eager().test_its_contract_loads_neither_the_cdk_nor_an_aws_sdk()


def test_findings_and_unknown_types_of_a_real_stack_are_seen(tmp_path: Path) -> None:
    blueprint = dataclasses.replace(BLUEPRINT, stack="tests.plugin.parcel_stack:ParcelStack")
    config = load_environment("local", ROOT / "environments")

    found = specimen(blueprint, config, checkout=ROOT, outdir=tmp_path)

    assert found.unknown_types == ("AWS::SQS::Queue",)
    assert any("SQS4" in finding and "Queue" in finding for finding in found.findings)
