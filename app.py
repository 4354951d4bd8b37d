"""The CDK app: environment -> blueprints -> platform -> cloud assembly.

``npx cdk synth -c env=dev`` runs it, and so does ``python app.py -c env=dev``.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Mapping
from itertools import pairwise
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from mlops_framework.cdk import security
from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.cdk.extensions import Extensions
from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.errors import FrameworkFault
from mlops_framework.registry import Registry
from stacks.platform import Platform

ROOT = Path(__file__).parent


def define(
    config: EnvironmentConfig,
    *,
    outdir: Path,
    context: Mapping[str, Any] | None = None,
    template_validation: bool | None = None,
) -> cdk.App:
    """Define the platform of one environment, with its blueprints synthesized.

    Args:
        config: The environment.
        outdir: Folder for the cloud assembly.
        context: CDK context laid over that of cdk.json.
        template_validation: Whether CDK validates the platform's templates; ``CDK_VALIDATION``
            decides if none.
    """
    # The CLI hands over cdk.json's context, Python alone does not; without it templates differ.
    flags = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"] | dict(context or {})
    target = RuntimeTarget.this_host() if config.lambda_bundle == "host" else RuntimeTarget.cloud()
    bundler = Bundler(ROOT, ROOT / ".build", target)
    app = cdk.App(
        analytics_reporting=False,
        builtin_cloud_formation_validation=template_validation,
        context=flags,
        outdir=str(outdir),
    )
    extensions = Extensions.discover(config)
    catalogue = Catalogue.synthesize(
        config,
        Registry.discover(config.blueprints),
        bundler,
        context=flags,
        outdir=outdir / "catalogue",
        extensions=extensions,
    )
    platform = Platform(app, config=config, catalogue=catalogue, bundler=bundler)
    extensions.add_stacks(app, platform.stacks)
    extensions.guard(app)
    security.check(app)
    return app


def main(arguments: list[str]) -> None:
    """Synthesize ``-c env=<name>`` into ``CDK_OUTDIR``, or ``cdk.out`` without the CLI."""
    given = [value for flag, value in pairwise(arguments) if flag == "-c"]
    context = json.loads(os.environ.get("CDK_CONTEXT_JSON", "{}"))
    context |= dict(value.split("=", 1) for value in given)
    outdir = Path(os.environ.get("CDK_OUTDIR", "cdk.out"))
    config = load_environment(context.get("env", "dev"), ROOT / "environments")
    define(config, outdir=outdir, context=context).synth()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except FrameworkFault as fault:
        sys.exit(f"{type(fault).__name__}: {fault}")
    except RuntimeError as refusal:
        # What cdk-nag, an aspect or CDK itself refuses stands above, with its construct.
        if "ValidationFailed" not in str(refusal):
            raise
        sys.exit(str(refusal))
