"""What it takes to add versions to a request's own group of the model registry."""

from __future__ import annotations

from aws_cdk import aws_iam as iam

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.security import allow


def let_models_be_registered(stack: BlueprintStack, role: iam.Role) -> None:
    """Let a role add versions to ``model_package_group``, a field of the contract.

    Args:
        stack: The blueprint's stack.
        role: Of whoever registers.
    """
    group = stack.text("model_package_group")
    allow(
        role,
        actions=perms.REGISTER_MODEL,
        resources=[
            stack.arn("sagemaker", f"model-package-group/{group}"),
            stack.arn("sagemaker", f"model-package/{group}/*"),
        ],
        because="Versions of this request's own model package group; the registry counts them.",
    )
