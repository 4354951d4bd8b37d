"""Where a served model comes from: the registry, an image with an artefact, or an algorithm.

Every kind that serves a model asks the same of a request, so the rules between the fields and the
step from an algorithm's name to its image are written here once.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final

from pydantic import Field

from mlops_framework.contracts.base import Place
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import Accepts
from mlops_framework.errors import Fault, RequestInvalid

SOURCES: Final = (
    "model_package_name or model_package_group; or image_uri and model_artifact_location; or "
    "algorithm, algorithm_version and model_artifact_location"
)
_FIELDS: Final = {"version": "algorithm_version", "instance_type": "instance_type"}
"""The field that a fault of the table of images is about; algorithm for every other."""


Algorithm = Annotated[
    str,
    Field(pattern="^([a-z][a-z0-9-]*)?$", max_length=64),
    Accepts("the name of a SageMaker algorithm or framework such as xgboost, or empty"),
]
AlgorithmVersion = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9][A-Za-z0-9._-]*)?$", max_length=32),
    Accepts("a version such as 1.7-1, or empty"),
]

_PACKAGE = ("model_package_name", "model_package_group")
_OWN = ("image_uri", "algorithm", "algorithm_version", "model_artifact_location")


def source_faults(given: Mapping[str, Any], path: str = "") -> Iterator[Fault]:
    """What keeps a request from naming exactly one model.

    An image beside an algorithm is no fault: that is what a resolved request looks like, and
    :func:`image_for` compares the two.

    Args:
        given: The object with the fields, as it was sent.
        path: Of that object in the request, with its trailing dot; empty for the request itself.
    """
    package = next((name for name in _PACKAGE if given.get(name)), None)
    others = [name for name in _OWN if given.get(name)]
    if package and others:
        yield Fault(
            f"{path}{package}",
            f"Given together with {', '.join(others)}; give one of: {SOURCES}.",
            SOURCES,
            shown(given[package]),
        )
        return
    if package:
        yield from _other_group(given, path)
        return
    if not others:
        yield Fault(
            f"{path}model_package_name",
            f"No model to serve: give {SOURCES}.",
            SOURCES,
            NOTHING,
        )
        return
    for name in _missing(given):
        yield Fault(
            f"{path}{name}",
            f"Missing beside {', '.join(others)}: give {SOURCES}.",
            SOURCES,
            NOTHING,
        )


def _missing(given: Mapping[str, Any]) -> list[str]:
    wanted = (
        ("algorithm", "model_artifact_location")  # Some algorithms have one version only.
        if given.get("algorithm") or given.get("algorithm_version")
        else ("image_uri", "model_artifact_location")
    )
    return [name for name in wanted if not given.get(name)]


def _other_group(given: Mapping[str, Any], path: str) -> Iterator[Fault]:
    name, group = given.get("model_package_name"), given.get("model_package_group")
    if not (isinstance(name, str) and isinstance(group, str) and name and group):
        return
    own = name.rpartition(":model-package/")[2].partition("/")[0]
    if own != group:
        yield Fault(
            f"{path}model_package_group",
            f"model_package_name is a version of {own!r}, not of {group!r}; leave one of them out.",
            own,
            shown(group),
        )


def image_for(
    algorithm: str,
    version: str,
    image_uri: str,
    place: Place,
    *,
    instance_type: str | None = None,
    path: str = "",
) -> str:
    """The image that serves a model of an algorithm.

    Args:
        algorithm: As in the request; empty when the request names an image itself.
        version: Of the algorithm.
        image_uri: As in the request; what a resolved request holds is accepted again.
        place: Gives the region.
        instance_type: Frameworks have different images for processors and graphics cards.
        path: Of the object with the fields, with its trailing dot.

    Raises:
        RequestInvalid: There is no such algorithm, version or region, or the request names another
            image beside the algorithm.
    """
    if not algorithm:
        return image_uri
    # Loaded only where an algorithm is named: the table of images is large.
    from mlops_framework.images import ImageUnknown
    from mlops_framework.images import image_uri as look_up

    try:
        found = look_up(
            algorithm, version, place.region, scope="inference", instance_type=instance_type
        )
    except ImageUnknown as unknown:
        field = _FIELDS.get(unknown.aspect, "algorithm")
        raise RequestInvalid([unknown.fault(f"{path}{field}")]) from unknown
    if image_uri and image_uri != found:
        raise RequestInvalid(
            [
                Fault(
                    f"{path}image_uri",
                    f"Given together with algorithm, whose image is {found}; leave one of them "
                    "out.",
                    found,
                    shown(image_uri),
                )
            ]
        )
    return found
