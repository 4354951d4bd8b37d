"""Decides whether an endpoint serves what its stack asked for.

CloudFormation reports an update as done once SageMaker took it over, and SageMaker may roll an
endpoint back to its former configuration afterwards. The stack then says success while the old
model serves; only a look at the endpoint tells.
Source: SageMaker API, ``DescribeEndpoint``, ``DescribeEndpointConfig``, ``DescribeModel``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting

_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})


@dataclass(frozen=True)
class Wanted:
    """What the stack asked for; empty texts ask for nothing in particular."""

    endpoint: str
    configuration: str
    model: str = ""
    model_package: str = ""
    image: str = ""


@dataclass(frozen=True)
class Variant:
    """One production variant as it serves.

    Attributes:
        name: Of the variant.
        model: Model that the live configuration gives it.
        model_packages: Packages of that model's containers.
        images: Images that SageMaker deployed, as specified.
        instances: Running instances; ``None`` for serverless variants.
    """

    name: str
    model: str
    model_packages: Sequence[str] = ()
    images: Sequence[str] = ()
    instances: int | None = None


@dataclass(frozen=True)
class Serving:
    """An endpoint as it is."""

    endpoint: str
    arn: str
    status: str
    configuration: str
    reason: str = ""
    variants: Sequence[Variant] = ()


def judge(wanted: Wanted, serving: Serving | None) -> Verdict:
    """Whether the endpoint serves what was asked for.

    Args:
        wanted: What the stack asked for.
        serving: The endpoint, or nothing when there is none of that name.
    """
    if serving is None:
        return Refused(f"There is no endpoint {wanted.endpoint}, though its stack is deployed.")
    if serving.status in _MOVING:
        return Waiting(f"Endpoint {wanted.endpoint} is {serving.status}.", serving.arn)
    reason = f" SageMaker says: {serving.reason}" if serving.reason else ""
    if serving.status != "InService":
        return Refused(
            f"Endpoint {wanted.endpoint} is {serving.status}, not InService.{reason}", serving.arn
        )
    if serving.configuration != wanted.configuration:
        return Refused(
            f"Endpoint {wanted.endpoint} serves configuration {serving.configuration}, the stack "
            f"asks for {wanted.configuration}: the update was rolled back.{reason}",
            serving.arn,
        )
    faults = [fault for variant in serving.variants for fault in _faults(wanted, variant)]
    if not serving.variants:
        faults = ["it has no production variant"]
    if faults:
        return Refused(f"Endpoint {wanted.endpoint}: {'; '.join(faults)}.", serving.arn)
    return Passed(
        f"Endpoint {wanted.endpoint} is InService with configuration {serving.configuration}.",
        serving.arn,
    )


def _faults(wanted: Wanted, variant: Variant) -> list[str]:
    faults = []
    if variant.instances is not None and variant.instances < 1:
        faults.append(f"variant {variant.name} has no running instance")
    if wanted.model and variant.model != wanted.model:
        faults.append(f"variant {variant.name} serves model {variant.model}, not {wanted.model}")
    if wanted.model_package and wanted.model_package not in variant.model_packages:
        served = ", ".join(variant.model_packages) or "no model package"
        faults.append(f"variant {variant.name} serves {served}, not {wanted.model_package}")
    if wanted.image and variant.images and wanted.image not in variant.images:
        served = ", ".join(variant.images)
        faults.append(f"variant {variant.name} runs the image {served}, not {wanted.image}")
    return faults
