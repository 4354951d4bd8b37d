"""What every SageMaker container needs of its role, whatever it computes."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from mlops_framework.cdk import perms
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.stack import FrameworkStack


def let_containers_start(stack: FrameworkStack, role: iam.Role, image_uri: str) -> None:
    """Give a SageMaker role what every container needs: its image, its log, its metrics.

    Args:
        stack: The blueprint's stack.
        role: Role of a job or an endpoint.
        image_uri: Token of the image, ``<account>.dkr.ecr.<region>…/<repository>:<tag>``.
    """
    let_images_be_pulled(stack, role, image_uri)
    let_containers_work(stack, role)


def let_containers_work(stack: FrameworkStack, role: iam.Role) -> None:
    """Give a SageMaker role what every container needs beside its image: log, metrics, network.

    Args:
        stack: The blueprint's stack.
        role: Role of a job or an endpoint.
    """
    allow(
        role,
        actions=perms.WRITE_JOB_LOGS,
        resources=[stack.arn("logs", "log-group:/aws/sagemaker/*")],
        because="SageMaker fixes the log groups' names below /aws/sagemaker/.",
    )
    allow(
        role,
        actions=perms.ECR_LOGIN,
        resources=["*"],
        because="IAM has no resource for ecr:GetAuthorizationToken.",
    )
    allow(
        role,
        actions=perms.WRITE_METRICS,
        resources=["*"],
        conditions={
            "StringLike": {
                # Clarify's analyses have theirs without the slash.
                "cloudwatch:namespace": ["/aws/sagemaker/*", "aws/sagemaker/*", "SageMaker*"]
            }
        },
        because="cloudwatch:PutMetricData takes no resource; the condition names the namespaces.",
    )
    if stack.config.networking:
        network = stack.config.networking
        allow(
            role,
            actions=perms.SEE_VPC,
            resources=["*"],
            because="The EC2 Describe actions that SageMaker needs take no resource.",
        )
        allow(
            role,
            actions=perms.USE_VPC,
            resources=[
                stack.arn("ec2", "network-interface/*"),
                *(stack.arn("ec2", f"subnet/{name}") for name in network.subnet_ids),
                *(
                    stack.arn("ec2", f"security-group/{name}")
                    for name in network.security_group_ids
                ),
            ],
            because="EC2 names network interfaces when a job or endpoint starts; subnets and "
            "security groups are the environment's own.",
        )


def let_images_be_pulled(stack: FrameworkStack, role: iam.Role, image_uri: str) -> None:
    """Let a role pull images of the account that one image is in.

    Args:
        stack: The blueprint's stack.
        role: Role of a job or an endpoint.
        image_uri: Token of the image, ``<account>.dkr.ecr.<region>…/<repository>:<tag>``.
    """
    registry = cdk.Fn.select(0, cdk.Fn.split(".", image_uri))
    allow(
        role,
        actions=perms.PULL_IMAGE,
        resources=[f"arn:{stack.partition}:ecr:{stack.region}:{registry}:repository/*"],
        because="The repository is part of the request's image URI, in that image's account only.",
    )
