from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest

import app as cdk_app
from mlops_framework.cdk.bundling import Bundler, RuntimeTarget
from mlops_framework.cdk.catalogue import add_templates
from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
ENVIRONMENTS = ("dev", "local", "prod", "staging")
PLATFORM = ("Foundation", "Drift", "Delivery", "Orchestrator", "Observability")
KINDS = (
    "autopilot",
    "batch-transform",
    "data-quality-monitor",
    "drift-monitor",
    "image-builder",
    "model-bias-monitor",
    "model-explainability-monitor",
    "model-quality-monitor",
    "realtime-endpoint",
    "training",
    "tuning",
)
"""Every kind that the platform brings."""
ANALYZERS = tuple(kind for kind in KINDS if kind.startswith(("data-", "model-")))
"""Those that run AWS's own analyzers."""
BLUEPRINTS = tuple(name for kind in KINDS for name in (kind, f"{kind}-delivery"))


@dataclass(frozen=True)
class Synthesized:
    """One environment's templates by stack name: the platform's and the blueprints'."""

    app: cdk.App
    outdir: Path
    platform: Mapping[str, Mapping[str, Any]]
    blueprints: Mapping[str, Mapping[str, Any]]

    @property
    def templates(self) -> dict[str, Mapping[str, Any]]:
        return {**self.platform, **self.blueprints}


Synthesize = Callable[[str], Synthesized]


def resources(template: Mapping[str, Any], kind: str) -> dict[str, Mapping[str, Any]]:
    return {
        name: resource
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind
    }


def properties(template: Mapping[str, Any], kind: str) -> list[Mapping[str, Any]]:
    return [resource.get("Properties", {}) for resource in resources(template, kind).values()]


def statements(template: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """Every statement of every identity policy, actions and resources always as lists."""
    found: list[Mapping[str, Any]] = []
    for resource in template["Resources"].values():
        if resource["Type"] in ("AWS::IAM::Policy", "AWS::IAM::ManagedPolicy"):
            for statement in resource["Properties"]["PolicyDocument"]["Statement"]:
                found.append(
                    {
                        **statement,
                        "Action": listed(statement["Action"]),
                        "Resource": listed(statement["Resource"]),
                    }
                )
    return found


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def read_templates(folder: Path, names: tuple[str, ...]) -> dict[str, Mapping[str, Any]]:
    return {
        name: json.loads((folder / f"{name}.template.json").read_text("utf-8")) for name in names
    }


def synthesized(config: EnvironmentConfig, outdir: Path) -> Synthesized:
    app = cdk_app.define(config, outdir=outdir, template_validation=False)
    app.synth()
    return Synthesized(
        app,
        outdir,
        read_templates(outdir, PLATFORM),
        read_templates(outdir / "catalogue", BLUEPRINTS),
    )


@pytest.fixture(scope="session")
def synthesize(tmp_path_factory: pytest.TempPathFactory) -> Synthesize:
    """Synthesizes an environment, once per session. CDK's own validation has a test of its own."""

    @cache
    def once(environment: str) -> Synthesized:
        config = load_environment(environment, ROOT / "environments")
        return synthesized(config, tmp_path_factory.mktemp(f"cdk-{environment}"))

    return once


@pytest.fixture(scope="session")
def dev(synthesize: Synthesize) -> Synthesized:
    return synthesize("dev")


@pytest.fixture(scope="session")
def blueprint_app(tmp_path_factory: pytest.TempPathFactory) -> cdk.App:
    """The app that holds dev's blueprints, not synthesized."""
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    app = cdk.App(
        context=context,
        outdir=str(tmp_path_factory.mktemp("blueprints")),
        builtin_cloud_formation_validation=False,
    )
    config = load_environment("dev", ROOT / "environments")
    bundler = Bundler(ROOT, ROOT / ".build", RuntimeTarget.cloud())
    add_templates(app, config, Registry.discover(config.blueprints), bundler)
    return app


@pytest.fixture(scope="session")
def host_bundler() -> Bundler:
    return Bundler(ROOT, ROOT / ".build", RuntimeTarget.this_host())
