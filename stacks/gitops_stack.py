"""GitOps: a CodePipeline for each Git source, from a push to changed pipelines.

Owned by the platform team. Only there when the environment lists ``git_sources``.
"""

from __future__ import annotations

import json
from typing import Any

from aws_cdk import aws_codepipeline as codepipeline
from aws_cdk import aws_events as events
from aws_cdk import aws_iam as iam
from constructs import Construct

from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.actions import action
from mlops_framework.cdk.delivery import start_role_name
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig, GitSourceConfig
from stacks.git_function import gitops_function_name

_SOURCE, _PLAN = "Source", "Plan"


class GitOpsStack(FrameworkStack):
    """One CodePipeline a Git source: source, plan, approval, apply."""

    def __init__(
        self, scope: Construct, construct_id: str, *, config: EnvironmentConfig, **kwargs: Any
    ) -> None:
        """Define the stack for an environment."""
        super().__init__(
            scope,
            construct_id,
            config=config,
            description=f"{config.prefix}: pipelines that follow Git repositories",
            **kwargs,
        )
        role = self._role()
        for source in config.git_sources:
            pipeline = self._pipeline(source, role)
            # The role's policy is a resource of its own; CodePipeline tries the role at once.
            pipeline.node.add_dependency(role)
            if not source.connection_arn:
                self._start_on_push(source, pipeline)

    def _role(self) -> iam.Role:
        role = self.role_for(
            "PipelineRole", "codepipeline.amazonaws.com", "CodePipelines of Git sources"
        )
        artifacts = self.platform.bucket_arn("artifact-bucket-name")
        allow(
            role,
            actions=[*perms.READ_OBJECTS, *perms.WRITE_OBJECTS],
            resources=[f"{artifacts}/{naming.git_artifacts(self.config.prefix)}*"],
            because="CodePipeline names the folders of its artifacts after the pipeline.",
        )
        allow(role, actions=perms.WORK_IN_BUCKET, resources=[artifacts])
        allow(role, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
        function = gitops_function_name(self.config.prefix)
        allow(
            role,
            actions=perms.INVOKE_FUNCTION,
            resources=[self.arn("lambda", f"function:{function}")],
        )
        allow(
            role,
            actions=perms.LIST_FUNCTIONS,
            resources=["*"],
            because="CodePipeline looks for the function among all; IAM has no resource for that.",
        )
        allow(role, actions=perms.PUBLISH, resources=[self.platform.value("alert-topic-arn")])
        for source in self.config.git_sources:
            if source.connection_arn:
                allow(role, actions=perms.USE_CONNECTION, resources=[source.connection_arn])
            elif source.repository:
                repository = self.arn("codecommit", source.repository)
                allow(role, actions=perms.READ_REPOSITORY, resources=[repository])
        archives = [source.archive for source in self.config.git_sources if source.archive]
        if archives:
            bucket = self.platform.bucket_arn("configuration-bucket-name")
            allow(
                role,
                actions=perms.READ_OBJECTS,
                resources=[f"{bucket}/{archive}" for archive in archives],
            )
            allow(role, actions=perms.WORK_IN_BUCKET, resources=[bucket])
        return role

    def _pipeline(self, source: GitSourceConfig, role: iam.Role) -> codepipeline.CfnPipeline:
        return codepipeline.CfnPipeline(
            self,
            f"Pipeline{_pascal(source.name)}",
            name=naming.git_pipeline(self.config.prefix, source.name),
            pipeline_type="V2",
            # A newer commit takes the place of one that waits for approval.
            execution_mode="SUPERSEDED",
            role_arn=role.role_arn,
            restart_execution_on_update=False,
            artifact_store=codepipeline.CfnPipeline.ArtifactStoreProperty(
                type="S3",
                location=self.platform.value("artifact-bucket-name"),
                encryption_key=codepipeline.CfnPipeline.EncryptionKeyProperty(
                    id=self.platform.value("key-arn"), type="KMS"
                ),
            ),
            stages=[self._source(source), self._plan(source), self._apply(source)],
            triggers=[_on_push(source)] if source.connection_arn else None,
        )

    def _source(self, source: GitSourceConfig) -> codepipeline.CfnPipeline.StageDeclarationProperty:
        if source.connection_arn:
            provider, configuration = (
                "CodeStarSourceConnection",
                {
                    "ConnectionArn": source.connection_arn,
                    "FullRepositoryId": str(source.repository),
                    "BranchName": source.branch,
                    "OutputArtifactFormat": "CODE_ZIP",
                },
            )
        elif source.archive:
            provider, configuration = (
                "S3",
                {
                    "S3Bucket": self.platform.value("configuration-bucket-name"),
                    "S3ObjectKey": source.archive,
                    "PollForSourceChanges": "false",
                },
            )
        else:
            provider, configuration = (
                "CodeCommit",
                {
                    "RepositoryName": str(source.repository),
                    "BranchName": source.branch,
                    "PollForSourceChanges": "false",
                },
            )
        declared = action(_SOURCE, "Source", provider, configuration, gives=_SOURCE)
        return codepipeline.CfnPipeline.StageDeclarationProperty(name=_SOURCE, actions=[declared])

    def _plan(self, source: GitSourceConfig) -> codepipeline.CfnPipeline.StageDeclarationProperty:
        declared = action(
            _PLAN,
            "Invoke",
            "Lambda",
            self._job(source, "plan"),
            takes=_SOURCE,
            gives=_PLAN,
            namespace=_PLAN,
        )
        return codepipeline.CfnPipeline.StageDeclarationProperty(name=_PLAN, actions=[declared])

    def _apply(self, source: GitSourceConfig) -> codepipeline.CfnPipeline.StageDeclarationProperty:
        actions = []
        if source.approval:
            approval = {
                "NotificationArn": self.platform.value("alert-topic-arn"),
                "CustomData": f"Apply this to {self.config.prefix}? #{{{_PLAN}.Summary}}",
                "ExternalEntityLink": f"#{{{_PLAN}.Link}}",
            }
            actions.append(action("Approve", "Approval", "Manual", approval))
        apply = self._job(source, "apply")
        actions.append(action("Apply", "Invoke", "Lambda", apply, takes=_PLAN, order=2))
        return codepipeline.CfnPipeline.StageDeclarationProperty(
            name="Apply", actions=actions, before_entry=_unless_nothing_changes()
        )

    def _job(self, source: GitSourceConfig, step: str) -> dict[str, str]:
        asked = {
            "step": step,
            "source": source.name,
            "folder": source.folder,
            "prune": source.prune,
            "execution": "#{codepipeline.PipelineExecutionId}",
        }
        return {
            "FunctionName": gitops_function_name(self.config.prefix),
            "UserParameters": json.dumps(asked, sort_keys=True),
        }

    def _start_on_push(self, source: GitSourceConfig, pipeline: codepipeline.CfnPipeline) -> None:
        events.CfnRule(
            self,
            f"{'Archive' if source.archive else 'Commit'}{_pascal(source.name)}",
            description=f"Starts the pipeline of {source.name} when something is pushed",
            event_pattern=self._archive_put(source.archive)
            if source.archive
            else self._branch_moved(source),
            state="ENABLED",
            targets=[
                events.CfnRule.TargetProperty(
                    id="Pipeline",
                    arn=self.arn("codepipeline", pipeline.ref),
                    role_arn=self.role_arn(start_role_name(self.config.prefix)),
                )
            ],
        )

    def _archive_put(self, key: str) -> dict[str, Any]:
        bucket = self.platform.value("configuration-bucket-name")
        return {
            "source": ["aws.s3"],
            "detail-type": ["Object Created"],
            "detail": {"bucket": {"name": [bucket]}, "object": {"key": [key]}},
        }

    def _branch_moved(self, source: GitSourceConfig) -> dict[str, Any]:
        return {
            "source": ["aws.codecommit"],
            "detail-type": ["CodeCommit Repository State Change"],
            "resources": [self.arn("codecommit", str(source.repository))],
            "detail": {
                "event": ["referenceCreated", "referenceUpdated"],
                "referenceType": ["branch"],
                "referenceName": [source.branch],
            },
        }


def _on_push(
    source: GitSourceConfig,
) -> codepipeline.CfnPipeline.PipelineTriggerDeclarationProperty:
    """A push to the branch that touches the folder; other pushes start nothing."""
    git = codepipeline.CfnPipeline
    return git.PipelineTriggerDeclarationProperty(
        provider_type="CodeStarSourceConnection",
        git_configuration=git.GitConfigurationProperty(
            source_action_name=_SOURCE,
            push=[
                git.GitPushFilterProperty(
                    branches=git.GitBranchFilterCriteriaProperty(includes=[source.branch]),
                    file_paths=git.GitFilePathFilterCriteriaProperty(
                        includes=[f"{source.folder}**"]
                    ),
                )
            ],
        ),
    )


def _unless_nothing_changes() -> codepipeline.CfnPipeline.BeforeEntryConditionsProperty:
    """Skip approval and apply when the plan changes nothing: nobody is asked for nothing."""
    pipeline = codepipeline.CfnPipeline
    return pipeline.BeforeEntryConditionsProperty(
        conditions=[
            pipeline.ConditionProperty(
                result="SKIP",
                rules=[
                    pipeline.RuleDeclarationProperty(
                        name="SomethingChanges",
                        rule_type_id=pipeline.RuleTypeIdProperty(
                            category="Rule", owner="AWS", provider="VariableCheck", version="1"
                        ),
                        configuration={
                            "Variable": f"#{{{_PLAN}.Changes}}",
                            "Operator": "NE",
                            "Value": "0",
                        },
                    )
                ],
            )
        ]
    )


def _pascal(name: str) -> str:
    return "".join(word.capitalize() for word in name.split("-"))
