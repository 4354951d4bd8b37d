from __future__ import annotations

import json
import re
import subprocess
import sys
import tomllib
import zipfile
from importlib.metadata import EntryPoint
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

from tools import lock

from .sources import ROOT

DECLARED: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text())
PIN = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[a-z0-9,_-]+\])?==([^\s;\\]+)")
HOST = re.compile(r"https?:|\bindex-url\b|find-links|\.(?:org|com|io|net)/")


def locks() -> list[Path]:
    found = [
        *ROOT.glob("requirements*.txt"),
        *ROOT.glob("mlops_framework/**/requirements/*.txt"),
        *ROOT.glob("lambdas/*/requirements.txt"),
    ]
    return sorted(found)


def entries(path: Path) -> list[str]:
    """The requirements of a lock, each with its continuation lines, comments left out."""
    text = re.sub(r"(?m)^\s*#.*\n?", "", path.read_text()).replace("\\\n", " ")
    return [line.strip() for line in text.splitlines() if line.strip()]


def pins(path: Path) -> dict[str, str]:
    found = [match for entry in entries(path) if (match := PIN.match(entry))]
    return {canonicalize_name(match[1]): match[2] for match in found}


@pytest.mark.parametrize("path", locks(), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_lock_pins_every_package_with_hashes_and_names_no_registry(path: Path) -> None:
    for entry in entries(path):
        assert PIN.match(entry), entry
        assert "--hash=sha256:" in entry, entry
    assert not HOST.search(path.read_text())


def test_package_lock_names_no_registry_and_has_a_hash_for_each_package() -> None:
    packages = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    for name, package in packages.items():
        assert "resolved" not in package, name
        assert not name or package["integrity"].startswith("sha512-"), name


def test_the_cdk_command_line_is_one_exact_version() -> None:
    declared = json.loads((ROOT / "package.json").read_text())
    locked = json.loads((ROOT / "package-lock.json").read_text())["packages"]

    assert re.fullmatch(r"\d+\.\d+\.\d+", declared["devDependencies"]["aws-cdk"])
    assert locked["node_modules/aws-cdk"]["version"] == declared["devDependencies"]["aws-cdk"]
    assert declared["engines"]["node"] == ">=20"


@pytest.mark.parametrize(
    ("target", "tables"),
    [
        ("requirements.txt", ("project", "cdk")),
        ("requirements-dev.txt", ("project", "aws", "cdk", "cli", "local", "dev")),
        ("requirements-oracle.txt", ("oracle",)),
        ("requirements-node.txt", ("node",)),
        ("requirements-uv.txt", ("uv",)),
    ],
)
def test_a_lock_holds_a_fitting_version_of_everything_declared(
    target: str, tables: tuple[str, ...]
) -> None:
    declared = {
        "project": DECLARED["project"]["dependencies"],
        **DECLARED["project"]["optional-dependencies"],
        **DECLARED["dependency-groups"],
    }
    locked = pins(ROOT / target)

    for table in tables:
        for text in declared[table]:
            wanted = Requirement(text)
            if wanted.name == DECLARED["project"]["name"]:
                continue
            found = locked.get(canonicalize_name(wanted.name))
            assert found, f"{table}: {text} is not locked"
            assert wanted.specifier.contains(found), f"{table}: {text}, locked {found}"


def test_the_locks_of_one_environment_agree_on_versions() -> None:
    everything = pins(ROOT / "requirements-dev.txt")

    for name in ("requirements.txt", "requirements-uv.txt"):
        assert pins(ROOT / name).items() <= everything.items(), name


def test_make_lock_writes_every_lock_there_is() -> None:
    written = {each.target for each in lock.locks()}

    assert written == {str(path.relative_to(ROOT)) for path in locks() if entries(path)}


@pytest.mark.parametrize(
    "kind", sorted(DECLARED["project"]["entry-points"]["mlops_framework.blueprints"])
)
def test_a_declared_blueprint_is_there_and_has_the_name_of_its_kind(kind: str) -> None:
    group = "mlops_framework.blueprints"
    target = DECLARED["project"]["entry-points"][group][kind]

    blueprint = EntryPoint(kind, target, group).load()

    assert blueprint.kind == kind
    folder = kind.replace("-", "_")
    monitor = f"monitors.{folder.removesuffix('_monitor')}"
    assert target in {f"{group}.{place}:BLUEPRINT" for place in (folder, monitor)} | {
        f"{group}.monitors.explainability:BLUEPRINT"
    }


def test_the_wheel_holds_the_library_alone_with_its_data(tmp_path: Path) -> None:
    uv = Path(sys.executable).with_name("uv")
    subprocess.run(
        [uv, "build", "--wheel", "--offline", "--quiet", "--out-dir", tmp_path, ROOT], check=True
    )

    with zipfile.ZipFile(next(tmp_path.glob("*.whl"))) as wheel:
        names = wheel.namelist()
    assert {name.split("/")[0].split("-")[0] for name in names} == {"mlops_framework"}
    assert "mlops_framework/py.typed" in names
    for path in (ROOT / "mlops_framework").glob("**/requirements/*.txt"):
        assert str(path.relative_to(ROOT)) in names
    assert not [name for name in names if "__pycache__" in name]


def test_every_target_of_the_makefile_is_explained() -> None:
    makefile = (ROOT / "Makefile").read_text()
    phony = re.search(r"^\.PHONY: (.+)$", makefile, re.MULTILINE)
    assert phony
    explained = set(re.findall(r"^([a-z-]+):.* ## \S", makefile, re.MULTILINE))

    assert set(phony[1].split()) == explained


@pytest.mark.parametrize(
    "path", sorted((ROOT / ".github" / "workflows").glob("*.yml")), ids=lambda path: path.name
)
def test_a_workflow_reads_only_and_runs_pinned_actions(path: Path) -> None:
    text = path.read_text()

    assert re.search(r"^permissions:\n  contents: read\n", text, re.MULTILINE)
    for action in re.findall(r"uses: (\S+)", text):
        assert re.search(r"@[0-9a-f]{40}$", action), action
