"""Listing captured objects with their versions, and starting the distributed run."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.drift.config import S3Location
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.windows import instant
from mlops_framework.errors import FrameworkFault

_UNVERSIONED: Final = "null"


class _Started(FrameworkFault):
    """There is a run of that name."""


class S3Listing:
    """The port ``Listing``.

    Args:
        client: An S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def versions(self, folder: S3Location) -> Iterator[tuple[ObjectVersion, int]]:
        """See ``Listing.versions``; named as S3's events name them."""
        pages = self._client.get_paginator("list_object_versions").paginate(
            Bucket=folder.bucket, Prefix=_slash(folder.key)
        )
        with refusals("S3", "ListObjectVersions"):
            for page in pages:
                for entry in page.get("Versions", ()):
                    if entry["IsLatest"]:
                        yield _version(folder.bucket, entry), entry["Size"]

    def folders(self, folder: S3Location) -> Sequence[str]:
        """See ``Listing.folders``."""
        pages = self._client.get_paginator("list_objects_v2").paginate(
            Bucket=folder.bucket, Prefix=_slash(folder.key), Delimiter="/"
        )
        with refusals("S3", "ListObjectsV2"):
            return [each["Prefix"] for page in pages for each in page.get("CommonPrefixes", ())]


class MachineDistribution:
    """The port ``Distribution``: an execution of the platform's state machine.

    Args:
        client: A Step Functions client.
        machine: ARN of the state machine.
    """

    def __init__(self, client: Any, machine: str) -> None:
        self._client = client
        self._machine = machine

    def start(self, monitor: str, since: datetime, until: datetime, *, name: str) -> None:
        """See ``Distribution.start``."""
        asked = {"monitor": monitor, "from": instant(since), "to": instant(until)}
        try:
            with refusals("Step Functions", "StartExecution", {"ExecutionAlreadyExists": _Started}):
                self._client.start_execution(
                    stateMachineArn=self._machine, name=name, input=json.dumps(asked)
                )
        except _Started:
            return


def _version(bucket: str, entry: dict[str, Any]) -> ObjectVersion:
    """As in an event: the version, or the ETag where the bucket keeps no versions."""
    version = entry["VersionId"]
    if version == _UNVERSIONED:
        version = entry["ETag"].strip('"')
    return ObjectVersion(bucket, entry["Key"], version)


def _slash(key: str) -> str:
    return key if key.endswith("/") else f"{key}/"
