"""Bundles: what is in them, what is not, and that they run with nothing else on the path."""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from mlops_framework.cdk.bundling import Bundle, Bundler, RuntimeTarget
from mlops_framework.cdk.errors import BundleRefused
from tests.stacks.conftest import ROOT, Synthesized, properties

MEGABYTE = 1_000_000
LIMITS = {"orchestrator": 30, "delivery": 60, "drift": 200, "inference": 60}
HANDLERS = {
    "orchestrator": ("handler", "teardown"),
    "delivery": ("verify",),
    "drift": ("profile", "evaluate", "baseline"),
    "inference": ("handler",),
}
# What AWS's Python runtime brings along.
RUNTIME = ("boto3", "botocore", "s3transfer", "jmespath", "dateutil", "urllib3", "six")
UNWANTED = (
    "aws_cdk",
    "constructs",
    "sagemaker",
    "boto3",
    "botocore",
    "moto",
    "pandas",
    "scipy",
    "sklearn",
)
CATALOGUE = {"catalogue/catalogue.json": b'{"blueprints":[],"version":1}'}


def build(bundler: Bundler, service: str) -> Bundle:
    if service != "orchestrator":
        return bundler.bundle(service)
    kinds = ("training", "realtime_endpoint", "drift_monitor")
    contracts = [f"mlops_framework.blueprints.{kind}.contract" for kind in kinds]
    return bundler.bundle(service, modules=contracts, files=CATALOGUE)


@pytest.fixture(scope="session")
def runtime_packages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with boto3 and what belongs to it, and nothing else of this environment."""
    folder = tmp_path_factory.mktemp("runtime")
    for name in RUNTIME:
        spec = importlib.util.find_spec(name)
        assert spec is not None
        assert spec.origin is not None
        origin = Path(spec.origin)
        package = origin.parent if origin.name == "__init__.py" else origin
        (folder / package.name).symlink_to(package)
    return folder


@pytest.mark.parametrize("target", ["cloud", "host"])
@pytest.mark.parametrize("service", LIMITS)
def test_a_bundle_stays_below_its_limit(service: str, target: str) -> None:
    where = RuntimeTarget.cloud() if target == "cloud" else RuntimeTarget.this_host()
    bundle = build(Bundler(ROOT, ROOT / ".build", where), service)

    with zipfile.ZipFile(bundle.path) as archive:
        size = sum(entry.file_size for entry in archive.infolist())

    assert size < LIMITS[service] * MEGABYTE


@pytest.mark.parametrize("service", LIMITS)
def test_a_bundle_holds_nothing_that_a_function_must_not_have(
    service: str, host_bundler: Bundler
) -> None:
    with zipfile.ZipFile(build(host_bundler, service).path) as archive:
        names = archive.namelist()

    tops = {name.partition("/")[0] for name in names}
    assert tops.isdisjoint(UNWANTED)
    assert "bin" not in tops
    assert [name for name in names if name.endswith(".pyc")] == []
    for room in ("cdk", "cli", "local", "testing"):
        assert not [name for name in names if name.startswith(f"mlops_framework/{room}/")]
    blueprints = [name for name in names if name.startswith("mlops_framework/blueprints/")]
    assert [name for name in blueprints if name.endswith("/stack.py")] == []


@pytest.mark.parametrize("service", LIMITS)
def test_a_bundle_is_built_twice_to_the_same_bytes(
    service: str, host_bundler: Bundler, tmp_path: Path
) -> None:
    first = build(host_bundler, service)
    (tmp_path / "wheels").symlink_to(ROOT / ".build" / "wheels")

    second = build(Bundler(ROOT, tmp_path, RuntimeTarget.this_host()), service)

    assert second.digest == first.digest
    assert second.path.read_bytes() == first.path.read_bytes()


@pytest.mark.parametrize(
    ("service", "module"),
    [(service, module) for service, modules in HANDLERS.items() for module in modules],
)
def test_a_handler_imports_with_only_its_bundle_on_the_path(
    service: str, module: str, host_bundler: Bundler, runtime_packages: Path, tmp_path: Path
) -> None:
    with zipfile.ZipFile(build(host_bundler, service).path) as archive:
        archive.extractall(tmp_path)
    program = (
        "import importlib, json, sys\n"
        f"sys.path += [{str(tmp_path)!r}, {str(runtime_packages)!r}]\n"
        f"found = importlib.import_module('lambdas.{service}.{module}')\n"
        "assert callable(found.handler)\n"
        "print(json.dumps(sorted(sys.modules)))\n"
    )

    run = subprocess.run(
        [sys.executable, "-I", "-S", "-c", program],
        env={"AWS_DEFAULT_REGION": "us-east-1", "PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stderr
    assert set(json.loads(run.stdout)).isdisjoint({"aws_cdk", "jsii", "sagemaker"})


def test_the_orchestrators_bundle_holds_every_template_it_deploys(dev: Synthesized) -> None:
    function = properties(dev.platform["Orchestrator"], "AWS::Lambda::Function")[0]
    folder = dev.outdir / "catalogue"
    with zipfile.ZipFile(dev.outdir / f"asset.{function['Code']['S3Key']}") as archive:
        catalogue = json.loads(archive.read("catalogue/catalogue.json"))
        for blueprint in catalogue["blueprints"]:
            kind = blueprint["kind"]
            stored = json.loads(archive.read(f"catalogue/{kind}.template.json"))
            assert stored == json.loads((folder / f"{kind}.template.json").read_text())
            stored = json.loads(archive.read(f"catalogue/{kind}.delivery.json"))
            assert stored == json.loads((folder / f"{kind}-delivery.template.json").read_text())


def test_the_cloud_gets_wheels_of_its_own_platform() -> None:
    bundle = build(Bundler(ROOT, ROOT / ".build", RuntimeTarget.cloud()), "orchestrator")

    with zipfile.ZipFile(bundle.path) as archive:
        compiled = [name for name in archive.namelist() if name.endswith(".so")]

    assert compiled
    assert all("cpython-314-aarch64-linux-gnu" in name for name in compiled)


@pytest.fixture
def small_checkout(tmp_path: Path) -> Path:
    """A checkout with one service, which imports one module of the library and no wheel."""
    files = {
        "lambdas/__init__.py": "",
        "lambdas/greet/__init__.py": "",
        "lambdas/greet/requirements.txt": "# nothing\n",
        "lambdas/greet/handler.py": (
            "from mlops_framework.words import greeting\n"
            "def handler(event, context):\n    return greeting()\n"
        ),
        "mlops_framework/__init__.py": "",
        "mlops_framework/words.py": "def greeting():\n    return 'hello'\n",
        "mlops_framework/unused.py": "",
        "mlops_framework/cdk/__init__.py": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    return tmp_path


def small_bundle(checkout: Path, target: RuntimeTarget | None = None) -> Bundle:
    return Bundler(checkout, checkout / ".build", target or RuntimeTarget.cloud()).bundle("greet")


def test_a_bundle_holds_what_is_imported_and_nothing_else(small_checkout: Path) -> None:
    with zipfile.ZipFile(small_bundle(small_checkout).path) as archive:
        names = archive.namelist()
        dates = {entry.date_time for entry in archive.infolist()}

    assert names == [
        "lambdas/__init__.py",
        "lambdas/greet/__init__.py",
        "lambdas/greet/handler.py",
        "mlops_framework/__init__.py",
        "mlops_framework/words.py",
    ]
    assert dates == {(1980, 1, 1, 0, 0, 0)}


def test_the_digest_follows_the_sources_that_are_used(small_checkout: Path) -> None:
    before = small_bundle(small_checkout)
    (small_checkout / "mlops_framework/unused.py").write_text("changed = True\n")
    untouched = small_bundle(small_checkout)
    (small_checkout / "mlops_framework/words.py").write_text("def greeting():\n    return 'hi'\n")
    changed = small_bundle(small_checkout)

    assert untouched.digest == before.digest
    assert changed.digest != before.digest


def test_the_digest_follows_architecture_and_python(small_checkout: Path) -> None:
    targets = (
        RuntimeTarget("3.14", "aarch64"),
        RuntimeTarget("3.14", "x86_64"),
        RuntimeTarget("3.13", "aarch64"),
    )

    assert len({small_bundle(small_checkout, target).digest for target in targets}) == 3


def test_an_import_that_reaches_the_cdk_is_refused_with_its_chain(small_checkout: Path) -> None:
    (small_checkout / "mlops_framework/words.py").write_text("import mlops_framework.cdk\n")

    with pytest.raises(BundleRefused) as refusal:
        small_bundle(small_checkout)

    assert (
        "lambdas.greet.handler -> mlops_framework.words -> mlops_framework.cdk: "
        "a Lambda must not import mlops_framework.cdk" in str(refusal.value)
    )


def test_an_import_for_type_checkers_alone_is_not_bundled(small_checkout: Path) -> None:
    (small_checkout / "mlops_framework/words.py").write_text(
        "from typing import TYPE_CHECKING\n"
        "if TYPE_CHECKING:\n    import mlops_framework.cdk\n"
        "def greeting():\n    return 'hello'\n"
    )

    with zipfile.ZipFile(small_bundle(small_checkout).path) as archive:
        assert not [name for name in archive.namelist() if "cdk" in name]


def test_a_service_without_requirements_is_refused(small_checkout: Path) -> None:
    (small_checkout / "lambdas/greet/requirements.txt").unlink()

    with pytest.raises(BundleRefused, match="every service pins what it installs"):
        small_bundle(small_checkout)


def test_a_requirement_that_cannot_be_installed_is_told_with_its_reason(
    small_checkout: Path,
) -> None:
    wheel = small_checkout / "nowhere-1.0-py3-none-any.whl"
    (small_checkout / "lambdas/greet/requirements.txt").write_text(f"{wheel}\n")

    with pytest.raises(BundleRefused) as refusal:
        small_bundle(small_checkout)

    assert "lambdas/greet/requirements.txt cannot be installed for Python 3.14" in str(
        refusal.value
    )
    assert "nowhere-1.0" in str(refusal.value)
