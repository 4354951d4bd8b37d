"""Versions in SageMaker's model registry."""

from __future__ import annotations

from typing import Any, Final

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import ServiceRefused

_SERVICE: Final = "SageMaker"
# ListModelPackages has one code for every fault; only its text names this one.
_NO_SUCH_GROUP: Final = ("does not exist", "Could not find", "not found")


class _Rejected(Exception):
    """A ValidationException, before its text has been looked at."""


class SageMakerModelVersions:
    """The port ``ModelVersions``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def newest_approved(self, group: str) -> str | None:
        """See ``ModelVersions.newest_approved``."""
        conditions = {"ValidationException": _Rejected, "ResourceNotFound": _Rejected}
        try:
            with refusals(_SERVICE, "ListModelPackages", conditions):
                answer = self._client.list_model_packages(
                    ModelPackageGroupName=group,
                    ModelApprovalStatus="Approved",
                    SortBy="CreationTime",
                    SortOrder="Descending",
                    MaxResults=100,
                )
        except _Rejected as rejected:
            if any(words in str(rejected) for words in _NO_SUCH_GROUP):
                return None
            raise ServiceRefused(
                _SERVICE, "ListModelPackages", "ValidationException", str(rejected)
            ) from rejected
        listed = [
            package
            for package in answer["ModelPackageSummaryList"]
            if package.get("ModelPackageStatus", "Completed") == "Completed"
        ]
        # By number and not by time: two versions may be registered within one second.
        newest = max(listed, key=lambda package: package["ModelPackageVersion"], default=None)
        return str(newest["ModelPackageArn"]) if newest else None
