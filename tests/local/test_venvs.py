from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mlops_framework.local import venvs
from mlops_framework.local.errors import EnvironmentFailed


def _has(python: Path, module: str) -> bool:
    code = f"import importlib.util, sys; sys.exit(importlib.util.find_spec({module!r}) is None)"
    return subprocess.run([str(python), "-I", "-c", code], check=False).returncode == 0


def test_an_environment_is_made_once_and_found_again(tmp_path: Path) -> None:
    said: list[str] = []
    first = venvs.ensure("lambda", tmp_path, said.append)
    assert said == ["Installing the lambda environment of the local AWS"]
    assert venvs.ensure("lambda", tmp_path, said.append) == first
    assert len(said) == 1
    assert _has(first, "boto3")


def test_an_interrupted_installation_is_started_over(tmp_path: Path) -> None:
    first = venvs.ensure("lambda", tmp_path)
    home = first.parents[1]
    (home / ".complete").unlink()
    (home / "half-written").touch()
    assert venvs.ensure("lambda", tmp_path) == first
    assert not (home / "half-written").exists()


def test_each_environment_holds_what_its_code_finds_in_the_cloud_and_no_more() -> None:
    found = venvs.ensure_all()
    expected = {
        "ministack": (True, False, False),
        "boto3": (True, True, True),
        "sklearn": (False, False, True),
        "sagemaker_inference": (False, False, True),
        "pydantic": (False, False, False),
        "mlops_framework": (False, False, False),
    }
    pythons = (found.emulator, found.functions, found.ml)
    assert {
        module: tuple(_has(python, module) for python in pythons) for module in expected
    } == expected


def test_locks_are_hashed_and_name_no_registry() -> None:
    locks = sorted(venvs.LOCKS.glob("*.txt"))
    assert [lock.stem for lock in locks] == ["build", "emulator", "lambda", "ml", "xgboost"]
    for lock in locks:
        text = lock.read_text()
        assert "://" not in text
        pinned = [line for line in text.splitlines() if "==" in line.split(";")[0]]
        assert pinned
        assert all(line.endswith("\\") for line in pinned)
        assert (venvs.LOCKS / f"{lock.stem}.in").exists()


def test_an_unknown_environment_names_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailed, match="known: build, emulator, lambda, ml, xgboost"):
        venvs.ensure("gpu", tmp_path)


def test_an_installer_that_fails_is_quoted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "build.txt").write_text("")
    (tmp_path / "lambda.txt").write_text("boto3==1.40.4 --hash=sha256:" + "0" * 64 + "\n")
    monkeypatch.setattr(venvs, "LOCKS", tmp_path)
    with pytest.raises(EnvironmentFailed, match=r"`uv pip sync` failed for the local AWS:\n"):
        venvs.ensure("lambda", tmp_path / "venvs")
    assert not list((tmp_path / "venvs").glob("*/.complete"))
