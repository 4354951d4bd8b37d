"""What the fields of Git sources cannot say of themselves: which of them go together."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.errors import Fault

if TYPE_CHECKING:
    from mlops_framework.environments.models import GitSourceConfig


def git_faults(sources: Sequence[GitSourceConfig]) -> list[Fault]:
    """Every fault of every source, by its path in the environment."""
    faults = []
    names = [source.name for source in sources]
    for index, source in enumerate(sources):
        where = f"git_sources.{index}"
        if source.name in names[:index]:
            said = f"There are two sources {source.name!r}; pipelines are recorded with the name."
            faults.append(Fault(f"{where}.name", said, "a name of its own", shown(source.name)))
        if source.archive or not source.repository:
            faults += _archive_faults(source, where)
            continue
        has_owner = "/" in source.repository
        if has_owner != bool(source.connection_arn):
            said = (
                "A repository behind a connection is written owner/name."
                if source.connection_arn
                else "A CodeCommit repository has no owner; for GitHub, GitLab and Bitbucket give "
                "the connection_arn too."
            )
            accepted = "owner/name" if source.connection_arn else "a name without a slash"
            faults.append(Fault(f"{where}.repository", said, accepted, shown(source.repository)))
    return faults


def _archive_faults(source: GitSourceConfig, where: str) -> list[Fault]:
    if not source.archive:
        said = "Say where the repository is: repository, or archive for a zip file of it in S3."
        return [Fault(f"{where}.repository", said, "repository or archive", NOTHING)]
    said = "An archive is the whole source; only one of the two can be followed."
    return [
        Fault(f"{where}.{name}", said, NOTHING, shown(value))
        for name, value in (
            ("repository", source.repository),
            ("connection_arn", source.connection_arn),
        )
        if value
    ]
