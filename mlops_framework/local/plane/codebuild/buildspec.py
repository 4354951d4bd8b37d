"""A build specification, version 0.2, as far as it is carried.

Source: *AWS CodeBuild User Guide*, "Build specification reference for CodeBuild".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import yaml

PHASES: Final = ("install", "pre_build", "build", "post_build")
_TOP: Final = frozenset({"version", "env", "phases", "artifacts", "cache"})
_ENV: Final = frozenset(
    {"shell", "variables", "parameter-store", "secrets-manager", "exported-variables"}
)
_PHASE: Final = frozenset({"commands", "finally", "on-failure", "runtime-versions"})
_ARTIFACT: Final = frozenset(
    {"files", "base-directory", "discard-paths", "name", "exclude-paths", "secondary-artifacts"}
)


class BuildspecInvalid(Exception):
    """A specification that CodeBuild does not take, or this machine does not carry."""


@dataclass(frozen=True)
class Phase:
    """The commands of one phase; ``name`` as the API spells it."""

    name: str
    commands: tuple[str, ...]
    finally_: tuple[str, ...] = ()
    on_failure: str = ""


@dataclass(frozen=True)
class Files:
    """Which files become an artifact."""

    patterns: tuple[str, ...]
    base: str = "."
    discard_paths: bool = False
    name: str = ""
    excluded: tuple[str, ...] = ()


@dataclass(frozen=True)
class Buildspec:
    """What a build does.

    Attributes:
        phases: In their order, without empty ones.
        shell: ``sh`` or ``bash``.
        variables: Plain ones.
        parameters: Variable to the name of an SSM parameter.
        secrets: Variable to ``secret-id:json-key:version-stage:version-id``.
        exported: Names of variables that other actions may read.
        artifacts: The primary artifact, if any.
        secondary: Artifacts by identifier.
        notes: What of it has no effect here.
    """

    phases: tuple[Phase, ...] = ()
    shell: str = "sh"
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()
    artifacts: Files | None = None
    secondary: Mapping[str, Files] = field(default_factory=dict)
    notes: tuple[str, ...] = ()


def parse(text: str) -> Buildspec:
    """Read a specification.

    Args:
        text: YAML; JSON is YAML as well.

    Raises:
        BuildspecInvalid: Naming what is wrong, or not carried.
    """
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecInvalid(f"YAML_FILE_ERROR: {error}") from None
    spec = _mapping(document, "the build specification")
    if str(spec.get("version")) != "0.2":
        raise BuildspecInvalid(
            f"YAML_FILE_ERROR: version is {spec.get('version')!r}; the local AWS carries 0.2."
        )
    _known(spec, _TOP, "the build specification")
    env = _mapping(spec.get("env") or {}, "env")
    _known(env, _ENV, "env")
    shell = env.get("shell", "sh")
    if shell not in ("sh", "bash"):
        raise BuildspecInvalid(f"env/shell is {shell!r}; the local AWS carries sh and bash.")
    phases = _mapping(spec.get("phases") or {}, "phases")
    _known(phases, frozenset(PHASES), "phases")
    if not phases:
        raise BuildspecInvalid("YAML_FILE_ERROR: the build specification has no phases")
    artifacts = _mapping(spec.get("artifacts") or {}, "artifacts")
    secondary = _mapping(artifacts.get("secondary-artifacts") or {}, "secondary-artifacts")
    return Buildspec(
        phases=tuple(_phase(name, phases[name]) for name in PHASES if phases.get(name)),
        shell=shell,
        variables=_texts(env.get("variables"), "env/variables"),
        parameters=_texts(env.get("parameter-store"), "env/parameter-store"),
        secrets=_texts(env.get("secrets-manager"), "env/secrets-manager"),
        exported=_list(env.get("exported-variables"), "env/exported-variables"),
        artifacts=_files(artifacts, "artifacts") if artifacts.get("files") else None,
        secondary={name: _files(one, f"artifact {name}") for name, one in secondary.items()},
        notes=tuple(_notes(phases)),
    )


def _phase(name: str, value: Any) -> Phase:
    phase = _mapping(value, f"phase {name}")
    _known(phase, _PHASE, f"phase {name}")
    on_failure = str(phase.get("on-failure") or "")
    if on_failure not in ("", "ABORT"):
        raise BuildspecInvalid(
            f"on-failure of phase {name} is {on_failure!r}; the local AWS carries ABORT."
        )
    return Phase(
        name.upper(),
        _list(phase.get("commands"), f"commands of phase {name}"),
        _list(phase.get("finally"), f"finally of phase {name}"),
        on_failure,
    )


def _notes(phases: Mapping[str, Any]) -> Sequence[str]:
    wanted = (phases.get("install") or {}).get("runtime-versions") or {}
    return [
        f"runtime-versions: {name} {version} is not installed; what is on this machine is used"
        for name, version in wanted.items()
    ]


def _files(value: Any, what: str) -> Files:
    given = _mapping(value, what)
    _known(given, _ARTIFACT, what)
    return Files(
        patterns=_list(given.get("files"), f"files of {what}"),
        base=str(given.get("base-directory") or "."),
        discard_paths=str(given.get("discard-paths", "no")).lower() in ("yes", "true"),
        name=str(given.get("name") or ""),
        excluded=_list(given.get("exclude-paths"), f"exclude-paths of {what}"),
    )


def _known(given: Mapping[str, Any], known: frozenset[str], what: str) -> None:
    if unknown := sorted(map(str, given.keys() - known)):
        raise BuildspecInvalid(
            f"The local AWS does not carry {', '.join(unknown)} of {what}; it carries "
            f"{', '.join(sorted(known))}."
        )


def _mapping(value: Any, what: str) -> Mapping[str, Any]:
    if not isinstance(value, Mapping):
        raise BuildspecInvalid(f"YAML_FILE_ERROR: {what} has to be a mapping; found {value!r}")
    return value


def _list(value: Any, what: str) -> tuple[str, ...]:
    if value is None:
        return ()
    listed = [value] if isinstance(value, str) else value
    if not isinstance(listed, list) or not all(
        isinstance(one, str | int | float) for one in listed
    ):
        raise BuildspecInvalid(f"YAML_FILE_ERROR: {what} has to be a list of texts")
    return tuple(str(one) for one in listed)


def _texts(value: Any, what: str) -> Mapping[str, str]:
    return {str(name): str(text) for name, text in _mapping(value or {}, what).items()}
