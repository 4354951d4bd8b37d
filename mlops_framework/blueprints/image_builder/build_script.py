"""What runs inside CodeBuild; `stack.py` puts this file's text into the build specification.

Standard library and the tools of CodeBuild's own images (docker with buildx, the AWS CLI) alone.
Two steps: ``build`` pushes the image under a tag that says its source, unless that image is there
already; ``release`` adds the tag that the request asks for, without moving a byte.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

SOURCE_TAG_PREFIX = "source-"
CHOICES = (
    "BUILD_ARGUMENTS",
    "BUILD_CONTEXT",
    "BUILD_TARGET",
    "DOCKERFILE",
    "IMAGE_TAG",
    "PLATFORM",
)
"""What of the request makes another image of the same files. The tag is among them: asking for a
new tag is how the same source is built anew, on newer base images."""
STARTED_BY_NAME = ("serve", "train")
"""SageMaker starts these files of an image by name; a zip may have lost their executable bit."""
CACHE_TAG = "layers"


def source_tag(folder: Path, choices: Mapping[str, str]) -> str:
    """The tag of whatever these files and choices make; the same on every machine."""
    total = hashlib.sha256()
    for name in CHOICES:
        total.update(f"{name}={choices.get(name, '')}\0".encode())
    for path in sorted(folder.rglob("*"), key=lambda each: each.relative_to(folder).as_posix()):
        inside = path.relative_to(folder)
        if ".git" in inside.parts or not (path.is_file() or path.is_symlink()):
            continue
        content = str(path.readlink()).encode() if path.is_symlink() else path.read_bytes()
        runs = not path.is_symlink() and os.access(path, os.X_OK)
        head = f"{inside.as_posix()}\0{'x' if runs else '-'}\0"
        total.update(head.encode() + hashlib.sha256(content).digest())
    return SOURCE_TAG_PREFIX + total.hexdigest()[:32]


def build(environment: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Push the image of this source, unless it is there; what the build exports."""
    context = folder / environment["BUILD_CONTEXT"]
    dockerfile = folder / environment["DOCKERFILE"]
    if not dockerfile.is_file():
        there = ", ".join(sorted(each.name for each in folder.iterdir())) or "nothing"
        raise SystemExit(f"The source has no file {environment['DOCKERFILE']}; its top: {there}.")
    if not context.is_dir():
        raise SystemExit(f"The source has no folder {environment['BUILD_CONTEXT']}.")
    for path in context.rglob("*"):
        if path.name in STARTED_BY_NAME and path.is_file():
            path.chmod(path.stat().st_mode | 0o111)
    tag = source_tag(folder, environment)
    digest = existing(environment, tag)
    built = not digest
    if built:
        digest = _push(environment, context, dockerfile, tag)
    return {"IMAGE_DIGEST": digest, "SOURCE_TAG": tag, "IMAGE_BUILT": "yes" if built else "no"}


def existing(environment: Mapping[str, str], tag: str) -> str:
    """Digest of the image that has a tag, or nothing."""
    command = [
        *("aws", "ecr", "describe-images", "--output", "json"),
        *("--repository-name", environment["REPOSITORY_NAME"], "--image-ids", f"imageTag={tag}"),
    ]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 0:
        return str(json.loads(done.stdout)["imageDetails"][0]["imageDigest"])
    if "ImageNotFoundException" in done.stderr:
        return ""
    raise SystemExit(done.stderr.strip())


def release(environment: Mapping[str, str]) -> dict[str, str]:
    """Add the request's tag to an image that is there; what the build exports."""
    repository, digest = environment["REPOSITORY_NAME"], environment["IMAGE_DIGEST"]
    found = json.loads(
        _output(
            *("aws", "ecr", "batch-get-image", "--output", "json"),
            *("--repository-name", repository, "--image-ids", f"imageDigest={digest}"),
        )
    )
    if not found.get("images"):
        raise SystemExit(f"Repository {repository} has no image {digest} any more.")
    (image,) = found["images"]
    manifest = folder_for_files() / "manifest.json"
    manifest.write_text(image["imageManifest"], encoding="utf-8")
    _run(
        *("aws", "ecr", "put-image", "--repository-name", repository),
        *("--image-tag", environment["IMAGE_TAG"], "--image-digest", digest),
        *("--image-manifest", f"file://{manifest}"),
        *("--image-manifest-media-type", image["imageManifestMediaType"]),
    )
    return {"IMAGE_DIGEST": digest, "IMAGE_BUILT": "no"}


def folder_for_files() -> Path:
    """Where this script keeps what is not part of the image."""
    return Path(os.environ.get("TMPDIR", "/tmp"))


def _push(environment: Mapping[str, str], context: Path, dockerfile: Path, tag: str) -> str:
    registry = environment["REGISTRY"]
    password = _output("aws", "ecr", "get-login-password")
    login = ["docker", "login", "--username", "AWS", "--password-stdin", registry]
    subprocess.run(login, input=password, text=True, check=True)
    # The default driver writes no layer cache to a registry.
    _run("docker", "buildx", "create", "--use", "--driver", "docker-container")
    cache = f"{registry}/{environment['CACHE_REPOSITORY']}:{CACHE_TAG}"
    result = folder_for_files() / "image.json"
    arguments = json.loads(environment["BUILD_ARGUMENTS"])
    target = environment.get("BUILD_TARGET", "")
    _run(
        *("docker", "buildx", "build", "--pull", "--platform", environment["PLATFORM"]),
        *("--file", str(dockerfile), *(("--target", target) if target else ())),
        *(
            part
            for name in sorted(arguments)
            for part in ("--build-arg", f"{name}={arguments[name]}")
        ),
        # An attestation makes the image an index of several: ECR does not scan those, and
        # SageMaker does not start them.
        *("--provenance=false", "--sbom=false"),
        *("--cache-from", f"type=registry,ref={cache}"),
        "--cache-to",
        f"type=registry,ref={cache},mode=max,image-manifest=true,oci-mediatypes=true,ignore-error=true",
        "--output",
        f"type=image,name={registry}/{environment['REPOSITORY_NAME']}:{tag},push=true,oci-mediatypes=false",
        *("--metadata-file", str(result), str(context)),
    )
    return str(json.loads(result.read_text(encoding="utf-8"))["containerimage.digest"])


def _run(*command: str) -> None:
    print("+", *command, flush=True)
    done = subprocess.run(command, check=False)
    if done.returncode:
        raise SystemExit(f"{' '.join(command[:3])} ended with status {done.returncode}.")


def _output(*command: str) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(done.stderr.strip() or f"{' '.join(command[:3])} failed.")
    return done.stdout.strip()


def main() -> None:
    """Do the step that the environment names; write what is exported as shell assignments."""
    environment = dict(os.environ)
    step = environment.get("STEP", "build")
    here = Path(environment.get("CODEBUILD_SRC_DIR", "."))
    exported = release(environment) if step == "release" else build(environment, here)
    lines = [f"export {name}={value}" for name, value in exported.items()]
    Path(sys.argv[1]).write_text("\n".join(lines) + "\n", encoding="utf-8")
    print(*lines, sep="\n")


if __name__ == "__main__":
    main()
