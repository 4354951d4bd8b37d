"""Inference components: models that stand on an endpoint's instances in any number of copies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.endpoints import Endpoints
from mlops_framework.local.plane.sagemaker.fleet import ComponentServer, Fleet, ServingError
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.models import Models
from mlops_framework.local.plane.sagemaker.plans import HEALTH_CHECK_SECONDS, model_plan
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "inference-component"
_SETTLED = ("InService", "Failed")


class InferenceComponents(Area):
    """Create, Describe, List, Update and DeleteInferenceComponent, and the number of copies.

    All copies are one process here, since they share one machine; none is no process.
    """

    def __init__(self, host: PlaneHost, models: Models, endpoints: Endpoints) -> None:
        """Bring up again what served when the local AWS was stopped.

        Args:
            host: the emulator.
            models: what components serve.
            endpoints: where they stand.
        """
        super().__init__(host)
        self._models, self._endpoints = models, endpoints
        self.fleet = Fleet(host, KIND, ComponentServer)
        for scope in host.scopes(self.name):
            for record in list(self.records(KIND, scope).values()):
                name = record["InferenceComponentName"]
                if "plan" in record and record["InferenceComponentStatus"] in _SETTLED:
                    self._set(name, scope, InferenceComponentStatus="Updating")
                    args = (name, record["plan"], scope)
                    host.spawn(f"component {name}", self._deploy, *args)

    @operation("CreateInferenceComponent")
    def create_inference_component(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Put a model on an endpoint's instances."""
        name = request["InferenceComponentName"]
        endpoint = self._endpoints.endpoint_record(request["EndpointName"], scope)
        if endpoint["EndpointStatus"] != "InService":
            raise invalid(f'The endpoint "{endpoint["EndpointArn"]}" is not InService.')
        variants = [plan["VariantName"] for plan in endpoint.get("plans", [])]
        hosts = [p["VariantName"] for p in endpoint.get("plans", []) if "ModelDataUrl" not in p]
        variant = request.get("VariantName", "")
        if variant not in hosts:
            raise invalid(
                f"The variant {variant!r} of {endpoint['EndpointArn']} takes no inference "
                f"component; of its variants {variants}, these do: {hosts}."
            )
        if "RuntimeConfig" not in request or "Specification" not in request:
            raise invalid("Specification and RuntimeConfig are required.")
        plan = self._plan(name, request["Specification"], request["RuntimeConfig"], scope)
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            "InferenceComponentName": name,
            "InferenceComponentArn": arn,
            "EndpointName": endpoint["EndpointName"],
            "EndpointArn": endpoint["EndpointArn"],
            "VariantName": variant,
            "InferenceComponentStatus": "Creating",
            "specification": request["Specification"],
            "copies": 0,
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        taken = invalid(f'Cannot create already existing inference component "{arn}".')
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        self.host.spawn(f"component {name}", self._deploy, name, plan, scope)
        return {"InferenceComponentArn": arn}

    @operation("UpdateInferenceComponent")
    def update_inference_component(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Put another model in its place, or another number of copies."""
        record = self._settled(request["InferenceComponentName"], scope)
        name = record["InferenceComponentName"]
        specification = request.get("Specification", record["specification"])
        runtime = request.get("RuntimeConfig", {"CopyCount": record["plan"]["InstanceCount"]})
        plan = self._plan(name, specification, runtime, scope)
        self._set(name, scope, InferenceComponentStatus="Updating", FailureReason=None)
        self.host.spawn(f"component {name}", self._deploy, name, plan, scope, specification)
        return {"InferenceComponentArn": record["InferenceComponentArn"]}

    @operation("UpdateInferenceComponentRuntimeConfig")
    def update_inference_component_runtime_config(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Change the number of copies."""
        return self.update_inference_component(
            {
                "InferenceComponentName": request["InferenceComponentName"],
                "RuntimeConfig": request["DesiredRuntimeConfig"],
            },
            scope,
        )

    @operation("DescribeInferenceComponent")
    def describe_inference_component(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe a component."""
        record = self.component_record(request["InferenceComponentName"], scope)
        hidden = ("specification", "copies", "plan")
        described = {member: v for member, v in record.items() if member not in hidden}
        plan = record.get("plan", {})
        image = {"SpecifiedImage": plan["Image"]} if plan.get("Image") else None
        specification = {
            **record["specification"],
            "Container": {"DeployedImage": image, "Environment": plan.get("Environment")},
        }
        desired = plan.get("InstanceCount", record["copies"])
        return {
            **described,
            "Specification": specification,
            "RuntimeConfig": {"DesiredCopyCount": desired, "CurrentCopyCount": record["copies"]},
        }

    @operation("ListInferenceComponents")
    def list_inference_components(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """List components."""
        with self.locked():
            kept = [
                record
                for record in self.records(KIND, scope).values()
                if request.get("EndpointNameEquals", record["EndpointName"])
                == record["EndpointName"]
            ]
            chosen, token = page(
                kept, request, name="InferenceComponentName", status="InferenceComponentStatus"
            )
        members = (
            *("CreationTime", "InferenceComponentArn", "InferenceComponentName", "EndpointArn"),
            *("EndpointName", "VariantName", "InferenceComponentStatus", "LastModifiedTime"),
        )
        return {"InferenceComponents": [only(each, members) for each in chosen], "NextToken": token}

    @operation("DeleteInferenceComponent")
    def delete_inference_component(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Take a component off its endpoint."""
        record = self._settled(request["InferenceComponentName"], scope)
        name = record["InferenceComponentName"]
        self._set(name, scope, InferenceComponentStatus="Deleting")
        arn = record["InferenceComponentArn"]
        self.host.spawn(f"component {name}", self._delete, name, arn, scope)
        return {}

    def component_record(self, name: str, scope: Scope) -> Record:
        """A copy of a component's record.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(KIND, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
            raise invalid(f'Could not find inference component "{arn}".')
        return record

    def stand_on(self, endpoint: str, scope: Scope) -> list[str]:
        """Names of the components of an endpoint."""
        with self.locked():
            return [
                record["InferenceComponentName"]
                for record in self.records(KIND, scope).values()
                if record["EndpointName"] == endpoint
            ]

    def _settled(self, name: str, scope: Scope) -> Record:
        record = self.component_record(name, scope)
        if record["InferenceComponentStatus"] not in _SETTLED:
            arn = record["InferenceComponentArn"]
            raise invalid(f'Cannot update in-progress inference component "{arn}".')
        return record

    def _plan(
        self, name: str, specification: Mapping[str, Any], runtime: Mapping[str, Any], scope: Scope
    ) -> Record:
        if "ModelName" not in specification:
            raise not_carried("an inference component without ModelName", "Name a model.")
        seconds = specification.get("StartupParameters", {}).get(
            "ContainerStartupHealthCheckTimeoutInSeconds", HEALTH_CHECK_SECONDS
        )
        plan = model_plan(specification["ModelName"], seconds, self._models, scope)
        return {
            "VariantName": name,
            "CurrentWeight": 1.0,
            "InstanceCount": runtime["CopyCount"],
            **plan,
        }

    def _deploy(
        self, name: str, plan: Record, scope: Scope, specification: Record | None = None
    ) -> None:
        try:
            self.fleet.deploy(name, [plan], scope)
        except (AwsFault, ServingError) as error:
            serving = self.fleet.get(name, scope) is not None
            status = "InService" if serving else "Failed"
            self._set(name, scope, InferenceComponentStatus=status, FailureReason=str(error))
            return
        changed = {} if specification is None else {"specification": specification}
        self._set(
            name,
            scope,
            InferenceComponentStatus="InService",
            FailureReason=None,
            plan=plan,
            copies=plan["InstanceCount"],
            **changed,
        )

    def _delete(self, name: str, arn: str, scope: Scope) -> None:
        self.fleet.remove(name, scope)
        self.forget(KIND, name, scope, arn)

    def _set(self, name: str, scope: Scope, **values: Any) -> None:
        self.change(KIND, name, scope, **values)
