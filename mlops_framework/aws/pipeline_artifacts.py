"""Artifacts that a CodePipeline hands from action to action: zip files in its bucket."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.documents import archive
from mlops_framework.orchestration.git_delivery import FolderRefused
from mlops_framework.orchestration.request_files import is_request_file

LIMIT: Final = 200 * 1024 * 1024
"""Bytes of an archive that a function reads; a repository of request files has a thousandth."""
_FILE_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True)
class Artifact:
    """Where an artifact lies."""

    bucket: str
    key: str


class ArtifactTooLarge(FolderRefused):
    """The archive, or a request file in it, is larger than a function reads."""


class ArtifactUnreadable(FolderRefused):
    """The archive is no zip file."""


class PipelineArtifacts:
    """Reads and writes artifacts; their encryption is the bucket's default.

    Args:
        client: An S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, artifact: Artifact, *, below: str = "") -> dict[str, str]:
        """Text files of an archive by their paths.

        Args:
            artifact: The archive.
            below: Folder that is looked at, with its slash; everything if empty.

        Raises:
            ArtifactTooLarge: Past 200 MB, or 1 MiB of a request file.
            ArtifactUnreadable: If it is no zip file.
        """
        with refusals("S3", "GetObject"):
            answer = self._client.get_object(Bucket=artifact.bucket, Key=artifact.key)
            size = answer["ContentLength"]
            if size > LIMIT:
                raise ArtifactTooLarge(
                    f"The repository's archive has {size} bytes; at most {LIMIT} are read. Keep "
                    "the request files in a repository of their own."
                )
            content = answer["Body"].read()
        try:
            with zipfile.ZipFile(io.BytesIO(content)) as files:
                return {name: _text(files, entry) for name, entry in _wanted(files, below)}
        except zipfile.BadZipFile:
            raise ArtifactUnreadable(
                "The source is no zip file. Make one with: git archive --format=zip -o NAME.zip "
                "HEAD. Nothing was changed."
            ) from None

    def write(self, artifact: Artifact, files: Mapping[str, str]) -> None:
        """Write an archive."""
        with refusals("S3", "PutObject"):
            self._client.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=archive(files))


def _wanted(files: zipfile.ZipFile, below: str) -> Iterator[tuple[str, zipfile.ZipInfo]]:
    """Files of the folder. A request file too large to be read must not count as removed."""
    for entry in files.infolist():
        if entry.is_dir() or not entry.filename.startswith(below):
            continue
        if entry.file_size <= _FILE_LIMIT:
            yield entry.filename, entry
        elif is_request_file(entry.filename):
            raise ArtifactTooLarge(
                f"{entry.filename} has {entry.file_size} bytes; a request file has at most "
                f"{_FILE_LIMIT}. Nothing was changed."
            )


def _text(files: zipfile.ZipFile, entry: zipfile.ZipInfo) -> str:
    return files.read(entry).decode("utf-8-sig", errors="surrogateescape")
