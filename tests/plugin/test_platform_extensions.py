"""The second seam: found, allowed by the environment, named when something is wrong with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import aws_cdk as cdk
import pytest
from aws_cdk import aws_sns as sns

from mlops_framework.cdk.errors import ExtensionInvalid
from mlops_framework.cdk.extension import PlatformExtension
from mlops_framework.cdk.extensions import Extensions
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import EnvironmentConfig, ExtensionSelection
from mlops_framework.errors import EnvironmentInvalid

ROOT = Path(__file__).resolve().parents[2]
EXTENSION = """
import aws_cdk as cdk
import jsii
from mlops_framework.cdk.extension import ExtensionSettings, ExtensionStack, PlatformExtension

class Settings(ExtensionSettings):
    colour: str = "red"

@jsii.implements(cdk.IAspect)
class Broken:
    def visit(self, node):
        if node.node.id == "Topic":
            raise KeyError("colour")

class EXTENSION(PlatformExtension):
    name = "acme-paint"
    summary = "Paints."
    settings_type = Settings
"""
WITH_A_STACK = """
from aws_cdk import aws_sns as sns

def add_stacks(self, scope):
    stack = ExtensionStack(scope, "Extra", config=self.config, description="More")
    sns.CfnTopic(stack, "More")

EXTENSION.add_stacks = add_stacks
"""
DISTRIBUTION = "[mlops_framework.platform]\nacme-paint = extension_paint:EXTENSION\n"


@pytest.fixture
def path(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    monkeypatch.syspath_prepend(str(tmp_path))
    before = set(sys.modules)
    yield tmp_path
    for name in set(sys.modules) - before:
        if name.startswith("extension_"):
            del sys.modules[name]


@pytest.fixture
def distribution(path: Path) -> Path:
    """A distribution that offers acme-paint, installed."""
    (path / "extension_paint.py").write_text(EXTENSION, encoding="utf-8")
    facts = path / "acme_paint-1.0.dist-info"
    facts.mkdir()
    (facts / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-paint\nVersion: 1.0\n")
    (facts / "entry_points.txt").write_text(DISTRIBUTION)
    return path


def environment(**selection: Any) -> EnvironmentConfig:
    config = load_environment("dev", ROOT / "environments")
    chosen = ExtensionSelection.model_validate(selection)
    return config.model_copy(update={"extensions": chosen})


def written(path: Path, name: str, more: str) -> EnvironmentConfig:
    (path / f"{name}.py").write_text(EXTENSION + more, encoding="utf-8")
    return environment(modules=[name])


def platform(config: EnvironmentConfig, outdir: Path) -> tuple[cdk.App, FrameworkStack]:
    context = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]
    app = cdk.App(context=context, outdir=str(outdir), builtin_cloud_formation_validation=False)
    stack = FrameworkStack(app, "Platform", config=config, description="A platform")
    sns.CfnTopic(stack, "Topic")
    return app, stack


@pytest.mark.usefixtures("distribution")
def test_an_installed_extension_is_taken_only_where_the_environment_names_it() -> None:
    assert Extensions.discover(environment()).names == ()
    assert Extensions.discover(environment(enabled=["acme-*"])).names == ("acme-paint",)


@pytest.mark.usefixtures("distribution")
def test_an_extension_that_nobody_offers_is_told_with_the_nearest() -> None:
    with pytest.raises(ExtensionInvalid, match="Did you mean 'acme-paint'"):
        Extensions.discover(environment(enabled=["acme-pain"]))


@pytest.mark.usefixtures("distribution")
@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ({"acme-paint": {"color": "blue"}}, "extensions.settings.acme-paint.color"),
        ({"acme-print": {}}, "extensions.settings.acme-print"),
    ],
)
def test_a_setting_that_nobody_reads_is_refused(settings: Mapping[str, Any], told: str) -> None:
    with pytest.raises(EnvironmentInvalid) as refused:
        Extensions.discover(environment(enabled=["*"], settings=settings))

    assert [fault.path for fault in refused.value.faults] == [told]


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (
            "1 / 0",
            r"extension_bad:EXTENSION .* cannot be imported: ZeroDivisionError.*leave it out",
        ),
        ("EXTENSION = 'paint'", "is no subclass of"),
        ("EXTENSION.__init__ = lambda *_: {}['a']", "'acme-paint' .*failed: KeyError"),
    ],
)
def test_an_extension_that_cannot_be_made_is_named_with_the_way_out(
    path: Path, more: str, told: str
) -> None:
    with pytest.raises(ExtensionInvalid, match=told):
        Extensions.discover(written(path, "extension_bad", more))


def test_a_broken_distribution_is_named_and_does_no_harm_where_it_is_not_enabled(
    distribution: Path,
) -> None:
    (distribution / "extension_paint.py").write_text("1 / 0")

    with pytest.raises(ExtensionInvalid, match="of acme-paint cannot be imported"):
        Extensions.discover(environment(enabled=["*"]))
    assert Extensions.discover(environment()).names == ()


def test_a_class_without_a_proper_name_is_refused_where_it_is_written() -> None:
    with pytest.raises(ExtensionInvalid, match="kebab-case"):
        type("Nameless", (PlatformExtension,), {"name": "Acme Paint", "summary": "Paints."})
    with pytest.raises(ExtensionInvalid, match="no summary"):
        type("Silent", (PlatformExtension,), {"name": "acme-paint", "summary": " "})


def test_what_an_aspect_raises_is_reported_with_its_construct_and_its_extension(
    path: Path, tmp_path: Path
) -> None:
    config = written(path, "extension_broken", "EXTENSION.aspects = lambda self: [Broken()]\n")
    app, _ = platform(config, tmp_path / "out")

    Extensions.discover(config).guard(app)

    with pytest.raises(RuntimeError, match="'acme-paint' of extensions") as refused:
        app.synth()
    assert "Platform/Topic" in str(refused.value)


def test_its_stacks_are_tagged_named_apart_and_deployed_after_the_platform(
    path: Path, tmp_path: Path
) -> None:
    config = written(path, "extension_stack", WITH_A_STACK)
    app, stack = platform(config, tmp_path / "out")

    Extensions.discover(config).add_stacks(app, [stack])

    (extra,) = [one for one in app.synth().stacks if one.id != "Platform"]
    assert extra.stack_name == "extension-mlops-dev-acme-paint-Extra"
    (topic,) = extra.template["Resources"].values()
    tags = {tag["Key"]: tag["Value"] for tag in topic["Properties"]["Tags"]}
    assert tags["mlops:environment"] == "mlops-dev"
    assert [one.id for one in extra.dependencies if one.id == "Platform"] == ["Platform"]


def test_a_stack_that_escapes_tags_and_boundary_is_refused(path: Path, tmp_path: Path) -> None:
    more = "EXTENSION.add_stacks = lambda self, scope: cdk.Stack(scope, 'Plain')\n"
    config = written(path, "extension_plain", more)
    app, stack = platform(config, tmp_path / "out")

    with pytest.raises(ExtensionInvalid, match="acme-paint/Plain, which is no"):
        Extensions.discover(config).add_stacks(app, [stack])
