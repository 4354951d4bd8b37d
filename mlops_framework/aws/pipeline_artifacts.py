"""Artifacts that a CodePipeline hands from action to action: zip files in its bucket."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.documents import archive

LIMIT: Final = 200 * 1024 * 1024
"""Bytes of an archive that a function reads; a repository of request files has a thousandth."""
_FILE_LIMIT: Final = 1024 * 1024


@dataclass(frozen=True)
class Artifact:
    """Where an artifact lies."""

    bucket: str
    key: str


class ArtifactTooLarge(Exception):
    """The archive is larger than a function reads."""


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
            ArtifactTooLarge: Past 200 MB.
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
        with zipfile.ZipFile(io.BytesIO(content)) as files:
            return {
                entry.filename: files.read(entry).decode("utf-8-sig", errors="replace")
                for entry in files.infolist()
                if not entry.is_dir()
                and entry.filename.startswith(below)
                and entry.file_size <= _FILE_LIMIT
            }

    def write(self, artifact: Artifact, files: Mapping[str, str]) -> None:
        """Write an archive."""
        with refusals("S3", "PutObject"):
            self._client.put_object(Bucket=artifact.bucket, Key=artifact.key, Body=archive(files))
