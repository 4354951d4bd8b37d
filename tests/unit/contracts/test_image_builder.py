"""What an image-builder request accepts, and what it becomes."""

from __future__ import annotations

from typing import Any

import pytest

from mlops_framework.blueprints.image_builder import BLUEPRINT
from mlops_framework.contracts.base import Place
from mlops_framework.contracts.parameters import template_values
from mlops_framework.errors import RequestInvalid
from mlops_framework.registry import Registry

REGISTRY = Registry([BLUEPRINT])
CONNECTION = (
    "arn:aws:codeconnections:us-east-1:111122223333:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)
PLACE = Place("us-east-1", "aws", "111122223333", "mlops-local-data", "mlops-local")


def values(**fields: Any) -> dict[str, str]:
    body = {"pipeline_type": "image-builder", "model_name": "churn", **fields}
    return template_values(REGISTRY.parse(body).resolved(PLACE), "local")


def faults(**fields: Any) -> dict[str, str]:
    with pytest.raises(RequestInvalid) as caught:
        values(**fields)
    return {fault.path: fault.message for fault in caught.value.faults}


@pytest.mark.parametrize(
    ("source", "kind", "location"),
    [
        ({"source_archive": "s3://my-data/a/image.zip"}, "S3", "my-data/a/image.zip"),
        ({"codecommit_repository": "churn"}, "CODECOMMIT", "churn"),
        (
            {"git_repository": "https://github.com/acme/churn", "connection_arn": CONNECTION},
            "GITHUB",
            "https://github.com/acme/churn",
        ),
        (
            {
                "git_repository": "https://git.acme.example/ml/churn.git",
                "git_provider": "gitlab-self-managed",
                "connection_arn": CONNECTION,
            },
            "GITLAB_SELF_MANAGED",
            "https://git.acme.example/ml/churn.git",
        ),
    ],
)
def test_every_source_becomes_what_codebuild_reads_from(source, kind, location) -> None:
    given = values(**source)

    assert (given["SourceType"], given["SourceLocation"]) == (kind, location)


def test_a_repository_without_a_name_is_named_after_environment_and_model() -> None:
    assert values(codecommit_repository="churn")["RepositoryName"] == "mlops-local/churn"


def test_a_request_needs_one_source_and_not_two() -> None:
    assert "Nothing to build from" in faults()["source_archive"]
    both = faults(source_archive="s3://my-data/image.zip", codecommit_repository="churn")
    assert "Given together with source_archive" in both["codecommit_repository"]


def test_git_needs_a_connection_and_a_known_host() -> None:
    found = faults(git_repository="https://git.acme.example/ml/churn")

    assert "through a connection" in found["connection_arn"]
    assert "say what runs it" in found["git_provider"]


def test_what_cannot_fit_is_told_all_at_once() -> None:
    found = faults(
        source_archive="s3://my-data/image.zip",
        git_reference="main",
        dockerfile="../Dockerfile",
        image_tag="source-1",
        build_arguments={"1ST": "x"},
        accepted_findings=["CVE 1"],
    )

    assert set(found) == {
        "git_reference",
        "dockerfile",
        "image_tag",
        "build_arguments.1ST",
        "accepted_findings.0",
    }
