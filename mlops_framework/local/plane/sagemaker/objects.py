"""Between S3 and a job's folder: channels and inputs down, artefacts and outputs up."""

from __future__ import annotations

import tarfile
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.runner import archives


class DataError(Exception):
    """Data of a job is not there, or not readable; the text is a FailureReason."""


def split(uri: str) -> tuple[str, str]:
    """Bucket and key of an `s3://` address.

    Raises:
        DataError: it is no such address.
    """
    parts = urlsplit(uri)
    if parts.scheme != "s3" or not parts.netloc:
        raise DataError(f"ClientError: {uri!r} is not an S3 URI of the form s3://bucket/key.")
    return parts.netloc, parts.path.lstrip("/")


def download(client: Any, uri: str, folder: Path, *, role: str, region: str) -> int:
    """Fetch everything below an S3 prefix.

    Args:
        client: boto3's S3 client.
        uri: a prefix or one object; as in SageMaker, matched as text.
        folder: where the objects go, by what follows the prefix in their keys.
        role: the job's role, for the message.
        region: the region, for the message.

    Returns:
        The number of objects.

    Raises:
        DataError: nothing is there, or it cannot be read.
    """
    bucket, prefix = split(uri)
    folder.mkdir(parents=True, exist_ok=True)
    found = 0
    try:
        for listed in client.get_paginator("list_objects_v2").paginate(
            Bucket=bucket, Prefix=prefix
        ):
            for item in listed.get("Contents", []):
                if item["Key"].endswith("/"):
                    continue
                target = folder / relative(item["Key"], prefix)
                target.parent.mkdir(parents=True, exist_ok=True)
                client.download_file(bucket, item["Key"], str(target))
                found += 1
    except (ClientError, BotoCoreError) as error:
        raise DataError(_nothing(uri, bucket, role, region, f" Error from S3: {error}")) from error
    if not found:
        raise DataError(_nothing(uri, bucket, role, region, ""))
    return found


def fetch(client: Any, uri: str, target: Path) -> None:
    """Fetch one object.

    Raises:
        DataError: it is not there, or cannot be read.
    """
    bucket, key = split(uri)
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        client.download_file(bucket, key, str(target))
    except (ClientError, BotoCoreError) as error:
        raise DataError(f"ClientError: {uri} cannot be read: {error}") from error


def unpack(archive: Path, folder: Path, *, told_as: str) -> None:
    """Unpack a model archive; nothing is written outside the folder.

    Raises:
        DataError: it is not a gzipped tar archive.
    """
    folder.mkdir(parents=True, exist_ok=True)
    try:
        archives.unpack(archive, folder)
    except (tarfile.TarError, OSError, EOFError) as error:
        raise DataError(
            f"ClientError: {told_as} cannot be unpacked as a tar.gz archive: {error}"
        ) from error


def upload_archive(client: Any, folder: Path, uri: str, kms_key: str | None) -> None:
    """Put a folder's content into S3 as one tar.gz.

    Args:
        client: boto3's S3 client.
        folder: what goes in, without its own name.
        uri: the object.
        kms_key: encrypts it, where given.
    """
    bucket, key = split(uri)
    with tempfile.TemporaryDirectory(dir=folder.parent) as place:
        archive = Path(place) / "archive.tar.gz"
        # Level 6 is gzip's own default; Python's 9 takes three times as long for a percent.
        with tarfile.open(archive, "w:gz", compresslevel=6) as tar:
            for entry in sorted(folder.iterdir()):
                tar.add(entry, arcname=entry.name)
        client.upload_file(str(archive), bucket, key, ExtraArgs=_encryption(kms_key))


def upload_folder(client: Any, folder: Path, uri: str, kms_key: str | None) -> None:
    """Put every file of a folder below an S3 prefix."""
    bucket, prefix = split(uri.rstrip("/"))
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        key = "/".join(filter(None, [prefix, file.relative_to(folder).as_posix()]))
        client.upload_file(str(file), bucket, key, ExtraArgs=_encryption(kms_key))


def relative(key: str, prefix: str) -> str:
    """What of a key stands below a prefix: the path by which an object is called in a job."""
    if key == prefix:
        return key.rsplit("/", 1)[-1]
    if key.startswith(prefix.rstrip("/") + "/") or not prefix:
        return key[len(prefix) :].lstrip("/")
    # The prefix ends inside a name: what counts is the folder it stands in.
    return key[prefix.rfind("/") + 1 :]


def _nothing(uri: str, bucket: str, role: str, region: str, more: str) -> str:
    return (
        f'ClientError: Data download failed:No S3 objects found under S3 URL "{uri}" given in '
        f"input data source. Please ensure that the bucket exists in the selected region "
        f"({region}), that objects exist under that S3 prefix, and that the role "
        f'"{role}" has "s3:ListBucket" permissions on bucket "{bucket}".{more}'
    )


def _encryption(kms_key: str | None) -> Mapping[str, str]:
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": kms_key} if kms_key else {}
