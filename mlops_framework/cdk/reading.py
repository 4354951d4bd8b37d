"""Lets jobs read a list of S3 locations whose length only the request knows."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack


def let_read(stack: BlueprintStack, role: iam.Role) -> iam.CfnPolicy:
    """Let a role read what the parameters ``ReadLocations`` and ``ReadBuckets`` list.

    A policy of its own: CDK puts statements of one policy together, which it cannot do with a list
    that is known at deployment only. Each location brings the wildcard for what lies below it; the
    contract's patterns let no other through.

    Args:
        stack: Its contract has ``READ_PARAMETERS``.
        role: Of the jobs.
    """
    return iam.CfnPolicy(
        stack,
        "ReadPolicy",
        policy_name="read-what-the-request-names",
        roles=[role.role_name],
        policy_document={
            "Version": "2012-10-17",
            "Statement": [
                {
                    "Effect": "Allow",
                    "Action": list(actions),
                    "Resource": _arns_in(stack, field),
                }
                for actions, field in (
                    (perms.READ_OBJECTS, "read_locations"),
                    ((*perms.LIST_BUCKET, *perms.LOCATE_BUCKET), "read_buckets"),
                )
            ],
        },
    )


def _arns_in(stack: BlueprintStack, field: str) -> list[str]:
    """ARNs of ``s3://a,s3://b``."""
    prefix = f"arn:{stack.partition}:s3:::"
    arns = cdk.Fn.join(prefix, cdk.Fn.split("s3://", stack.text(field)))
    return cdk.Fn.split(",", arns)
