"""The objects of a transform job: what it reads, what it writes, what it records of both."""

from __future__ import annotations

import json
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import now

SUFFIX = ".out"


@dataclass(frozen=True)
class InputObject:
    """One object that a job transforms.

    Attributes:
        bucket: where it is.
        key: all of its key.
        path: the part of the key by which its output is called.
    """

    bucket: str
    key: str
    path: str

    @property
    def folder(self) -> str:
        """S3 address of what stands before `path`."""
        return f"s3://{self.bucket}/{self.key.removesuffix(self.path)}"

    def read(self, client: Any) -> bytes:
        """Its content.

        Raises:
            DataError: it is not there, or cannot be read.
        """
        try:
            return bytes(client.get_object(Bucket=self.bucket, Key=self.key)["Body"].read())
        except (ClientError, BotoCoreError) as error:
            raise objects.DataError(f"it cannot be read: {error}") from error


def input_objects(client: Any, job: Mapping[str, Any], region: str) -> list[InputObject]:
    """What a job transforms, in the order of the keys or of the manifest.

    Args:
        client: boto3's S3 client.
        job: the CreateTransformJob request.
        region: for the message.

    Raises:
        DataError: nothing is there, or the manifest is none.
    """
    source = job["TransformInput"]["DataSource"]["S3DataSource"]
    bucket, key = objects.split(source["S3Uri"])
    if source["S3DataType"] == "ManifestFile":
        return _of_manifest(client, bucket, key)
    found: list[InputObject] = []
    try:
        for listed in client.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=key):
            found += [
                InputObject(bucket, item["Key"], objects.relative(item["Key"], key))
                for item in listed.get("Contents", [])
                if not item["Key"].endswith("/")
            ]
    except (ClientError, BotoCoreError) as error:
        raise objects.DataError(f"{source['S3Uri']} cannot be listed: {error}") from error
    if not found:
        raise objects.DataError(
            f'No S3 objects found under S3 URL "{source["S3Uri"]}" given in input data source. '
            f"Please ensure that the bucket exists in the selected region ({region}), that objects "
            f"exist under that S3 prefix, and that the model's role may list the bucket."
        )
    return found


def write(client: Any, output: Mapping[str, Any], source: InputObject, body: bytes) -> None:
    """Put an object's predictions where TransformOutput says."""
    bucket, prefix = objects.split(output["S3OutputPath"].rstrip("/"))
    key = "/".join(filter(None, [prefix, source.path])) + SUFFIX
    client.put_object(Bucket=bucket, Key=key, Body=body, **_encryption(output))


def capture(client: Any, job: Mapping[str, Any], sources: Sequence[InputObject]) -> None:
    """Record what was read and written, as batch transform does: two manifests, not the data.

    They are ``<destination>/input|output/yyyy/mm/dd/HH/<uuid>.json``, each a list that begins with
    the folder of the objects it names.
    """
    config = job["DataCaptureConfig"]
    bucket, prefix = objects.split(config["DestinationS3Uri"].rstrip("/"))
    hour, target = f"{now():%Y/%m/%d/%H}", job["TransformOutput"]["S3OutputPath"].rstrip("/")
    outputs = [{"prefix": f"{target}/"}, *(source.path + SUFFIX for source in sources)]
    manifests = [("output", outputs)]
    for folder in dict.fromkeys(source.folder for source in sources):
        inside = [source.path for source in sources if source.folder == folder]
        manifests.append(("input", [{"prefix": folder}, *inside]))
    for side, manifest in manifests:
        client.put_object(
            Bucket=bucket,
            Key="/".join(filter(None, [prefix, side, hour, f"{uuid.uuid4()}.json"])),
            Body=json.dumps(manifest).encode(),
            **_encryption(config),
        )


def _of_manifest(client: Any, bucket: str, key: str) -> list[InputObject]:
    told = f"the manifest s3://{bucket}/{key}"
    try:
        content = json.loads(client.get_object(Bucket=bucket, Key=key)["Body"].read())
    except (ClientError, BotoCoreError) as error:
        raise objects.DataError(f"{told} cannot be read: {error}") from error
    except ValueError as error:
        raise objects.DataError(f"{told} is no JSON: {error}") from None
    head = content[0] if isinstance(content, list) and content else None
    if not isinstance(head, dict) or not isinstance(head.get("prefix"), str):
        raise objects.DataError(f'{told} does not begin with {{"prefix": "s3://…"}}.')
    if len(content) == 1 or not all(isinstance(path, str) for path in content[1:]):
        raise objects.DataError(f"{told} names no objects after its prefix.")
    home, prefix = objects.split(head["prefix"])
    return [InputObject(home, prefix + path, path) for path in content[1:]]


def _encryption(place: Mapping[str, Any]) -> dict[str, str]:
    key = place.get("KmsKeyId")
    return {"ServerSideEncryption": "aws:kms", "SSEKMSKeyId": key} if key else {}
