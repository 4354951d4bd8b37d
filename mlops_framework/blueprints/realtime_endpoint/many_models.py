"""What goes together in a request for a multi-model endpoint.

Source: *Amazon SageMaker AI Developer Guide*, "Multi-model endpoints", "Deploy models with
Serverless Inference" (feature exclusions), "Data and model quality monitoring".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.errors import Fault

SOURCES: Final = "image_uri, or algorithm and algorithm_version"
_NOT_WITH: Final[Mapping[str, str]] = {
    "model_package_name": "a version in the registry is one model",
    "model_package_group": "a version in the registry is one model",
    "model_artifact_location": "the models are the archives below models_location",
    "further_variants": "it has one variant here; its models are told apart by target_model",
}
"""Why a multi-model endpoint takes none of these."""


def of(given: Mapping[str, Any]) -> bool:
    """Whether a request asks for a multi-model endpoint."""
    return bool(given.get("models_location"))


def faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    """What keeps a multi-model endpoint from being made.

    Args:
        given: What the request says, with ``models_location``.
    """
    for name, reason in _NOT_WITH.items():
        if given.get(name):
            yield Fault(
                name,
                f"Not with models_location: {reason}. Leave one of them out.",
                f"{name} or models_location",
                shown(given[name]),
            )
    if not given.get("image_uri") and not given.get("algorithm"):
        yield Fault(
            "image_uri",
            "Missing beside models_location: the image that serves all models.",
            SOURCES,
            NOTHING,
        )
    mode = given.get("endpoint_mode", "real-time")
    if mode != "real-time":
        yield Fault(
            "models_location",
            f"SageMaker serves many models from one endpoint in real time alone, and endpoint_mode "
            f"is {mode!r}; leave it out, or set endpoint_mode to 'real-time'.",
            "nothing, or endpoint_mode real-time",
            shown(given["models_location"]),
        )
    least = given.get("autoscaling_min_instances")
    if 0 in (least.values() if isinstance(least, dict) else [least]):
        yield Fault(
            "autoscaling_min_instances",
            "An endpoint that scales to zero serves through an inference component, which has one "
            "model; keep an instance, or leave models_location out.",
            "at least 1 with models_location",
            shown(least),
        )
