"""One build at work: source down, commands, artifacts up."""

from __future__ import annotations

import contextlib
import fnmatch
import io
import json
import threading
import time
import zipfile
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.codebuild.buildspec import (
    Buildspec,
    BuildspecInvalid,
    Files,
    parse,
)
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.processes import (
    LogStream,
    RunnerProcess,
    base_environment,
)
from mlops_framework.local.plane.service import Scope

_POLL_SECONDS: Final = 0.05
_GRACE_SECONDS: Final = 5.0
_NO_DOCKER: Final = """#!/bin/sh
echo "docker: the local AWS runs no Docker. Build images on AWS, or on another machine." >&2
exit 1
"""


class PhaseFailed(Exception):
    """A phase that did not succeed.

    Attributes:
        code: AWS's status code.
        message: AWS's words.
    """

    def __init__(self, code: str, message: str) -> None:
        """Keep both."""
        super().__init__(f"{code}: {message}")
        self.code, self.message = code, message


class RunningBuild:
    """One build, in a folder of its own.

    Args:
        host: The emulator.
        scope: Account and region.
        record: A copy of the build's record.
        folder: Its own folder.
        log: Where output goes.
        phase: Told when a phase begins or ends: name, status, code, message.
    """

    def __init__(
        self,
        host: PlaneHost,
        scope: Scope,
        record: Mapping[str, Any],
        folder: Path,
        log: LogStream,
        phase: Callable[..., None],
    ) -> None:
        self._host, self._scope, self._record, self._folder = host, scope, record, folder
        self._log, self._phase = log, phase
        self._s3 = host.client("s3", scope)
        self.stop = threading.Event()
        self.process: RunnerProcess | None = None

    def run(self) -> tuple[str, dict[str, str]]:
        """Do it.

        Returns:
            The build's status, and what it exports.
        """
        try:
            with self._telling("DOWNLOAD_SOURCE"):
                sources = self._download()
                spec = parse(self._specification(sources[""]))
                variables = self._variables(spec, sources)
        except PhaseFailed:
            return "FAILED", {}
        for note in spec.notes:
            self._log.write(f"[Container] {note}")
        status = self._commands(spec, sources[""], variables)
        exported = self._exported()
        if status in ("SUCCEEDED", "FAILED"):
            try:
                with self._telling("UPLOAD_ARTIFACTS"):
                    self._upload(spec, sources[""], required=status == "SUCCEEDED")
            except PhaseFailed:
                status = "FAILED"
        return status, exported

    @contextlib.contextmanager
    def _telling(self, name: str) -> Any:
        self._phase(name, "")
        try:
            yield
        except (PhaseFailed, BuildspecInvalid, ClientError, BotoCoreError, OSError) as error:
            code = error.code if isinstance(error, PhaseFailed) else "CLIENT_ERROR"
            code = "YAML_FILE_ERROR" if isinstance(error, BuildspecInvalid) else code
            said = error.message if isinstance(error, PhaseFailed) else str(error)
            self._log.write(f"[Container] Phase {name} failed: {said}")
            self._phase(name, "FAILED", code, said)
            raise PhaseFailed(code, said) from None
        self._phase(name, "SUCCEEDED")

    def _download(self) -> dict[str, Path]:
        """Fetch every source; the primary one has the empty identifier."""
        found: dict[str, Path] = {}
        for number, source in enumerate(
            (self._record["source"], *self._record.get("secondarySources", ()))
        ):
            target = self._folder / "sources" / (source.get("sourceIdentifier") or "src")
            target.mkdir(parents=True, exist_ok=True)
            found[source["sourceIdentifier"] if number else ""] = target
            if source["type"] == "NO_SOURCE":
                continue
            bucket, _, key = source["location"].partition("/")
            bucket = bucket.removeprefix("arn:aws:s3:::")
            content = self._s3.get_object(Bucket=bucket, Key=key)["Body"].read()
            _unzip(content, target, source["location"])
        return found

    def _specification(self, source: Path) -> str:
        given = self._record["source"].get("buildspec") or "buildspec.yml"
        if "\n" in given or given.lstrip().startswith("{"):
            return str(given)
        file = source / given
        if given.startswith("arn:") or not file.resolve().is_relative_to(source.resolve()):
            raise PhaseFailed(
                "YAML_FILE_ERROR",
                f"The local AWS reads a build specification from the source alone, not {given}",
            )
        if not file.is_file():
            raise PhaseFailed("YAML_FILE_ERROR", f"stat {given}: no such file or directory")
        return file.read_text(encoding="utf-8")

    def _variables(self, spec: Buildspec, sources: Mapping[str, Path]) -> dict[str, str]:
        record = self._record
        known = {
            **spec.variables,
            **{name: self._parameter(key) for name, key in spec.parameters.items()},
            **{name: self._secret(key) for name, key in spec.secrets.items()},
        }
        for variable in record["environment"].get("environmentVariables", ()):
            name, value = variable["name"], variable["value"]
            kind = variable.get("type", "PLAINTEXT")
            reads = {"PARAMETER_STORE": self._parameter, "SECRETS_MANAGER": self._secret}
            known[name] = reads[kind](value) if kind in reads else value
        folders = {f"CODEBUILD_SRC_DIR_{name}": str(path) for name, path in sources.items() if name}
        build = {
            "CODEBUILD_BUILD_ID": record["id"],
            "CODEBUILD_BUILD_ARN": record["arn"],
            "CODEBUILD_BUILD_NUMBER": str(record["buildNumber"]),
            "CODEBUILD_BUILD_IMAGE": record["environment"]["image"],
            "CODEBUILD_INITIATOR": record.get("initiator", ""),
            "CODEBUILD_KMS_KEY_ID": record.get("encryptionKey", ""),
            "CODEBUILD_SOURCE_VERSION": record.get("sourceVersion", ""),
            "CODEBUILD_SOURCE_REPO_URL": record["source"].get("location", ""),
            "CODEBUILD_LOG_PATH": self._log.stream,
            "CODEBUILD_START_TIME": str(int(record["startTime"].timestamp() * 1000)),
            "CODEBUILD_SRC_DIR": str(sources[""]),
            "CODEBUILD_CI": "true",
        }
        return {**known, **folders, **build}

    def _parameter(self, name: str) -> str:
        found = self._host.client("ssm", self._scope).get_parameter(Name=name, WithDecryption=True)
        return str(found["Parameter"]["Value"])

    def _secret(self, reference: str) -> str:
        """``secret-id:json-key:version-stage:version-id``; the id may be an ARN."""
        head = 7 if reference.startswith("arn:") else 1
        parts = reference.split(":")
        secret, rest = ":".join(parts[:head]), parts[head:]
        wanted = dict(zip(("VersionStage", "VersionId"), rest[1:], strict=False))
        client = self._host.client("secretsmanager", self._scope)
        text = client.get_secret_value(
            SecretId=secret, **{key: value for key, value in wanted.items() if value}
        )["SecretString"]
        return str(json.loads(text)[rest[0]]) if rest and rest[0] else str(text)

    def _commands(self, spec: Buildspec, source: Path, variables: Mapping[str, str]) -> str:
        plan = {
            "phases": [
                {
                    "name": phase.name,
                    "commands": phase.commands,
                    "finally": phase.finally_,
                    "on_failure": phase.on_failure,
                }
                for phase in spec.phases
            ],
            "shell": spec.shell,
            "variables": variables,
            "exported": spec.exported,
            "source": str(source),
        }
        (self._folder / "build.json").write_text(json.dumps(plan), encoding="utf-8")
        environment = base_environment(self._host, self._scope, self._folder)
        environment["PATH"] = f"{self._without_docker()}:{environment['PATH']}"
        self.process = RunnerProcess(self._host, "building", self._folder, environment, self._log)
        deadline = time.monotonic() + 60.0 * self._record["timeoutInMinutes"]
        told = 0
        while not self.process.wait(_POLL_SECONDS):
            told = self._tell(told)
            if self.stop.is_set() or time.monotonic() > deadline or self._host.stopping.is_set():
                self.process.stop(_GRACE_SECONDS)
                stopped = self.stop.is_set()
                said = "Build was stopped" if stopped else "Build has timed out."
                self._phase("", "STOPPED" if stopped else "TIMED_OUT", "BUILD_TIMED_OUT", said)
                return "STOPPED" if stopped else "TIMED_OUT"
        self._tell(told)
        # A stop may have reached the process before it reached this loop.
        if self.stop.is_set():
            return "STOPPED"
        return "SUCCEEDED" if self.process.status == 0 else "FAILED"

    def _without_docker(self) -> Path:
        """A folder, first on the path, whose docker says that there is none."""
        folder = self._folder / "bin"
        folder.mkdir(exist_ok=True)
        for name in ("docker", "docker-compose", "buildx"):
            (folder / name).write_text(_NO_DOCKER, encoding="utf-8")
            (folder / name).chmod(0o755)
        return folder

    def _tell(self, told: int) -> int:
        """Pass on what the runner has noted since; how many lines there are by now."""
        file = self._folder / "progress.jsonl"
        lines = file.read_text(encoding="utf-8").splitlines() if file.exists() else []
        for line in lines[told:]:
            note = json.loads(line)
            if note["event"] == "start":
                self._phase(note["phase"], "")
            else:
                code = "COMMAND_EXECUTION_ERROR" if note["message"] else ""
                self._phase(note["phase"], note["status"], code, note["message"])
        return len(lines)

    def _exported(self) -> dict[str, str]:
        file = self._folder / "exported.json"
        if not file.exists():
            return {}
        found: dict[str, str] = json.loads(file.read_text(encoding="utf-8"))
        return found

    def _upload(self, spec: Buildspec, source: Path, *, required: bool) -> None:
        wanted = [(self._record["artifacts"], spec.artifacts)]
        wanted += [
            (artifact, spec.secondary.get(artifact["artifactIdentifier"]))
            for artifact in self._record.get("secondaryArtifacts", ())
        ]
        for artifact, files in wanted:
            if artifact["type"] == "NO_ARTIFACTS":
                continue
            if files is None:
                if required:
                    named = artifact.get("artifactIdentifier") or "artifacts"
                    raise PhaseFailed("CLIENT_ERROR", f"no files are declared for {named}")
                continue
            chosen = _chosen(source, files)
            if not chosen and not required:
                continue
            if not chosen:
                said = f"no matching artifact paths found for {', '.join(files.patterns)}"
                raise PhaseFailed("CLIENT_ERROR", said)
            self._put(artifact, files, chosen)

    def _put(self, artifact: Mapping[str, Any], files: Files, chosen: Mapping[str, Path]) -> None:
        bucket = artifact["location"].removeprefix("arn:aws:s3:::")
        own = files.name if artifact.get("overrideArtifactName") and files.name else ""
        name = own or artifact.get("name") or self._record["projectName"]
        unique = artifact.get("namespaceType") == "BUILD_ID"
        parts = [
            artifact.get("path", "").strip("/"),
            self._record["id"].partition(":")[2] if unique else "",
            name.strip("/"),
        ]
        key = "/".join(part for part in parts if part)
        if artifact.get("packaging", "NONE") == "ZIP":
            self._s3.put_object(Bucket=bucket, Key=key, Body=_zipped(chosen))
            return
        for inside, path in chosen.items():
            self._s3.put_object(Bucket=bucket, Key=f"{key}/{inside}", Body=path.read_bytes())


def _unzip(content: bytes, folder: Path, location: str) -> None:
    packed = io.BytesIO(content)
    if not zipfile.is_zipfile(packed):
        raise PhaseFailed("CLIENT_ERROR", f"the source {location} is no zip file")
    with zipfile.ZipFile(packed) as archive:
        for member in archive.infolist():
            target = folder / member.filename
            if not target.resolve().is_relative_to(folder.resolve()):
                said = f"{member.filename} of {location} leads outside of the source"
                raise PhaseFailed("CLIENT_ERROR", said)
            archive.extract(member, folder)
            mode = member.external_attr >> 16
            if mode and not member.is_dir():
                target.chmod(mode & 0o777 | 0o600)


def _chosen(source: Path, files: Files) -> dict[str, Path]:
    """Files by their name in the artifact."""
    base = source / files.base
    chosen: dict[str, Path] = {}
    for path in sorted(path for path in base.rglob("*") if path.is_file()):
        inside = path.relative_to(base).as_posix()
        if not any(_fits(inside, pattern) for pattern in files.patterns):
            continue
        if any(_fits(inside, pattern) for pattern in files.excluded):
            continue
        chosen[path.name if files.discard_paths else inside] = path
    return chosen


def _fits(inside: str, pattern: str) -> bool:
    """``**/*`` is everything, ``folder/**/*`` what is below it, ``*`` what is on one level."""
    plain = pattern.removeprefix("./")
    if plain in ("**/*", "**"):
        return True
    return _fits_parts(inside.split("/"), plain.split("/"))


def _fits_parts(names: Sequence[str], patterns: Sequence[str]) -> bool:
    if not patterns:
        return not names
    if patterns[0] == "**":
        return any(_fits_parts(names[skip:], patterns[1:]) for skip in range(len(names) + 1))
    return (
        bool(names)
        and fnmatch.fnmatchcase(names[0], patterns[0])
        and _fits_parts(names[1:], patterns[1:])
    )


def _zipped(chosen: Mapping[str, Path]) -> bytes:
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for inside, path in chosen.items():
            archive.write(path, inside)
    return packed.getvalue()
