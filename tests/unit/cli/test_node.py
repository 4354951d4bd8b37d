from __future__ import annotations

import sys
from pathlib import Path

import pytest

from mlops_framework.cli.embedded import node_environment
from mlops_framework.cli.errors import NotDone


def executable(folder: Path, name: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / name
    file.write_text("#!/bin/sh\n")
    file.chmod(0o755)
    return file


@pytest.fixture
def beside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An interpreter's folder without a Node.js in it."""
    python = executable(tmp_path / "bin", "python")
    monkeypatch.setattr(sys, "executable", str(python))
    return python.parent


def test_a_missing_node_is_told_with_the_way_out(beside: Path, tmp_path: Path) -> None:
    with pytest.raises(NotDone, match="make setup"):
        node_environment({"PATH": str(tmp_path / "empty")})


def test_the_node_beside_the_interpreter_comes_before_the_machines(
    beside: Path, tmp_path: Path
) -> None:
    executable(beside, "node")

    found = node_environment({"PATH": str(tmp_path / "machine"), "HOME": "/home/me"})

    assert found["PATH"].split(":")[0] == str(beside)
    assert found["HOME"] == "/home/me"


def test_a_node_that_jsii_is_told_of_is_enough(beside: Path, tmp_path: Path) -> None:
    told = {"PATH": str(tmp_path / "empty"), "JSII_NODE": "/opt/node"}

    assert node_environment(told)["JSII_NODE"] == "/opt/node"
