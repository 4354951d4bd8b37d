"""Lets jobs read a list of S3 locations whose length only the request knows."""

from __future__ import annotations

from typing import Final

import aws_cdk as cdk
from aws_cdk import aws_iam as iam

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack

_OTHERS: Final = {"InChina": "aws-cn", "InGovCloud": "aws-us-gov"}
"""Conditions for the partitions beside ``aws``."""


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


def _arns_in(stack: BlueprintStack, field: str) -> cdk.IResolvable:
    """ARNs of ``s3://a,s3://b``: each ``s3://`` becomes the beginning of an ARN.

    What stands between two joined texts has to be a literal, so that each partition has a text of
    its own.
    """
    given = cdk.Fn.split("s3://", stack.text(field))
    aws, china, government = (
        cdk.Fn.split(",", cdk.Fn.join(f"arn:{partition}:s3:::", given))
        for partition in ("aws", *_OTHERS.values())
    )
    in_china, in_government = (_in(stack, name, partition) for name, partition in _OTHERS.items())
    elsewhere = cdk.Fn.condition_if(in_government.logical_id, government, aws)
    return cdk.Fn.condition_if(in_china.logical_id, china, elsewhere)


def _in(stack: BlueprintStack, name: str, partition: str) -> cdk.CfnCondition:
    """A condition: the stack is in a partition. Declared once."""
    found = stack.node.try_find_child(name) or cdk.CfnCondition(
        stack, name, expression=cdk.Fn.condition_equals(cdk.Aws.PARTITION, partition)
    )
    assert isinstance(found, cdk.CfnCondition)
    return found
