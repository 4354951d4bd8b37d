"""The variants that stand beside an endpoint's first one, their images and their variables."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Annotated, Final

from pydantic import Field

from mlops_framework.contracts.base import Accepts, Document
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import (
    OptionalImageUri,
    OptionalModelPackageArn,
    OptionalS3Object,
)
from mlops_framework.errors import Fault
from mlops_framework.images import ImageUnknown, image_uri

FIRST: Final = "AllTraffic"
_SCRIPTED: Final = frozenset({"sklearn", "pytorch", "tensorflow", "mxnet", "huggingface"})
"""Frameworks whose containers run an inference script out of the model's archive."""
_SCRIPT: Final[Mapping[str, str]] = {
    "SAGEMAKER_PROGRAM": "inference.py",
    "SAGEMAKER_SUBMIT_DIRECTORY": "/opt/ml/model/code",
}

VariantName = Annotated[
    str,
    Field(pattern="^[a-zA-Z0-9](-?[a-zA-Z0-9])*$", max_length=63),
    Accepts("1 to 63 letters, digits and single hyphens, not starting or ending with a hyphen"),
]
OptionalInstanceType = Annotated[
    str,
    Field(pattern="^(ml[.][a-z0-9-]+[.][a-z0-9-]+)?$", max_length=64),
    Accepts("a SageMaker instance type such as ml.m5.large, or empty for the request's own"),
]
Algorithm = Annotated[
    str,
    Field(pattern="^[a-z0-9-]*$", max_length=64),
    Accepts("a built-in algorithm or framework such as xgboost or sklearn, or empty"),
]
AlgorithmVersion = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9.+-]*$", max_length=64),
    Accepts("a version as SageMaker names it, such as 1.7-1, or empty"),
]
EnvironmentName = Annotated[
    str,
    Field(pattern="^[a-zA-Z_][a-zA-Z0-9_]*$", max_length=128),
    Accepts("a variable's name of letters, digits and underscores, not starting with a digit"),
]
EnvironmentValue = Annotated[
    str,
    # CloudFormation would replace {{resolve:…}} by a secret that the request has no right to.
    Field(pattern=r"^([^\x00-\x08\x0b\x0c\x0e-\x1f{]|[{][^\x00-\x08\x0b\x0c\x0e-\x1f{]|[{]$)*$"),
    Field(max_length=1024),
    Accepts("text of at most 1024 characters without control characters and without {{"),
]
Environment = dict[EnvironmentName, EnvironmentValue]


class Variant(Document):
    """One more production variant: a model of its own, with its share of the traffic."""

    variant_name: VariantName = Field(
        description="Name of the variant, for TargetVariant and metrics."
    )
    model_package_name: OptionalModelPackageArn = Field(
        default="", description="Version in the model registry to serve."
    )
    image_uri: OptionalImageUri = Field(
        default="", description="Image that serves the model, with model_artifact_location."
    )
    model_artifact_location: OptionalS3Object = Field(
        default="", description="model.tar.gz with the model and its inference code."
    )
    algorithm: Algorithm = Field(
        default="", description="Built-in algorithm or framework whose image serves the model."
    )
    algorithm_version: AlgorithmVersion = Field(
        default="", description="Version of the algorithm's image."
    )
    environment: Environment = Field(
        default_factory=dict, description="Environment variables of the container."
    )
    instance_type: OptionalInstanceType = Field(
        default="", description="Instance type of the variant; the request's if empty."
    )
    instance_count: Annotated[int, Field(ge=0, le=100)] = Field(
        default=0, description="Instances of the variant; the request's if 0."
    )
    initial_variant_weight: Annotated[float, Field(ge=0, le=1000)] = Field(
        default=1.0, description="Share of the traffic the variant takes, relative to others."
    )


def images_of(
    algorithm: str, version: str, region: str, instance_types: Collection[str], path: str = ""
) -> str | Fault:
    """The one image of an algorithm that serves on all these instance types.

    Args:
        algorithm: Built-in algorithm or framework.
        version: As SageMaker names it.
        region: Where it is pulled.
        instance_types: Of all stages; none for an endpoint without instances.
        path: Of the variant, with a dot at its end; empty for the request.

    Returns:
        Its URI, or what is wrong with asking for it.
    """
    found: dict[str, str] = {}
    for instance_type in sorted(instance_types) or [""]:
        try:
            found[instance_type] = image_uri(
                algorithm, version, region, scope="inference", instance_type=instance_type or None
            )
        except ImageUnknown as unknown:
            field = {"framework": "algorithm", "version": "algorithm_version"}.get(unknown.aspect)
            return unknown.fault(path + (field or unknown.aspect))
    if len(set(found.values())) > 1:
        return Fault(
            f"{path}instance_type",
            f"{algorithm} has not one image for all of {', '.join(found)}: their processors "
            "differ. Take types of one processor, or send a request for each stage.",
            "instance types with one kind of processor",
            shown(sorted(found)),
        )
    return next(iter(found.values()))


def environment_of(
    environment: Mapping[str, str], *, algorithm: str, package: str
) -> dict[str, str]:
    """A container's variables: the given ones, over the script that framework images ask for.

    A registered version brings its own, a built-in algorithm wants none. A container of your own
    that is confused by them is spared them where the request gives them as empty.
    """
    scripted = not package and (not algorithm or algorithm in _SCRIPTED)
    variables = {**(_SCRIPT if scripted else {}), **environment}
    return {name: value for name, value in variables.items() if value or name not in _SCRIPT}
