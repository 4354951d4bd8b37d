"""Our script-mode runner against the toolkit that SageMaker's framework images run.

Marked `oracle`: `sagemaker-training` is a source distribution with a C extension, so that it gets
an environment of its own, and is skipped with the compiler's reason where it cannot be built.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

import mlops_framework.local.runner as runner_package

pytestmark = [pytest.mark.oracle, pytest.mark.slow]

TOOLKIT = "sagemaker-training==5.1.4"
RUNNER = Path(runner_package.__file__).parent
VENVS = Path(__file__).parents[2] / ".mlops" / "venvs"

# The framework images call the toolkit through a module like this one (here with the program's
# error captured, as the PyTorch and TensorFlow images do).
FRAMEWORK = """
from sagemaker_training import entry_point, environment

def main():
    env = environment.Environment()
    entry_point.run(env.module_dir, env.user_entry_point, env.to_cmd_args(), env.to_env_vars(),
                    capture_error=True)
"""
REPORT = """
import json, os, sys
from pathlib import Path
seen = {"argv": sys.argv, "environ": dict(os.environ), "cwd": os.getcwd()}
Path(os.environ["SM_MODEL_DIR"], "seen.json").write_text(json.dumps(seen))
"""
# Where the two may differ: how Python finds the modules of the toolkit and of the runner.
ALLOWED = {"PYTHONPATH", "MLOPS_NO_OPT_ML", "KMP_INIT_AT_FORK", "KMP_DUPLICATE_LIB_OK"}


@dataclass(frozen=True)
class Outcome:
    """What one of the two left behind."""

    status: int
    seen: dict[str, object] | None
    failure: str | None
    success: bool


@pytest.fixture(scope="session")
def toolkit() -> Path:
    """The Python of an environment that holds the toolkit."""
    folder = (
        VENVS / f"oracle-{TOOLKIT.replace('==', '-')}-{sys.version_info[0]}{sys.version_info[1]}"
    )
    python = folder / "bin" / "python"
    if (folder / "ready").exists():
        return python
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("no uv to make the toolkit's environment with")
    shutil.rmtree(folder, ignore_errors=True)
    subprocess.run([uv, "venv", "-q", "-p", sys.executable, str(folder)], check=True)
    built = subprocess.run(
        [uv, "pip", "install", "-q", "-p", str(python), TOOLKIT],
        capture_output=True,
        text=True,
        check=False,
    )
    if built.returncode:
        pytest.skip(f"{TOOLKIT} cannot be built here: {built.stderr.strip()[-300:]}")
    (folder / "ready").touch()
    return python


def lay_out(base: Path, code: dict[str, str], hyperparameters: dict[str, str]) -> None:
    shutil.rmtree(base, ignore_errors=True)
    config = base / "input" / "config"
    for folder in (config, base / "code", base / "model", base / "output" / "data"):
        folder.mkdir(parents=True)
    for name, text in code.items():
        (base / "code" / name).write_text(text)
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    channel = {"TrainingInputMode": "File", "S3DistributionType": "FullyReplicated"}
    (config / "inputdataconfig.json").write_text(json.dumps({"training": channel, "test": channel}))
    resources = {
        "current_host": "algo-1",
        "hosts": ["algo-1"],
        "current_instance_type": "ml.m5.large",
        "current_group_name": "homogeneousCluster",
        "instance_groups": [
            {
                "instance_group_name": "homogeneousCluster",
                "instance_type": "ml.m5.large",
                "hosts": ["algo-1"],
            }
        ],
        "network_interface_name": "eth0",
    }
    (config / "resourceconfig.json").write_text(json.dumps(resources))


def run(command: list[str], base: Path, extra: dict[str, str]) -> Outcome:
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(base),
        "SAGEMAKER_BASE_DIR": str(base),
        "SM_STUDIO_LOCAL_MODE": "true",
        "TRAINING_JOB_NAME": "a-job",
        "AWS_REGION": "us-east-1",
        "AWS_DEFAULT_REGION": "us-east-1",
        "SAGEMAKER_TRAINING_MODULE": "parity_framework:main",
        "GIVEN_BY_THE_REQUEST": "kept",
        **extra,
    }
    done = subprocess.run(
        command, env=environment, capture_output=True, text=True, check=False, timeout=120
    )
    seen, failure = base / "model" / "seen.json", base / "output" / "failure"
    return Outcome(
        status=done.returncode,
        seen=json.loads(seen.read_text()) if seen.exists() else None,
        failure=failure.read_text() if failure.exists() else None,
        success=(base / "output" / "success").exists(),
    )


CASES = {
    "a script that succeeds": ({"train.py": REPORT}, {"sagemaker_program": "train.py"}),
    "hyperparameters of every form": (
        {"train.py": REPORT},
        {
            "sagemaker_program": '"train.py"',
            "sagemaker_container_log_level": "20",
            "sagemaker_custom": '"kept"',
            "C": "0.5",
            "max-iter": "100",
            "penalty": '"l2"',
            "flags": "[1, 2]",
            "weights": '{"a": 1, "b": 2}',
            "empty": "null",
            "truth": "true",
            "plain text": "not json",
        },
    ),
    "a script that raises": (
        {"train.py": REPORT + 'raise ValueError("the label column is missing")\n'},
        {"sagemaker_program": "train.py"},
    ),
    "a script that exits": (
        {"train.py": "import sys\nprint('no', file=sys.stderr)\nsys.exit(7)\n"},
        {"sagemaker_program": "train.py"},
    ),
    "a script that writes its own reason": (
        {
            "train.py": "import os, pathlib, sys\n"
            "base = pathlib.Path(os.environ['SM_OUTPUT_DIR'])\n"
            "(base / 'failure').write_text('no rows')\nsys.exit(1)\n"
        },
        {"sagemaker_program": "train.py"},
    ),
    "a nested error": (
        {
            "train.py": "try:\n    {}['a']\nexcept KeyError as e:\n"
            "    raise RuntimeError('b') from e\n"
        },
        {"sagemaker_program": "train.py"},
    ),
    "a script that does not exist": ({"other.py": REPORT}, {"sagemaker_program": "train.py"}),
    "a shell script": (
        {"train.sh": '#!/bin/sh\necho "$@" > $SM_MODEL_DIR/said; exit 3\n'},
        {"sagemaker_program": "train.sh", "name": '"a b"'},
    ),
}


def told(failure: str | None) -> list[str] | None:
    """Lines of a failure without the blank ones.

    The toolkit strips what each read of the pipe gave it: which blank lines are left depends on how
    the program's writes fell together.
    """
    return None if failure is None else [line for line in failure.splitlines() if line.strip()]


@pytest.mark.parametrize("case", CASES)
def test_the_runner_leaves_what_the_toolkit_leaves_for(
    case: str, toolkit: Path, tmp_path: Path
) -> None:
    code, hyperparameters = CASES[case]
    (tmp_path / "parity_framework.py").write_text(FRAMEWORK)
    base = tmp_path / "ml"

    lay_out(base, code, hyperparameters)
    theirs = run([str(toolkit.parent / "train")], base, {"PYTHONPATH": str(tmp_path)})
    lay_out(base, code, hyperparameters)
    ours = run([str(toolkit), str(RUNNER), "training", str(base)], base, {"MLOPS_NO_OPT_ML": "1"})

    assert ours.status == theirs.status
    assert ours.success == theirs.success
    assert told(ours.failure) == told(theirs.failure)
    assert (ours.seen is None) == (theirs.seen is None)
    if ours.seen and theirs.seen:
        assert ours.seen["argv"] == theirs.seen["argv"]
        assert ours.seen["cwd"] == theirs.seen["cwd"]
        assert readable(ours.seen["environ"]) == readable(theirs.seen["environ"])


def readable(environ: object) -> dict[str, object]:
    """The variables, with the JSON ones opened so that a difference is shown by key."""
    assert isinstance(environ, dict)
    return {
        name: json.loads(value) if value[:1] in ("{", "[") else value
        for name, value in environ.items()
        if name not in ALLOWED
    }
