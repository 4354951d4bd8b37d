"""Looks an image up in the table that ships beside this file."""

from __future__ import annotations

import functools
import json
import re
from collections.abc import Mapping, Sequence
from importlib.resources import files
from typing import Any, Final, Literal

from mlops_framework.contracts.faults import closest, shown
from mlops_framework.errors import Fault, FrameworkFault

Scope = Literal["training", "inference"]
Aspect = Literal["framework", "version", "region", "scope", "instance_type"]

_ARM: Final = re.compile(r"[a-z]+[0-9]+g[a-z]*")
"""Families of AWS's own processors: c7g, m6gd, r8g; not g5, whose g stands in front."""
_FAMILY: Final = re.compile(r"^ml\.([a-z0-9-]+)\.[a-z0-9-]+$")
_ACCELERATORS: Final = ("inf", "trn", "dl")
_LISTED: Final = 12
"""Most alternatives that a message names; all of them stand in ``accepted``."""


class ImageUnknown(FrameworkFault):
    """The table has no such image.

    Attributes:
        aspect: Which argument is wrong.
        accepted: What would be right, in words.
        found: What was given, as JSON text.
    """

    def __init__(self, aspect: Aspect, message: str, *, accepted: str, found: object) -> None:
        self.aspect: Aspect = aspect
        self.accepted = accepted
        self.found = shown(found)
        super().__init__(message)

    def fault(self, path: str) -> Fault:
        """The same as one fault of a request.

        Args:
            path: Field of the request that says it.
        """
        return Fault(path, str(self), self.accepted, self.found)


def image_uri(
    framework: str,
    version: str,
    region: str,
    *,
    scope: Scope = "training",
    instance_type: str | None = None,
) -> str:
    """The image of a built-in algorithm, framework, or SageMaker's analyzers, in a region.

    The newest Python of a version is taken. Without an instance type, where images differ by
    processor, it is the CPU's, as for a serverless endpoint.

    Args:
        framework: ``xgboost``, ``linear-learner``, ``pytorch``, …, ``model-monitor``, ``clarify``.
        version: As the table has it (``1.7-1``); ``huggingface`` takes it with the framework
            below, ``4.28.1-pytorch2.0.0``. May be empty where there is one version only.
        region: Where the image is pulled.
        scope: What it shall do; the same image for algorithms and analyzers.
        instance_type: What it runs on, ``ml.m5.large``.

    Returns:
        ``<account>.dkr.ecr.<region>.<domain>/<repository>[:<tag>]``.

    Raises:
        ImageUnknown: Naming the argument that is wrong, the nearest match and what is accepted.
    """
    offered = _versions(framework, scope)
    chosen = version or (next(iter(offered)) if len(offered) == 1 else "")
    if chosen not in offered:
        said = f"version {version!r} of {framework} for {scope}"
        raise _unknown("version", said, version, tuple(offered))
    by_processor = offered[chosen]
    processor = _processor(instance_type)
    entry = by_processor.get(processor)
    if entry is None and processor != "arm":
        entry = by_processor.get("any")
    if entry is None and instance_type is None and len(by_processor) == 1:
        entry = next(iter(by_processor.values()))
    if entry is None:
        words = ", ".join(_PROCESSORS[name] for name in sorted(by_processor))
        raise ImageUnknown(
            "instance_type",
            f"{framework} {chosen} has no {scope} image for {_PROCESSORS[processor]}"
            f"{f', which {instance_type} is' if instance_type else ''}; it has one for {words}.",
            accepted=f"an instance type with {words}",
            found=instance_type,
        )
    index, image = entry
    accounts: Mapping[str, str] = _table()["registries"][index]
    if region not in accounts:
        said = f"image of {framework} {chosen} in the region {region!r}"
        raise _unknown("region", said, region, tuple(accounts))
    domain = _table()["domains"].get(region, "amazonaws.com")
    return f"{accounts[region]}.dkr.ecr.{region}.{domain}/{image}"


def known() -> tuple[str, ...]:
    """Every framework and algorithm of the table, sorted."""
    return tuple(_table()["images"])


def versions(framework: str, scope: Scope = "training") -> tuple[str, ...]:
    """The versions and aliases of one framework, as the table has them.

    Raises:
        ImageUnknown: If there is no such framework, or none for that scope.
    """
    return tuple(_versions(framework, scope))


_PROCESSORS: Final[Mapping[str, str]] = {
    "any": "x86 CPUs and GPUs",
    "arm": "AWS's own (arm64) CPUs",
    "cpu": "x86 CPUs",
    "gpu": "GPUs",
}


def _versions(framework: str, scope: Scope) -> Mapping[str, Mapping[str, Any]]:
    images = _table()["images"]
    if framework not in images:
        said = f"built-in algorithm or framework {framework!r}"
        raise _unknown("framework", said, framework, tuple(images))
    scopes: Mapping[str, Any] = images[framework]
    found = scopes.get(scope, scopes.get("any"))
    if found is None:
        only = ", ".join(scopes)
        raise ImageUnknown(
            "scope",
            f"{framework} has no image for {scope}; only for {only}.",
            accepted=only,
            found=scope,
        )
    return dict(found)


def _processor(instance_type: str | None) -> str:
    if instance_type is None:
        return "cpu"
    match = _FAMILY.match(instance_type)
    family = match[1] if match else ""
    if not family or family.startswith(_ACCELERATORS):
        accepted = "an instance type with CPUs or GPUs, such as ml.m5.large or ml.g5.xlarge"
        raise ImageUnknown(
            "instance_type",
            f"The table has no images for {instance_type!r}: give {accepted}, or an image of your "
            "own that is made for it.",
            accepted=accepted,
            found=instance_type,
        )
    if _ARM.fullmatch(family):
        return "arm"
    return "gpu" if family[0] in "gp" else "cpu"


def _unknown(aspect: Aspect, said: str, given: str, offered: Sequence[str]) -> ImageUnknown:
    nearest = closest(given, offered)
    hint = f" Did you mean {nearest!r}?" if nearest else ""
    shortened = ", ".join(offered[-_LISTED:]) if aspect == "version" else ", ".join(offered)
    more = " (the newest; all in the documentation)" if aspect == "version" else ""
    more = more if len(offered) > _LISTED else ""
    return ImageUnknown(
        aspect,
        f"There is no {said}.{hint} Accepted: {shortened}{more}.",
        accepted="one of " + ", ".join(offered),
        found=given,
    )


@functools.cache
def _table() -> Mapping[str, Any]:
    text = files("mlops_framework.images").joinpath("table.json").read_text(encoding="utf-8")
    table: Mapping[str, Any] = json.loads(text)
    return table
