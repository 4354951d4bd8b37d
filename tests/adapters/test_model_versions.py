"""One suite for the port ``ModelVersions``: in memory and on the local AWS's model registry."""

from __future__ import annotations

import uuid
from collections.abc import Callable
from typing import Any

import pytest
from botocore.stub import Stubber

from mlops_framework.aws.model_versions import SageMakerModelVersions
from mlops_framework.orchestration.errors import ServiceRefused
from mlops_framework.orchestration.ports import ModelVersions
from mlops_framework.testing.model_versions import InMemoryModelVersions

Decide = Callable[[int, str], str]


@pytest.fixture
def group() -> str:
    return f"voted-{uuid.uuid4().hex[:8]}"


@pytest.fixture(params=["memory", "emulator"])
def registry(request: Any, group: str) -> tuple[ModelVersions, Decide]:
    """The port, and a person who says a word on a version; gives its ARN."""
    if request.param == "memory":
        memory = InMemoryModelVersions()
        return memory, lambda version, word: memory.decide(group, version, word)
    sagemaker = request.getfixturevalue("emulator")("sagemaker")
    sagemaker.create_model_package_group(ModelPackageGroupName=group)
    arns: dict[int, str] = {}

    def decide(version: int, word: str) -> str:
        while version not in arns:
            made = sagemaker.create_model_package(
                ModelPackageGroupName=group, ModelApprovalStatus="PendingManualApproval"
            )
            arns[len(arns) + 1] = made["ModelPackageArn"]
        sagemaker.update_model_package(ModelPackageArn=arns[version], ModelApprovalStatus=word)
        return arns[version]

    return SageMakerModelVersions(sagemaker), decide


def test_a_group_that_nobody_made_has_no_version(registry: tuple[ModelVersions, Decide]) -> None:
    assert registry[0].newest_approved("nobody-made-this") is None


def test_a_group_without_an_approved_version_has_none_to_serve(
    registry: tuple[ModelVersions, Decide], group: str
) -> None:
    versions, decide = registry
    decide(1, "Rejected")

    assert versions.newest_approved(group) is None


def test_the_newest_approved_version_is_the_one_with_the_highest_number(
    registry: tuple[ModelVersions, Decide], group: str
) -> None:
    versions, decide = registry
    decide(3, "Rejected")
    second = decide(2, "Approved")
    decide(1, "Approved")

    assert versions.newest_approved(group) == second


def test_a_version_past_nine_comes_after_nine(
    registry: tuple[ModelVersions, Decide], group: str
) -> None:
    versions, decide = registry
    decide(9, "Approved")
    tenth = decide(10, "Approved")

    assert versions.newest_approved(group) == tenth
    assert tenth.endswith("/10")


def test_another_refusal_is_a_refusal(client_of: Callable[[str], Any]) -> None:
    client = client_of("sagemaker")
    with Stubber(client) as stub:
        stub.add_client_error(
            "list_model_packages", "ValidationException", "1 validation error detected"
        )

        with pytest.raises(ServiceRefused, match="1 validation error"):
            SageMakerModelVersions(client).newest_approved("voted")
