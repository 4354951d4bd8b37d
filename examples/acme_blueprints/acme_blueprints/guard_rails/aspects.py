"""Rules that visit every construct before the templates are written."""

from __future__ import annotations

from collections.abc import Callable

import aws_cdk as cdk
import jsii
from aws_cdk import aws_logs as logs
from constructs import IConstruct

Refuse = Callable[[IConstruct, str], None]
"""Makes the synthesis fail at a construct, saying why."""


@jsii.implements(cdk.IAspect)
class BoundedLogs:
    """No log group keeps its lines for ever, or longer than the company may."""

    def __init__(self, longest_days: int, refuse: Refuse) -> None:
        self._longest_days = longest_days
        self._refuse = refuse

    def visit(self, node: IConstruct) -> None:
        """Look at ``node`` when it is a log group."""
        if not isinstance(node, logs.CfnLogGroup):
            return
        days = node.retention_in_days
        if days is None or days > self._longest_days:
            kept = "for ever" if days is None else f"for {days:g} days"
            self._refuse(
                node,
                f"Its lines would be kept {kept}; at most {self._longest_days} days are allowed. "
                "Set log_retention_days in the environment's file.",
            )


@jsii.implements(cdk.IAspect)
class CostCentre:
    """Whatever can carry a tag says who pays for it."""

    def __init__(self, tag: str, refuse: Refuse) -> None:
        self._tag = tag
        self._refuse = refuse
        self._told: set[str] = set()

    def visit(self, node: IConstruct) -> None:
        """Look at ``node`` when it is a resource that takes tags; each stack is told once."""
        if not cdk.CfnResource.is_cfn_resource(node):
            return
        tags = cdk.TagManager.of(node)
        stack = cdk.Stack.of(node).node.path
        if tags is None or tags.tag_values().get(self._tag) or stack in self._told:
            return
        self._told.add(stack)
        self._refuse(
            node,
            f"It and its stack {stack} carry no tag {self._tag}. Write it below tags in the "
            "environment's file.",
        )
