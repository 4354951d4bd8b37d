"""The table of images says what the SageMaker SDK says."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mlops_framework.images import ImageUnknown, image_uri, known, versions
from mlops_framework.images.lookup import Scope

pytestmark = pytest.mark.oracle

ROOT = Path(__file__).resolve().parents[2]
TABLE = json.loads((ROOT / "mlops_framework" / "images" / "table.json").read_text())
REGIONS = sorted({region for accounts in TABLE["registries"] for region in accounts})
SERVED_ON_ARM = ("pytorch", "sklearn", "tensorflow", "xgboost")
"""On arm the SDK answers a serving image when asked to train, an x86 image for everything else, and
its one scikit-learn image whatever version is asked for; we refuse all three."""


def questions() -> list[tuple[str, str, str, Scope, str]]:
    """Everything the table offers, in every region, on a CPU and a GPU."""
    scopes: tuple[Scope, ...] = ("training", "inference")
    asked: list[tuple[str, str, str, Scope, str]] = []
    for framework in known():
        for scope in scopes:
            try:
                offered = versions(framework, scope)
            except ImageUnknown:
                continue
            instances = ["ml.m5.large", "ml.g5.xlarge"]
            if framework in SERVED_ON_ARM and scope == "inference":
                instances.append("ml.c7g.large")
            asked += [
                (framework, version, region, scope, instance)
                for version in offered
                for region in REGIONS
                for instance in instances
                if not (framework == "sklearn" and "7g" in instance and version != "1.0-1")
            ]
    return asked


def ours(framework: str, version: str, region: str, scope: Scope, instance: str) -> str | None:
    try:
        return image_uri(framework, version, region, scope=scope, instance_type=instance)
    except ImageUnknown:
        return None


def test_every_image_in_every_region_is_the_sdks(oracle_python: Path) -> None:
    asked = questions()
    answered = subprocess.run(
        [str(oracle_python), str(Path(__file__).with_name("sdk_images.py"))],
        input=json.dumps(asked),
        capture_output=True,
        text=True,
        check=True,
    )
    theirs = json.loads(answered.stdout)

    different = {
        question: (ours(*question), their)
        for question, their in zip(asked, theirs, strict=True)
        if ours(*question) != their
    }
    assert len(asked) > 20_000
    assert not different


def test_the_table_is_what_its_tool_writes(oracle_python: Path) -> None:
    done = subprocess.run(
        [str(oracle_python), str(ROOT / "tools" / "image_table.py"), "--check"], check=False
    )

    assert done.returncode == 0
