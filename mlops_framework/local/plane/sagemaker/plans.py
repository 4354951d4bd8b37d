"""What it takes to serve a variant or an inference component, and how a variant is described."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import Record
from mlops_framework.local.plane.sagemaker.models import Models, is_many
from mlops_framework.local.plane.service import Scope

HEALTH_CHECK_SECONDS = 240


def variant_plan(
    variant: Mapping[str, Any], retained: Mapping[str, Record], models: Models, scope: Scope
) -> Record:
    """Everything needed to serve a variant, also after its model has been deleted.

    Args:
        variant: A production variant of an endpoint configuration.
        retained: Members that an update keeps from the variant as it was, by variant name.
        models: The models.
        scope: Account and region.
    """
    name = variant["VariantName"]
    plan: Record = {
        "VariantName": name,
        "CurrentWeight": variant.get("InitialVariantWeight", 1.0),
        "InstanceCount": variant.get("InitialInstanceCount", 1),
        **retained.get(name, {}),
    }
    for member in ("ServerlessConfig", "ManagedInstanceScaling", "RoutingConfig"):
        if member in variant:
            plan[member] = variant[member]
    if "ModelName" not in variant:
        # Its inference components bring the models.
        return {**plan, "Image": ""}
    seconds = variant.get("ContainerStartupHealthCheckTimeoutInSeconds", HEALTH_CHECK_SECONDS)
    return plan | model_plan(variant["ModelName"], seconds, models, scope, many=True)


def model_plan(
    model: str, seconds: int, models: Models, scope: Scope, *, many: bool = False
) -> Record:
    """The part of a plan that comes from a model.

    Args:
        model: Its name.
        seconds: How long its server has until it answers its ping.
        models: The models.
        scope: Account and region.
        many: Whether a multi-model endpoint can be made of it.

    Raises:
        AwsFault: There is none of that name, or it may not be served.
    """
    container = models.containers(model, scope, many=many)
    data, environment = models.resolve(container, scope)
    return {
        "Image": container.get("Image", ""),
        "ModelDataUrl": data,
        "Environment": environment,
        "HealthCheckSeconds": seconds,
        "ManyModels": is_many(container),
    }


def serves_itself(plan: Mapping[str, Any]) -> bool:
    """Whether a variant has a model and an instance of its own; else it waits for them."""
    return "ModelDataUrl" in plan and plan["InstanceCount"] > 0


def variant_summary(plan: Mapping[str, Any]) -> dict[str, Any]:
    """A variant as DescribeEndpoint and the endpoint's events show it."""
    images = [{"SpecifiedImage": plan["Image"]}] if plan["Image"] else []
    summary: dict[str, Any] = {"VariantName": plan["VariantName"], "DeployedImages": images}
    if serverless := plan.get("ServerlessConfig"):
        return summary | {
            "CurrentWeight": plan["CurrentWeight"],
            "DesiredWeight": plan["CurrentWeight"],
            "CurrentServerlessConfig": serverless,
            "DesiredServerlessConfig": serverless,
        }
    for member in ("ManagedInstanceScaling", "RoutingConfig"):
        if member in plan:
            summary[member] = plan[member]
    if "ModelDataUrl" in plan:
        summary |= {"CurrentWeight": plan["CurrentWeight"], "DesiredWeight": plan["CurrentWeight"]}
    return summary | {
        "CurrentInstanceCount": plan["InstanceCount"],
        "DesiredInstanceCount": plan["InstanceCount"],
    }
