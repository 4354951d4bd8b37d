"""What docs/add-a-blueprint.md shows is a blueprint that works as it stands there."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

import app as cdk_app
from mlops_framework.environments.loader import load_environment
from mlops_framework.environments.models import BlueprintSelection
from mlops_framework.registry import Registry

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "docs" / "add-a-blueprint.md", ROOT / "README.md")
FILES = ("contract.py", "stack.py", "__init__.py", "test_conformance.py")
SELECTION = BlueprintSelection(
    enabled=("acme-latency-alarm",), modules=("acme_blueprints.latency_alarm",)
)


@dataclass(frozen=True)
class _OnlyThis:
    enabled: tuple[str, ...] = SELECTION.enabled
    modules: tuple[str, ...] = SELECTION.modules


def code_blocks(page: Path) -> list[str]:
    return re.findall(r"```python\n(.*?)```", page.read_text(), flags=re.DOTALL)


def test_the_readme_shows_the_same_blueprint() -> None:
    assert code_blocks(PAGES[1]) == code_blocks(PAGES[0])[:3]


@pytest.fixture
def acme(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    folder = tmp_path / "acme_blueprints" / "latency_alarm"
    folder.mkdir(parents=True)
    (folder.parent / "__init__.py").touch()
    for name, block in zip(FILES, code_blocks(PAGES[0]), strict=True):
        (folder / name).write_text(block)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    for name in [name for name in sys.modules if name.startswith("acme_blueprints")]:
        del sys.modules[name]


def test_its_request_is_checked_by_its_contract(acme: None) -> None:
    registry = Registry.discover(_OnlyThis())

    request = registry.parse(
        {
            "pipeline_type": "acme-latency-alarm",
            "model_name": "employment",
            "endpoint_name": "employment",
        }
    )

    assert request.pipeline_id == "employment-acme-latency-alarm"


def test_its_conformance_test_passes(acme: None, tmp_path: Path) -> None:
    test = tmp_path / "acme_blueprints" / "latency_alarm" / FILES[-1]
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "--rootdir", "."]

    done = subprocess.run(
        [*command, "--import-mode=importlib", "-o", "pythonpath=.", str(test)],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )

    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_synthesized_with_the_platform(acme: None, tmp_path: Path) -> None:
    config = load_environment("local", ROOT / "environments")
    config = config.model_copy(update={"blueprints": SELECTION})
    outdir = tmp_path / "cdk.out"

    cdk_app.define(config, outdir=outdir, template_validation=False).synth()

    template = json.loads((outdir / "catalogue" / "acme-latency-alarm.template.json").read_text())
    (alarm,) = [
        resource["Properties"]
        for resource in template["Resources"].values()
        if resource["Type"] == "AWS::CloudWatch::Alarm"
    ]
    assert alarm["Threshold"] == {"Ref": "LatencyUs"}
    assert template["Parameters"]["LatencyUs"]["Default"] == "500000"
