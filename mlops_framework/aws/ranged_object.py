"""An S3 object as a file that can be read from any place, by ranges."""

from __future__ import annotations

import io
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.errors import ObjectMissing

_ABSENT: Final = ("NoSuchKey", "NoSuchBucket", "404")
_CHANGED: Final = ("PreconditionFailed", "412")


class RangedObject(io.RawIOBase):
    """One object as it was when it was opened; should it be replaced meanwhile, reading fails.

    Args:
        client: An S3 client.
        bucket: The bucket.
        key: The key.

    Raises:
        ObjectMissing: If it does not exist.
    """

    def __init__(self, client: Any, bucket: str, key: str) -> None:
        self._client, self._bucket, self._key = client, bucket, key
        place = f"s3://{bucket}/{key}"

        def missing(_: str) -> ObjectMissing:
            return ObjectMissing(
                f"{place} does not exist; upload it, or correct the monitor's request."
            )

        with refusals("S3", "HeadObject", dict.fromkeys(_ABSENT, missing)):
            head = client.head_object(Bucket=bucket, Key=key)
        self._size, self._tag = int(head["ContentLength"]), str(head["ETag"])
        self._changed = dict.fromkeys(
            (*_ABSENT, *_CHANGED),
            lambda _: ObjectMissing(f"{place} was replaced while it was read; try again."),
        )
        self._at = 0

    def readable(self) -> bool:
        """Yes."""
        return True

    def seekable(self) -> bool:
        """Yes."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Go to another place."""
        base = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, base + offset)
        return self._at

    def readinto(self, buffer: Any) -> int:
        """Fetch as many bytes as fit."""
        last = min(self._at + len(buffer), self._size) - 1
        if last < self._at:
            return 0
        with refusals("S3", "GetObject", self._changed):
            answer = self._client.get_object(
                Bucket=self._bucket,
                Key=self._key,
                Range=f"bytes={self._at}-{last}",
                IfMatch=self._tag,
            )
            data: bytes = answer["Body"].read()
        buffer[: len(data)] = data
        self._at += len(data)
        return len(data)
