"""Build projects: what they hold, and what of them a build refuses."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping
from typing import Any, Final

from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

Record = dict[str, Any]
SOURCES: Final = ("S3", "NO_SOURCE", "CODEPIPELINE")
_ENVIRONMENTS: Final = ("LINUX_CONTAINER", "ARM_CONTAINER", "LINUX_EC2", "ARM_EC2")
_NO_DOCKER: Final = (
    "The local AWS runs no Docker, so it does not carry builds in privileged mode (project "
    "{name}). Build the image on AWS, or with `docker build` on a machine that has it, and name "
    "its URI where an image_uri is asked for. Builds that need no Docker run here: leave "
    "privilegedMode out."
)


def now() -> dt.datetime:
    """The present, in UTC, to the millisecond."""
    moment = dt.datetime.now(dt.UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def refuse(record: Mapping[str, Any]) -> None:
    """Refuse by name what a build of this project would need and this machine has not.

    Args:
        record: The project, with what a StartBuild overrides.

    Raises:
        AwsFault: ``NotCarriedByLocalAws``.
    """
    name, environment = record["name"], record["environment"]
    if environment.get("privilegedMode"):
        raise _not_carried(_NO_DOCKER.format(name=name))
    if environment["type"] not in _ENVIRONMENTS:
        raise _not_carried(
            f"The local AWS does not carry builds in a {environment['type']} (project {name}); it "
            f"carries {', '.join(_ENVIRONMENTS)}."
        )
    for source in (record["source"], *record.get("secondarySources", ())):
        if source["type"] not in SOURCES:
            raise _not_carried(
                f"The local AWS does not carry a source of type {source['type']} (project {name}); "
                f"it carries {', '.join(SOURCES)}. Put the source into S3 as a zip."
            )
    for member in ("buildBatchConfig", "fileSystemLocations"):
        if record.get(member):
            raise _not_carried(f"The local AWS does not carry {member} (project {name}).")


class Projects(LocalService):
    """The operations on projects; `builds.CodeBuild` adds those on builds."""

    name = "codebuild"
    validation_code = "InvalidInputException"

    def kept(self, kind: str, scope: Scope) -> dict[str, Record]:
        """The live records of one kind; change them under the lock alone."""
        found: dict[str, Record] = self.host.store(self.name, scope).setdefault(kind, {})
        return found

    def project(self, name: str, scope: Scope) -> Record:
        """A copy of a project that is named by its name or ARN.

        Raises:
            AwsFault: ``ResourceNotFoundException``.
        """
        with self.host.lock(self.name):
            found = self.kept("projects", scope).get(name.rsplit("/", 1)[-1])
            if found is None:
                raise AwsFault("ResourceNotFoundException", f"Project cannot be found: {name}")
            return copy.deepcopy(found)

    @operation("CreateProject")
    def create_project(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep a project."""
        name, moment = request["name"], now()
        record: Record = {
            "timeoutInMinutes": 60,
            "queuedTimeoutInMinutes": 480,
            "encryptionKey": scope.arn("kms", "alias/aws/s3"),
            **copy.deepcopy(dict(request)),
            "arn": scope.arn("codebuild", f"project/{name}"),
            "created": moment,
            "lastModified": moment,
        }
        with self.host.lock(self.name):
            projects = self.kept("projects", scope)
            if name in projects:
                said = f"Project already exists: {record['arn']}"
                raise AwsFault("ResourceAlreadyExistsException", said)
            projects[name] = record
            return {"project": copy.deepcopy(record)}

    @operation("UpdateProject")
    def update_project(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Change the members that are given."""
        with self.host.lock(self.name):
            record = {**self.project(request["name"], scope), **copy.deepcopy(dict(request))}
            record["lastModified"] = now()
            self.kept("projects", scope)[record["name"]] = record
            return {"project": copy.deepcopy(record)}

    @operation("DeleteProject")
    def delete_project(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Forget a project; one that is gone is fine, its builds stay."""
        with self.host.lock(self.name):
            self.kept("projects", scope).pop(request["name"].rsplit("/", 1)[-1], None)
        return {}

    @operation("BatchGetProjects")
    def batch_get_projects(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe projects."""
        with self.host.lock(self.name):
            kept = self.kept("projects", scope)
            names = [name.rsplit("/", 1)[-1] for name in request["names"]]
            return {
                "projects": [copy.deepcopy(kept[name]) for name in names if name in kept],
                "projectsNotFound": [name for name in names if name not in kept] or None,
            }

    @operation("ListProjects")
    def list_projects(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the names of projects."""
        with self.host.lock(self.name):
            names = sorted(self.kept("projects", scope))
        return paged("projects", names, request, lambda listed: listed)


def paged(
    member: str,
    listed: list[str],
    request: Mapping[str, Any],
    order: Callable[[list[str]], list[str]],
) -> dict[str, Any]:
    """A page of 100 of a List operation."""
    chosen = order(listed)
    if request.get("sortOrder") == "DESCENDING":
        chosen = chosen[::-1]
    given = request.get("nextToken") or "0"
    if not given.isdigit():
        raise AwsFault("InvalidInputException", f"Invalid nextToken: {given}")
    end = int(given) + 100
    token = {"nextToken": str(end)} if end < len(chosen) else {}
    return {member: chosen[int(given) : end] or None, **token}


def _not_carried(said: str) -> AwsFault:
    return AwsFault("NotCarriedByLocalAws", said, 501)
