"""The runner as the plane starts it: a folder, an interpreter, one job."""

from __future__ import annotations

import importlib.util
import io
import json
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
import zipfile
from pathlib import Path

import pytest

import mlops_framework.local.runner as runner_package

RUNNER = Path(runner_package.__file__).parent


def lay_out(base: Path, hyperparameters: dict[str, str], code: dict[str, str]) -> Path:
    config = base / "input" / "config"
    for folder in (config, base / "code", base / "input" / "data" / "training"):
        folder.mkdir(parents=True)
    for name, text in code.items():
        (base / "code" / name).write_text(text)
    (base / "input" / "data" / "training" / "rows.csv").write_text("1,2\n")
    (config / "hyperparameters.json").write_text(json.dumps(hyperparameters))
    (config / "inputdataconfig.json").write_text(json.dumps({"training": {}}))
    (config / "resourceconfig.json").write_text(
        json.dumps({"current_host": "algo-1", "hosts": ["algo-1"]})
    )
    return base


def run(kind: str, base: Path, **variables: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, str(RUNNER), kind, str(base)],
        env={"PATH": os.environ["PATH"], **variables},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def can_show_opt_ml() -> bool:
    probe = "import sys; sys.path[0] = sys.argv[1]\nimport optml, pathlib\n"
    probe += "sys.exit(not optml.enter(pathlib.Path('.')).private)"
    shown = subprocess.run([sys.executable, "-c", probe, str(RUNNER)], check=False)
    return shown.returncode == 0


needs_view = pytest.mark.skipif(not can_show_opt_ml(), reason="no mount namespaces here")


@needs_view
def test_a_training_script_may_hard_code_opt_ml_and_writes_into_its_own_folder(
    tmp_path: Path,
) -> None:
    script = (
        "from pathlib import Path\n"
        "rows = Path('/opt/ml/input/data/training/rows.csv').read_text()\n"
        "Path('/opt/ml/model/model.txt').write_text(rows)\n"
    )
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": script})
    done = run("training", base)
    assert done.returncode == 0, done.stderr
    assert (base / "model" / "model.txt").read_text() == "1,2\n"
    assert (base / "output" / "success").exists()


@needs_view
def test_the_machines_own_opt_is_as_before(tmp_path: Path) -> None:
    before = sorted(path.name for path in Path("/opt").iterdir())
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": ""})
    assert run("training", base).returncode == 0
    assert sorted(path.name for path in Path("/opt").iterdir()) == before


def test_a_script_that_hard_codes_opt_ml_is_told_why_it_fails_where_no_view_can_be_made(
    tmp_path: Path,
) -> None:
    script = "open('/opt/ml/model/model.txt', 'w')"
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": script})
    done = run("training", base, MLOPS_NO_OPT_ML="1")
    assert done.returncode == 1
    failure = (base / "output" / "failure").read_text()
    assert "No such file or directory: '/opt/ml/model/model.txt'" in failure
    assert "cannot show a job its folder as /opt/ml" in failure


def test_hyperparameters_arrive_as_arguments_and_variables(tmp_path: Path) -> None:
    script = (
        "import json, os, sys\n"
        "print(json.dumps([sys.argv[1:], os.environ['SM_HP_C'], os.environ['SM_CHANNELS']]))"
    )
    hyperparameters = {"sagemaker_program": '"train.py"', "C": "0.5", "max-iter": "10"}
    base = lay_out(tmp_path / "job", hyperparameters, {"train.py": script})
    done = run("training", base)
    shown = json.loads(done.stdout.splitlines()[0])
    assert shown == [["-C", "0.5", "--max-iter", "10"], "0.5", '["training"]']


def test_a_script_that_raises_leaves_its_error_in_the_failure_file(tmp_path: Path) -> None:
    script = "raise ValueError('the label column is missing')"
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": script})
    assert run("training", base).returncode == 1
    failure = (base / "output" / "failure").read_text()
    assert failure.startswith("ExecuteUserScriptError:\nExitCode 1\n")
    assert "ValueError: the label column is missing" in failure
    assert not (base / "output" / "success").exists()


def test_a_job_that_names_no_program_is_told_what_to_set(tmp_path: Path) -> None:
    base = lay_out(tmp_path / "job", {}, {"train.py": ""})
    assert run("training", base).returncode == 1
    assert "Set the 'sagemaker_program' hyperparameter" in (base / "output/failure").read_text()


def test_a_source_archive_cannot_write_outside_the_code_folder(tmp_path: Path) -> None:
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("../../escaped.py")
        member.size = 1
        tar.addfile(member, io.BytesIO(b"1"))
    hyperparameters = {
        "sagemaker_program": "train.py",
        "sagemaker_submit_directory": str(archive),
    }
    base = lay_out(tmp_path / "job", hyperparameters, {})
    assert run("training", base).returncode == 1
    assert "cannot be unpacked" in (base / "output" / "failure").read_text()
    assert not (tmp_path / "escaped.py").exists()


def test_requirements_are_installed_for_this_job_alone(tmp_path: Path) -> None:
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}:{os.environ['PATH']}")
    if uv is None:
        pytest.skip("no uv to install with")
    script = "import tiny, pathlib\npathlib.Path('../model/said').write_text(tiny.WORD)\n"
    code = {"train.py": script, "requirements.txt": "./tiny-1.0-py3-none-any.whl\n"}
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, code)
    with zipfile.ZipFile(base / "code" / "tiny-1.0-py3-none-any.whl", "w") as wheel:
        info = "tiny-1.0.dist-info"
        wheel.writestr("tiny.py", "WORD = 'installed'\n")
        wheel.writestr(f"{info}/METADATA", "Metadata-Version: 2.1\nName: tiny\nVersion: 1.0\n")
        wheel.writestr(f"{info}/WHEEL", "Wheel-Version: 1.0\nTag: py3-none-any\n")
        wheel.writestr(f"{info}/RECORD", "")
    done = run("training", base, MLOPS_UV=uv, HOME=str(tmp_path))
    assert done.returncode == 0, done.stderr
    assert (base / "model" / "said").read_text() == "installed"
    assert importlib.util.find_spec("tiny") is None


def test_requirements_without_an_installer_are_refused_with_the_way_out(tmp_path: Path) -> None:
    code = {"train.py": "", "requirements.txt": "anything\n"}
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, code)
    if importlib.util.find_spec("pip"):
        pytest.skip("this interpreter has pip")
    assert run("training", base).returncode == 1
    assert "Bring the packages in the source archive" in (base / "output/failure").read_text()


def test_distributed_training_is_refused_by_name(tmp_path: Path) -> None:
    hyperparameters = {"sagemaker_program": "train.py", "sagemaker_mpi_enabled": "true"}
    base = lay_out(tmp_path / "job", hyperparameters, {"train.py": ""})
    assert run("training", base).returncode == 1
    assert "'sagemaker_mpi_enabled' asks for distributed" in (base / "output/failure").read_text()


def test_a_processing_program_is_run_with_the_containers_arguments(tmp_path: Path) -> None:
    base = tmp_path / "job"
    (base / "config").mkdir(parents=True)
    (base / "processing" / "in").mkdir(parents=True)
    (base / "processing" / "in" / "script.py").write_text(
        "import sys, pathlib\n"
        "pathlib.Path(sys.argv[2], 'seen').write_text(' '.join(sys.argv[1:]))\n"
    )
    image = {
        "ContainerEntrypoint": ["python3", "/opt/ml/processing/in/script.py"],
        "ContainerArguments": ["--out", "/opt/ml/processing/in"],
    }
    (base / "config" / "processingjobconfig.json").write_text(
        json.dumps({"AppSpecification": image})
    )
    done = run("processing", base)
    assert done.returncode == 0, done.stderr
    seen = (base / "processing" / "in" / "seen").read_text()
    assert seen.startswith("--out ")
    # Without a view of /opt/ml the arguments name the real folder, and the job runs as well.
    assert run("processing", base, MLOPS_NO_OPT_ML="1").returncode == 0
    assert (base / "processing/in/seen").read_text() == f"--out {base}/processing/in"


def test_a_processing_program_that_does_not_exist_fails_with_the_systems_reason(
    tmp_path: Path,
) -> None:
    base = tmp_path / "job"
    (base / "config").mkdir(parents=True)
    (base / "config" / "processingjobconfig.json").write_text(
        json.dumps({"AppSpecification": {"ContainerEntrypoint": ["no-such-program"]}})
    )
    assert run("processing", base).returncode == 1
    assert "No such file or directory: 'no-such-program'" in (base / "output/failure").read_text()


def test_a_stop_reaches_the_users_program_and_the_runner_waits_for_it(tmp_path: Path) -> None:
    script = (
        "import pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        "    pathlib.Path('../model/saved').write_text('in time')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\n"
        "pathlib.Path('../model/started').touch()\n"
        "time.sleep(60)\n"
    )
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": script})
    with start(base) as process:
        os.killpg(process.pid, signal.SIGTERM)
        assert process.wait(20) == 0
    assert (base / "model" / "saved").read_text() == "in time"


def test_a_job_ends_when_the_emulator_that_started_it_is_gone(tmp_path: Path) -> None:
    script = "import pathlib, time\npathlib.Path('../model/started').touch()\ntime.sleep(60)\n"
    base = lay_out(tmp_path / "job", {"sagemaker_program": "train.py"}, {"train.py": script})
    with start(base, MLOPS_LIFELINE="stdin") as process:
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(20) == -signal.SIGKILL


def start(base: Path, **variables: str) -> subprocess.Popen[bytes]:
    process = subprocess.Popen(
        [sys.executable, str(RUNNER), "training", str(base)],
        env={"PATH": os.environ["PATH"], **variables},
        stdin=subprocess.PIPE,
        start_new_session=True,
    )
    deadline = time.monotonic() + 20
    while not (base / "model" / "started").exists():
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return process
