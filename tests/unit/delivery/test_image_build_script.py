"""What CodeBuild runs: the script itself, with stand-ins for docker and the AWS CLI on its path."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from mlops_framework.blueprints.image_builder import build_script

SCRIPT = Path(build_script.__file__)
# Notes every call; answers what the script reads; `TAGGED` holds the image that is there already.
TOOL = """#!{python}
import json, os, pathlib, sys
name, arguments = pathlib.Path(sys.argv[0]).name, sys.argv[1:]
with open(os.environ["CALLS"], "a") as calls:
    calls.write(json.dumps([name, *arguments]) + "\\n")
if "--metadata-file" in arguments:
    result = arguments[arguments.index("--metadata-file") + 1]
    pathlib.Path(result).write_text(json.dumps({{"containerimage.digest": "sha256:new"}}))
if "describe-images" in arguments:
    if not os.environ.get("TAGGED"):
        sys.exit("An error occurred (ImageNotFoundException) when calling DescribeImages")
    print(json.dumps({{"imageDetails": [{{"imageDigest": os.environ["TAGGED"]}}]}}))
if "batch-get-image" in arguments:
    image = {{"imageManifest": "{{ }}", "imageManifestMediaType": "application/vnd.x+json"}}
    print(json.dumps({{"images": [image]}}))
if "get-login-password" in arguments:
    print("the-password")
"""


class Place:
    """A source folder and what CodeBuild would give the script."""

    def __init__(self, folder: Path) -> None:
        self.source, tools = folder / "source", folder / "tools"
        self.calls_file = folder / "calls"
        self.exported = folder / "exported.sh"
        self.calls_file.touch()
        self.source.mkdir()
        tools.mkdir()
        (self.source / "Dockerfile").write_text("FROM scratch\n")
        (self.source / "serve").write_text("#!/bin/sh\n")
        for name in ("docker", "aws"):
            tool = tools / name
            tool.write_text(TOOL.format(python=sys.executable))
            tool.chmod(0o755)
        self.environment = {
            "PATH": f"{tools}:{os.environ['PATH']}",
            "TMPDIR": str(folder),
            "CALLS": str(self.calls_file),
            "CODEBUILD_SRC_DIR": str(self.source),
            "REGISTRY": "111122223333.dkr.ecr.us-east-1.amazonaws.com",
            "REPOSITORY_NAME": "team/churn",
            "CACHE_REPOSITORY": "churn-cache",
            "IMAGE_TAG": "1.0.0",
            "DOCKERFILE": "Dockerfile",
            "BUILD_CONTEXT": ".",
            "BUILD_TARGET": "",
            "BUILD_ARGUMENTS": json.dumps({"NOTE": "two words"}),
            "PLATFORM": "linux/amd64",
        }

    def run(self, **changes: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, str(SCRIPT), str(self.exported)],
            env=self.environment | changes,
            capture_output=True,
            text=True,
            check=False,
        )

    def calls(self, *words: str) -> list[list[str]]:
        every = [json.loads(line) for line in self.calls_file.read_text().splitlines()]
        return [call for call in every if set(words) <= set(call)]

    def exports(self) -> dict[str, str]:
        lines = self.exported.read_text().splitlines()
        return dict(line.removeprefix("export ").split("=", 1) for line in lines)


@pytest.fixture
def place(tmp_path: Path) -> Place:
    return Place(tmp_path)


def test_a_new_source_is_built_with_its_layer_cache_and_exports_its_digest(place: Place) -> None:
    done = place.run()

    assert done.returncode == 0, done.stderr
    (build,) = place.calls("docker", "buildx", "build")
    tag = place.exports()["SOURCE_TAG"]
    cache = "111122223333.dkr.ecr.us-east-1.amazonaws.com/churn-cache:layers"
    assert f"type=registry,ref={cache}" in build
    assert build[build.index("--build-arg") + 1] == "NOTE=two words"
    assert any(part.endswith(f"team/churn:{tag},push=true,oci-mediatypes=false") for part in build)
    assert place.exports() == {
        "IMAGE_DIGEST": "sha256:new",
        "SOURCE_TAG": tag,
        "IMAGE_BUILT": "yes",
    }
    assert os.access(place.source / "serve", os.X_OK)


def test_an_image_that_is_there_is_not_built_again(place: Place) -> None:
    place.run(TAGGED="sha256:old")

    assert place.exports()["IMAGE_DIGEST"] == "sha256:old"
    assert place.exports()["IMAGE_BUILT"] == "no"
    assert place.calls("docker") == []


def test_the_tag_of_a_source_follows_its_files_and_the_request_and_nothing_else(
    place: Place, tmp_path: Path
) -> None:
    def tag(**choices: str) -> str:
        return build_script.source_tag(place.source, place.environment | choices)

    before = tag()
    (place.source / ".git").mkdir()
    (place.source / ".git" / "HEAD").write_text("ref: refs/heads/main")
    os.utime(place.source / "Dockerfile", (0, 0))
    assert tag(CACHE_REPOSITORY="another") == before

    assert tag(IMAGE_TAG="1.0.1") != before
    assert tag(BUILD_ARGUMENTS="{}") != before
    (place.source / "Dockerfile").write_text("FROM scratch\nUSER 1\n")
    assert tag() != before


def test_a_source_without_its_dockerfile_says_what_it_has(place: Place) -> None:
    done = place.run(DOCKERFILE="docker/Dockerfile")

    assert done.returncode != 0
    assert "no file docker/Dockerfile; its top: Dockerfile, serve" in done.stderr


def test_releasing_adds_the_tag_to_the_very_image(place: Place) -> None:
    done = place.run(STEP="release", IMAGE_DIGEST="sha256:new")

    assert done.returncode == 0, done.stderr
    (put,) = place.calls("aws", "ecr", "put-image")
    assert put[put.index("--image-tag") + 1] == "1.0.0"
    assert put[put.index("--image-digest") + 1] == "sha256:new"
    assert place.calls("docker") == []
