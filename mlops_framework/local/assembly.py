"""Reads a CDK cloud assembly: its stacks in dependency order, and their file assets."""

from __future__ import annotations

import io
import json
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from mlops_framework.local.errors import AssemblyUnreadable


@dataclass(frozen=True)
class Place:
    """An account and a region."""

    account: str
    region: str

    def fill(self, text: str) -> str:
        """Replaces the placeholders that environment-agnostic stacks carry."""
        return (
            text.replace("${AWS::Partition}", "aws")
            .replace("${AWS::AccountId}", self.account)
            .replace("${AWS::Region}", self.region)
        )


@dataclass(frozen=True)
class FileAsset:
    """A file or folder that has to be in a bucket before its stack is deployed.

    Attributes:
        source: The file or folder.
        is_folder: Whether the folder is to be zipped.
        bucket: Where it goes.
        key: Under which key; holds the content's hash.
        place: The bucket's account and region.
    """

    source: Path
    is_folder: bool
    bucket: str
    key: str
    place: Place

    def content(self) -> bytes:
        """The object's bytes; a folder becomes a zip with sorted names and fixed dates."""
        if not self.is_folder:
            return self.source.read_bytes()
        packed = io.BytesIO()
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for file in sorted(path for path in self.source.rglob("*") if path.is_file()):
                entry = zipfile.ZipInfo(file.relative_to(self.source).as_posix())
                entry.external_attr = (0o755 if file.stat().st_mode & 0o100 else 0o644) << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                archive.writestr(entry, file.read_bytes())
        return packed.getvalue()


@dataclass(frozen=True)
class StackArtifact:
    """One stack of an assembly.

    Attributes:
        path: Its id, below the ids of the stages around it.
        name: Its name in CloudFormation.
        place: Its account and region.
        template: The template file.
        template_object: ``s3://bucket/key`` of the published template, or ``None``.
        parameters: Parameter values the app sets.
        tags: Stack tags.
        protected: Whether termination protection is asked for.
        assets: Its file assets.
        needs: Paths of the stacks that come first.
    """

    path: str
    name: str
    place: Place
    template: Path
    template_object: str | None
    parameters: Mapping[str, str]
    tags: Mapping[str, str]
    protected: bool
    assets: tuple[FileAsset, ...]
    needs: frozenset[str] = field(default_factory=frozenset)


def read(folder: Path, default: Place) -> list[StackArtifact]:
    """Reads an assembly, stages within it included.

    Args:
        folder: ``cdk.out``.
        default: Where stacks without an environment of their own go.

    Returns:
        Its stacks; each comes after everything it depends on.

    Raises:
        AssemblyUnreadable: There is no assembly, or it asks for what is not understood.
    """
    return _in_order(list(_stacks(folder, default, "", frozenset())))


def _stacks(
    folder: Path, default: Place, prefix: str, needs: frozenset[str]
) -> Iterator[StackArtifact]:
    artifacts = _json(folder / "manifest.json").get("artifacts") or {}
    assets = {
        name: artifact
        for name, artifact in artifacts.items()
        if artifact["type"] == "cdk:asset-manifest"
    }
    for name, artifact in artifacts.items():
        wanted = needs | {
            f"{prefix}{other}"
            for other in artifact.get("dependencies") or ()
            if other not in assets
        }
        if artifact["type"] == "cdk:cloud-assembly":
            nested = folder / artifact["properties"]["directoryName"]
            yield from _stacks(nested, default, f"{prefix}{name}/", wanted)
        elif artifact["type"] == "aws:cloudformation:stack":
            properties = artifact["properties"]
            place = _place(artifact.get("environment", ""), default)
            needed = [
                assets[other] for other in artifact.get("dependencies") or () if other in assets
            ]
            own = [item for manifest in needed for item in _assets(folder, manifest, place)]
            located = properties.get("stackTemplateAssetObjectUrl")
            yield StackArtifact(
                path=f"{prefix}{name}",
                name=properties.get("stackName", name),
                place=place,
                template=folder / properties["templateFile"],
                template_object=place.fill(located) if located else None,
                parameters=properties.get("parameters") or {},
                tags=properties.get("tags") or {},
                protected=bool(properties.get("terminationProtection")),
                assets=tuple(own),
                needs=wanted,
            )


def _assets(folder: Path, artifact: Mapping[str, Any], stack: Place) -> list[FileAsset]:
    document = _json(folder / artifact["properties"]["file"])
    if document.get("dockerImages"):
        named = ", ".join(
            image.get("displayName", key) for key, image in document["dockerImages"].items()
        )
        raise AssemblyUnreadable(
            f"{folder} holds container image assets ({named}); the local AWS has no Docker. "
            "Bundle the code as a zip file instead."
        )
    found = []
    for asset in (document.get("files") or {}).values():
        if "path" not in asset["source"]:
            raise AssemblyUnreadable(
                f"{folder} holds a file asset made by a command ({asset['source']}); only files "
                "and folders are published."
            )
        for destination in asset["destinations"].values():
            place = Place(stack.account, destination.get("region") or stack.region)
            found.append(
                FileAsset(
                    source=folder / asset["source"]["path"],
                    is_folder=asset["source"].get("packaging") == "zip",
                    bucket=place.fill(destination["bucketName"]),
                    key=place.fill(destination["objectKey"]),
                    place=place,
                )
            )
    return found


def _place(environment: str, default: Place) -> Place:
    account, _, region = environment.removeprefix("aws://").partition("/")
    return Place(
        default.account if account in ("", "unknown-account") else account,
        default.region if region in ("", "unknown-region") else region,
    )


def _in_order(stacks: list[StackArtifact]) -> list[StackArtifact]:
    """Sorts by dependency; a need may also name a stage, which stands for all its stacks."""
    ordered: list[StackArtifact] = []
    waiting = list(stacks)
    while waiting:
        left = [stack.path for stack in waiting]
        ready = [
            stack
            for stack in waiting
            if not any(_covers(need, path) for need in stack.needs for path in left)
        ]
        if not ready:
            raise AssemblyUnreadable(f"The stacks {', '.join(left)} depend on each other.")
        ordered += ready
        waiting = [stack for stack in waiting if stack not in ready]
    return ordered


def _covers(need: str, path: str) -> bool:
    return path == need or path.startswith(f"{need}/")


def _json(file: Path) -> dict[str, Any]:
    try:
        document = json.loads(file.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise AssemblyUnreadable(
            f"{file} does not exist: synthesize first (`npx cdk synth -c env=local`)."
        ) from None
    except json.JSONDecodeError as error:
        raise AssemblyUnreadable(f"{file} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise AssemblyUnreadable(f"{file} is not a JSON object.")
    return document
