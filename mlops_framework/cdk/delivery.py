"""How a pipeline gets its stages: one CodePipeline per pipeline, from one template per kind.

The template's only parameter is the pipeline's id. Roles are the platform's, made once, so that a
pipeline can be created by a role that creates no roles.
"""

from __future__ import annotations

import json
from collections.abc import Mapping

import aws_cdk as cdk
from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from constructs import Construct

from mlops_framework import naming
from mlops_framework.cdk.actions import action
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.contracts.parameters import IDENTITY_PARAMETERS, template_parameters
from mlops_framework.delivery.monitor_baseline import CARRIED as _CARRIED
from mlops_framework.delivery.monitor_baseline import SETTLED as _SETTLED
from mlops_framework.delivery.monitor_baseline import WANTED as _WANTED
from mlops_framework.environments.models import EnvironmentConfig, StageConfig
from mlops_framework.registry import Blueprint

_SOURCE = "Source"
_CHANGE_SET = "delivery"
_SETTLING = "run-monitor-baseline"
"""The check of kinds whose stack is deployed a second time, with what the check came to."""


def pipeline_role_name(prefix: str) -> str:
    """Name of the role that every CodePipeline of the environment runs with."""
    return f"{prefix}-pipeline"


def start_role_name(prefix: str) -> str:
    """Name of the role that EventBridge starts pipelines with."""
    return f"{prefix}-pipeline-start"


def deploy_role_name(prefix: str, kind: str) -> str:
    """Name of the role that CloudFormation deploys a kind of blueprint with."""
    return f"{prefix}-deploy-{kind}"


def verify_function_name(prefix: str) -> str:
    """Name of the function that looks whether a deployed stage does what it should."""
    return f"{prefix}-verify"


class DeliveryTemplate(FrameworkStack):
    """The template of a kind's delivery stack.

    Creates: a CodePipeline (V2, queued) with a source and one stage per delivery stage, and the
    rule that starts it when its source archive changes. Fixed: a change set before every change,
    the kind's own deploy role, no polling. You choose: the stages, in the environment's file.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        config: EnvironmentConfig,
        blueprint: Blueprint,
    ) -> None:
        """Define the template of ``blueprint`` for the stages of ``config``."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"Delivers one {blueprint.kind} pipeline through its stages",
            synthesizer=cdk.DefaultStackSynthesizer(generate_bootstrap_version_rule=False),
            guarded=False,  # it makes no roles
        )
        self._blueprint = blueprint
        identity = IDENTITY_PARAMETERS[0]
        self._pipeline_id = cdk.CfnParameter(
            self,
            identity.name,
            type=identity.kind,
            allowed_pattern=identity.pattern,
            min_length=identity.min_length,
            max_length=identity.max_length,
            description=identity.description,
        ).value_as_string
        pipeline = self._pipeline()
        self._start_on_new_source(pipeline)
        cdk.CfnOutput(self, "PipelineName", value=pipeline.ref)

    def _pipeline(self) -> codepipeline.CfnPipeline:
        prefix = self.config.prefix
        return codepipeline.CfnPipeline(
            self,
            "Pipeline",
            name=naming.code_pipeline(prefix, self._pipeline_id),
            pipeline_type="V2",
            execution_mode="QUEUED",
            role_arn=self.role_arn(pipeline_role_name(prefix)),
            restart_execution_on_update=False,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=self.platform.value("artifact-bucket-name"),
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(
                    id=self.platform.value("key-arn"), type="KMS"
                ),
            ),
            stages=[self._source(), *(self._stage(stage) for stage in self.config.stages)],
        )

    def _source(self) -> codepipeline.CfnPipeline.StageDeclarationProperty:
        return codepipeline.CfnPipeline.StageDeclarationProperty(
            name=_SOURCE,
            actions=[
                action(
                    _SOURCE,
                    "Source",
                    "S3",
                    {
                        "S3Bucket": self.platform.value("artifact-bucket-name"),
                        "S3ObjectKey": naming.source_key(self._pipeline_id),
                        "PollForSourceChanges": "false",
                    },
                    gives=_SOURCE,
                )
            ],
        )

    def _stage(self, stage: StageConfig) -> codepipeline.CfnPipeline.StageDeclarationProperty:
        stage_name = "".join(word.capitalize() for word in stage.name.split("-"))
        stack_name = naming.blueprint_stack(self.config.prefix, self._pipeline_id, stage.name)
        actions = []
        if stage.approval:
            actions.append(
                action(
                    "Approve",
                    "Approval",
                    "Manual",
                    {"CustomData": f"Deploy {stack_name}? The change set follows approval."},
                    order=1,
                )
            )
        check = self._blueprint.after_deploy
        if check == _SETTLING:
            actions += self._settled_deployment(stage, stack_name, stage_name)
        else:
            actions += self._deployment(stage, stack_name, order=2)
            if check != "none":
                actions.append(self._check("Verify", stage, stack_name, check, order=4))
        return codepipeline.CfnPipeline.StageDeclarationProperty(name=stage_name, actions=actions)

    def _settled_deployment(
        self, stage: StageConfig, stack_name: str, stage_name: str
    ) -> list[codepipeline.CfnPipeline.ActionDeclarationProperty]:
        """Deploy with the baseline there is, compute the wanted one, settle the stack on it.

        A schedule so exists only once its baseline does, without a custom resource that would have
        to wait for a job; and one that exists goes on while another baseline is computed.
        """
        found, computed = f"{stage_name}Found", f"{stage_name}Computed"

        def settling_on(variable: str, *more: str) -> dict[str, str]:
            values = {_SETTLED: f"#{{{variable}}}", **{n: f"#{{{found}.{n}}}" for n in more}}
            return {"ParameterOverrides": json.dumps(values)}

        known = {parameter.name for parameter in template_parameters(self._blueprint.request)}
        carried = [name for name in _CARRIED if name in known]

        return [
            self._check(
                "FindBaseline", stage, stack_name, "find-monitor-baseline", order=2, namespace=found
            ),
            *self._deployment(
                stage,
                stack_name,
                order=3,
                extra=settling_on(f"{found}.{_SETTLED}", *carried),
            ),
            self._check("Verify", stage, stack_name, _SETTLING, order=5, namespace=computed),
            *self._deployment(
                stage,
                stack_name,
                order=6,
                noun="Schedule",
                extra=settling_on(f"{computed}.{_WANTED}"),
            ),
        ]

    def _deployment(
        self,
        stage: StageConfig,
        stack_name: str,
        *,
        order: int,
        noun: str = "",
        extra: Mapping[str, str] | None = None,
    ) -> list[codepipeline.CfnPipeline.ActionDeclarationProperty]:
        """A change set and its execution."""
        role = deploy_role_name(self.config.prefix, self._blueprint.kind)
        return [
            action(
                f"Create{noun}ChangeSet",
                "Deploy",
                "CloudFormation",
                {
                    "ActionMode": "CHANGE_SET_REPLACE",
                    "StackName": stack_name,
                    "ChangeSetName": _CHANGE_SET,
                    "TemplatePath": f"{_SOURCE}::template.json",
                    "TemplateConfiguration": f"{_SOURCE}::{naming.parameters_file(stage.name)}",
                    "Capabilities": "CAPABILITY_NAMED_IAM",
                    "RoleArn": self.role_arn(role),
                    **(extra or {}),
                },
                order=order,
                takes=_SOURCE,
            ),
            action(
                f"Execute{noun}ChangeSet",
                "Deploy",
                "CloudFormation",
                {
                    "ActionMode": "CHANGE_SET_EXECUTE",
                    "StackName": stack_name,
                    "ChangeSetName": _CHANGE_SET,
                },
                order=order + 1,
            ),
        ]

    def _check(
        self,
        name: str,
        stage: StageConfig,
        stack_name: str,
        check: str,
        *,
        order: int,
        namespace: str | None = None,
    ) -> codepipeline.CfnPipeline.ActionDeclarationProperty:
        """A look of the verify function at the stage's stack."""
        parameters = (
            f'{{"pipeline_id":"{self._pipeline_id}","stage":"{stage.name}",'
            f'"stack_name":"{stack_name}","check":"{check}"}}'
        )
        function = verify_function_name(self.config.prefix)
        return action(
            name,
            "Invoke",
            "Lambda",
            {"FunctionName": function, "UserParameters": parameters},
            order=order,
            namespace=namespace,
        )

    def _start_on_new_source(self, pipeline: codepipeline.CfnPipeline) -> None:
        events.CfnRule(
            self,
            "StartOnNewSource",
            description="Starts the pipeline when its source archive is written",
            event_pattern={
                "source": ["aws.s3"],
                "detail-type": ["Object Created"],
                "detail": {
                    "bucket": {"name": [self.platform.value("artifact-bucket-name")]},
                    "object": {"key": [naming.source_key(self._pipeline_id)]},
                },
            },
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Pipeline",
                    arn=self.arn("codepipeline", pipeline.ref),
                    role_arn=self.role_arn(start_role_name(self.config.prefix)),
                )
            ],
        )
