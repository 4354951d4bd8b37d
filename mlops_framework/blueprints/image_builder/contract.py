"""What an image-builder request may say."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field

from mlops_framework.contracts.base import METADATA, PipelineRequest, Place
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import Accepts
from mlops_framework.contracts.parameters import Parameter
from mlops_framework.errors import Fault

_SOURCES: Final = "source_archive, git_repository and codecommit_repository"
_ONE_SOURCE: Final = f"exactly one of {_SOURCES}"
_ARGUMENT_NAME: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")

RESERVED_TAG_PREFIX: Final = "source-"
"""Tags that begin so are the framework's own: they say which source an image was built from."""

PROVIDERS: Final[Mapping[str, str]] = {
    "github.com": "GITHUB",
    "gitlab.com": "GITLAB",
    "bitbucket.org": "BITBUCKET",
}
"""Git host to CodeBuild's source type; other hosts are named by ``git_provider``."""

_SELF_MANAGED: Final[Mapping[str, str]] = {
    "github-enterprise": "GITHUB_ENTERPRISE",
    "gitlab-self-managed": "GITLAB_SELF_MANAGED",
}
ComputeType = Literal["BUILD_GENERAL1_SMALL", "BUILD_GENERAL1_MEDIUM", "BUILD_GENERAL1_LARGE"]
_BUCKET: Final = "[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]"

OptionalZip = Annotated[
    str,
    Field(pattern=f"^(s3://{_BUCKET}/[A-Za-z0-9!_.*()/=+@:-]*[.]zip)?$", max_length=1024),
    Accepts("one zip file in S3, s3://bucket/folder/image.zip, or empty"),
]
OptionalGitUrl = Annotated[
    str,
    Field(pattern="^(https://[A-Za-z0-9.-]+(/[A-Za-z0-9._-]+)+)?$", max_length=512),
    Accepts("the address to clone from, such as https://github.com/owner/repository, or empty"),
]
GitReference = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_][A-Za-z0-9_./-]*$", max_length=255),
    Accepts("a branch, a tag or a commit"),
]
OptionalConnectionArn = Annotated[
    str,
    Field(
        pattern="^(arn:aws[a-z-]*:(codeconnections|codestar-connections):[a-z0-9-]+:[0-9]{12}:"
        "connection/[a-f0-9-]{36})?$",
        max_length=256,
    ),
    Accepts("the ARN of a connection, arn:aws:codeconnections:…:connection/<id>, or empty"),
]
OptionalCodeCommitName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9._-]*$", max_length=100),
    Accepts("the name of a CodeCommit repository of this account and region, or empty"),
]
PathInSource = Annotated[
    str,
    Field(
        pattern="^([.]|[A-Za-z0-9_][A-Za-z0-9_.-]*(/[A-Za-z0-9_][A-Za-z0-9_.-]*)*)$",
        max_length=255,
    ),
    Accepts("a path inside the source, relative and without .., such as docker/Dockerfile"),
]
OptionalBuildStage = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9][A-Za-z0-9_.-]*)?$", max_length=128),
    Accepts("the name of a stage of the Dockerfile, or empty for its last one"),
]
BuildArgument = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]*$", max_length=1024),
    Accepts("text of one line"),
]
OptionalRepositoryName = Annotated[
    str,
    Field(
        pattern="^([a-z0-9]+((_|__|-+|[.])[a-z0-9]+)*(/[a-z0-9]+((_|__|-+|[.])[a-z0-9]+)*)*)?$",
        max_length=256,
    ),
    Accepts(
        "the name of an ECR repository: lower-case words joined by single . _ - or /, such as "
        "team/scorer; empty for the derived name"
    ),
]
OptionalImageTag = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9_][A-Za-z0-9._-]*)?$", max_length=128),
    Accepts(
        "a tag of letters, digits, dots, underscores and hyphens, or empty for one that is derived "
        "from the source"
    ),
]
FindingName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9][A-Za-z0-9._:-]*$", min_length=1, max_length=64),
    Accepts("the name of a finding, such as CVE-2024-12345"),
]


class ImageBuilderRequest(PipelineRequest):
    """Build a container image, scan it, and give it its tag when the scan lets it pass."""

    pipeline_type: Literal["image-builder"] = Field(description="Kind of the blueprint.")

    source_archive: OptionalZip = Field(
        default="",
        description="Zip with the Dockerfile and what it copies.",
        json_schema_extra=dict(METADATA),
    )
    git_repository: OptionalGitUrl = Field(
        default="",
        description="Git repository with the Dockerfile; needs connection_arn.",
        json_schema_extra=dict(METADATA),
    )
    connection_arn: OptionalConnectionArn = Field(
        default="", description="CodeConnections connection that may read git_repository."
    )
    git_provider: Literal["", "github-enterprise", "gitlab-self-managed"] = Field(
        default="",
        description="What runs git_repository's host; known for github.com, gitlab.com and "
        "bitbucket.org.",
        json_schema_extra=dict(METADATA),
    )
    codecommit_repository: OptionalCodeCommitName = Field(
        default="",
        description="CodeCommit repository with the Dockerfile.",
        json_schema_extra=dict(METADATA),
    )
    git_reference: GitReference = Field(
        default="main", description="Branch, tag or commit of the Git or CodeCommit repository."
    )

    dockerfile: PathInSource = Field(
        default="Dockerfile", description="Dockerfile, relative to the top of the source."
    )
    build_context: PathInSource = Field(
        default=".", description="Folder that the Dockerfile copies from, relative likewise."
    )
    build_target: OptionalBuildStage = Field(
        default="", description="Stage of the Dockerfile to build; its last one if empty."
    )
    build_arguments: dict[str, BuildArgument] = Field(
        default_factory=dict,
        description="Values for the Dockerfile's ARGs. No secrets: the image keeps them.",
    )
    platform: Literal["linux/amd64", "linux/arm64"] = Field(
        default="linux/amd64",
        description="Processor the image runs on; built on that processor, not emulated.",
    )
    compute_type: ComputeType = Field(
        default="BUILD_GENERAL1_SMALL", description="Size of the machine that builds."
    )
    timeout_minutes: Annotated[int, Field(ge=5, le=480)] = Field(
        default=60, description="The build is stopped after this time, minutes."
    )

    repository_name: OptionalRepositoryName = Field(
        default="",
        description="ECR repository: an existing one, or one that is made and outlives the "
        "pipeline; <prefix>/<model_name> if empty.",
    )
    image_tag: OptionalImageTag = Field(
        default="",
        description="Tag of the image, for ever: it is never moved to another one. Derived from "
        "the source if empty.",
    )
    scan_gate: Literal["critical", "high", "medium", "low", "none"] = Field(
        default="critical",
        description="Findings of this severity or above keep the image from its tag; none lets "
        "every image pass.",
    )
    accepted_findings: list[FindingName] = Field(
        default_factory=list, description="Findings that scan_gate overlooks, by name."
    )

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        Parameter(
            "SourceType",
            "String",
            allowed_values=("S3", "CODECOMMIT", *PROVIDERS.values(), *_SELF_MANAGED.values()),
            description="Where CodeBuild reads the source from.",
            field="source_type",
        ),
        Parameter(
            "SourceLocation",
            "String",
            min_length=1,
            max_length=1024,
            description="Bucket and key, address or name of the source.",
            field="source_location",
        ),
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """One source; a connection where it takes one; names that Docker and ECR accept."""
        yield from super().conflicts(given)
        yield from _source_faults(given)
        tag = given.get("image_tag")
        if isinstance(tag, str) and tag.startswith(RESERVED_TAG_PREFIX):
            yield Fault(
                "image_tag",
                f"Tags that begin with {RESERVED_TAG_PREFIX} say which source an image was built "
                "from; leave image_tag out to get that one.",
                f"a tag that does not begin with {RESERVED_TAG_PREFIX}",
                shown(tag),
            )
        arguments = given.get("build_arguments")
        for name in arguments if isinstance(arguments, dict) else ():
            if not _ARGUMENT_NAME.fullmatch(str(name)):
                accepted = "letters, digits and underscores, not beginning with a digit"
                said = f"A Dockerfile has no ARG of that name; accepted: {accepted}."
                yield Fault(f"build_arguments.{name}", said, accepted, shown(name))

    def parameter_value(self, name: str, stage: str) -> Any:
        """Add where CodeBuild reads from, which it wants in one form per kind of source."""
        if name == "source_type":
            return self._source()[0]
        if name == "source_location":
            return self._source()[1]
        return super().parameter_value(name, stage)

    def resolved(self, place: Place) -> Self:
        """Name the repository, unless the request did."""
        if self.repository_name:
            return self
        return self.model_copy(update={"repository_name": f"{place.prefix}/{self.model_name}"})

    def _source(self) -> tuple[str, str]:
        if self.source_archive:
            return "S3", self.source_archive.removeprefix("s3://")
        if self.codecommit_repository:
            return "CODECOMMIT", self.codecommit_repository
        provider = _SELF_MANAGED.get(self.git_provider) or PROVIDERS[_host(self.git_repository)]
        return provider, self.git_repository


def _source_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    names = ("source_archive", "git_repository", "codecommit_repository")
    there = [name for name in names if given.get(name)]
    if not there:
        said = f"Nothing to build from: give {_ONE_SOURCE}."
        yield Fault("source_archive", said, _ONE_SOURCE, NOTHING)
    for name in there[1:]:
        said = f"Given together with {there[0]}; give {_ONE_SOURCE}."
        yield Fault(name, said, _ONE_SOURCE, shown(given[name]))
    repository, connection = given.get("git_repository"), given.get("connection_arn")
    if repository and not connection:
        said = (
            "git_repository is read through a connection; make one in the console of CodePipeline."
        )
        yield Fault("connection_arn", said, "the ARN of a connection", NOTHING)
    if connection and not repository:
        said = "A connection reads git_repository, and there is none."
        yield Fault("connection_arn", said, "git_repository beside it", shown(connection))
    if given.get("git_reference") and given.get("source_archive"):
        said = "A zip has no branches; its newest version is built."
        yield Fault("git_reference", said, _ONE_SOURCE, shown(given["git_reference"]))
    if not isinstance(repository, str) or not repository:
        return
    host, provider = _host(repository), given.get("git_provider")
    if host in PROVIDERS and provider:
        accepted = f"no git_provider for {host}"
        said = f"{host} is known; git_provider is for hosts of your own."
        yield Fault("git_provider", said, accepted, shown(provider))
    if host not in PROVIDERS and not provider:
        accepted = " or ".join(_SELF_MANAGED)
        said = f"{host} is none of {', '.join(PROVIDERS)}: say what runs it."
        yield Fault("git_provider", said, accepted, NOTHING)


def _host(address: str) -> str:
    return (urlsplit(address).hostname or "").removeprefix("www.")
