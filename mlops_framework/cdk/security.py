"""cdk-nag: how it is switched on, and the one way to acknowledge a finding.

cdk-nag 3 reports through CDK's validation plugins. A finding is acknowledged by its full id, and
each wildcard of a policy has an id of its own, made of the flattened resource. `allow` writes the
statement and the acknowledgement together, so that neither can drift from the other.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from cdk_nag import AwsSolutionsChecks
from constructs import IConstruct

PACK = "AwsSolutions"
_SHORTEST_REASON = 20
_RULE = re.compile(r"^[A-Z]+[0-9]+(\[.+\])?$")


def check(scope: cdk.App | cdk.Stage) -> None:
    """Make synthesis of ``scope`` fail on any AwsSolutions finding that nobody acknowledged."""
    cdk.Validations.of(scope).add_plugins(AwsSolutionsChecks(scope))


def acknowledge(construct: IConstruct, rule: str, reason: str) -> None:
    """Accept one finding on one construct.

    Args:
        construct: The construct that is excused, never a whole stack.
        rule: The rule as the pack prints it without its name: ``APIG3``,
            ``IAM5[Resource::arn:<AWS::Partition>:s3:::example/*]``.
        reason: What makes the finding acceptable, in words a reviewer can check.

    Raises:
        ValueError: The rule is no AwsSolutions rule, the reason says nothing, or the construct is
            a stack, where the acknowledgement would also excuse what is written tomorrow.
    """
    where = construct.node.path or "the app"
    if not _RULE.match(rule):
        raise ValueError(f"{where}: {rule!r} is no rule; expected a form such as 'S1' or 'IAM5[…]'")
    if len(reason) < _SHORTEST_REASON:
        raise ValueError(f"{where}: give {rule} a reason that a reviewer can test, not {reason!r}")
    if cdk.Stack.is_stack(construct) or cdk.Stage.is_stage(construct):
        raise ValueError(f"{where}: acknowledge {rule} on the resource it excuses, not on a stack")
    # The id without its pack's namespace: the only form that cdk-nag's own validate_scope honours
    # as well as a synthesis does (cdk-nag 3.0.2 strips no namespace but CDK's "Annotation").
    cdk.Validations.of(construct).acknowledge(
        cdk.Acknowledgment(id=f"{PACK}-{rule}", reason=reason)
    )


def allow(
    grantee: iam.IGrantable,
    *,
    actions: Sequence[str],
    resources: Sequence[str],
    conditions: Mapping[str, Mapping[str, Any]] | None = None,
    because: str | None = None,
) -> None:
    """Give ``grantee`` the named actions on the named resources.

    Args:
        grantee: A role, or a construct that has one.
        actions: Complete action names; a ``*`` in one is refused.
        resources: ARNs, tokens welcome. One that holds a ``*`` needs ``because``.
        conditions: IAM condition block.
        because: Why a resource cannot be written out, or why ``*`` is all the service takes.
            Becomes the acknowledgement of cdk-nag's wildcard finding.

    Raises:
        ValueError: An action holds a wildcard, or a wildcard resource comes without ``because``.
    """
    role = grantee.grant_principal
    if not isinstance(role, iam.Role):
        raise ValueError(f"allow() needs a role of this app, not {role!r}")
    for action in actions:
        if "*" in action:
            raise ValueError(f"{role.node.path}: name the actions behind {action!r} one by one")
    statement = iam.PolicyStatement(
        actions=list(actions),
        resources=list(resources),
        conditions=dict(conditions) if conditions else None,
    )
    role.add_to_policy(statement)
    stack = cdk.Stack.of(role)
    for resource in resources:
        flat = flatten(stack.resolve(resource))
        if "*" not in flat:
            continue
        if because is None:
            raise ValueError(f"{role.node.path}: {flat} is a wildcard; say why (because=…)")
        acknowledge(role, f"IAM5[Resource::{flat}]", because)


def flatten(reference: Any) -> str:
    """Write a resolved reference the way cdk-nag does in the id of a finding.

    The same rules as cdk-nag's ``flattenCfnReference``: ``Ref`` and ``Fn::GetAtt`` in angle
    brackets, joins joined, everything unknown as compact JSON.
    """
    if isinstance(reference, str):
        return reference.replace("${", "<").replace("}", ">")
    if isinstance(reference, Mapping):
        if "Fn::Join" in reference:
            delimiter, items = reference["Fn::Join"]
            return str(delimiter).join(flatten(item) for item in items)
        if "Fn::Sub" in reference:
            return flatten(reference["Fn::Sub"])
        if "Fn::GetAtt" in reference:
            resource, attribute = reference["Fn::GetAtt"]
            return f"<{flatten(resource)}.{flatten(attribute)}>"
        if "Fn::ImportValue" in reference:
            return flatten(reference["Fn::ImportValue"])
        if "Ref" in reference:
            return f"<{flatten(reference['Ref'])}>"
    return json.dumps(reference, separators=(",", ":"))
