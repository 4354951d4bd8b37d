"""Blueprints, synthesized: the templates that the orchestrator deploys later.

Runs before the platform's stacks are defined, because the deploy roles are derived from the
templates and the orchestrator's bundle holds them.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from mlops_framework.cdk import security
from mlops_framework.cdk.blueprint import BlueprintStack
from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.delivery import DeliveryTemplate
from mlops_framework.cdk.deploy_role import DeployPermissions
from mlops_framework.cdk.errors import SynthesisRefused
from mlops_framework.cdk.extensions import Extensions
from mlops_framework.environments.models import EnvironmentConfig
from mlops_framework.registry import Blueprint, Registry

_INLINE_LIMIT = 51_200
"""Bytes of a template that CloudFormation takes in a call; the orchestrator sends delivery so."""
_OBJECT_LIMIT = 1_000_000
"""Bytes of a template that CloudFormation reads from S3."""


@dataclass(frozen=True)
class Asset:
    """A file that a blueprint's template refers to in the CDK asset bucket."""

    digest: str
    path: Path


@dataclass(frozen=True)
class SynthesizedBlueprint:
    """One blueprint's templates.

    Attributes:
        blueprint: What it is.
        template: Of the stack a stage deploys.
        delivery: Of the pipeline's CodePipeline.
        assets: Files the template refers to.
        permissions: What deploying a resource type takes, the blueprint's own types among them.
    """

    blueprint: Blueprint
    template: Mapping[str, Any]
    delivery: Mapping[str, Any]
    assets: tuple[Asset, ...]
    permissions: DeployPermissions


@dataclass(frozen=True)
class Catalogue:
    """Everything the orchestrator knows about the enabled blueprints.

    Attributes:
        registry: The blueprints.
        entries: Their templates, in the registry's order.
    """

    registry: Registry
    entries: tuple[SynthesizedBlueprint, ...]

    @classmethod
    def synthesize(
        cls,
        config: EnvironmentConfig,
        registry: Registry,
        bundler: Bundler,
        *,
        context: Mapping[str, Any],
        outdir: Path,
        extensions: Extensions | None = None,
    ) -> Catalogue:
        """Synthesize every blueprint for an environment, in an app of their own.

        Args:
            config: The environment.
            registry: The enabled blueprints.
            bundler: Builds the bundles their functions need.
            context: CDK context; feature flags decide how templates look.
            outdir: Folder for the cloud assembly; replaced.
            extensions: Their aspects visit the blueprints' templates too.

        Raises:
            SynthesisRefused: A stack class cannot be loaded or a template is too large.
        """
        shutil.rmtree(outdir, ignore_errors=True)
        app = cdk.App(
            analytics_reporting=False,
            # It tries every combination of a template's conditions and does not end with the fifty
            # of an endpoint; `make check` has cfn-lint look at each of these templates.
            builtin_cloud_formation_validation=False,
            context=dict(context),
            outdir=str(outdir),
            tree_metadata=False,
        )
        add_templates(app, config, registry, bundler)
        (extensions or Extensions()).guard(app)
        security.check(app)
        app.synth()
        entries = tuple(_read(outdir, blueprint) for blueprint in registry.blueprints)
        return cls(registry, entries)

    def files(self) -> dict[str, bytes]:
        """What goes into the orchestrator's bundle: ``catalogue/…`` to content."""
        files = {"catalogue/catalogue.json": _minified(self.registry.to_catalogue())}
        for entry in self.entries:
            kind = entry.blueprint.kind
            files[f"catalogue/{kind}.template.json"] = _minified(entry.template)
            files[f"catalogue/{kind}.delivery.json"] = _minified(entry.delivery)
        return files

    def contract_modules(self) -> tuple[str, ...]:
        """Modules of the contracts, which the orchestrator loads by name."""
        return tuple(entry.blueprint.request.__module__ for entry in self.entries)

    def plugin_packages(self) -> dict[str, Path]:
        """Folders of the top-level packages that contracts of plugins live in."""
        packages: dict[str, Path] = {}
        for module in self.contract_modules():
            top = module.partition(".")[0]
            if top == "mlops_framework":
                continue
            spec = importlib.util.find_spec(top)
            if spec is None or not spec.submodule_search_locations:
                raise SynthesisRefused(
                    f"the contract {module} must live in a package, which can be bundled; {top} is "
                    "a single module"
                )
            packages[top] = Path(next(iter(spec.submodule_search_locations)))
        return packages

    def assets(self) -> tuple[Asset, ...]:
        """Files of all blueprints, each once."""
        return tuple(
            {asset.digest: asset for entry in self.entries for asset in entry.assets}.values()
        )


def add_templates(
    app: cdk.App, config: EnvironmentConfig, registry: Registry, bundler: Bundler
) -> None:
    """Define one blueprint stack and one delivery template per kind in ``app``."""
    for blueprint in registry.blueprints:
        _stack_class(blueprint)(
            app, blueprint.kind, config=config, blueprint=blueprint, bundler=bundler
        )
        DeliveryTemplate(app, f"{blueprint.kind}-delivery", config=config, blueprint=blueprint)


def _stack_class(blueprint: Blueprint) -> type[BlueprintStack]:
    module_name, _, class_name = blueprint.stack.partition(":")
    try:
        found = getattr(importlib.import_module(module_name), class_name)
    except (ImportError, AttributeError) as error:
        raise SynthesisRefused(
            f"the blueprint {blueprint.kind!r} names the stack {blueprint.stack}, which cannot be "
            f"loaded: {error}. Install its distribution's dependencies, or leave the kind out of "
            "blueprints.enabled."
        ) from error
    if not (isinstance(found, type) and issubclass(found, BlueprintStack)):
        raise SynthesisRefused(
            f"the stack {blueprint.stack} of the blueprint {blueprint.kind!r} is no BlueprintStack"
        )
    return found


def too_large(
    kind: str, template: Mapping[str, Any], delivery: Mapping[str, Any]
) -> tuple[str, ...]:
    """What CloudFormation would refuse of a blueprint's two templates for its size, in words."""
    return tuple(
        f"the {name} of {kind!r} has {size} bytes; CloudFormation takes {limit}"
        for name, document, limit in (
            ("template", template, _OBJECT_LIMIT),
            ("delivery template", delivery, _INLINE_LIMIT),
        )
        if (size := len(_minified(document))) > limit
    )


def read_templates(outdir: Path, kind: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A kind's template and delivery template, as synthesized into ``outdir``."""
    template = json.loads((outdir / f"{kind}.template.json").read_text("utf-8"))
    delivery = json.loads((outdir / f"{kind}-delivery.template.json").read_text("utf-8"))
    return template, delivery


def _read(outdir: Path, blueprint: Blueprint) -> SynthesizedBlueprint:
    template, delivery = read_templates(outdir, blueprint.kind)
    for said in too_large(blueprint.kind, template, delivery):
        raise SynthesisRefused(said)
    return SynthesizedBlueprint(
        blueprint,
        template,
        delivery,
        _assets(outdir, blueprint),
        DeployPermissions().extended(_stack_class(blueprint).deploy_permissions),
    )


def _assets(outdir: Path, blueprint: Blueprint) -> tuple[Asset, ...]:
    manifest = json.loads((outdir / f"{blueprint.kind}.assets.json").read_text("utf-8"))
    own = f"{blueprint.kind}.template.json"
    return tuple(
        Asset(digest, (outdir / entry["source"]["path"]).resolve())
        for digest, entry in sorted(manifest["files"].items())
        if entry["source"]["path"] != own
    )


def _minified(document: Mapping[str, Any]) -> bytes:
    return json.dumps(document, sort_keys=True, separators=(",", ":")).encode()
