"""Orchestrator: the API that turns a request into a pipeline, and what it remembers.

Owned by the platform team. The function runs the contracts and templates that were reviewed: they
are in its bundle.
"""

from __future__ import annotations

import json
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.orchestrator.settings import OrchestratorSettings, TeardownSettings
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.cdk.constructs import ServiceApi
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import acknowledge, allow
from mlops_framework.cdk.stack import FrameworkStack, house_tags
from mlops_framework.contracts.gateway_problems import GATEWAY_PROBLEMS
from mlops_framework.environments.models import EnvironmentConfig
from stacks.continuation import continuation
from stacks.delivery_stack import (
    continue_function_name,
    delivery_role_name,
    teardown_function_name,
)
from stacks.foundation_stack import publish
from stacks.git_function import git_function
from stacks.model_approvals import model_approvals
from stacks.model_cards import CARD_BODIES, CARD_ROUTES, let_keep_cards
from stacks.request_files import Runs, request_files

_API_TIMEOUT_SECONDS = 29  # API Gateway waits no longer
_TEARDOWN_TIMEOUT_SECONDS = 900
_RUN_TIME = "Pipelines are made at run time; their names begin with the environment's prefix."
_OBJECTS = "Objects are named after pipelines, which are made at run time."


_PIPELINE_REQUEST = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Pipeline request",
    "description": "The blueprint's own contract is checked by the function.",
    "type": "object",
}
_STATUS_REQUEST = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Status request",
    "type": "object",
}
_FOLDER_REQUEST = {
    "$schema": "http://json-schema.org/draft-04/schema#",
    "title": "Folder of requests",
    "type": "object",
}
_ROUTES: tuple[tuple[str, str, str | None], ...] = (
    ("POST", "/provisionpipeline", "PipelineRequest"),
    ("POST", "/plans", "FolderRequest"),
    ("POST", "/pipelinestatus", "StatusRequest"),
    ("GET", "/pipelines", None),
    ("GET", "/pipelines/{id}", None),
    ("DELETE", "/pipelines/{id}", None),
    ("GET", "/blueprints", None),
    ("GET", "/blueprints/{kind}/schema", None),
    *CARD_ROUTES,
)
_BODIES = {
    **CARD_BODIES,
    "FolderRequest": _FOLDER_REQUEST,
    "PipelineRequest": _PIPELINE_REQUEST,
    "StatusRequest": _STATUS_REQUEST,
}


class OrchestratorStack(FrameworkStack):
    """API, functions, records."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        catalogue: Catalogue,
        bundler: Bundler,
        **kwargs: Any,
    ) -> None:
        """Define the stack for an environment and its blueprints."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: API, requests and their records",
            **kwargs,
        )
        self._bundle = bundler.bundle(
            "orchestrator",
            modules=catalogue.contract_modules(),
            packages=catalogue.plugin_packages(),
            files=catalogue.files(),
        )
        self.table = self._records()
        self.teardown = self._teardown()
        self.handler = self._handler()
        runs: Runs = {
            "bundle": self._bundle,
            "environment": self._what_provisioning_reads(),
            "logs": self._logs,
        }
        self.approvals = model_approvals(self, **runs)
        self.continuation = continuation(self, **runs)
        self.gitops = git_function(self, **runs) if config.git_sources else None
        self.files = request_files(self, **runs)
        self.api = self._api()

        provisioning = [self.handler, self.approvals, self.files, self.continuation]
        if self.gitops is not None:
            provisioning.append(self.gitops)
        for function in (*provisioning, self.teardown):
            self._let_read_and_remember(function)
        for function in provisioning:
            self._let_provision(function)
        for function in (self.handler, self.files):
            let_keep_cards(self, function)
        self._let_tear_down()
        self._answer()

    def _answer(self) -> None:
        publish(self, {"api-url": self.api.url})
        cdk.CfnOutput(self, "ApiUrl", value=self.api.url)
        cdk.CfnOutput(self, "ApiId", value=self.api.api.rest_api_id)

    def _records(self) -> dynamodb.Table:
        return dynamodb.Table(
            self,
            "Records",
            partition_key=dynamodb.Attribute(
                name="pipeline_id", type=dynamodb.AttributeType.STRING
            ),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=self.platform.key(),
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            deletion_protection=self.config.termination_protection,
            removal_policy=cdk.RemovalPolicy.RETAIN
            if self.config.retain_data
            else cdk.RemovalPolicy.DESTROY,
        )

    def _teardown(self) -> PythonFunction:
        return PythonFunction(
            self,
            "Teardown",
            bundle=self._bundle,
            handler="teardown:handler",
            settings=TeardownSettings,
            environment=self._what_both_read(),
            description="Takes a pipeline's stacks down, in order",
            logs=self._logs,
            shape=FunctionShape(
                timeout_seconds=_TEARDOWN_TIMEOUT_SECONDS,
                retries=2,
                name=teardown_function_name(self.config.prefix),
            ),
        )

    def _handler(self) -> PythonFunction:
        return PythonFunction(
            self,
            "Api",
            bundle=self._bundle,
            handler="handler:handler",
            settings=OrchestratorSettings,
            environment=self._what_provisioning_reads(),
            description="Answers the platform's API",
            logs=self._logs,
            shape=FunctionShape(memory_mb=512, timeout_seconds=_API_TIMEOUT_SECONDS),
        )

    def _api(self) -> ServiceApi:
        self._let_api_gateway_log()
        api = ServiceApi(
            self,
            "RestApi",
            function=self.handler,
            description=f"MLOps platform {self.config.prefix}",
            logs=self._logs,
            problems={
                response: problem.to_document()
                for problem in GATEWAY_PROBLEMS
                for response in problem.responses
            },
        )
        for method, path, body in _ROUTES:
            api.route(method, path, body=_BODIES.get(body or ""), body_name=body)
        return api

    def _let_api_gateway_log(self) -> None:
        """Name the role that API Gateway logs with; one per account and region."""
        role = self.role_for(
            "ApiLoggingRole", "apigateway.amazonaws.com", "API Gateway writes logs with it"
        )
        role.add_managed_policy(
            iam.ManagedPolicy.from_aws_managed_policy_name(
                "service-role/AmazonAPIGatewayPushToCloudWatchLogs"
            )
        )
        acknowledge(
            role,
            "IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/"
            "AmazonAPIGatewayPushToCloudWatchLogs]",
            "API Gateway checks for the actions of this managed policy before it accepts the "
            "account's logging role; only apigateway.amazonaws.com may take the role.",
        )
        apigateway.CfnAccount(
            self, "ApiLogging", cloud_watch_role_arn=role.role_arn
        ).apply_removal_policy(cdk.RemovalPolicy.RETAIN)

    def _what_both_read(self) -> dict[str, str]:
        return {
            "environment_prefix": self.config.prefix,
            "stages": ",".join(self.config.stage_names),
            "record_table": self.table.table_name,
            "artifact_bucket": self.platform.value("artifact-bucket-name"),
        }

    def _what_provisioning_reads(self) -> dict[str, str]:
        return {
            **self._what_both_read(),
            "data_bucket": self.platform.value("data-bucket-name"),
            "account": self.account,
            "partition": self.partition,
            "delivery_role_arn": self.role_arn(delivery_role_name(self.config.prefix)),
            "teardown_function_name": self.teardown.function_name,
            "continue_function_name": continue_function_name(self.config.prefix),
            "assets_bucket": self.config.assets_bucket or "",
            "stage_aliases": json.dumps(
                {stage.name: list(stage.stands_for) for stage in self.config.stages}
            ),
            "card_key_arn": self.platform.value("key-arn"),
            "tags": json.dumps(dict(house_tags(self.config)), sort_keys=True),
        }

    @property
    def _logs(self) -> LogPolicy:
        return LogPolicy(
            self.config.log_retention_days, self.platform.key(), self.config.retain_data
        )

    @property
    def _artifacts(self) -> str:
        return self.platform.bucket_arn("artifact-bucket-name")

    @property
    def _stacks(self) -> str:
        return self.arn("cloudformation", f"stack/{self.config.prefix}-*/*")

    def _let_read_and_remember(self, function: PythonFunction) -> None:
        allow(
            function,
            actions=["dynamodb:GetItem", "dynamodb:PutItem"],
            resources=[self.table.table_arn],
        )
        allow(function, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
        allow(
            function,
            actions=[*perms.READ_STACKS, "cloudformation:DeleteStack"],
            resources=[self._stacks],
            because=_RUN_TIME,
        )
        self.spare_platform_stacks(function)
        allow(
            function,
            actions=perms.PUT_EVENTS,
            resources=[self.arn("events", "event-bus/default")],
            conditions={"StringEquals": {"events:source": "mlops.orchestrator"}},
        )
        allow(
            function,
            actions=perms.INVOKE_FUNCTION,
            # Written out: a function's role cannot refer to the function that refers to the role.
            resources=[
                self.arn("lambda", f"function:{name(self.config.prefix)}")
                for name in (teardown_function_name, continue_function_name)
            ],
        )

    def _let_provision(self, function: PythonFunction) -> None:
        prefix = self.config.prefix
        allow(function, actions=["dynamodb:Scan"], resources=[self.table.table_arn])
        allow(
            function,
            actions=["s3:PutObject"],
            resources=[f"{self._artifacts}/pipelines/*", f"{self._artifacts}/requests/*"],
            because=_OBJECTS,
        )
        allow(
            function,
            actions=["s3:GetObject"],
            resources=[f"{self._artifacts}/pipelines/*"],
            because=_OBJECTS,
        )
        allow(function, actions=perms.LIST_BUCKET, resources=[self._artifacts])
        allow(
            function,
            actions=perms.CHANGE_STACKS,
            resources=[self.arn("cloudformation", f"stack/{prefix}-*-delivery/*")],
            because=_RUN_TIME,
        )
        allow(
            function,
            actions=["cloudformation:ContinueUpdateRollback"],
            resources=[self._stacks],
            because=_RUN_TIME,
        )
        allow(
            function,
            actions=perms.PASS_ROLE,
            resources=[self.role_arn(delivery_role_name(prefix))],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
        )
        allow(
            function,
            actions=[*perms.READ_PIPELINE_STATE, *perms.START_PIPELINE],
            resources=[self.arn("codepipeline", f"{prefix}-*")],
            because=_RUN_TIME,
        )
        allow(
            function,
            actions=perms.LIST_MODEL_VERSIONS,
            # IAM checks the listing of a group's versions against the versions.
            resources=[
                self.arn("sagemaker", f"{kind}/*")
                for kind in ("model-package", "model-package-group")
            ],
            because="Requests name the group whose newest approved version they want; it reads.",
        )

    def _let_tear_down(self) -> None:
        allow(self.teardown, actions=["dynamodb:DeleteItem"], resources=[self.table.table_arn])
        allow(
            self.teardown,
            actions=["s3:DeleteObject"],
            resources=[f"{self._artifacts}/pipelines/*"],
            because=_OBJECTS,
        )
