from __future__ import annotations

import subprocess
import sys

import pytest

from .sources import ROOT, Import, belongs, imports

CDK_ROOMS = (
    "mlops_framework.cdk",
    "mlops_framework.blueprints.*.stack",
    # What the stacks of the four monitors share.
    "mlops_framework.blueprints.monitors._base.analyzer_stack",
    "mlops_framework.blueprints.monitors._base.clarify_stack",
    "mlops_framework.blueprints.monitors._base.definition",
    "mlops_framework.blueprints.monitors._base.places",
    "mlops_framework.blueprints.monitors._base.stack",
    "stacks",
    "app",
)
ONLY_IN = {
    "aws_cdk": CDK_ROOMS,
    "cdk_nag": CDK_ROOMS,
    "constructs": CDK_ROOMS,
    "jsii": CDK_ROOMS,
    "boto3": ("mlops_framework.aws", "mlops_framework.local"),
    "botocore": ("mlops_framework.aws", "mlops_framework.local", "mlops_framework.cli"),
    "aws_lambda_powertools": ("lambdas",),
    "typer": ("mlops_framework.cli",),
    "rich": ("mlops_framework.cli",),
    "ministack": ("mlops_framework.local",),
}
# What a pure room may take from outside beside the standard library.
PURE = {
    "contracts": {"annotated_types", "pydantic", "pydantic_core"},
    "delivery": {"pydantic"},
    "drift": {"numpy", "orjson", "pyarrow"},
    "environments": {"pydantic", "pydantic_core", "yaml"},
    "governance": {"pydantic"},
    "lineage": {"pydantic"},
    "model_build": {"pydantic"},
    "orchestration": {"pydantic"},
    "registry": {"pydantic", "pydantic_core"},
}


def told(found: list[Import]) -> str:
    return "\n".join(f"{each.place}: {each.module.name} imports {each.target}" for each in found)


def test_every_contract_of_import_linter_is_kept() -> None:
    # A process of its own: the linter disables every logger of the one it runs in.
    run = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", run, "--no-cache", "--no-logo"]

    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True)

    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("package", sorted(ONLY_IN))
def test_a_heavy_package_is_imported_in_its_rooms_only(package: str) -> None:
    strays = [
        each
        for each in imports()
        if belongs(each.target, package)
        and not each.for_types
        and not each.module.within(*ONLY_IN[package])
    ]

    assert not strays, told(strays)


@pytest.mark.parametrize("room", sorted(PURE))
def test_a_pure_room_takes_only_what_is_allowed_from_outside(room: str) -> None:
    allowed = PURE[room] | set(sys.stdlib_module_names) | {"mlops_framework"}
    strays = [
        each
        for each in imports()
        if each.module.within(f"mlops_framework.{room}")
        and each.target.split(".")[0] not in allowed
        and not each.for_types
    ]

    assert not strays, told(strays)


def test_the_library_knows_nothing_of_what_is_built_from_it() -> None:
    strays = [
        each
        for each in imports()
        if each.module.within("mlops_framework")
        and any(belongs(each.target, room) for room in ("stacks", "lambdas", "app"))
    ]

    assert not strays, told(strays)


def test_stacks_take_settings_alone_from_the_functions() -> None:
    strays = [
        each
        for each in imports()
        if each.module.within("stacks")
        and belongs(each.target, "lambdas")
        and each.target.split(".")[2:3] != ["settings"]
    ]

    assert not strays, told(strays)


def test_a_function_never_imports_another_one() -> None:
    strays = [
        each
        for each in imports()
        if each.module.within("lambdas.*")
        and belongs(each.target, "lambdas")
        and each.target.split(".")[1] != each.module.name.split(".")[1]
    ]

    assert not strays, told(strays)


@pytest.mark.parametrize(
    "module",
    ["mlops_framework.cli.__main__", "mlops_framework.registry", "mlops_framework.environments"],
)
def test_importing_it_does_not_load_the_cdk(module: str) -> None:
    """The CDK costs seconds and needs Node.js, so only the commands that use it pay for it."""
    program = f"import sys, {module}; sys.exit('aws_cdk' in sys.modules or 'jsii' in sys.modules)"

    done = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stderr
