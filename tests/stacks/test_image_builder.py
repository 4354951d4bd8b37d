"""What the template of image-builder becomes for a zip, a connection and CodeCommit."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.stacks.conftest import Synthesized, statements
from tests.stacks.deployed import Deployed

CONNECTION = (
    "arn:aws:codeconnections:us-east-1:111122223333:connection/0f1e2d3c-4b5a-6978-8796-a5b4c3d2e1f0"
)
ZIP = {"source_archive": "s3://my-data/code/image.zip"}
HUB = {"git_repository": "https://github.com/acme/churn", "connection_arn": CONNECTION}
Deploy = Callable[..., Deployed]


@pytest.fixture(scope="module")
def deployed(dev: Synthesized) -> Deploy:
    body = {"pipeline_type": "image-builder", "model_name": "churn", "repository_name": "churn"}
    return lambda **more: Deployed(dev.blueprints["image-builder"], {**body, **more})


def project(found: Deployed) -> dict[str, Any]:
    return found.one("AWS::CodeBuild::Project")


def test_a_build_reads_its_own_source_and_no_other(deployed: Deploy) -> None:
    zipped, hub = deployed(**ZIP), deployed(**HUB)
    commit = deployed(codecommit_repository="churn-image")

    policies = [
        {name for name in found.resources if name in ("ReadZip", "PullCodeCommit", "UseConnection")}
        for found in (zipped, hub, commit)
    ]
    assert policies == [{"ReadZip"}, {"UseConnection"}, {"PullCodeCommit"}]
    read, locate = zipped.named("ReadZip")["PolicyDocument"]["Statement"]
    assert read["Resource"] == "arn:aws:s3:::my-data/code/image.zip"
    assert locate["Resource"] == "arn:aws:s3:::my-data"
    (connection,) = hub.named("UseConnection")["PolicyDocument"]["Statement"]
    assert connection["Resource"] == CONNECTION


def test_a_connection_is_used_for_its_repository_alone(deployed: Deploy) -> None:
    source = project(deployed(**HUB))["Source"]

    assert source["Location"].startswith("https://github.com/acme/churn")
    assert source["Auth"] == {"Type": "CODECONNECTIONS", "Resource": CONNECTION}
    assert "Auth" not in project(deployed(**ZIP))["Source"]


def test_the_machine_has_the_images_processor(deployed: Deploy) -> None:
    machines = [
        project(deployed(**ZIP, platform=platform))["Environment"]["Type"]
        for platform in ("linux/amd64", "linux/arm64")
    ]

    assert machines == ["LINUX_CONTAINER", "ARM_CONTAINER"]


def test_the_script_takes_what_the_request_says_as_variables_and_never_as_code(
    deployed: Deploy,
) -> None:
    wild = deployed(**ZIP, build_arguments={"NOTE": "$(rm -rf /); `id`"}, image_tag="1.0.0")
    variables = {
        each["Name"]: each["Value"] for each in project(wild)["Environment"]["EnvironmentVariables"]
    }

    assert "rm -rf" not in project(wild)["Source"]["BuildSpec"]
    assert json.loads(variables["BUILD_ARGUMENTS"]) == {"NOTE": "$(rm -rf /); `id`"}
    assert variables["IMAGE_TAG"] == "1.0.0"
    plain = project(deployed(**ZIP))["Source"]["BuildSpec"]
    assert project(wild)["Source"]["BuildSpec"] == plain


def test_a_build_pushes_to_its_own_two_repositories(dev: Synthesized) -> None:
    (pushing,) = [
        statement
        for statement in statements(dev.blueprints["image-builder"])
        if "ecr:PutImage" in statement["Action"]
    ]
    named = json.dumps(pushing["Resource"])

    assert len(pushing["Resource"]) == 2
    assert '{"Ref": "RepositoryName"}' in named
    assert '{"Fn::GetAtt": ["LayerCache", "Arn"]}' in named
    assert "*" not in named


def test_layers_go_with_the_pipeline_and_images_stay(dev: Synthesized, deployed: Deploy) -> None:
    template = dev.blueprints["image-builder"]

    (cache,) = [
        each for each in template["Resources"].values() if each["Type"] == "AWS::ECR::Repository"
    ]

    assert cache["DeletionPolicy"] == "Delete"
    assert cache["Properties"]["EmptyOnDelete"] is True
    # The images' own repository is made by delivery, so that no stack takes it down.
    assert deployed(**ZIP).outputs["RepositoryName"] == "churn"
