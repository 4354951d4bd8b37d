"""Builds: started, followed, stopped."""

from __future__ import annotations

import copy
import shutil
import uuid
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.local.plane.codebuild.projects import Projects, Record, now, paged, refuse
from mlops_framework.local.plane.codebuild.running import RunningBuild
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.processes import LogStream
from mlops_framework.local.plane.service import AwsFault, Scope, operation

_OF_PROJECT: Final = (
    *("source", "sourceVersion", "secondarySources", "artifacts", "secondaryArtifacts"),
    *("environment", "serviceRole", "timeoutInMinutes", "queuedTimeoutInMinutes"),
    *("encryptionKey", "cache"),
)
_OVERRIDES: Final = {
    "sourceTypeOverride": ("source", "type"),
    "sourceLocationOverride": ("source", "location"),
    "buildspecOverride": ("source", "buildspec"),
    "environmentTypeOverride": ("environment", "type"),
    "imageOverride": ("environment", "image"),
    "computeTypeOverride": ("environment", "computeType"),
    "privilegedModeOverride": ("environment", "privilegedMode"),
}
_WHOLE: Final = {
    "artifactsOverride": "artifacts",
    "secondaryArtifactsOverride": "secondaryArtifacts",
    "secondarySourcesOverride": "secondarySources",
    "timeoutInMinutesOverride": "timeoutInMinutes",
    "queuedTimeoutInMinutesOverride": "queuedTimeoutInMinutes",
    "serviceRoleOverride": "serviceRole",
    "encryptionKeyOverride": "encryptionKey",
    "sourceVersion": "sourceVersion",
}
_TAKEN: Final = frozenset(
    {"projectName", "environmentVariablesOverride", "idempotencyToken", *_OVERRIDES, *_WHOLE}
)


class CodeBuild(Projects):
    """CodeBuild: projects, and builds of them as processes of this machine."""

    def __init__(self, host: PlaneHost) -> None:
        """Take back what an earlier run left unfinished."""
        super().__init__(host)
        self._running: dict[str, RunningBuild] = {}
        host.on_stop("CodeBuild builds", self._kill_all)
        for scope in host.scopes(self.name):
            with host.lock(self.name):
                for build in self.kept("builds", scope).values():
                    if build["buildStatus"] == "IN_PROGRESS":
                        _finish(build, "FAULT")

    @operation("StartBuild")
    def start_build(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Start a build of a project."""
        if unknown := sorted(request.keys() - _TAKEN):
            raise AwsFault(
                "NotCarriedByLocalAws",
                f"The local AWS does not carry {', '.join(unknown)} of StartBuild; it carries "
                f"{', '.join(sorted(_TAKEN))}.",
                501,
            )
        project = _overridden(self.project(request["projectName"], scope), request)
        refuse(project)
        if project["source"]["type"] == "CODEPIPELINE":
            raise AwsFault(
                "InvalidInputException",
                f"Project {project['name']} reads its source from CodePipeline: start the pipeline",
            )
        token = request.get("idempotencyToken")
        with self.host.lock(self.name):
            tokens = self.host.store(self.name, scope).setdefault("tokens", {})
            if token and token in tokens:
                return {"build": _told(self.kept("builds", scope)[tokens[token]])}
            record = self._new(project, scope)
            if token:
                tokens[token] = record["id"]
        self._emit(record, scope)
        self.host.spawn(f"build {record['id']}", self._run, record["id"], scope)
        return {"build": _told(record)}

    @operation("BatchGetBuilds")
    def batch_get_builds(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe builds."""
        ids = [build.rsplit("/", 1)[-1] for build in request["ids"]]
        with self.host.lock(self.name):
            kept = self.kept("builds", scope)
            return {
                "builds": [_told(kept[build]) for build in ids if build in kept],
                "buildsNotFound": [build for build in ids if build not in kept] or None,
            }

    @operation("ListBuilds")
    def list_builds(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the ids of builds, the newest first unless asked otherwise."""
        return self._listed(request, scope, None)

    @operation("ListBuildsForProject")
    def list_builds_for_project(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List the ids of a project's builds, likewise."""
        return self._listed(request, scope, self.project(request["projectName"], scope)["name"])

    @operation("StopBuild")
    def stop_build(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Stop a build; one that is over stays as it is."""
        build = request["id"].rsplit("/", 1)[-1]
        with self.host.lock(self.name):
            record = self.kept("builds", scope).get(build)
            if record is None:
                raise AwsFault("ResourceNotFoundException", f"Build cannot be found: {build}")
            running = self._running.get(build)
            answer = _told(record)
        if running is not None:
            running.stop.set()
        return {"build": answer}

    def _listed(
        self, request: Mapping[str, Any], scope: Scope, project: str | None
    ) -> dict[str, Any]:
        with self.host.lock(self.name):
            kept = self.kept("builds", scope)
            ids = [name for name, build in kept.items() if project in (None, build["projectName"])]
        newest_first = {"sortOrder": "DESCENDING", **request}
        return paged("ids", ids, newest_first, lambda listed: listed)

    def _new(self, project: Record, scope: Scope) -> Record:
        """Add the record of a build that begins; hold the lock."""
        name, moment = project["name"], now()
        build = f"{name}:{uuid.uuid4()}"
        builds = self.kept("builds", scope)
        number = 1 + sum(one["projectName"] == name for one in builds.values())
        group, stream = _log_of(project, build)
        record: Record = {
            **{member: project[member] for member in _OF_PROJECT if member in project},
            "id": build,
            "arn": scope.arn("codebuild", f"build/{build}"),
            "projectName": name,
            "buildNumber": number,
            "startTime": moment,
            "currentPhase": "QUEUED",
            "buildStatus": "IN_PROGRESS",
            "buildComplete": False,
            "initiator": "local",
            "phases": [
                {
                    "phaseType": "SUBMITTED",
                    "phaseStatus": "SUCCEEDED",
                    "startTime": moment,
                    "endTime": moment,
                    "durationInSeconds": 0,
                }
            ],
            "logs": {
                "groupName": group,
                "streamName": stream,
                "cloudWatchLogsArn": scope.arn("logs", f"log-group:{group}:log-stream:{stream}"),
            },
        }
        builds[build] = record
        return copy.deepcopy(record)

    def _run(self, build: str, scope: Scope) -> None:
        with self.host.lock(self.name):
            record = copy.deepcopy(self.kept("builds", scope)[build])
        place = f"{scope.account}-{scope.region}"
        folder = self.host.state_dir / "builds" / place / build.replace(":", "-")
        folder.mkdir(parents=True)
        logs = record["logs"]
        log = LogStream(
            self.host,
            scope,
            group=logs["groupName"],
            stream=logs["streamName"],
            file=folder / "log.txt",
        )

        def phase(name: str, status: str, code: str = "", message: str = "") -> None:
            self._phase(build, scope, name, status, code, message)

        running = RunningBuild(self.host, scope, record, folder, log, phase)
        with self.host.lock(self.name):
            self._running[build] = running
        status: str = "FAULT"
        exported: dict[str, str] = {}
        try:
            status, exported = running.run()
        finally:
            log.flush()
            with self.host.lock(self.name):
                self._running.pop(build, None)
                live = self.kept("builds", scope).get(build)
                if live is not None:
                    live["exportedEnvironmentVariables"] = [
                        {"name": name, "value": value} for name, value in exported.items()
                    ]
                    _finish(live, status)
                    record = copy.deepcopy(live)
            self._emit(record, scope)
            for part in ("sources", "state", "tmp", "bin"):
                shutil.rmtree(folder / part, ignore_errors=True)

    def _phase(
        self, build: str, scope: Scope, name: str, status: str, code: str, message: str
    ) -> None:
        """Begin a phase (no status), or end it; without a name the one that runs."""
        moment = now()
        with self.host.lock(self.name):
            record = self.kept("builds", scope)[build]
            if not status:
                record["currentPhase"] = name
                record["phases"].append({"phaseType": name, "startTime": moment})
                return
            for phase in reversed(record["phases"]):
                if phase["phaseType"] == name or (not name and "endTime" not in phase):
                    begun = phase["startTime"]
                    phase.update(
                        phaseStatus=status,
                        endTime=moment,
                        durationInSeconds=round((moment - begun).total_seconds()),
                    )
                    if code or message:
                        phase["contexts"] = [{"statusCode": code, "message": message}]
                    return

    def _emit(self, record: Mapping[str, Any], scope: Scope) -> None:
        detail = {
            "build-status": record["buildStatus"],
            "project-name": record["projectName"],
            "build-id": record["arn"],
            "current-phase": record["currentPhase"],
            "additional-information": {
                "build-complete": record["buildComplete"],
                "initiator": record["initiator"],
                "build-number": record["buildNumber"],
            },
            "version": "1",
        }
        self.host.emit_event(
            "aws.codebuild", "CodeBuild Build State Change", detail, [record["arn"]], scope
        )

    def _kill_all(self) -> None:
        with self.host.lock(self.name):
            running = list(self._running.values())
        for build in running:
            if build.process is not None:
                build.process.kill()


def _overridden(project: Record, request: Mapping[str, Any]) -> Record:
    for name, (part, member) in _OVERRIDES.items():
        if name in request:
            project[part][member] = request[name]
    for name, member in _WHOLE.items():
        if name in request:
            project[member] = request[name]
    environment = project["environment"]
    variables = {one["name"]: one for one in environment.get("environmentVariables", ())}
    variables |= {one["name"]: one for one in request.get("environmentVariablesOverride", ())}
    if variables:
        environment["environmentVariables"] = list(variables.values())
    return project


def _log_of(project: Mapping[str, Any], build: str) -> tuple[str, str]:
    """Group and stream of a build's log."""
    wanted = project.get("logsConfig", {}).get("cloudWatchLogs", {})
    own = build.partition(":")[2]
    stream = f"{wanted['streamName']}/{own}" if wanted.get("streamName") else own
    return wanted.get("groupName") or f"/aws/codebuild/{project['name']}", stream


def _finish(record: Record, status: str) -> None:
    moment = now()
    record["phases"].append({"phaseType": "COMPLETED", "startTime": moment})
    record.update(buildStatus=status, buildComplete=True, currentPhase="COMPLETED", endTime=moment)


def _told(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as the API answers it: of artifacts it tells where they are, not how they came."""
    told = copy.deepcopy(dict(record))
    told["artifacts"] = _where(told["artifacts"])
    told["secondaryArtifacts"] = [_where(one) for one in told.get("secondaryArtifacts", ())]
    return told


def _where(artifact: Mapping[str, Any]) -> dict[str, Any]:
    if artifact["type"] == "NO_ARTIFACTS":
        return {"location": ""}
    parts = (artifact["location"], artifact.get("path", "").strip("/"), artifact.get("name", ""))
    location = "arn:aws:s3:::" + "/".join(part for part in parts if part)
    named = artifact.get("artifactIdentifier")
    return {"location": location, **({"artifactIdentifier": named} if named else {})}
