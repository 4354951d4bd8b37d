"""Artifacts: zip files in the pipeline's bucket."""

from __future__ import annotations

import io
import secrets
import zipfile
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any


@dataclass(frozen=True)
class Artifact:
    """Where an artifact lies.

    Attributes:
        name: Its name in the pipeline.
        bucket: The pipeline's artifact bucket.
        key: The object.
        revision: The source revision it stems from, where known.
    """

    name: str
    bucket: str
    key: str
    revision: str | None = None

    def to_record(self) -> dict[str, Any]:
        """A form that a store holds; ``Artifact(**record)`` reads it."""
        return asdict(self)


class ArtifactStore:
    """The artifact bucket of one pipeline."""

    def __init__(self, s3: Any, pipeline: str, declaration: Mapping[str, Any]) -> None:
        """Reads where artifacts go.

        Args:
            s3: A boto3 client.
            pipeline: The pipeline's name.
            declaration: The pipeline's ``artifactStore``.
        """
        self._s3 = s3
        self._pipeline = pipeline
        self.bucket = str(declaration["location"])
        self.encryption_key = declaration.get("encryptionKey")

    def new_key(self, name: str) -> str:
        """A fresh object key, in CodePipeline's form: pipeline, artifact, random."""
        return f"{self._pipeline[:20]}/{name[:10]}/{secrets.token_hex(4)[:7]}"

    def put(self, name: str, content: bytes, revision: str | None = None) -> Artifact:
        """Stores an artifact.

        Args:
            name: Its name in the pipeline.
            content: The zip file.
            revision: The source revision it stems from.
        """
        key = self.new_key(name)
        encryption: dict[str, str] = {}
        if self.encryption_key:
            # Without a key of the pipeline's the bucket's own default encryption applies.
            encryption["ServerSideEncryption"] = "aws:kms"
            encryption["SSEKMSKeyId"] = str(self.encryption_key["id"])
        self._s3.put_object(Bucket=self.bucket, Key=key, Body=content, **encryption)
        return Artifact(name, self.bucket, key, revision)

    def read(self, artifact: Artifact) -> bytes:
        """The artifact's content."""
        found = self._s3.get_object(Bucket=artifact.bucket, Key=artifact.key)
        return bytes(found["Body"].read())

    def files(self, artifact: Artifact) -> dict[str, bytes]:
        """The files of a zipped artifact; empty when it is no zip file."""
        content = io.BytesIO(self.read(artifact))
        if not zipfile.is_zipfile(content):
            return {}
        with zipfile.ZipFile(content) as archive:
            return {
                name: archive.read(name) for name in archive.namelist() if not name.endswith("/")
            }


def zipped(files: Mapping[str, bytes]) -> bytes:
    """Packs files into one zip."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in sorted(files.items()):
            archive.writestr(name, content)
    return packed.getvalue()
