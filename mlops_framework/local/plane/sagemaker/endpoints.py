"""Endpoints: creating, updating without a gap, rolling back, deleting, and coming up again."""

from __future__ import annotations

import re
import time
from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import (
    Area,
    Record,
    invalid,
    milliseconds,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.fleet import Fleet, ServingError
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.many_models import variant_server
from mlops_framework.local.plane.sagemaker.models import Models
from mlops_framework.local.plane.sagemaker.plans import serves_itself, variant_plan, variant_summary
from mlops_framework.local.plane.service import Scope, operation

KIND = "endpoint"
_UP_AGAIN_SECONDS = 60.0
_SETTLED = ("InService", "Failed", "OutOfService")
_HIDDEN = ("plans", "capture", "queue")
_RETAINED = {"DesiredWeight": "CurrentWeight", "DesiredInstanceCount": "InstanceCount"}


class Endpoints(Area):
    """CreateEndpoint, DescribeEndpoint, ListEndpoints, UpdateEndpoint(…), DeleteEndpoint."""

    def __init__(self, host: PlaneHost, models: Models) -> None:
        """Bring up again what served when the local AWS was stopped.

        Args:
            host: the emulator.
            models: models and endpoint configurations.
        """
        super().__init__(host)
        self._models = models
        self.fleet = Fleet(host, server=variant_server)
        for scope in host.scopes(self.name):
            for record in list(self.records(KIND, scope).values()):
                name, status = record["EndpointName"], record["EndpointStatus"]
                if status == "Failed":
                    continue
                if record.get("plans") and status != "Deleting":
                    self.change(KIND, name, scope, EndpointStatus="SystemUpdating")
                    host.spawn(f"endpoint {name}", self._up_again, name, scope)
                else:
                    reason = "The local AWS was stopped while the endpoint was being made."
                    self.change(KIND, name, scope, EndpointStatus="Failed", FailureReason=reason)

    @operation("CreateEndpoint")
    def create_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Make an endpoint."""
        _check_deployment(request)
        config = self._models.config_record(request["EndpointConfigName"], scope)
        name = request["EndpointName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            "EndpointName": name,
            "EndpointArn": arn,
            "EndpointConfigName": config["EndpointConfigName"],
            "EndpointStatus": "Creating",
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        taken = invalid(f'Cannot create already existing endpoint "{arn}".')
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        self._emit(record, scope)
        self.host.spawn(f"endpoint {name}", self._deploy, name, config, {}, scope)
        return {"EndpointArn": arn}

    @operation("UpdateEndpoint")
    def update_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Put an endpoint on another configuration; the old one serves until the new one does."""
        _check_deployment(request)
        config = self._models.config_record(request["EndpointConfigName"], scope)
        record = self._settled(request["EndpointName"], scope)
        name = record["EndpointName"]
        serverless = any("ServerlessConfig" in plan for plan in record.get("plans", []))
        if not serverless and "ServerlessConfig" in config["ProductionVariants"][0]:
            raise invalid("An endpoint with instances cannot be updated to a serverless one.")
        changed = self.change(KIND, name, scope, EndpointStatus="Updating", FailureReason=None)
        self._emit(changed, scope)
        retained = _retained(request, record)
        self.host.spawn(f"endpoint {name}", self._deploy, name, config, retained, scope)
        return {"EndpointArn": record["EndpointArn"]}

    @operation("UpdateEndpointWeightsAndCapacities")
    def update_endpoint_weights_and_capacities(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Shift traffic between the variants of an endpoint."""
        record = self._settled(request["EndpointName"], scope)
        name = record["EndpointName"]
        plans = {plan["VariantName"]: plan for plan in record.get("plans", [])}
        for desired in request["DesiredWeightsAndCapacities"]:
            plan = plans.get(desired["VariantName"])
            if plan is None:
                raise invalid(
                    f"The variant {desired['VariantName']!r} is not one of "
                    f"{record['EndpointArn']}: {sorted(plans)}."
                )
            plan["CurrentWeight"] = desired.get("DesiredWeight", plan["CurrentWeight"])
            plan["InstanceCount"] = desired.get("DesiredInstanceCount", plan["InstanceCount"])
            if plan["InstanceCount"] == 0 and "queue" not in record:
                raise invalid("DesiredInstanceCount 0 is for asynchronous endpoints.")
        if sum(plan["CurrentWeight"] for plan in plans.values()) <= 0:
            raise invalid("At least one variant needs a weight above 0.")
        deployment = self.fleet.get(name, scope)
        running = set(deployment.servers) if deployment else set()
        if {key for key, plan in plans.items() if serves_itself(plan)} != running:
            self._emit(self.change(KIND, name, scope, EndpointStatus="Updating"), scope)
            args = (name, list(plans.values()), scope)
            self.host.spawn(f"endpoint {name}", self._change_capacity, *args)
            return {"EndpointArn": record["EndpointArn"]}
        if deployment is not None:
            deployment.weights = {key: plan["CurrentWeight"] for key, plan in plans.items()}
        self._emit(self.change(KIND, name, scope, plans=list(plans.values())), scope)
        return {"EndpointArn": record["EndpointArn"]}

    @operation("DescribeEndpoint")
    def describe_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe an endpoint."""
        record = self.endpoint_record(request["EndpointName"], scope)
        described = {member: v for member, v in record.items() if member not in _HIDDEN}
        if record.get("plans"):
            described["ProductionVariants"] = [variant_summary(plan) for plan in record["plans"]]
        if queue := record.get("queue"):
            described["AsyncInferenceConfig"] = queue
        if capture := record.get("capture"):
            enabled = capture.get("EnableCapture", False)
            described["DataCaptureConfig"] = {
                "EnableCapture": enabled,
                "CaptureStatus": "Started" if enabled else "Stopped",
                "CurrentSamplingPercentage": capture["InitialSamplingPercentage"],
                "DestinationS3Uri": capture["DestinationS3Uri"],
                "KmsKeyId": capture.get("KmsKeyId", ""),
            }
        return described

    @operation("ListEndpoints")
    def list_endpoints(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List endpoints."""
        with self.locked():
            kept = self.records(KIND, scope).values()
            chosen, token = page(kept, request, name="EndpointName", status="EndpointStatus")
        members = (
            *("EndpointName", "EndpointArn", "CreationTime", "LastModifiedTime"),
            "EndpointStatus",
        )
        return {"Endpoints": [only(each, members) for each in chosen], "NextToken": token}

    @operation("DeleteEndpoint")
    def delete_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Delete an endpoint."""
        record = self._settled(request["EndpointName"], scope)
        name = record["EndpointName"]
        self._emit(self.change(KIND, name, scope, EndpointStatus="Deleting"), scope)
        self.host.spawn(f"endpoint {name}", self._delete, name, record["EndpointArn"], scope)
        return {}

    def endpoint_record(self, name: str, scope: Scope) -> Record:
        """A copy of an endpoint's record.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(KIND, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
            raise invalid(f'Could not find endpoint "{arn}".')
        return record

    def _settled(self, name: str, scope: Scope) -> Record:
        record = self.endpoint_record(name, scope)
        if record["EndpointStatus"] not in _SETTLED:
            raise invalid(f'Cannot update in-progress endpoint "{record["EndpointArn"]}".')
        return record

    def _change_capacity(self, name: str, plans: list[Record], scope: Scope) -> None:
        """Bring a variant its first instance, or take the last one of an asynchronous endpoint."""
        try:
            self.fleet.deploy(name, plans, scope)
        except ServingError as error:
            self._roll_back(name, str(error), scope)
            return
        self._emit(self.change(KIND, name, scope, EndpointStatus="InService", plans=plans), scope)

    def _deploy(
        self, name: str, config: Record, retained: Mapping[str, Record], scope: Scope
    ) -> None:
        try:
            plans = [
                variant_plan(each, retained, self._models, scope)
                for each in config["ProductionVariants"]
            ]
            self.fleet.deploy(name, plans, scope)
        except Exception as error:
            told = str(error) if isinstance(error, ServingError) else _told(error)
            self._roll_back(name, told, scope)
            return
        changed = self.change(
            KIND,
            name,
            scope,
            EndpointStatus="InService",
            EndpointConfigName=config["EndpointConfigName"],
            FailureReason=None,
            plans=plans,
            capture=config.get("DataCaptureConfig"),
            queue=config.get("AsyncInferenceConfig"),
        )
        self._emit(changed, scope)

    def _roll_back(self, name: str, reason: str, scope: Scope) -> None:
        serving = self.fleet.get(name, scope) is not None
        if serving:
            self._emit(self.change(KIND, name, scope, EndpointStatus="RollingBack"), scope)
        status = "InService" if serving else "Failed"
        changed = self.change(KIND, name, scope, EndpointStatus=status, FailureReason=reason)
        self._emit(changed, scope)

    def _delete(self, name: str, arn: str, scope: Scope) -> None:
        self.fleet.remove(name, scope)
        self.forget(KIND, name, scope, arn)

    def _up_again(self, name: str, scope: Scope) -> None:
        """Start the servers of an endpoint that served when the local AWS was stopped."""
        deadline = time.monotonic() + _UP_AGAIN_SECONDS
        while not self._s3_answers(scope) and time.monotonic() < deadline:
            time.sleep(0.2)
        record = self.endpoint_record(name, scope)
        try:
            self.fleet.deploy(name, record["plans"], scope)
        except ServingError as error:
            changed = self.change(
                KIND, name, scope, EndpointStatus="Failed", FailureReason=str(error)
            )
        else:
            changed = self.change(KIND, name, scope, EndpointStatus="InService")
        self._emit(changed, scope)

    def _s3_answers(self, scope: Scope) -> bool:
        try:
            self.host.client("s3", scope).list_buckets()
        except (BotoCoreError, ClientError):
            return False
        return True

    def _emit(self, record: Record, scope: Scope) -> None:
        if not record:
            return
        status = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", record["EndpointStatus"]).upper()
        detail = {
            **only(record, ["EndpointName", "EndpointArn", "EndpointConfigName", "FailureReason"]),
            "ProductionVariants": [variant_summary(plan) for plan in record.get("plans", [])],
            "EndpointStatus": status,
            "CreationTime": milliseconds(record["CreationTime"]),
            "LastModifiedTime": milliseconds(record["LastModifiedTime"]),
            "Tags": self.tags_of(record["EndpointArn"], scope),
        }
        arn = record["EndpointArn"]
        self.emit("SageMaker Endpoint State Change", detail, [arn], scope)


def _retained(request: Mapping[str, Any], record: Record) -> dict[str, Record]:
    """What an update keeps of each variant as it is."""
    if not request.get("RetainAllVariantProperties"):
        return {}
    excluded = {
        each["VariantPropertyType"] for each in request.get("ExcludeRetainedVariantProperties", [])
    }
    members = [member for kind, member in _RETAINED.items() if kind not in excluded]
    return {plan["VariantName"]: only(plan, members) for plan in record.get("plans", [])}


def _check_deployment(request: Mapping[str, Any]) -> None:
    deployment = request.get("DeploymentConfig", {})
    if "RollingUpdatePolicy" in deployment:
        raise not_carried("a RollingUpdatePolicy", "Use a BlueGreenUpdatePolicy, ALL_AT_ONCE.")
    routing = deployment.get("BlueGreenUpdatePolicy", {}).get("TrafficRoutingConfiguration", {})
    if routing.get("Type", "ALL_AT_ONCE") != "ALL_AT_ONCE":
        raise not_carried(f"traffic routing of type {routing['Type']!r}", "Use 'ALL_AT_ONCE'.")


def _told(error: Exception) -> str:
    message = getattr(error, "message", None)
    return str(message) if message else f"InternalServerError: {type(error).__name__}: {error}"
