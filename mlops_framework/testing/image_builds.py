"""CodeBuild and ECR in memory, as the image check of delivery sees them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from mlops_framework.delivery.image_build import ImageBuild
from mlops_framework.delivery.image_scan import Scan


class InMemoryImageBuilds:
    """The port ``ImageBuilds``; a started build goes on until :meth:`finish`.

    A build without variables pushes ``digest`` under ``source_tag``; a releasing one adds ``tag``.
    ``refusal`` is raised by every call while it is set.
    """

    def __init__(self, *, digest: str = "sha256:new", source_tag: str = "source-1") -> None:
        self.digest_of_source = digest
        self.source_tag = source_tag
        self.builds: dict[str, ImageBuild] = {}
        self.variables: dict[str, dict[str, str]] = {}
        self.images: dict[str, dict[str, str]] = {}
        self.scans: dict[str, Scan] = {}
        self.scans_asked: list[str] = []
        self.refusal: Exception | None = None
        self._by_token: dict[str, str] = {}

    def keep_repository(self, name: str) -> None:
        """See ``ImageBuilds.keep_repository``."""
        self._refuse()
        self.images.setdefault(name, {})

    def start(self, project: str, *, token: str, variables: Mapping[str, str]) -> str:
        """See ``ImageBuilds.start``."""
        self._refuse()
        if token not in self._by_token:
            build = f"{project}:build-{len(self.builds) + 1}"
            self._by_token[token] = build
            self.builds[build] = ImageBuild(build, "IN_PROGRESS", "BUILD")
            self.variables[build] = dict(variables)
        return self._by_token[token]

    def look(self, build: str) -> ImageBuild:
        """See ``ImageBuilds.look``."""
        self._refuse()
        return self.builds[build]

    def finish(
        self, repository: str, status: str = "SUCCEEDED", *, reason: str = "", tag: str = ""
    ) -> None:
        """End every build that runs, with what it leaves in the repository."""
        for name, build in self.builds.items():
            if build.status != "IN_PROGRESS":
                continue
            exported: dict[str, str] = {}
            if status == "SUCCEEDED" and self.variables[name].get("STEP") == "release":
                self.images[repository].setdefault(tag, self.variables[name]["IMAGE_DIGEST"])
            elif status == "SUCCEEDED":
                images = self.images[repository]
                built = "no" if self.source_tag in images else "yes"
                digest = images.setdefault(self.source_tag, self.digest_of_source)
                exported = {
                    "IMAGE_DIGEST": digest,
                    "SOURCE_TAG": self.source_tag,
                    "IMAGE_BUILT": built,
                }
            self.builds[name] = replace(build, status=status, reason=reason, exported=exported)

    def digest(self, repository: str, tag: str) -> str:
        """See ``ImageBuilds.digest``."""
        self._refuse()
        return self.images[repository].get(tag, "")

    def scan(self, repository: str, digest: str) -> Scan:
        """See ``ImageBuilds.scan``."""
        self._refuse()
        return self.scans.get(digest, Scan(""))

    def start_scan(self, repository: str, digest: str) -> None:
        """See ``ImageBuilds.start_scan``."""
        self.scans_asked.append(digest)

    def uri(self, repository: str) -> str:
        """See ``ImageBuilds.uri``."""
        return f"111122223333.dkr.ecr.us-east-1.amazonaws.com/{repository}"

    def _refuse(self) -> None:
        if self.refusal is not None:
            raise self.refusal
