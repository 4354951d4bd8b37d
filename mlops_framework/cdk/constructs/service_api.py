"""A REST API that only signed callers reach."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from mlops_framework.cdk.function import LogPolicy
from mlops_framework.cdk.security import acknowledge

STAGE = "v1"


@dataclass(frozen=True)
class Throttle:
    """How much a stage lets through before it answers 429.

    Attributes:
        rate: Requests per second, steadily.
        burst: Requests at one moment.
    """

    rate: int | float
    burst: int | float


_BAD_BODY: Mapping[str, Any] = {
    "type": "about:blank",
    "title": "Bad request",
    "status": 400,
    "detail": "$context.error.message: the body must be one JSON object, well formed, with the "
    "fields that the route's model allows.",
    "message": "$context.error.message",
}
BY_HAND = Throttle(rate=25, burst=50)
"""For an API that people and pipelines call, not traffic."""


class ServiceApi(Construct):
    """A regional REST API in front of one function.

    Creates: the API, its stage with access and error logs, a request validator.
    Fixed: IAM authorisation on every method, TLS, request validation, logs without bodies; callers
    come from this account, since the default policy is the account's own IAM.
    You choose: the routes, their request bodies, the function, the throttle.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        function: lambda_.IFunction,
        description: str,
        logs: LogPolicy,
        throttle: Throttle = BY_HAND,
        problems: Mapping[str, Mapping[str, Any]] | None = None,
    ) -> None:
        """Define an API without routes.

        Args:
            scope: Parent.
            construct_id: Id below the parent.
            function: Answers every route.
            description: One line for the console.
            logs: Retention and encryption of the access log.
            throttle: Of the whole stage.
            problems: Problem document by the name of API Gateway's response, for what it refuses by
                itself; of malformed bodies only, if not given.
        """
        super().__init__(scope, construct_id)
        access_log = logs.group(self, "AccessLog")
        self.api = apigateway.RestApi(
            self,
            "Api",
            description=description,
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            # The account's logging role belongs to the platform, once per account and region.
            cloud_watch_role=False,
            deploy_options=apigateway.StageOptions(
                stage_name=STAGE,
                access_log_destination=apigateway.LogGroupLogDestination(access_log),
                access_log_format=apigateway.AccessLogFormat.json_with_standard_fields(
                    caller=True,
                    http_method=True,
                    ip=True,
                    protocol=True,
                    request_time=True,
                    resource_path=True,
                    response_length=True,
                    status=True,
                    user=True,
                ),
                logging_level=apigateway.MethodLoggingLevel.ERROR,
                data_trace_enabled=False,
                metrics_enabled=True,
                tracing_enabled=True,
                throttling_burst_limit=throttle.burst,
                throttling_rate_limit=throttle.rate,
            ),
        )
        # CDK adds an output of its own; who wants the URL as an output names it.
        self.api.node.try_remove_child("Endpoint")
        self.stage = self.api.deployment_stage
        self._integration = apigateway.LambdaIntegration(function, allow_test_invoke=False)
        self._validator = self.api.add_request_validator(
            "Validator", validate_request_body=True, validate_request_parameters=True
        )
        for response, problem in (problems or {"BAD_REQUEST_BODY": _BAD_BODY}).items():
            self._refuse(response, problem)
        acknowledge(
            self.stage,
            "APIG3",
            "Every method asks for a SigV4 signature of this account, and the stage throttles; "
            "there is no anonymous path for a web ACL to filter.",
        )

    def _refuse(self, response: str, problem: Mapping[str, Any]) -> None:
        """Answer what API Gateway refuses by itself as the functions answer: RFC 9457."""
        name = "".join(word.capitalize() for word in response.split("_"))
        self.api.add_gateway_response(
            # As it was first named: a second one of the same response could not be made beside it.
            "BadBody" if response == "BAD_REQUEST_BODY" else name,
            type=apigateway.ResponseType.of(response),
            status_code=str(problem["status"]),
            response_headers={"Content-Type": "'application/problem+json'"},
            templates={"application/json": json.dumps(dict(problem))},
        )

    def route(
        self,
        method: str,
        path: str,
        *,
        body: Mapping[str, Any] | None = None,
        body_name: str | None = None,
    ) -> None:
        """Add a route.

        Args:
            method: HTTP method.
            path: Path with ``{placeholders}``, beginning with ``/``.
            body: JSON schema (draft 4) the request body has to satisfy, if there is a body.
            body_name: Alphanumeric name of that schema's API model.
        """
        models = None
        if body is not None and body_name is not None:
            resource = apigateway.CfnModel(
                self,
                f"{body_name}Model",
                rest_api_id=self.api.rest_api_id,
                content_type="application/json",
                name=body_name,
                schema=dict(body),
            )
            models = {
                "application/json": apigateway.Model.from_model_name(
                    self, f"{body_name}Reference", resource.ref
                )
            }
        target = self.api.root.resource_for_path(path)
        added = target.add_method(
            method,
            self._integration,
            authorization_type=apigateway.AuthorizationType.IAM,
            request_validator=self._validator,
            request_models=models,
        )
        acknowledge(
            added,
            "COG4",
            "Callers are roles and pipelines of this account, not people with a browser: the "
            "method's authorization type is AWS_IAM, which a test asserts for every method.",
        )

    @property
    def url(self) -> str:
        """Base URL without a slash at its end."""
        stack = cdk.Stack.of(self)
        return (
            f"https://{self.api.rest_api_id}.execute-api.{stack.region}.{stack.url_suffix}/{STAGE}"
        )

    def grant_invoke(self, grantee: iam.IGrantable, method: str, path: str) -> None:
        """Let a role of this app call one route."""
        iam.Grant.add_to_principal(
            grantee=grantee,
            actions=["execute-api:Invoke"],
            resource_arns=[self.api.arn_for_execute_api(method, path, STAGE)],
        )
