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


def test_its_stack_is_made_and_its_build_refused_with_what_to_do(
    mlops: Any, loop: Any, bucket: str, tmp_path: Path
) -> None:
    source = io.BytesIO()
    with zipfile.ZipFile(source, "w") as archive:
        archive.writestr("Dockerfile", "FROM scratch\n")
    loop.place.client("s3").put_object(
        Bucket=bucket, Key="code/scorer/image.zip", Body=source.getvalue()
    )
    request = tmp_path / "request.json"
    request.write_text(
        json.dumps(
            {
                "pipeline_type": "image-builder",
                "model_name": "scorer",
                "source_archive": "s3://{data-bucket-name}/code/scorer/image.zip",
                "repository_name": "life/scorer",
                "image_tag": "1.0.0",
            }
        )
    )

    submitted = mlops("submit", str(request))
    with pytest.raises(AssertionError) as refused:
        mlops("status", submitted["pipeline_id"], "--wait")
    again = mlops("submit", str(request))
    seen = mlops("status", PIPELINE)

    assert submitted["pipeline_id"] == PIPELINE
    assert "The local AWS runs no Docker" in str(refused.value)
    assert "Build the image on AWS" in str(refused.value)
    assert again["outcome"] == "restarted"
    outputs = seen["stages"][-1]["outputs"]
    assert outputs["RepositoryName"] == "life/scorer"
    (project,) = loop.place.client("codebuild").batch_get_projects(names=[STACK])["projects"]
    assert project["source"]["location"] == f"{bucket}/code/scorer/image.zip"
    assert project["environment"]["privilegedMode"] is True
    (repository,) = loop.place.client("ecr").describe_repositories(repositoryNames=["life/scorer"])[
        "repositories"
    ]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert repository["imageScanningConfiguration"] == {"scanOnPush": True}

    mlops("pipelines", "delete", PIPELINE, "--yes", "--wait")

    cloudformation = loop.place.client("cloudformation")
    with pytest.raises(cloudformation.exceptions.ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName=STACK)
    assert loop.place.client("ecr").describe_repositories(repositoryNames=["life/scorer"])
