"""SageMaker Runtime: InvokeEndpoint, with the model's real answer and data capture."""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import not_carried
from mlops_framework.local.plane.sagemaker.capture import CaptureWriter, Exchange
from mlops_framework.local.plane.sagemaker.endpoints import Endpoints
from mlops_framework.local.plane.sagemaker.fleet import (
    Answer,
    Deployment,
    ServingError,
    VariantServer,
)
from mlops_framework.local.plane.sagemaker.metrics import InvocationMetrics
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

_REFUSED = ("TargetModel", "TargetContainerHostname", "InferenceComponentName", "SessionId")
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

    def __init__(self, host: PlaneHost, endpoints: Endpoints) -> None:
        """Take the endpoints that are invoked.

        Args:
            host: the emulator.
            endpoints: the part of SageMaker that holds them.
        """
        super().__init__(host)
        self._endpoints = endpoints
        self._captures = CaptureWriter(host)
        self._metrics = InvocationMetrics(host)

    @operation("InvokeEndpoint")
    def invoke_endpoint(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Send a payload to a variant of an endpoint."""
        name = request["EndpointName"]
        if refused := [member for member in _REFUSED if request.get(member)]:
            raise not_carried(f"InvokeEndpoint with {refused[0]}", "Leave it out.")
        with self._endpoints.fleet.in_use(name, scope) as deployment:
            server = _server(name, deployment, request.get("TargetVariant"), scope)
            answer = self._ask(name, server, request, scope)
        content_type = answer.headers.get("Content-Type", "application/octet-stream")
        config = (self._endpoints.find("endpoint", name, scope) or {}).get("capture") or {}
        exchange = Exchange(
            request=request["Body"],
            request_type=request.get("ContentType", ""),
            response=answer.body,
            response_type=content_type,
            inference_id=request.get("InferenceId", ""),
            custom_attributes=request.get("CustomAttributes", ""),
        )
        self._captures.add(name, server.variant, config, exchange, scope)
        return {
            "Body": answer.body,
            "ContentType": content_type,
            "InvokedProductionVariant": server.variant,
            "CustomAttributes": answer.headers.get(_CUSTOM_ATTRIBUTES),
        }

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


def _server(
    endpoint: str, deployment: Deployment | None, variant: str | None, scope: Scope
) -> VariantServer:
    if deployment is None:
        raise AwsFault(
            "ValidationError", f"Endpoint {endpoint} of account {scope.account} not found."
        )
    if variant is None:
        return deployment.choose()
    if variant not in deployment.servers:
        known = ", ".join(sorted(deployment.servers))
        raise AwsFault(
            "ValidationError", f"Variant {variant} not found for Request. It has: {known}."
        )
    return deployment.servers[variant]


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
