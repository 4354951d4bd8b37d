"""What an image-builder pipeline deploys: a build project, its role, its log, its layer cache."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_codebuild as codebuild
from aws_cdk import aws_ecr as ecr
from aws_cdk import aws_iam as iam
from aws_cdk import aws_logs as logs

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, either
from mlops_framework.cdk.security import acknowledge, allow
from mlops_framework.environments.models import NetworkConfig

_SCRIPT = Path(__file__).with_name("build_script.py")
_CACHE_DAYS = 30
_QUEUED_MINUTES = 60


class ImageBuilderStack(BlueprintStack):
    """Build a container image and push it.

    Creates: the CodeBuild project, its role, its log group, and a repository for the layer cache.
    The image's own repository is made by delivery's check, for all stages, and outlives the stack.
    Fixed: a build on the image's own processor, no attestations, one image for one source.
    """

    def build(self) -> None:
        """Define role, log, cache and project."""
        role = self.role_for("BuildRole", "codebuild.amazonaws.com", "Builds one container image")
        log = self._log()
        cache = self._cache()
        self._is_zip = self.when("IsZip", "source_type", "S3")
        self._is_code_commit = self.when("IsCodeCommit", "source_type", "CODECOMMIT")
        self._is_git = cdk.CfnCondition(
            self,
            "IsGit",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(self.text("connection_arn"), "")
            ),
        )
        self._let_it_build(role, log, cache)
        self._let_it_read_the_source(role)
        self._project(role, log, cache)

        self.output("ProjectName", self.deployed_name)
        self.output("RepositoryName", self.text("repository_name"))
        self.output("RepositoryUri", self._registry() + "/" + self.text("repository_name"))
        self.output("ImageTag", self.text("image_tag"))
        self.output("ScanGate", self.text("scan_gate"))
        self.output("AcceptedFindings", self.text("accepted_findings"))

    def _log(self) -> logs.CfnLogGroup:
        group = logs.CfnLogGroup(
            self,
            "Log",
            log_group_name=f"{self.deployed_name}-build",
            retention_in_days=self.config.log_retention_days,
            kms_key_id=self.platform.value("key-arn"),
        )
        group.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return group

    def _cache(self) -> ecr.CfnRepository:
        """Layers of former builds; one tag that moves, in a repository that takes nothing else."""
        cache = ecr.CfnRepository(
            self,
            "LayerCache",
            repository_name=f"{self.deployed_name}-cache",
            image_tag_mutability="MUTABLE",
            empty_on_delete=True,
            encryption_configuration=ecr.CfnRepository.EncryptionConfigurationProperty(
                encryption_type="AES256"
            ),
            lifecycle_policy=ecr.CfnRepository.LifecyclePolicyProperty(
                lifecycle_policy_text=json.dumps(
                    {
                        "rules": [
                            {
                                "rulePriority": 1,
                                "description": f"Layers go {_CACHE_DAYS} days after their build",
                                "selection": {
                                    "tagStatus": "any",
                                    "countType": "sinceImagePushed",
                                    "countUnit": "days",
                                    "countNumber": _CACHE_DAYS,
                                },
                                "action": {"type": "expire"},
                            }
                        ]
                    },
                    separators=(",", ":"),
                )
            ),
        )
        cache.apply_removal_policy(cdk.RemovalPolicy.DESTROY)
        return cache

    def _project(self, role: iam.Role, log: logs.CfnLogGroup, cache: ecr.CfnRepository) -> None:
        arm = self.when("IsArm", "platform", "linux/arm64")
        network = self.config.networking
        project = codebuild.CfnProject(
            self,
            "Project",
            name=self.deployed_name,
            description="Builds one container image",
            service_role=role.role_arn,
            artifacts=codebuild.CfnProject.ArtifactsProperty(type="NO_ARTIFACTS"),
            source=self._source(),
            source_version=either(self._is_zip, cdk.Aws.NO_VALUE, self.text("git_reference")),
            environment=codebuild.CfnProject.EnvironmentProperty(
                type=either(arm, "ARM_CONTAINER", "LINUX_CONTAINER"),
                image=either(
                    arm,
                    codebuild.LinuxArmBuildImage.AMAZON_LINUX_2023_STANDARD_3_0.image_id,
                    codebuild.LinuxBuildImage.AMAZON_LINUX_2023_5.image_id,
                ),
                compute_type=self.text("compute_type"),
                # Docker runs inside the build; the machine is thrown away after it.
                privileged_mode=True,
                environment_variables=[
                    codebuild.CfnProject.EnvironmentVariableProperty(
                        name=name, value=value, type="PLAINTEXT"
                    )
                    for name, value in self._variables(cache).items()
                ],
            ),
            encryption_key=self.platform.value("key-arn"),
            timeout_in_minutes=self.number("timeout_minutes"),
            queued_timeout_in_minutes=_QUEUED_MINUTES,
            logs_config=codebuild.CfnProject.LogsConfigProperty(
                cloud_watch_logs=codebuild.CfnProject.CloudWatchLogsConfigProperty(
                    status="ENABLED", group_name=log.ref
                )
            ),
            vpc_config=codebuild.CfnProject.VpcConfigProperty(
                vpc_id=network.vpc_id,
                subnets=list(network.subnet_ids),
                security_group_ids=list(network.security_group_ids),
            )
            if network
            else None,
        )
        acknowledge(
            project,
            "CB5",
            "The rule cannot read a choice: the image is CodeBuild's own for the processor that "
            "the request names, Amazon Linux 2023 in both cases.",
        )
        project.node.add_dependency(role)

    def _source(self) -> codebuild.CfnProject.SourceProperty:
        repository = cdk.Fn.sub(
            "https://git-codecommit.${AWS::Region}.${AWS::URLSuffix}/v1/repos/${SourceLocation}"
        )
        return codebuild.CfnProject.SourceProperty(
            type=self.text("source_type"),
            location=either(self._is_code_commit, repository, self.text("source_location")),
            build_spec=json.dumps(_specification(), separators=(",", ":")),
            auth=cdk.Fn.condition_if(
                self._is_git.logical_id,
                {"Type": "CODECONNECTIONS", "Resource": self.text("connection_arn")},
                cdk.Aws.NO_VALUE,
            ),
        )

    def _variables(self, cache: ecr.CfnRepository) -> dict[str, str]:
        return {
            "REGISTRY": self._registry(),
            "REPOSITORY_NAME": self.text("repository_name"),
            "CACHE_REPOSITORY": cache.ref,
            "IMAGE_TAG": self.text("image_tag"),
            "DOCKERFILE": self.text("dockerfile"),
            "BUILD_CONTEXT": self.text("build_context"),
            "BUILD_TARGET": self.text("build_target"),
            "BUILD_ARGUMENTS": self.text("build_arguments"),
            "PLATFORM": self.text("platform"),
        }

    def _registry(self) -> str:
        return f"{self.account}.dkr.ecr.{self.region}.{self.url_suffix}"

    def _let_it_build(
        self, role: iam.Role, log: logs.CfnLogGroup, cache: ecr.CfnRepository
    ) -> None:
        allow(
            role,
            actions=perms.ECR_LOGIN,
            resources=["*"],
            because="IAM has no resource for ecr:GetAuthorizationToken.",
        )
        allow(
            role,
            actions=[*perms.PULL_IMAGE, *perms.PUSH_IMAGE, *perms.READ_IMAGES],
            resources=[
                self.arn("ecr", f"repository/{self.text('repository_name')}"),
                cache.attr_arn,
            ],
        )
        allow(
            role,
            actions=perms.WRITE_LOGS,
            resources=[f"{self.arn('logs', f'log-group:{log.ref}')}:*"],
            because="CodeBuild names the stream of each build; the group is this project's own.",
        )
        allow(role, actions=perms.USE_KEY, resources=[self.platform.value("key-arn")])
        if self.config.networking:
            let_it_join(self, role, self.config.networking)

    def _let_it_read_the_source(self, role: iam.Role) -> None:
        """One policy for each kind of source, of which a request makes one."""
        location = self.text("source_location")
        bucket = cdk.Fn.select(0, cdk.Fn.split("/", location))
        connection = self.text("connection_arn")
        self._policy(
            role,
            "ReadZip",
            self._is_zip,
            (perms.READ_OBJECTS, f"arn:{self.partition}:s3:::{location}"),
            (perms.LOCATE_BUCKET, f"arn:{self.partition}:s3:::{bucket}"),
        )
        self._policy(
            role,
            "PullCodeCommit",
            self._is_code_commit,
            (perms.PULL_CODE_COMMIT, self.arn("codecommit", location)),
        )
        self._policy(role, "UseConnection", self._is_git, (perms.FETCH_OVER_CONNECTION, connection))

    def _policy(
        self,
        role: iam.Role,
        name: str,
        condition: cdk.CfnCondition,
        *granted: tuple[perms.Actions, str],
    ) -> None:
        policy = iam.CfnPolicy(
            self,
            name,
            policy_name=name,
            roles=[role.role_name],
            policy_document={
                "Version": "2012-10-17",
                "Statement": [
                    {"Effect": "Allow", "Action": list(actions), "Resource": resource}
                    for actions, resource in granted
                ],
            },
        )
        policy.cfn_options.condition = condition


def let_it_join(stack: BlueprintStack, role: iam.Role, network: NetworkConfig) -> None:
    """Let a build run in the environment's network."""
    allow(
        role,
        actions=perms.SEE_VPC,
        resources=["*"],
        because="The EC2 Describe actions that CodeBuild needs take no resource.",
    )
    allow(
        role,
        actions=perms.USE_VPC,
        resources=[
            stack.arn("ec2", "network-interface/*"),
            *(stack.arn("ec2", f"subnet/{name}") for name in network.subnet_ids),
            *(stack.arn("ec2", f"security-group/{name}") for name in network.security_group_ids),
        ],
        because="EC2 names network interfaces when a build starts; subnets and security groups "
        "are the environment's own.",
    )


def _specification() -> dict[str, Any]:
    """The build specification: the script as it stands, and one call of it."""
    script = _SCRIPT.read_text(encoding="utf-8")
    return {
        "version": 0.2,
        "env": {
            "shell": "bash",
            "exported-variables": ["IMAGE_DIGEST", "SOURCE_TAG", "IMAGE_BUILT"],
        },
        "phases": {
            "build": {
                "on-failure": "ABORT",
                "commands": [
                    f"cat > /tmp/build_script.py <<'END_OF_SCRIPT'\n{script}END_OF_SCRIPT",
                    "python3 /tmp/build_script.py /tmp/exported.sh",
                    ". /tmp/exported.sh",
                ],
            }
        },
    }
