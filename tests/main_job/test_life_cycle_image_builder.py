"""An image builder on the deployed platform: everything is made, and Docker is refused by name."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

PIPELINE = "scorer-image-builder"
STACK = f"mlops-local-{PIPELINE}-local"


def test_it_is_made_changed_and_removed_and_its_build_refused_with_what_to_do(
    mlops: Any, loop: Any, bucket: str, tmp_path: Path
) -> None:
    codebuild, ecr = loop.place.client("codebuild"), loop.place.client("ecr")
    request = {
        "pipeline_type": "image-builder",
        "model_name": "scorer",
        "source_archive": "s3://{data-bucket-name}/code/scorer/image.zip",
        "repository_name": "life/scorer",
        "image_tag": "1.0.0",
    }

    def ask(**changes: Any) -> tuple[str, str]:
        """The outcome, and what the command line says of the build."""
        file = tmp_path / "request.json"
        file.write_text(json.dumps(request | changes))
        answer = mlops("submit", str(file))
        assert answer["pipeline_id"] == PIPELINE
        with pytest.raises(AssertionError) as refused:
            mlops("status", PIPELINE, "--wait")
        return answer["outcome"], str(refused.value)

    def project() -> Any:
        (found,) = codebuild.batch_get_projects(names=[STACK])["projects"]
        return found

    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("Dockerfile", "FROM scratch\n")
    loop.place.client("s3").put_object(
        Bucket=bucket, Key="code/scorer/image.zip", Body=source.getvalue()
    )
    outcome, told = ask()
    assert outcome == "created"
    assert "The local AWS runs no Docker" in told
    assert "Build the image on AWS" in told
    assert project()["source"]["location"] == f"{bucket}/code/scorer/image.zip"
    assert project()["environment"]["privilegedMode"] is True
    (repository,) = ecr.describe_repositories(repositoryNames=["life/scorer"])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}

    # Sent again, the failed build is tried again; changed, what is deployed follows.
    outcome, told = ask()
    assert (outcome, "The local AWS runs no Docker" in told) == ("restarted", True)
    outcome, _ = ask(image_tag="1.1.0", scan_gate="critical", timeout_minutes=30)
    assert outcome == "updated"
    variables = {v["name"]: v["value"] for v in project()["environment"]["environmentVariables"]}
    outputs = mlops("status", PIPELINE)["stages"][-1]["outputs"]
    assert (variables["IMAGE_TAG"], project()["timeoutInMinutes"]) == ("1.1.0", 30)
    assert outputs["RepositoryName"] == "life/scorer"
    assert (outputs["ImageTag"], outputs["ScanGate"]) == ("1.1.0", "critical")

    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")

    cloudformation = loop.place.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=STACK)
    assert codebuild.batch_get_projects(names=[STACK])["projects"] == []
    # Images are kept, layers of builds are not.
    names = [each["repositoryName"] for each in ecr.describe_repositories()["repositories"]]
    assert "life/scorer" in names
    assert f"{STACK}-cache" not in names
