"""The check ``run-image-build``: build once per source, scan, and only then give the image its tag.

An image is pushed under a tag that says which source it was built from. The tag that was asked for
is added by a second run of the same build project when the scan lets the image pass, so that no
image which failed its scan ever had that name, and a failed request does not use the name up.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, Protocol

from mlops_framework.delivery.image_scan import Scan, counts, grave, names
from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting

SCAN_PATIENCE: Final = 20
"""Looks (of about half a minute) that a scan may take to appear."""

_FAILED: Final = "Look at the log of the build, correct the source and send the request again."


@dataclass(frozen=True)
class ImageWanted:
    """What the stack asks for.

    Attributes:
        project: CodeBuild project.
        repository: ECR repository.
        tag: Of the image; empty for the one that says its source.
        gate: Gravest severity that passes not; ``none`` for no gate.
        accepted: Names of findings that are overlooked.
    """

    project: str
    repository: str
    tag: str
    gate: str
    accepted: Sequence[str] = ()

    @classmethod
    def of(cls, outputs: Mapping[str, str]) -> ImageWanted:
        """From the outputs of an image-builder stack; a missing one is a ``KeyError``."""
        return cls(
            project=outputs["ProjectName"],
            repository=outputs["RepositoryName"],
            tag=outputs.get("ImageTag", ""),
            gate=outputs["ScanGate"],
            accepted=tuple(json.loads(outputs["AcceptedFindings"])),
        )


@dataclass(frozen=True)
class ImageBuild:
    """One run of a build project, as CodeBuild tells it.

    Attributes:
        id: CodeBuild's id.
        status: ``IN_PROGRESS``, ``SUCCEEDED``, ``FAILED``, ``FAULT``, ``TIMED_OUT``, ``STOPPED``.
        phase: Where it is, or where it failed.
        reason: CodeBuild's words about the failure.
        exported: Variables that it left.
        log: Where its log is; empty before there is one.
    """

    id: str
    status: str
    phase: str = ""
    reason: str = ""
    exported: Mapping[str, str] = field(default_factory=dict)
    log: str = ""


class ImageBuilds(Protocol):
    """CodeBuild and ECR as this check needs them."""

    def keep_repository(self, name: str) -> None:
        """Make the repository, unless it is there already; an existing one stays as it is."""

    def start(self, project: str, *, token: str, variables: Mapping[str, str]) -> str:
        """Start a build; a second call with the same token is the first.

        Returns:
            Its id.
        """

    def look(self, build: str) -> ImageBuild:
        """The build as it is."""

    def digest(self, repository: str, tag: str) -> str:
        """Digest of the image that has the tag; empty when none has it."""

    def scan(self, repository: str, digest: str) -> Scan:
        """The scan of an image with all its findings."""

    def start_scan(self, repository: str, digest: str) -> None:
        """Ask for a scan where none is made by itself; refused quietly where one is."""

    def uri(self, repository: str) -> str:
        """Address of the repository, as images name it."""


def run_image_build(
    wanted: ImageWanted, builds: ImageBuilds, token: Mapping[str, str], start_token: str
) -> Verdict:
    """One look.

    Args:
        wanted: What the stack asks for.
        builds: The world.
        token: What the look before left; empty at the first.
        start_token: The same for a repeated delivery of one look.
    """
    if "release" in token:
        return _released(wanted, builds, token)
    if "digest" in token:
        return _scanned(wanted, builds, token, start_token)
    if "build" not in token:
        builds.keep_repository(wanted.repository)
        started = builds.start(wanted.project, token=start_token, variables={})
        return Waiting("The image build is started.", started, {"build": started})
    build = builds.look(token["build"])
    if build.status == "IN_PROGRESS":
        return Waiting(f"The image build is in phase {build.phase}.", build.id, dict(token))
    if build.status != "SUCCEEDED":
        return _failed("The image build", build)
    known = {
        "digest": build.exported.get("IMAGE_DIGEST", ""),
        "source": build.exported.get("SOURCE_TAG", ""),
        "built": build.exported.get("IMAGE_BUILT", ""),
    }
    if not known["digest"]:
        return Refused(f"Build {build.id} succeeded and left no image digest.", build.id)
    return _scanned(wanted, builds, known, start_token)


def _scanned(
    wanted: ImageWanted, builds: ImageBuilds, token: Mapping[str, str], start_token: str
) -> Verdict:
    digest = token["digest"]
    holder = builds.digest(wanted.repository, wanted.tag) if wanted.tag else digest
    if holder and holder != digest:
        return Refused(
            f"The tag {wanted.tag} of repository {wanted.repository} names another image already, "
            f"{holder}; this request's source gives {digest}. A tag names one image for ever: send "
            "the request with another image_tag.",
            f"{wanted.repository}@{digest}",
        )
    said = "not scanned, as the request asks"
    if wanted.gate != "none":
        scan = builds.scan(wanted.repository, digest)
        if not scan.is_finished:
            return _unfinished(wanted, builds, scan, token)
        if found := grave(scan, wanted.gate, wanted.accepted):
            return Refused(
                f"The scan of {wanted.repository}@{digest} found {counts(found)}: {names(found)}. "
                f"scan_gate is {wanted.gate}, so the image got no tag. Repair it, or name "
                "what you accept in accepted_findings, and send the request again; another "
                "image_tag builds the same source anew, on newer base images.",
                f"{wanted.repository}@{digest}",
            )
        said = f"findings of all severities: {counts(scan.findings)}"
    if holder == digest:
        return _passed(wanted, builds, token, said)
    release = builds.start(
        wanted.project,
        token=hashlib.sha256(f"{start_token}\0release".encode()).hexdigest(),
        variables={"STEP": "release", "IMAGE_DIGEST": digest},
    )
    return Waiting(
        f"The image passed its scan and gets the tag {wanted.tag}.",
        release,
        {**token, "release": release, "said": said},
    )


def _unfinished(
    wanted: ImageWanted, builds: ImageBuilds, scan: Scan, token: Mapping[str, str]
) -> Verdict:
    digest = token["digest"]
    where = f"{wanted.repository}@{digest}"
    if scan.is_running:
        return Waiting(f"The image is being scanned ({scan.status}).", where, dict(token))
    if scan.status:
        told = f": {scan.description}" if scan.description else ""
        return Refused(
            f"The scan of {where} came to no result ({scan.status}{told}). scan_gate is "
            f"{wanted.gate}, and an image that nobody could look into does not pass it; scan_gate "
            "none lets every image pass.",
            where,
        )
    looks = int(token.get("scan_looks", "0")) + 1
    if looks == 1:
        builds.start_scan(wanted.repository, digest)
    if looks > SCAN_PATIENCE:
        return Refused(
            f"ECR made no scan of {where}. Switch scanning on for the repository or the registry, "
            "and retry the stage.",
            where,
        )
    return Waiting(
        "The image waits for its scan to begin.", where, {**token, "scan_looks": str(looks)}
    )


def _released(wanted: ImageWanted, builds: ImageBuilds, token: Mapping[str, str]) -> Verdict:
    release = builds.look(token["release"])
    if release.status == "IN_PROGRESS":
        return Waiting(f"The image gets the tag {wanted.tag}.", release.id, dict(token))
    if release.status != "SUCCEEDED":
        return _failed(f"Giving the image its tag {wanted.tag}", release)
    holder = builds.digest(wanted.repository, wanted.tag)
    if holder != token["digest"]:
        return Refused(
            f"The tag {wanted.tag} of repository {wanted.repository} names "
            f"{holder or 'no image'}, not {token['digest']}: somebody else gave it meanwhile. Send "
            "the request with another image_tag.",
            release.id,
        )
    return _passed(wanted, builds, token, token.get("said", ""))


def _passed(
    wanted: ImageWanted, builds: ImageBuilds, token: Mapping[str, str], said: str
) -> Passed:
    tag, digest = wanted.tag or token["source"], token["digest"]
    uri = builds.uri(wanted.repository)
    did = "Built" if token["built"] == "yes" else "Nothing to build, the source is the same:"
    return Passed(
        f"{did} {uri}:{tag}, {digest}; {said}.",
        f"{uri}@{digest}",
        {
            "ImageUri": f"{uri}@{digest}",
            "ImageTag": tag,
            "ImageDigest": digest,
            "SourceTag": token["source"],
            "ImageBuilt": token["built"],
        },
    )


def _failed(what: str, build: ImageBuild) -> Refused:
    where = f" in phase {build.phase}" if build.phase else ""
    reason = build.reason or "CodeBuild gives no reason"
    log = f" Log: {build.log}." if build.log else ""
    return Refused(f"{what} {build.status}{where}: {reason}.{log} {_FAILED}", build.id)
