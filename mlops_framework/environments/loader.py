"""``base.yaml`` <- ``<name>.yaml``, merged by key, then validated once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from pydantic import ValidationError

from mlops_framework.contracts.faults import closest, faults_of, shown
from mlops_framework.environments.documents import Document, Path_, read_document
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.errors import EnvironmentInvalid, Fault

BASE: Final = "base"
_CONFIRMATION: Final = ("retain_data_confirmation",)
_RETAIN: Final = ("retain_data",)

_NAME: Final = "at most 16 lower-case letters, digits and single hyphens, starting with a letter"
_ACCEPTED: Final[Mapping[str, str]] = {
    "account": "12 digits in quotes, or null for the caller's account",
    "region": "an AWS region such as eu-west-1",
    "name": _NAME,
    "name_prefix": _NAME,
    "kms_key_arn": "the ARN of a KMS key, arn:aws:kms:<region>:<account>:key/<id>, or null",
    "permissions_boundary_arn": "the ARN of a managed policy, arn:aws:iam::…:policy/…, or null",
    "vpc_id": "a VPC id, vpc-…",
    "subnet_ids": "subnet ids, subnet-…",
    "security_group_ids": "security group ids, sg-…",
    "emails": "addresses, somebody@example.com",
    "tags": "letters, digits, blanks and _ . : / = + - @",
    "connection_arn": "arn:aws:codeconnections:<region>:<account>:connection/<id>, or null",
    "repository": "owner/name, or the name of a CodeCommit repository",
    "branch": "the name of a branch",
    "folder": "a folder with a slash at its end, such as pipelines/",
    "enabled": "names of what is offered, or patterns such as acme-*",
    "modules": "importable modules, package.module or package.module:NAME",
}


def environment_names(folder: Path) -> tuple[str, ...]:
    """The environments that ``folder`` has a file for, sorted."""
    return tuple(sorted(file.stem for file in folder.glob("*.yaml") if file.stem != BASE))


def load_environment(name: str, folder: Path) -> EnvironmentConfig:
    """The environment of a name.

    Maps are merged key by key, lists and values of the overlay replace the base's.

    Args:
        name: Of the file, without ``.yaml``.
        folder: Usually ``environments/`` of the checkout.

    Raises:
        EnvironmentInvalid: With every fault, each naming file, line, key, found and accepted.
    """
    names = environment_names(folder)
    if name not in names:
        nearest = closest(name, names)
        hint = f" Did you mean {nearest!r}?" if nearest else ""
        listed = ", ".join(names) or "none"
        said = f"There is no environment {name!r} in {folder}.{hint} There are: {listed}."
        fault = Fault("", said, f"one of {listed}", shown(name))
        raise EnvironmentInvalid(f"Choose an environment with -c env=<name>: {said}", [fault])

    overlay = read_document(folder / f"{name}.yaml")
    base_file = folder / f"{BASE}.yaml"
    base = read_document(base_file) if base_file.is_file() else Document(base_file, {}, {})
    faults = [*_name_faults(overlay, name), *_retention_faults(base, overlay)]
    merged = merge(base.data, overlay.data) | {"name": name}
    config: EnvironmentConfig | None = None
    try:
        config = EnvironmentConfig.model_validate(merged)
    except ValidationError as error:
        faults += faults_of(error, EnvironmentConfig, accepted=_words)
    if faults or config is None:
        located = [_located(fault, base, overlay) for fault in faults]
        raise EnvironmentInvalid(f"The environment {name!r} is refused.", located)
    return config


def merge(base: Mapping[str, Any], overlay: Mapping[str, Any]) -> dict[str, Any]:
    """``base`` with every key of ``overlay``; maps in both are merged, all else is replaced."""
    merged = dict(base)
    for key, value in overlay.items():
        below = merged.get(key)
        if isinstance(below, dict) and isinstance(value, dict):
            merged[key] = merge(below, value)
        else:
            merged[key] = value
    return merged


def environment_schema() -> dict[str, Any]:
    """JSON Schema of one environment file, for editors: every key optional, files are layered."""
    schema = EnvironmentConfig.model_json_schema()
    properties = {key: value for key, value in schema["properties"].items() if key != "name"}
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "environments/*.yaml",
        "description": "One environment, or the base that every environment is layered on.",
        "type": "object",
        "additionalProperties": False,
        "properties": properties,
        "$defs": schema["$defs"],
    }


def _words(where: Sequence[str | int]) -> str | None:
    named = [part for part in where if isinstance(part, str)]
    for part in reversed(named):
        if part in _ACCEPTED:
            return _ACCEPTED[part]
    return None


def _name_faults(overlay: Document, name: str) -> list[Fault]:
    if "name" not in overlay.data:
        return []
    said = f"An environment is named by its file, {overlay.file.name}; remove the key."
    return [Fault("name", said, f"no key, since the file says {name}", shown(overlay.data["name"]))]


def _retention_faults(base: Document, overlay: Document) -> list[Fault]:
    faults = []
    if _CONFIRMATION in base:
        said = "A confirmation holds for one environment: write it beside retain_data in its file."
        faults.append(Fault(_CONFIRMATION[0], said, "no such key in the base", shown(True)))
    if base.data.get("retain_data") is False and _RETAIN not in overlay:
        said = (
            "The base cannot give up data for every environment; say it in the environment's file."
        )
        faults.append(Fault(_RETAIN[0], said, "true", "false"))
    return faults


def _located(fault: Fault, base: Document, overlay: Document) -> Fault:
    path: Path_ = tuple(int(part) if part.isdigit() else part for part in fault.path.split("."))
    for cut in range(len(path), 0, -1):
        for document in (overlay, base):
            if path[:cut] in document:
                where = f"{document.file}:{document.lines[path[:cut]]}"
                return Fault(fault.path, f"{fault.message} ({where})", fault.accepted, fault.found)
    return Fault(fault.path, f"{fault.message} ({overlay.file})", fault.accepted, fault.found)
