"""The CDK app: environment -> blueprints -> platform -> cloud assembly.

``npx cdk synth -c env=dev`` runs it, and so does ``python app.py -c env=dev``.
"""

from __future__ import annotations

import json
import os
import sys
from itertools import pairwise
from pathlib import Path

import aws_cdk as cdk

from mlops_framework.cdk import security
from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.environments.loader import load_environment
from mlops_framework.errors import FrameworkFault
from mlops_framework.registry import Registry
from stacks.platform import Platform

ROOT = Path(__file__).parent


def main(arguments: list[str]) -> None:
    """Synthesize one environment into ``CDK_OUTDIR``, or ``cdk.out`` without the CLI."""
    # The CLI hands over cdk.json's context, Python alone does not; without it templates differ.
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    given = [value for flag, value in pairwise(arguments) if flag == "-c"]
    context |= dict(value.split("=", 1) for value in given)
    app = cdk.App(
        analytics_reporting=False,
        context=context,
        outdir=os.environ.get("CDK_OUTDIR", "cdk.out"),
    )
    config = load_environment(app.node.try_get_context("env") or "dev", ROOT / "environments")
    registry = Registry.discover(config.blueprints)
    target = RuntimeTarget.this_host() if config.lambda_bundle == "host" else RuntimeTarget.cloud()
    bundler = Bundler(ROOT, ROOT / ".build", target)
    catalogue = Catalogue.synthesize(
        config, registry, bundler, context=context, outdir=ROOT / ".build/catalogue" / config.name
    )
    Platform(app, config=config, catalogue=catalogue, bundler=bundler)
    security.check(app)
    app.synth()


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except FrameworkFault as fault:
        sys.exit(f"{type(fault).__name__}: {fault}")
