"""Decides whether an endpoint serves what its stack asked for, whatever its form.

CloudFormation reports an update as done once SageMaker took it over, and SageMaker may roll an
endpoint back to its former configuration afterwards. The stack then says success while the old
model serves; only a look at the endpoint tells.
Source: SageMaker API, ``DescribeEndpoint``, ``DescribeEndpointConfig``,
``DescribeModel``, ``DescribeInferenceComponent``.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from mlops_framework.delivery.verdict import Passed, Refused, Verdict, Waiting

_MOVING = frozenset({"Creating", "Updating", "SystemUpdating", "RollingBack"})
_NO_COMPONENT = "none"
_FURTHER = ("Variant2", "Variant3", "Variant4")


@dataclass(frozen=True)
class WantedModel:
    """What one variant or component shall serve; empty texts ask for nothing in particular."""

    model: str = ""
    model_package: str = ""
    image: str = ""


@dataclass(frozen=True)
class Wanted:
    """What the stack asked for; empty texts ask for nothing in particular.

    Attributes:
        endpoint: Its name.
        configuration: Name of its configuration.
        model: What every variant shall serve, where ``variants`` is empty.
        model_package: Likewise.
        image: Likewise.
        variants: What each variant shall serve, by its name; then there is no other one.
        component: Inference component that serves the model instead of a variant.
        may_be_idle: Whether it may have no instance because nobody calls.
    """

    endpoint: str
    configuration: str
    model: str = ""
    model_package: str = ""
    image: str = ""
    variants: Mapping[str, WantedModel] = field(default_factory=dict)
    component: str = ""
    may_be_idle: bool = False

    def of(self, variant: str) -> WantedModel:
        """What a variant shall serve."""
        every = WantedModel(self.model, self.model_package, self.image)
        return self.variants.get(variant, every)


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
class Component:
    """An inference component as it serves.

    Attributes:
        name: Of the component.
        status: SageMaker's word.
        model: Its model.
        reason: Why its last change failed.
    """

    name: str
    status: str
    model: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Serving:
    """An endpoint as it is."""

    endpoint: str
    arn: str
    status: str
    configuration: str
    reason: str = ""
    variants: Sequence[Variant] = ()
    component: Component | None = None


def wanted_of(
    endpoint: str,
    configuration: str,
    outputs: Mapping[str, str],
    parameters: Mapping[str, str],
) -> Wanted:
    """What a deployed stack asks for.

    Args:
        endpoint: Name of the endpoint.
        configuration: Name of its configuration.
        outputs: Of the stack: ``ModelName``, and ``VariantModels`` as ``A=model-1,B=model-2``.
        parameters: Of the stack; those of further variants begin with ``Variant2`` and so on.
    """
    component = outputs.get("InferenceComponentName", _NO_COMPONENT)
    first = WantedModel(
        outputs.get("ModelName", ""),
        parameters.get("ModelPackageName", ""),
        parameters.get("ImageUri", ""),
    )
    prefixes = {
        parameters[f"{prefix}Name"]: prefix
        for prefix in _FURTHER
        if parameters.get(f"{prefix}Name")
    }
    variants: dict[str, WantedModel] = {}
    for each in filter(None, outputs.get("VariantModels", "").split(",")):
        name, _, model = each.partition("=")
        prefix = prefixes.get(name)
        variants[name] = (
            WantedModel(
                model,
                parameters.get(f"{prefix}ModelPackageName", ""),
                parameters.get(f"{prefix}ImageUri", ""),
            )
            if prefix
            else first
        )
    return Wanted(
        endpoint,
        configuration,
        first.model,
        first.model_package,
        first.image,
        variants,
        "" if component == _NO_COMPONENT else component,
        may_be_idle=parameters.get("AutoscalingMinInstances") == "0"
        and parameters.get("AutoscalingMaxInstances", "0") != "0",
    )


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
            f"asks for {wanted.configuration}: the update was rolled back, or somebody else "
            f"changed the endpoint.{reason} The stack does not try it again by itself: send the "
            "request with a change to what the endpoint runs, such as an environment variable.",
            serving.arn,
        )
    faults = [fault for variant in serving.variants for fault in _faults(wanted, variant)]
    if not serving.variants:
        faults = ["it has no production variant"]
    if wanted.variants:
        live = {variant.name for variant in serving.variants}
        faults += [f"it has no variant {name}" for name in sorted(wanted.variants.keys() - live)]
        faults += [
            f"it has a variant {name} that nobody asked for"
            for name in sorted(live - wanted.variants.keys())
        ]
    if faults:
        return Refused(f"Endpoint {wanted.endpoint}: {'; '.join(faults)}.{reason}", serving.arn)
    if wanted.component:
        said = _judge_component(wanted, serving)
        if said is not None:
            return said
    return Passed(
        f"Endpoint {wanted.endpoint} is InService with configuration {serving.configuration}.",
        serving.arn,
    )


def _judge_component(wanted: Wanted, serving: Serving) -> Verdict | None:
    """What keeps an inference component from passing; nothing if it serves what was asked."""
    component = serving.component
    if component is None:
        return Refused(f"There is no inference component {wanted.component}.", serving.arn)
    reason = f" SageMaker says: {component.reason}" if component.reason else ""
    if component.status in _MOVING:
        return Waiting(f"Inference component {component.name} is {component.status}.", serving.arn)
    if component.status != "InService":
        return Refused(
            f"Inference component {component.name} is {component.status}, not InService.{reason}",
            serving.arn,
        )
    if component.model != wanted.model:
        return Refused(
            f"Inference component {component.name} serves model {component.model}, the stack asks "
            f"for {wanted.model}: the update was rolled back.{reason}",
            serving.arn,
        )
    return None


def _faults(endpoint: Wanted, variant: Variant) -> list[str]:
    faults = []
    idle = endpoint.may_be_idle
    if variant.instances is not None and variant.instances < 1 and not idle:
        faults.append(f"variant {variant.name} has no running instance")
    if endpoint.component:
        # The component brings the model; the variant has none.
        return faults
    wanted = endpoint.of(variant.name)
    if wanted.model and variant.model != wanted.model:
        faults.append(f"variant {variant.name} serves model {variant.model}, not {wanted.model}")
    if wanted.model_package and wanted.model_package not in variant.model_packages:
        served = ", ".join(variant.model_packages) or "no model package"
        faults.append(f"variant {variant.name} serves {served}, not {wanted.model_package}")
    if wanted.image and variant.images and wanted.image not in variant.images:
        served = ", ".join(variant.images)
        faults.append(f"variant {variant.name} runs the image {served}, not {wanted.image}")
    return faults
