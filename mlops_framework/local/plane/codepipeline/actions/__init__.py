"""The actions that are carried, by category and provider."""

from __future__ import annotations

from collections.abc import Mapping

from mlops_framework.local.plane.codepipeline.actions.approval import ManualApproval
from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionAbandoned,
    ActionFailed,
    ActionResult,
    ActionRun,
)
from mlops_framework.local.plane.codepipeline.actions.build import CodeBuildBuild, CodeBuildTest
from mlops_framework.local.plane.codepipeline.actions.cloudformation import CloudFormationDeploy
from mlops_framework.local.plane.codepipeline.actions.function import LambdaInvoke
from mlops_framework.local.plane.codepipeline.actions.source import S3Source

__all__ = ["ACTIONS", "Action", "ActionAbandoned", "ActionFailed", "ActionResult", "ActionRun"]

ACTIONS: Mapping[tuple[str, str], Action] = {
    (action.category, action.provider): action
    for action in (
        S3Source(),
        CloudFormationDeploy(),
        CodeBuildBuild(),
        CodeBuildTest(),
        LambdaInvoke(),
        ManualApproval(),
    )
}
