"""Objects of one S3 bucket."""

from __future__ import annotations

from typing import Any

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import ObjectExists

_MISSING = {"404": FileNotFoundError, "NoSuchKey": FileNotFoundError}
_EXISTS = {"PreconditionFailed": ObjectExists}


class S3Objects:
    """The port ``ObjectStore``; encryption is the bucket's default.

    Args:
        client: An S3 client.
        bucket: Name of the bucket.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, key: str, body: bytes, *, content_type: str) -> None:
        """See ``ObjectStore.put``."""
        with refusals("S3", "PutObject"):
            self._client.put_object(
                Bucket=self._bucket, Key=key, Body=body, ContentType=content_type
            )

    def put_once(self, key: str, body: bytes, *, content_type: str) -> bool:
        """See ``ObjectStore.put_once``."""
        try:
            with refusals("S3", "PutObject", _EXISTS):
                self._client.put_object(
                    Bucket=self._bucket,
                    Key=key,
                    Body=body,
                    ContentType=content_type,
                    IfNoneMatch="*",
                )
        except ObjectExists:
            return False
        return True

    def exists(self, key: str) -> bool:
        """See ``ObjectStore.exists``."""
        try:
            with refusals("S3", "HeadObject", _MISSING):
                self._client.head_object(Bucket=self._bucket, Key=key)
        except FileNotFoundError:
            return False
        return True

    def delete(self, key: str) -> None:
        """See ``ObjectStore.delete``."""
        with refusals("S3", "DeleteObject"):
            self._client.delete_object(Bucket=self._bucket, Key=key)
