"""CodeBuild and ECR as the image check of delivery sees them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlops_framework import naming
from mlops_framework.aws.refusals import refusals
from mlops_framework.delivery.image_build import ImageBuild
from mlops_framework.delivery.image_scan import Finding, Scan
from mlops_framework.errors import FrameworkFault
from mlops_framework.orchestration.errors import ServiceRefused

_CODEBUILD: Final = "CodeBuild"
_ECR: Final = "ECR"
_UNTAGGED_DAYS: Final = 14
_LIFECYCLE: Final = {
    "rules": [
        {
            "rulePriority": 1,
            # Untagged alone: an endpoint may run any image that has a tag, and starts no further
            # instance once its image is gone.
            "description": f"Untagged images go after {_UNTAGGED_DAYS} days",
            "selection": {
                "tagStatus": "untagged",
                "countType": "sinceImagePushed",
                "countUnit": "days",
                "countNumber": _UNTAGGED_DAYS,
            },
            "action": {"type": "expire"},
        }
    ]
}


class _Condition(FrameworkFault):
    """An answer that this adapter handles itself."""


class CodeBuildImages:
    """The port ``ImageBuilds``.

    Args:
        codebuild: A CodeBuild client.
        ecr: An ECR client.
        environment: Prefix of the environment, the tag of what is made here.
        key_arn: Key that new repositories are encrypted with.
    """

    def __init__(self, codebuild: Any, ecr: Any, *, environment: str, key_arn: str) -> None:
        self._codebuild = codebuild
        self._ecr = ecr
        self._tags = [{"Key": naming.ENVIRONMENT_TAG, "Value": environment}]
        self._key_arn = key_arn

    def keep_repository(self, name: str) -> None:
        """See ``ImageBuilds.keep_repository``."""
        if self._repository(name):
            return
        try:
            with refusals(
                _ECR, "CreateRepository", {"RepositoryAlreadyExistsException": _Condition}
            ):
                self._ecr.create_repository(
                    repositoryName=name,
                    tags=self._tags,
                    imageTagMutability="IMMUTABLE",
                    imageScanningConfiguration={"scanOnPush": True},
                    encryptionConfiguration={"encryptionType": "KMS", "kmsKey": self._key_arn},
                )
        except _Condition:
            return  # Another stage made it meanwhile.
        with refusals(_ECR, "PutLifecyclePolicy"):
            self._ecr.put_lifecycle_policy(
                repositoryName=name, lifecyclePolicyText=json.dumps(_LIFECYCLE)
            )

    def start(self, project: str, *, token: str, variables: Mapping[str, str]) -> str:
        """See ``ImageBuilds.start``."""
        with refusals(_CODEBUILD, "StartBuild"):
            answer = self._codebuild.start_build(
                projectName=project,
                idempotencyToken=token,
                environmentVariablesOverride=[
                    {"name": name, "value": value, "type": "PLAINTEXT"}
                    for name, value in variables.items()
                ],
            )
        return str(answer["build"]["id"])

    def look(self, build: str) -> ImageBuild:
        """See ``ImageBuilds.look``."""
        with refusals(_CODEBUILD, "BatchGetBuilds"):
            found = self._codebuild.batch_get_builds(ids=[build])["builds"]
        if not found:
            raise ServiceRefused(_CODEBUILD, "BatchGetBuilds", "NotFound", f"no build {build}")
        (one,) = found
        failed = [phase for phase in one.get("phases", ()) if _is_failure(phase)]
        reasons = [
            context["message"]
            for phase in failed
            for context in phase.get("contexts", ())
            if context.get("message")
        ]
        return ImageBuild(
            id=build,
            status=one["buildStatus"],
            phase=failed[0]["phaseType"] if failed else one.get("currentPhase", ""),
            reason="; ".join(reasons),
            exported={
                variable["name"]: variable["value"]
                for variable in one.get("exportedEnvironmentVariables", ())
            },
            log=one.get("logs", {}).get("deepLink", ""),
        )

    def digest(self, repository: str, tag: str) -> str:
        """See ``ImageBuilds.digest``."""
        try:
            with refusals(_ECR, "DescribeImages", {"ImageNotFoundException": _Condition}):
                found = self._ecr.describe_images(
                    repositoryName=repository, imageIds=[{"imageTag": tag}]
                )
        except _Condition:
            return ""
        details = found["imageDetails"]
        return str(details[0]["imageDigest"]) if details else ""

    def scan(self, repository: str, digest: str) -> Scan:
        """See ``ImageBuilds.scan``."""
        status = description = ""
        findings: list[Finding] = []
        more: dict[str, str] = {}
        while True:
            try:
                with refusals(
                    _ECR, "DescribeImageScanFindings", {"ScanNotFoundException": _Condition}
                ):
                    page = self._ecr.describe_image_scan_findings(
                        repositoryName=repository,
                        imageId={"imageDigest": digest},
                        maxResults=1000,
                        **more,
                    )
            except _Condition:
                return Scan("")
            status = page.get("imageScanStatus", {}).get("status", "")
            description = page.get("imageScanStatus", {}).get("description", "")
            findings += _findings(page.get("imageScanFindings", {}))
            if not page.get("nextToken"):
                return Scan(status, description, tuple(findings))
            more = {"nextToken": page["nextToken"]}

    def start_scan(self, repository: str, digest: str) -> None:
        """See ``ImageBuilds.start_scan``."""
        # Enhanced scanning takes no such call, and basic scanning one a day for an image: in both
        # cases a scan is on its way, or the look after this one says that there is none.
        refused = dict.fromkeys(
            ("InvalidParameterException", "ValidationException", "LimitExceededException"),
            _Condition,
        )
        try:
            with refusals(_ECR, "StartImageScan", refused):
                self._ecr.start_image_scan(
                    repositoryName=repository, imageId={"imageDigest": digest}
                )
        except _Condition:
            return

    def uri(self, repository: str) -> str:
        """See ``ImageBuilds.uri``."""
        return self._repository(repository) or repository

    def _repository(self, name: str) -> str:
        try:
            with refusals(
                _ECR, "DescribeRepositories", {"RepositoryNotFoundException": _Condition}
            ):
                found = self._ecr.describe_repositories(repositoryNames=[name])
        except _Condition:
            return ""
        return str(found["repositories"][0]["repositoryUri"])


def _is_failure(phase: Mapping[str, Any]) -> bool:
    return phase.get("phaseStatus") in ("FAILED", "FAULT", "TIMED_OUT", "CLIENT_ERROR", "STOPPED")


def _findings(found: Mapping[str, Any]) -> Iterator[Finding]:
    for one in found.get("findings", ()):
        packages = [
            attribute["value"]
            for attribute in one.get("attributes", ())
            if attribute["key"] == "package_name"
        ]
        yield Finding(one.get("name", ""), one.get("severity", "").lower(), *packages[:1])
    for one in found.get("enhancedFindings", ()):
        if one.get("status", "ACTIVE") != "ACTIVE":
            continue  # Suppressed or closed in Inspector, by somebody who may.
        details = one.get("packageVulnerabilityDetails", {})
        packages = [package["name"] for package in details.get("vulnerablePackages", ())]
        name = details.get("vulnerabilityId") or one.get("title", "")
        yield Finding(name, one.get("severity", "").lower(), *packages[:1])
