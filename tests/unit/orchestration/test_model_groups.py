"""A group in the model registry stands for its newest approved version."""

from __future__ import annotations

from typing import Annotated, Literal

import pytest
from pydantic import Field

from mlops_framework.contracts.base import METADATA, Document, PipelineRequest
from mlops_framework.errors import RequestInvalid
from mlops_framework.orchestration.model_groups import groups_served, with_versions

PACKAGES = "arn:aws:sagemaker:us-east-1:111122223333:model-package"
APPROVED = {"income": f"{PACKAGES}/income/3", "churn": f"{PACKAGES}/churn/1"}
Text = Annotated[str, Field(pattern="^.*$", max_length=200)]


class Variant(Document):
    """One of several models behind an endpoint."""

    model_package_name: Text = Field(default="", description="Version.")
    model_package_group: Text = Field(default="", description="Group.")


class ServingRequest(PipelineRequest):
    """Serves a model, or several."""

    pipeline_type: Literal["serving"] = Field(description="Kind.")
    model_package_name: Text = Field(default="", description="Version.")
    model_package_group: Text = Field(
        default="", description="Group.", json_schema_extra=dict(METADATA)
    )
    variants: list[Variant] = Field(default_factory=list, description="Models.")


class RegisteringRequest(PipelineRequest):
    """Registers models in a group."""

    pipeline_type: Literal["registering"] = Field(description="Kind.")
    model_package_group: Text = Field(default="", description="Group.")


def serving(**fields: object) -> ServingRequest:
    return ServingRequest.model_validate(
        {"pipeline_type": "serving", "model_name": "income", **fields}
    )


def test_the_newest_approved_version_is_filled_in() -> None:
    request = with_versions(serving(model_package_group="income"), APPROVED.get)

    assert request.model_dump()["model_package_name"] == APPROVED["income"]
    assert groups_served(request.model_dump(mode="json")) == {"income"}


def test_a_version_filled_in_before_gives_way_to_a_newer_one() -> None:
    before = serving(model_package_group="income", model_package_name=f"{PACKAGES}/income/2")

    after = with_versions(before, APPROVED.get)

    assert after.model_dump()["model_package_name"] == APPROVED["income"]
    assert with_versions(after, APPROVED.get) == after


def test_each_variant_gets_the_version_of_its_own_group() -> None:
    request = with_versions(
        serving(variants=[{"model_package_group": "income"}, {"model_package_group": "churn"}]),
        APPROVED.get,
    )

    versions = [variant["model_package_name"] for variant in request.model_dump()["variants"]]
    assert versions == [APPROVED["income"], APPROVED["churn"]]
    assert groups_served(request.model_dump(mode="json")) == {"income", "churn"}


def test_every_group_without_an_approved_version_is_told_where_it_stands() -> None:
    request = serving(model_package_group="none", variants=[{"model_package_group": "neither"}])

    with pytest.raises(RequestInvalid) as refused:
        with_versions(request, APPROVED.get)

    assert [fault.path for fault in refused.value.faults] == [
        "model_package_group",
        "variants.0.model_package_group",
    ]
    assert "Approve one" in refused.value.faults[0].message


def test_a_kind_that_registers_in_a_group_is_left_as_it_is() -> None:
    request = RegisteringRequest.model_validate(
        {"pipeline_type": "registering", "model_name": "income", "model_package_group": "income"}
    )

    assert with_versions(request, APPROVED.get) is request
    assert groups_served(request.model_dump(mode="json")) == frozenset()
