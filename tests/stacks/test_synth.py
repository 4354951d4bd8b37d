from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.stacks.conftest import (
    BLUEPRINTS,
    ENVIRONMENTS,
    PLATFORM,
    ROOT,
    Synthesize,
    Synthesized,
    read_templates,
)

# What differs in a second process: the order of sets, and whether CDK validates.
VALIDATED = "prod"
CFN_LINT = Path(sys.executable).parent / "cfn-lint"


def run_app(environment: str, outdir: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    outdir.mkdir(exist_ok=True)
    without_account = {
        name: value for name, value in os.environ.items() if not name.startswith(("AWS_", "CDK_"))
    }
    return subprocess.run(
        [sys.executable, str(ROOT / "app.py"), "-c", f"env={environment}"],
        cwd=ROOT,
        env={
            **without_account,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "CDK_OUTDIR": str(outdir / "cdk.out"),
            **variables,
        },
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.mark.parametrize("environment", ENVIRONMENTS)
def test_a_second_synthesis_without_credentials_gives_the_same_bytes(
    synthesize: Synthesize, environment: str, tmp_path: Path
) -> None:
    first: Synthesized = synthesize(environment)
    validation = "true" if environment == VALIDATED else "false"

    run = run_app(environment, tmp_path, PYTHONHASHSEED="7", CDK_VALIDATION=validation)

    assert run.returncode == 0, run.stderr
    for word in ("WARNING", "ERROR"):
        assert word not in run.stdout + run.stderr
    assert first.platform == read_templates(tmp_path / "cdk.out", PLATFORM)
    catalogue = tmp_path / "cdk.out" / "catalogue"
    assert first.blueprints == read_templates(catalogue, BLUEPRINTS)


def test_make_check_shows_every_template_to_cfn_lint(dev: Synthesized) -> None:
    """CDK's own validation leaves the blueprints' templates out: ADR 32."""
    (command,) = [
        line
        for line in (ROOT / "Makefile").read_text("utf-8").splitlines()
        if line.startswith("\t$(BIN)/cfn-lint ")
    ]

    shown = {
        file.name.removesuffix(".template.json")
        for pattern in command.split()[1:]
        for file in dev.outdir.glob(pattern.removeprefix(".build/check/*/"))
    }

    assert shown == set(dev.templates)


def test_an_environment_that_does_not_exist_is_told_without_a_traceback(tmp_path: Path) -> None:
    run = run_app("production", tmp_path)

    assert run.returncode == 1
    assert "EnvironmentInvalid" in run.stderr
    assert "prod" in run.stderr
    assert "Traceback" not in run.stderr


def test_cfn_lint_finds_nothing_in_any_template(synthesize: Synthesize, tmp_path: Path) -> None:
    written: list[str] = []
    # Blueprints of two environments differ in nothing that cfn-lint looks at.
    for templates in (
        synthesize("dev").templates,
        synthesize("prod").platform,
        read_templates(synthesize("local").outdir, ("GitOps",)),
    ):
        for name, template in templates.items():
            path = tmp_path / f"{len(written)}-{name}.json"
            path.write_text(json.dumps(template))
            written.append(str(path))

    run = subprocess.run(
        [str(CFN_LINT), "--", *written],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )

    assert run.returncode == 0, run.stdout + run.stderr
