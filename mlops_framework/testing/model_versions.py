"""Versions of a model registry in memory."""

from __future__ import annotations

from collections.abc import Mapping

_PACKAGES = "arn:aws:sagemaker:us-east-1:111122223333:model-package"


class InMemoryModelVersions:
    """The port ``ModelVersions``; ``statuses`` holds the approval status by ARN."""

    def __init__(self, statuses: Mapping[str, str] | None = None) -> None:
        self.statuses = dict(statuses or {})

    def decide(self, group: str, version: int, status: str = "Approved") -> str:
        """Approve or reject a version; its ARN."""
        arn = f"{_PACKAGES}/{group}/{version}"
        self.statuses[arn] = status
        return arn

    def newest_approved(self, group: str) -> str | None:
        """See ``ModelVersions.newest_approved``."""
        versions = {
            int(arn.rpartition("/")[2]): arn
            for arn, status in self.statuses.items()
            if status == "Approved" and f"/{group}/" in arn
        }
        return versions[max(versions)] if versions else None
