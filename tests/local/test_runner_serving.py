"""The model server as the plane starts it, in the ML environment."""

from __future__ import annotations

import http.client
import io
import json
import os
import subprocess
import tarfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

import mlops_framework.local.runner as runner_package
from mlops_framework.local import venvs
from mlops_framework.local.runner import archives

RUNNER = Path(runner_package.__file__).parent
DEFAULTS = """
class Sums:
    def predict(self, rows):
        return [f"{rows.dtype}:{row.sum():g}" for row in rows]

def model_fn(model_dir):
    return Sums()
"""


@pytest.fixture(scope="module")
def python() -> Path:
    return venvs.ensure_all().ml


@contextmanager
def served(
    python: Path, base: Path, code: dict[str, str], **variables: str
) -> Iterator[subprocess.Popen[bytes]]:
    folder = base / "model" / "code"
    folder.mkdir(parents=True)
    for name, text in code.items():
        (folder / name).write_text(text)
    environment = {"PATH": os.environ["PATH"], "HOME": str(base), **variables}
    with subprocess.Popen(
        [str(python), str(RUNNER), "serving", str(base)],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def port(process: subprocess.Popen[bytes], base: Path) -> int:
    ready = base / "output" / "serving.json"
    deadline = time.monotonic() + 30
    while not ready.exists():
        assert process.poll() is None, process.stdout.read() if process.stdout else ""
        assert time.monotonic() < deadline
        time.sleep(0.05)
    number: int = json.loads(ready.read_text())["port"]
    return number


def ask(
    number: int, method: str, path: str, body: str = "", **headers: str
) -> tuple[int, str, str]:
    connection = http.client.HTTPConnection("127.0.0.1", number, timeout=20)
    try:
        connection.request(method, path, body, headers)
        response = connection.getresponse()
        return response.status, response.getheader("Content-Type", ""), response.read().decode()
    finally:
        connection.close()


CSV = {"Content-Type": "text/csv"}


def test_functions_left_out_are_those_of_the_scikit_learn_image(
    python: Path, tmp_path: Path
) -> None:
    with served(python, tmp_path, {"inference.py": DEFAULTS}) as process:
        number = port(process, tmp_path)
        assert ask(number, "GET", "/ping")[0] == 200
        status, kind, body = ask(number, "POST", "/invocations", "1,2\n3,4\n", **CSV)
        assert (status, kind) == (200, "application/json")
        assert json.loads(body) == ["float32:3", "float32:7"]
        assert ask(number, "GET", "/other")[0] == 404


def test_a_content_type_that_nothing_reads_is_told_to_the_caller(
    python: Path, tmp_path: Path
) -> None:
    with served(python, tmp_path, {"inference.py": DEFAULTS}) as process:
        number = port(process, tmp_path)
        status, _, body = ask(number, "POST", "/invocations", "x", **{"Content-Type": "image/png"})
        assert status == 500
        assert "Content type image/png is not supported by this framework" in body


def test_a_model_without_model_fn_does_not_start_and_says_so(python: Path, tmp_path: Path) -> None:
    with served(python, tmp_path, {"inference.py": "x = 1\n"}) as process:
        assert process.wait(30) == 1
        failure = (tmp_path / "output" / "failure").read_text()
        assert "Please provide a model_fn implementation" in failure


def test_a_program_that_is_not_in_the_archive_is_named(python: Path, tmp_path: Path) -> None:
    code = {"inference.py": DEFAULTS}
    with served(python, tmp_path, code, SAGEMAKER_PROGRAM="serve.py") as process:
        assert process.wait(30) == 1
        failure = (tmp_path / "output" / "failure").read_text()
        assert "SAGEMAKER_PROGRAM is 'serve.py'" in failure


def test_a_model_is_served_without_a_view_of_opt_ml_as_well(python: Path, tmp_path: Path) -> None:
    tells = (
        "def model_fn(model_dir):\n    return model_dir\n"
        "def predict_fn(rows, model_dir):\n    return [model_dir]\n"
    )
    submitted = "/opt/ml/model/code"
    with served(
        python,
        tmp_path,
        {"inference.py": tells},
        MLOPS_NO_OPT_ML="1",
        SAGEMAKER_SUBMIT_DIRECTORY=submitted,
    ) as process:
        number = port(process, tmp_path)
        _, _, body = ask(number, "POST", "/invocations", "1\n", **CSV)
        assert json.loads(body) == [str(tmp_path / "model")]


def test_the_program_of_a_training_source_archive_serves_the_model(
    python: Path, tmp_path: Path
) -> None:
    """As after training: the artefact holds the model, the source archive its inference.py."""
    archive = tmp_path / "source.tar.gz"
    with tarfile.open(archive, "w:gz") as tar:
        member = tarfile.TarInfo("serve.py")
        member.size = len(DEFAULTS)
        tar.addfile(member, io.BytesIO(DEFAULTS.encode()))
    unpacked = tmp_path / "job" / "code"
    unpacked.mkdir(parents=True)
    archives.unpack(archive, unpacked)
    with served(
        python,
        tmp_path / "job",
        {},
        SAGEMAKER_PROGRAM="serve.py",
        SAGEMAKER_SUBMIT_DIRECTORY="s3://not-asked/because-it-is-there.tar.gz",
    ) as process:
        number = port(process, tmp_path / "job")
        _, _, body = ask(number, "POST", "/invocations", "2,2\n1,1\n", **CSV)
        assert json.loads(body) == ["float32:4", "float32:2"]
