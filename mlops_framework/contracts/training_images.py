"""From the algorithm that a request names to the images that train and serve it."""

from __future__ import annotations

from collections.abc import Set
from typing import Final, Literal

from mlops_framework.contracts.base import Place
from mlops_framework.contracts.faults import shown
from mlops_framework.errors import Fault, RequestInvalid

Scope = Literal["training", "inference"]
_FIELDS: Final = {"version": "algorithm_version", "instance_type": "instance_type"}
"""The field that a fault of the table of images is about; algorithm for every other."""


def training_image(algorithm: str, version: str, place: Place, *, instance_types: Set[str]) -> str:
    """The one image that trains on all of the instance types, which differ by stage.

    Raises:
        RequestInvalid: There is no such image, or there is one for each kind of processor.
    """
    found = {
        aws_image(algorithm, version, place, scope="training", instance_type=each)
        for each in sorted(instance_types)
    }
    if len(found) == 1:
        return found.pop()
    fault = Fault(
        "instance_type",
        f"{algorithm} {version} has an image for each kind of processor: "
        f"{', '.join(sorted(found))}.",
        "instance types with one kind of processor in all stages, or image_uri",
        shown(sorted(instance_types)),
    )
    raise RequestInvalid([fault])


def aws_image(
    algorithm: str,
    version: str,
    place: Place,
    *,
    scope: Scope,
    instance_type: str | None = None,
) -> str:
    """The image of an algorithm or framework of AWS.

    Raises:
        RequestInvalid: There is no such algorithm, version or region.
    """
    # Loaded only where an algorithm is named: the table of images is large.
    from mlops_framework.images import ImageUnknown, image_uri

    try:
        return image_uri(algorithm, version, place.region, scope=scope, instance_type=instance_type)
    except ImageUnknown as unknown:
        field = _FIELDS.get(unknown.aspect, "algorithm")
        raise RequestInvalid([unknown.fault(field)]) from None
