"""Delivery: what CodePipeline and CloudFormation may do, and the function that checks a stage.

Owned by the platform team. One deploy role per blueprint kind, derived from the kind's template.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from constructs import Construct

from lambdas.delivery.settings import DeliverySettings
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.cdk.delivery import (
    deploy_role_name,
    pipeline_role_name,
    start_role_name,
    verify_function_name,
)
from mlops_framework.cdk.deploy_role import DeployPermissions, protect
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.naming import ENVIRONMENT_TAG
from stacks.drift_stack import baseline_function_name

_DELIVERY_KIND = "delivery"
_VERIFY_TIMEOUT_SECONDS = 900  # building a baseline is awaited
_BY_PREFIX = "Pipelines are made at run time; their names begin with the environment's prefix."


def teardown_function_name(prefix: str) -> str:
    """Name of the function that takes pipelines down; it calls itself."""
    return f"{prefix}-teardown"


def continue_function_name(prefix: str) -> str:
    """Name of the function that goes on with long requests; it calls itself."""
    return f"{prefix}-continue"


def delivery_role_name(prefix: str) -> str:
    """Name of the role that CloudFormation makes delivery stacks with."""
    return deploy_role_name(prefix, _DELIVERY_KIND)


class DeliveryStack(FrameworkStack):
    """Roles of delivery, the verify function, and the blueprints' files."""

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
            description=f"{config.prefix}: roles of delivery, check of deployed stages",
            **kwargs,
        )
        self._deploy_roles(catalogue)
        self._delivery_role(catalogue)
        self.verify = self._verify_function(bundler)
        self._pipeline_role()
        self._start_role()
        self._publish_assets(catalogue)

    def _deploy_roles(self, catalogue: Catalogue) -> None:
        for entry in catalogue.entries:
            kind = entry.blueprint.kind
            role = self._service_role(
                f"Deploy{_pascal(kind)}Role",
                deploy_role_name(self.config.prefix, kind),
                "cloudformation.amazonaws.com",
                f"CloudFormation deploys {kind} stacks with it",
            )
            entry.permissions.grant(role, self, entry.template, kind=kind)
            self._protect(role, entry.template, catalogue)
            self._read_platform_values(role)
            allow(
                role,
                actions=perms.READ_OBJECTS,
                resources=[f"arn:{self.partition}:s3:::{_asset_bucket(self)}/*"],
                because="Function code is stored under its hash in the CDK asset bucket.",
            )

    def _delivery_role(self, catalogue: Catalogue) -> None:
        role = self._service_role(
            "DeployDeliveryRole",
            delivery_role_name(self.config.prefix),
            "cloudformation.amazonaws.com",
            "CloudFormation deploys delivery stacks with it",
        )
        if catalogue.entries:
            # Delivery templates differ in their stages' actions, never in their resource types.
            DeployPermissions().grant(
                role, self, catalogue.entries[0].delivery, kind=_DELIVERY_KIND
            )
            self._protect(role, catalogue.entries[0].delivery, catalogue)
        self._read_platform_values(role)

    def _pipeline_role(self) -> None:
        prefix = self.config.prefix
        role = self._service_role(
            "PipelineRole",
            pipeline_role_name(prefix),
            "codepipeline.amazonaws.com",
            "Every CodePipeline of the environment runs with it",
        )
        artifacts = self.platform.bucket_arn("artifact-bucket-name")
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{artifacts}/*"],
            because="CodePipeline names the folders of its artifacts itself; the bucket is theirs.",
        )
        allow(role, actions=perms.WORK_IN_BUCKET, resources=[artifacts])
        allow(role, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
        allow(
            role,
            actions=perms.CHANGE_SETS,
            resources=[self.arn("cloudformation", f"stack/{prefix}-*/*")],
            because=_BY_PREFIX,
        )
        self.spare_platform_stacks(role)
        allow(
            role,
            actions=perms.PASS_ROLE,
            resources=[self.role_arn(deploy_role_name(prefix, "*"))],
            conditions={"StringEquals": {"iam:PassedToService": "cloudformation.amazonaws.com"}},
            because="One deploy role per kind of blueprint, all of this environment.",
        )
        allow(role, actions=perms.INVOKE_FUNCTION, resources=[self.verify.function_arn])
        allow(
            role,
            actions=perms.LIST_FUNCTIONS,
            resources=["*"],
            because="CodePipeline looks for the function among all; IAM has no resource for that.",
        )

    def _start_role(self) -> None:
        role = self._service_role(
            "PipelineStartRole",
            start_role_name(self.config.prefix),
            "events.amazonaws.com",
            "EventBridge starts pipelines with it",
        )
        allow(
            role,
            actions=perms.START_PIPELINE,
            resources=[self.arn("codepipeline", f"{self.config.prefix}-*")],
            because=_BY_PREFIX,
        )

    def _verify_function(self, bundler: Bundler) -> PythonFunction:
        prefix = self.config.prefix
        baseline = baseline_function_name(prefix)
        function = PythonFunction(
            self,
            "Verify",
            bundle=bundler.bundle("delivery"),
            handler="verify:handler",
            settings=DeliverySettings,
            environment={
                "environment_prefix": prefix,
                "baseline_function_name": baseline,
                "image_key_arn": self.platform.value("key-arn"),
            },
            description="Looks whether a deployed stage does what it should",
            logs=LogPolicy(
                self.config.log_retention_days, self.platform.key(), self.config.retain_data
            ),
            shape=FunctionShape(
                timeout_seconds=_VERIFY_TIMEOUT_SECONDS,
                name=verify_function_name(prefix),
            ),
        )
        allow(
            function,
            actions=perms.ANSWER_PIPELINE_JOB,
            resources=["*"],
            because="CodePipeline's job results take no resource.",
        )
        allow(
            function,
            actions=perms.READ_STACKS,
            resources=[self.arn("cloudformation", f"stack/{prefix}-*/*")],
            because=_BY_PREFIX,
        )
        allow(
            function,
            actions=[*perms.START_MODEL_BUILD, *perms.WATCH_MODEL_BUILD],
            resources=[
                self.arn("sagemaker", f"pipeline/{prefix}-*"),
                self.arn("sagemaker", f"pipeline/{prefix}-*/execution/*"),
            ],
            because=_BY_PREFIX,
        )
        allow(
            function,
            actions=perms.MAKE_MODEL_GROUP,
            resources=[self.arn("sagemaker", "model-package-group/*")],
            conditions={"StringEquals": {f"aws:RequestTag/{ENVIRONMENT_TAG}": prefix}},
            because="Requests name the group; one is made only with this environment's tag.",
        )
        allow(
            function,
            actions=perms.READ_MODEL_GROUP,
            resources=[self.arn("sagemaker", "model-package-group/*")],
            because="Requests name the group; it reads whether it is there.",
        )
        allow(
            function,
            actions=perms.READ_SERVING,
            resources=[
                self.arn("sagemaker", f"{kind}/*")
                for kind in ("endpoint", "endpoint-config", "model", "inference-component")
            ],
            because="Requests name endpoints, SageMaker names models and configurations; it reads.",
        )
        allow(
            function,
            actions=perms.INVOKE_FUNCTION,
            resources=[self.arn("lambda", f"function:{baseline}")],
        )
        allow(
            function,
            actions=[*perms.START_MACHINE, *perms.WATCH_MACHINE],
            resources=[
                self.arn("states", f"stateMachine:{prefix}-*"),
                self.arn("states", f"execution:{prefix}-*:*"),
            ],
            because=_BY_PREFIX,
        )
        self._let_it_build_images(function)
        return function

    def _let_it_build_images(self, function: PythonFunction) -> None:
        prefix = self.config.prefix
        allow(
            function,
            actions=perms.RUN_BUILD,
            resources=[self.arn("codebuild", f"project/{prefix}-*")],
            because=_BY_PREFIX,
        )
        repositories = self.arn("ecr", "repository/*")
        allow(
            function,
            actions=[*perms.DESCRIBE_REPOSITORY, *perms.READ_IMAGES, *perms.SCAN_IMAGE],
            resources=[repositories],
            because="Requests name the repository, which may have been there before the platform; "
            "it is read, and an image in it is scanned.",
        )
        for key, actions in (
            ("aws:RequestTag", perms.MAKE_REPOSITORY),
            ("aws:ResourceTag", perms.KEEP_REPOSITORY_SMALL),
        ):
            allow(
                function,
                actions=actions,
                resources=[repositories],
                conditions={"StringEquals": {f"{key}/{ENVIRONMENT_TAG}": prefix}},
                because="Requests name the repository; one is made, and its untagged images are "
                "let go, only with this environment's tag.",
            )
        allow(
            function,
            actions=[*perms.GRANT_KEY, *perms.RETIRE_GRANT],
            resources=[self.platform.value("key-arn")],
            conditions={"StringEquals": {"kms:ViaService": f"ecr.{self.region}.{self.url_suffix}"}},
        )

    def _publish_assets(self, catalogue: Catalogue) -> None:
        """Upload the files of blueprint templates with the platform.

        A blueprint's template is deployed by CodePipeline, which publishes nothing: its function
        code has to be in the asset bucket before the first request arrives.
        """
        app = cdk.Stage.of(self)
        assert app is not None  # every stack is in an app
        for asset in catalogue.assets():
            name = f"asset.{asset.digest}{asset.path.suffix}"
            shutil.copyfile(asset.path, Path(app.asset_outdir) / name)
            self.synthesizer.add_file_asset(
                source_hash=asset.digest,
                file_name=name,
                packaging=cdk.FileAssetPackaging.FILE,
                display_name=f"Function code {asset.digest[:8]} of blueprints",
            )

    def _protect(self, role: iam.Role, template: Mapping[str, Any], catalogue: Catalogue) -> None:
        prefix = self.config.prefix
        kinds = [entry.blueprint.kind for entry in catalogue.entries]
        protect(
            role,
            self,
            template,
            roles=[
                pipeline_role_name(prefix),
                start_role_name(prefix),
                delivery_role_name(prefix),
                *(deploy_role_name(prefix, kind) for kind in kinds),
            ],
            functions=[
                verify_function_name(prefix),
                baseline_function_name(prefix),
                teardown_function_name(prefix),
                continue_function_name(prefix),
            ],
        )

    def _read_platform_values(self, role: iam.Role) -> None:
        allow(
            role,
            actions=perms.READ_PARAMETERS,
            resources=[self.arn("ssm", f"parameter/{self.config.prefix}/platform/*")],
            because="Templates read what the platform publishes below this path, and only that.",
        )

    def _service_role(
        self, construct_id: str, name: str, service: str, description: str
    ) -> iam.Role:
        """A role whose name templates know before it exists."""
        return iam.Role(
            self,
            construct_id,
            role_name=name,
            description=description,
            assumed_by=iam.ServicePrincipal(service),
        )


def _asset_bucket(stack: cdk.Stack) -> str:
    qualifier = cdk.DefaultStackSynthesizer.DEFAULT_QUALIFIER
    return f"cdk-{qualifier}-assets-{stack.account}-{stack.region}"


def _pascal(kind: str) -> str:
    return "".join(word.capitalize() for word in kind.split("-"))
