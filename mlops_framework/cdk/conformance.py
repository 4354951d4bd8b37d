"""One blueprint or extension, synthesized by itself: what the conformance suites look at.

The suites are :class:`mlops_framework.testing.blueprint_suite.BlueprintSuite` and
:class:`mlops_framework.testing.extension_suite.ExtensionSuite`; they import this module inside
their fixtures, because the CDK costs seconds and needs Node.js.
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
from mlops_framework.cdk.constructs import AlertTopic
from mlops_framework.cdk.deploy_role import DeployPermissions
from mlops_framework.cdk.extension import PlatformExtension
from mlops_framework.cdk.extensions import Extensions
from mlops_framework.cdk.function import LogPolicy
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.registry import Blueprint, Registry

_STAND_IN = "StandIn"


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


@dataclass(frozen=True)
class ExtensionSpecimen:
    """What the synthesis of one extension came to.

    Attributes:
        templates: Of its stacks, by stack name.
        again: Of a second synthesis.
        findings: Of cdk-nag in its stacks.
        errors: What its aspects refused in a stack like the platform's; the rest is then empty.
    """

    templates: Mapping[str, Mapping[str, Any]]
    again: Mapping[str, Mapping[str, Any]]
    findings: tuple[str, ...]
    errors: tuple[str, ...]


def extension_specimen(
    extension: type[PlatformExtension],
    config: EnvironmentConfig,
    *,
    checkout: Path,
    folder: Path,
) -> ExtensionSpecimen:
    """Synthesize an extension beside a stack that holds what every stack of the platform holds.

    Args:
        extension: The extension.
        config: The environment, which takes the extension and no other.
        checkout: Folder with ``cdk.json``.
        folder: Folder for two cloud assemblies.

    Raises:
        ExtensionInvalid: It cannot be made, or fails.
        EnvironmentInvalid: It refuses its settings.
    """
    context = json.loads((checkout / "cdk.json").read_text("utf-8"))["context"]
    first, second = (_extended(config, context, folder / name) for name in ("first", "second"))
    report = AwsSolutionsChecks(first).validate_scope(first)
    try:
        written, again = _templates(first), _templates(second)
    except RuntimeError as refusal:  # jsii's, of what the CDK's validation reports
        return ExtensionSpecimen({}, {}, (), (str(refusal),))
    return ExtensionSpecimen(
        templates=written,
        again=again,
        findings=tuple(
            f"{violation.rule_name} at {resource.construct_path}: {violation.description}"
            for violation in report.violations
            for resource in violation.violating_resources
            if str(resource.construct_path).startswith(f"{extension.name}/")
        ),
        errors=(),
    )


def _templates(app: cdk.App) -> dict[str, Mapping[str, Any]]:
    return {
        stack.stack_name: stack.template for stack in app.synth().stacks if stack.id != _STAND_IN
    }


def _extended(config: EnvironmentConfig, context: Mapping[str, Any], outdir: Path) -> cdk.App:
    app = cdk.App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=False,
        context=dict(context),
        outdir=str(outdir),
    )
    platform = FrameworkStack(
        app, _STAND_IN, config=config, description="Holds what the platform's stacks hold"
    )
    key = platform.platform.key()
    AlertTopic(platform, "Topic", key=key, emails=())
    LogPolicy(config.log_retention_days, key, retain=False).group(platform, "Log")
    platform.role_for("Role", "lambda.amazonaws.com", "Stands for every role")
    extensions = Extensions.discover(config)
    extensions.add_stacks(app, [platform])
    extensions.guard(app)
    return app
