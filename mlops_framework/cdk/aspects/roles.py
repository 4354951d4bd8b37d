"""Every role lives under the platform's path and below its permissions boundary."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import jsii
from aws_cdk import aws_iam as iam
from constructs import IConstruct


@jsii.implements(cdk.IAspect)
class GuardedRoles:
    """Put the role path and the permissions boundary on each ``AWS::IAM::Role`` below a scope.

    Laid on a stack rather than asked for role by role, because a role that somebody forgot is
    exactly the one that matters. A role that carries its own boundary keeps it.
    """

    def __init__(self, *, path: str, boundary_arn: Callable[[], str]) -> None:
        """Remember what every role gets.

        Args:
            path: IAM path with both slashes, for example ``/mlops/``.
            boundary_arn: Gives the ARN of the managed policy that caps the roles. Asked only once
                there is a role, so that a stack without roles declares no parameter for it.
        """
        self._path = path
        self._boundary_arn = boundary_arn

    def visit(self, node: IConstruct) -> None:
        """Guard ``node`` when it is a role; leave everything else alone."""
        if isinstance(node, iam.CfnRole):
            node.path = self._path
            if node.permissions_boundary is None:
                node.permissions_boundary = self._boundary_arn()
