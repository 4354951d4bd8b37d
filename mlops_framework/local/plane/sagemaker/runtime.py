"""SageMaker Runtime: a model's real answer with data capture, at once or out of a queue."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import Record, not_carried
from mlops_framework.local.plane.sagemaker.asynchronous import Queues
from mlops_framework.local.plane.sagemaker.capture import CaptureWriter, Exchange
from mlops_framework.local.plane.sagemaker.components import InferenceComponents
from mlops_framework.local.plane.sagemaker.endpoints import Endpoints
from mlops_framework.local.plane.sagemaker.fleet import (
    Answer,
    Deployment,
    ServingError,
    VariantServer,
)
from mlops_framework.local.plane.sagemaker.many_models import serving
from mlops_framework.local.plane.sagemaker.metrics import InvocationMetrics
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

_REFUSED = ("TargetContainerHostname", "SessionId")
_CUSTOM_ATTRIBUTES = "X-Amzn-SageMaker-Custom-Attributes"
# What is passed on to the container: member of the request to header.
_HEADERS = {
    "ContentType": "Content-Type",
    "Accept": "Accept",
    "CustomAttributes": _CUSTOM_ATTRIBUTES,
}


class SageMakerRuntime(LocalService):
    """The service that answers predictions."""

    name = "sagemaker-runtime"
    validation_code = "ValidationError"

    def __init__(
        self, host: PlaneHost, endpoints: Endpoints, components: InferenceComponents
    ) -> None:
        """Take what is invoked.

        Args:
            host: the emulator.
            endpoints: the part of SageMaker that holds the endpoints.
            components: the part that holds what stands on them.
        """
        super().__init__(host)
        self._endpoints, self._components = endpoints, components
        self._queues = Queues(host, endpoints.fleet, self._is_there)
        self._captures = CaptureWriter(host)
        self._metrics = InvocationMetrics(host)

    @operation("InvokeEndpoint")
    def invoke_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Send a payload to a variant of an endpoint."""
        name = request["EndpointName"]
        if refused := [member for member in _REFUSED if request.get(member)]:
            raise not_carried(f"InvokeEndpoint with {refused[0]}", "Leave it out.")
        record = self._endpoint(name, scope)
        if "queue" in record:
            raise AwsFault(
                "ValidationError",
                f"Endpoint {name} is asynchronous; it takes InvokeEndpointAsync alone.",
            )
        component = request.get("InferenceComponentName", "")
        _check_component(name, record, component)
        fleet = self._components.fleet if component else self._endpoints.fleet
        with fleet.in_use(component or name, scope) as deployment:
            server = _server(deployment, request.get("TargetVariant"))
            if server is None:
                raise self._nobody(name, request, scope)
            variant = self._variant(component, server, scope)
            server = serving(server, name, request.get("TargetModel"))
            with server.room(_concurrency(record, variant), name):
                answer = self._ask(name, server, request, scope)
        content_type = answer.headers.get("Content-Type", "application/octet-stream")
        config = record.get("capture") or {}
        exchange = Exchange(
            request=request["Body"],
            request_type=request.get("ContentType", ""),
            response=answer.body,
            response_type=content_type,
            inference_id=request.get("InferenceId", ""),
            custom_attributes=request.get("CustomAttributes", ""),
        )
        self._captures.add(name, variant, config, exchange, scope)
        return {
            "Body": answer.body,
            "ContentType": content_type,
            "InvokedProductionVariant": variant,
            "CustomAttributes": answer.headers.get(_CUSTOM_ATTRIBUTES),
        }

    @operation("InvokeEndpointAsync")
    def invoke_endpoint_async(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Put a call into the queue of an asynchronous endpoint."""
        name = request["EndpointName"]
        queue = self._endpoint(name, scope).get("queue")
        if queue is None:
            raise AwsFault(
                "ValidationError",
                f"Endpoint {name} has no AsyncInferenceConfig; it takes InvokeEndpoint alone.",
            )
        if refused := [m for m in ("S3OutputPathExtension", "Filename") if m in request]:
            raise not_carried(f"InvokeEndpointAsync with {refused[0]}", "Leave it out.")
        if ("InputLocation" in request) == bool(request.get("Body")):
            raise AwsFault("ValidationError", "Give one of InputLocation and Body.")
        ticket = self._queues.take(name, queue, request, scope)
        return {
            "InferenceId": ticket.inference_id,
            "OutputLocation": ticket.output,
            "FailureLocation": ticket.failure,
        }

    def _is_there(self, endpoint: str, scope: Scope) -> bool:
        record = self._endpoints.find("endpoint", endpoint, scope)
        return record is not None and record["EndpointStatus"] != "Deleting"

    def _endpoint(self, name: str, scope: Scope) -> Record:
        record = self._endpoints.find("endpoint", name, scope)
        if record is None or not record.get("plans"):
            raise AwsFault(
                "ValidationError", f"Endpoint {name} of account {scope.account} not found."
            )
        return record

    def _nobody(self, name: str, request: Mapping[str, Any], scope: Scope) -> AwsFault:
        """Why no server answers."""
        if component := request.get("InferenceComponentName"):
            self._metrics.count_without_capacity(component, scope)
            return AwsFault(
                "ValidationError",
                "Inference Component has no capacity to process this request. "
                "ApplicationAutoScaling may be in-progress (if configured) or try to increase the "
                "capacity by invoking UpdateInferenceComponentRuntimeConfig API.",
            )
        deployment = self._endpoints.fleet.get(name, scope)
        if deployment is None:
            return AwsFault(
                "ValidationError", f"Endpoint {name} of account {scope.account} not found."
            )
        known = ", ".join(sorted(deployment.servers))
        return AwsFault(
            "ValidationError",
            f"Variant {request.get('TargetVariant')} not found for Request. It has: {known}.",
        )

    def _variant(self, component: str, server: VariantServer, scope: Scope) -> str:
        if not component:
            return server.variant
        return str(self._components.component_record(component, scope)["VariantName"])

    def _ask(
        self, endpoint: str, server: VariantServer, request: Mapping[str, Any], scope: Scope
    ) -> Answer:
        headers = {
            header: request[member] for member, header in _HEADERS.items() if request.get(member)
        }
        started, status = time.monotonic(), 0
        try:
            answer = server.invoke(request["Body"], headers)
            status = answer.status
        except ServingError as error:
            raise _model_error(endpoint, server, 0, str(error), scope) from error
        finally:
            seconds = time.monotonic() - started
            self._metrics.add(endpoint, server.variant, status, seconds, scope)
        if status >= 400:
            told = answer.body.decode("utf-8", "replace")
            raise _model_error(endpoint, server, status, told, scope)
        return answer


def _server(deployment: Deployment | None, variant: str | None) -> VariantServer | None:
    if deployment is None:
        return None
    return deployment.choose() if variant is None else deployment.servers.get(variant)


def _check_component(endpoint: str, record: Record, component: str) -> None:
    by_component = "ModelDataUrl" not in record["plans"][0]
    if by_component and not component:
        raise AwsFault(
            "ValidationError",
            "Inference Component Name header is required for endpoints to which you plan to "
            "deploy inference components.",
        )
    if component and not by_component:
        raise AwsFault("ValidationError", f"Endpoint {endpoint} serves no inference component.")


def _concurrency(record: Record, variant: str) -> int | None:
    """How many calls a serverless variant works on at once; None for one with instances."""
    for plan in record["plans"]:
        if plan["VariantName"] == variant and "ServerlessConfig" in plan:
            return int(plan["ServerlessConfig"]["MaxConcurrency"])
    return None


def _model_error(
    endpoint: str, server: VariantServer, status: int, message: str, scope: Scope
) -> AwsFault:
    side = "client" if 400 <= status < 500 else "server"
    where = (
        f"https://{scope.region}.console.aws.amazon.com/cloudwatch/home?region={scope.region}"
        f"#logEventViewer:group={server.group}"
    )
    told = (
        f'Received {side} error ({status}) from primary with message "{message}". '
        f"See {where} in account {scope.account} for more information."
    )
    members = {
        "OriginalStatusCode": status,
        "OriginalMessage": message,
        "LogStreamArn": server.log_arn,
    }
    return AwsFault("ModelError", told, 424, members)
