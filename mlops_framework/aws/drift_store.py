"""Drift monitoring's objects in S3: captures and training data in, documents in and out."""

from __future__ import annotations

import codecs
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, BinaryIO, Final
from urllib.parse import urlencode

from mlops_framework.aws.ranged_object import RangedObject
from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.ageing import TAG, age_of
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.errors import DocumentInvalid, ObjectMissing, StateConflict
from mlops_framework.drift.objects import ObjectVersion

_CHUNK_BYTES: Final = 1 << 20
_CAPTURE_BYTES: Final = 1 << 23
_RANGE_BYTES: Final = 1 << 22
_READERS: Final = 10
"""Profiles are small: reading them is waiting, so it is done side by side, one reader for each of
the ten connections that a client keeps."""

_ABSENT: Final = {"NoSuchKey": ObjectMissing, "NoSuchVersion": ObjectMissing, "404": ObjectMissing}
_CONFLICT: Final = {
    "PreconditionFailed": StateConflict,
    "ConditionalRequestConflict": StateConflict,
    "NoSuchKey": StateConflict,
}


class S3Sources:
    """The port ``Sources``.

    Args:
        client: An S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def captured(self, source: ObjectVersion) -> Iterator[bytes]:
        """See ``Sources.captured``.

        The newest version is read: capture objects are written once, and should one be replaced,
        its own event follows.
        """
        chunks: Iterator[bytes] = self._body(source.bucket, source.key).iter_chunks(_CAPTURE_BYTES)
        return chunks

    def opened(self, location: S3Location) -> BinaryIO:
        """See ``Sources.opened``: ranges of the object, some megabytes at a time."""
        raw = RangedObject(self._client, location.bucket, location.key)
        return io.BufferedReader(raw, _RANGE_BYTES)

    def table_lines(self, location: S3Location) -> Iterator[str]:
        """See ``Sources.table_lines``."""
        body = self._body(location.bucket, location.key)
        return _decoded_lines(body.iter_chunks(_CHUNK_BYTES), str(location))

    def _body(self, bucket: str, key: str) -> Any:
        place = f"s3://{bucket}/{key}"

        def missing(_: str) -> ObjectMissing:
            return ObjectMissing(
                f"{place} does not exist; upload it, or correct the monitor's request."
            )

        with refusals("S3", "GetObject", dict.fromkeys((*_ABSENT, "NoSuchBucket"), missing)):
            return self._client.get_object(Bucket=bucket, Key=key)["Body"]


class S3Store:
    """The port ``Store``; encryption is the bucket's default, and so is how long objects stay.

    Args:
        client: An S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, bucket: str, key: str) -> Mapping[str, Any] | None:
        """See ``Store.read``."""
        return self._read(bucket, key)[0]

    def read_all(self, bucket: str, keys: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """See ``Store.read_all``."""
        if not keys:
            return []
        with ThreadPoolExecutor(min(_READERS, len(keys))) as pool:
            found = pool.map(lambda key: self.read(bucket, key), keys)
            return [document for document in found if document is not None]

    def write(self, bucket: str, key: str, text: str, media_type: str) -> None:
        """See ``Store.write``."""
        with refusals("S3", "PutObject"):
            self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=text.encode(),
                ContentType=media_type,
                **_tagging(key),
            )

    def read_bytes(self, bucket: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """See ``Store.read_bytes``."""
        if not keys:
            return {}
        with ThreadPoolExecutor(min(_READERS, len(keys))) as pool:
            found = pool.map(lambda key: self._bytes(bucket, key), keys)
            return {key: data for key, data in zip(keys, found, strict=True) if data is not None}

    def write_bytes(self, bucket: str, key: str, data: bytes, media_type: str) -> None:
        """See ``Store.write_bytes``."""
        with refusals("S3", "PutObject"):
            self._client.put_object(
                Bucket=bucket, Key=key, Body=data, ContentType=media_type, **_tagging(key)
            )

    def keys(self, bucket: str, prefix: str) -> Iterable[str]:
        """See ``Store.keys``."""
        pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
        with refusals("S3", "ListObjectsV2"):
            return [entry["Key"] for page in pages for entry in page.get("Contents", ())]

    def read_state(self, bucket: str, key: str) -> tuple[Mapping[str, Any] | None, str]:
        """See ``Store.read_state``; the tag is the ETag, empty for an absent object."""
        return self._read(bucket, key)

    def write_state(self, bucket: str, key: str, text: str, tag: str) -> str:
        """See ``Store.write_state``: a conditional write, refused by S3 if the object changed."""
        condition = {"IfMatch": tag} if tag else {"IfNoneMatch": "*"}
        with refusals("S3", "PutObject", _CONFLICT):
            answer = self._client.put_object(
                Bucket=bucket,
                Key=key,
                Body=text.encode(),
                ContentType="application/json",
                **condition,
            )
        return str(answer["ETag"])

    def _bytes(self, bucket: str, key: str) -> bytes | None:
        try:
            with refusals("S3", "GetObject", _ABSENT):
                data: bytes = self._client.get_object(Bucket=bucket, Key=key)["Body"].read()
        except ObjectMissing:
            return None
        return data

    def _read(self, bucket: str, key: str) -> tuple[Mapping[str, Any] | None, str]:
        try:
            with refusals("S3", "GetObject", _ABSENT):
                answer = self._client.get_object(Bucket=bucket, Key=key)
        except ObjectMissing:
            return None, ""
        text = answer["Body"].read()
        try:
            document: Mapping[str, Any] = json.loads(text)
        except ValueError as error:
            raise DocumentInvalid(f"s3://{bucket}/{key} is not JSON ({error}).") from error
        return document, str(answer["ETag"])


def _tagging(key: str) -> Mapping[str, str]:
    """The tag that the bucket's lifecycle rules know an object by; none for what stays."""
    age = age_of(key)
    return {} if age is None else {"Tagging": urlencode({TAG: age})}


def _decoded_lines(chunks: Iterable[bytes], place: str) -> Iterator[str]:
    """Lines of a streamed UTF-8 text, their ends kept; only line feeds end a line."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    rest = ""
    try:
        for chunk in chunks:
            *lines, rest = (rest + decoder.decode(chunk)).split("\n")
            for line in lines:
                yield f"{line}\n"
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as error:
        raise DocumentInvalid(f"{place} is not UTF-8 text ({error}).") from error
    if rest:
        yield rest
