"""One blueprint, synthesized by itself: what the conformance suite looks at.

The suite is :class:`mlops_framework.testing.blueprint_suite.BlueprintSuite`; it imports this module
inside its one fixture, because the CDK costs seconds and needs Node.js.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk
from cdk_nag import AwsSolutionsChecks

from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import add_templates, read_templates, too_large
from mlops_framework.cdk.deploy_role import DeployPermissions
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.registry import Blueprint, Registry


@dataclass(frozen=True)
class Specimen:
    """What the synthesis of one blueprint came to.

    Attributes:
        template: Of the stack that a stage deploys.
        findings: Of cdk-nag: rule, construct and what is wrong.
        too_large: What CloudFormation would refuse for its size, in words.
        unknown_types: Resource types for which nobody has said what deploying them takes.
    """

    template: Mapping[str, Any]
    findings: tuple[str, ...]
    too_large: tuple[str, ...]
    unknown_types: tuple[str, ...]


def specimen(
    blueprint: Blueprint, config: EnvironmentConfig, *, checkout: Path, outdir: Path
) -> Specimen:
    """Synthesize one blueprint for an environment.

    Args:
        blueprint: The blueprint.
        config: The environment.
        checkout: Folder with ``cdk.json`` and ``lambdas/``, whose bundles a stack may use.
        outdir: Folder for the cloud assembly.

    Raises:
        SynthesisRefused: The stack class cannot be loaded, or asks for what is not there.
    """
    app = cdk.App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        context=json.loads((checkout / "cdk.json").read_text("utf-8"))["context"],
        outdir=str(outdir),
    )
    bundler = Bundler(checkout, checkout / ".build", RuntimeTarget.this_host())
    add_templates(app, config, Registry([blueprint]), bundler)
    report = AwsSolutionsChecks(app).validate_scope(app)
    app.synth()
    template, delivery = read_templates(outdir, blueprint.kind)
    stack = app.node.find_child(blueprint.kind)
    assert isinstance(stack, BlueprintStack)
    return Specimen(
        template=template,
        findings=tuple(
            f"{violation.rule_name} at {resource.construct_path}: {violation.description}"
            for violation in report.violations
            for resource in violation.violating_resources
        ),
        too_large=too_large(blueprint.kind, template, delivery),
        unknown_types=DeployPermissions().extended(stack.deploy_permissions).unknown(template),
    )
