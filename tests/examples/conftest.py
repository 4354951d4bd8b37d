"""The employment example as its users run it: prepared once, its scripts in the ML environment."""

from __future__ import annotations

import json
import subprocess
import tarfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.local import venvs

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "employment"
SERVE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import inference
model = inference.model_fn(sys.argv[2])
answers = []
for body, content_type, accept in json.load(sys.stdin):
    try:
        people = inference.input_fn(body, content_type)
        answers.append(inference.output_fn(inference.predict_fn(people, model), accept))
    except ValueError as error:
        answers.append(["refused", str(error)])
json.dump(answers, sys.stdout)
"""


@dataclass(frozen=True)
class Trained:
    """What a training job left behind.

    Attributes:
        model: Folder with model.joblib, and model.tar.gz as SageMaker makes it.
        log: What the script printed.
    """

    model: Path
    log: str


@pytest.fixture(scope="session")
def run_script() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Runs Python in the ML environment, warnings being errors."""
    python = venvs.ensure("ml", venvs.default_folder())

    def run(
        *arguments: str | Path, environment: dict[str, str] | None = None, text: str = ""
    ) -> subprocess.CompletedProcess[str]:
        command = [str(python), "-W", "error", *map(str, arguments)]
        return subprocess.run(
            command, env=environment or {}, input=text, capture_output=True, text=True, check=False
        )

    return run


@pytest.fixture(scope="session")
def prepared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example's files, made by its own script from the real records."""
    from examples.employment.prepare import prepare

    folder = tmp_path_factory.mktemp("prepared")
    prepare(EXAMPLE / "data" / "acs_employment_ma.parquet", folder)
    return folder


@pytest.fixture(scope="session")
def channel(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A training channel: 8,000 of the records."""
    folder = tmp_path_factory.mktemp("channel")
    with (prepared / "train.csv").open() as source, (folder / "part.csv").open("w") as part:
        part.writelines(line for _, line in zip(range(8_001), source, strict=False))
    return folder


@pytest.fixture(scope="session")
def trained(
    run_script: Callable[..., subprocess.CompletedProcess[str]],
    channel: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> Trained:
    """A model that train.py really fitted, packed as SageMaker packs it."""
    folder = tmp_path_factory.mktemp("model")
    environment = {"SM_CHANNEL_TRAINING": str(channel), "SM_MODEL_DIR": str(folder)}
    script = EXAMPLE / "source" / "train.py"
    done = run_script(script, "--max-iter", "60", environment=environment)
    assert done.returncode == 0, done.stderr
    with tarfile.open(folder / "model.tar.gz", "w:gz") as archive:
        archive.add(folder / "model.joblib", "model.joblib")
    return Trained(folder, done.stdout)


@pytest.fixture(scope="session")
def evaluation(
    run_script: Callable[..., subprocess.CompletedProcess[str]],
    trained: Trained,
    prepared: Path,
    tmp_path_factory: pytest.TempPathFactory,
) -> dict[str, Any]:
    """The evaluation.json of that model on the held-out records, in SageMaker's folders."""
    base = tmp_path_factory.mktemp("opt-ml")
    for name, source in (
        ("model/model.tar.gz", trained.model / "model.tar.gz"),
        ("test/evaluation.csv", prepared / "evaluation.csv"),
    ):
        target = base / "processing" / name
        target.parent.mkdir(parents=True)
        target.symlink_to(source)
    script = EXAMPLE / "source" / "evaluate.py"
    done = run_script(script, environment={"SAGEMAKER_BASE_DIR": str(base)})
    assert done.returncode == 0, done.stderr
    written = base / "processing" / "evaluation" / "evaluation.json"
    report: dict[str, Any] = json.loads(written.read_text())
    return report


@pytest.fixture(scope="session")
def ask(
    run_script: Callable[..., subprocess.CompletedProcess[str]], trained: Trained
) -> Callable[[Sequence[tuple[str, str, str]]], list[list[str]]]:
    """Puts requests (body, content type, accept) through the four serving functions."""

    def serve(requests: Sequence[tuple[str, str, str]]) -> list[list[str]]:
        text = json.dumps(requests)
        done = run_script("-c", SERVE, EXAMPLE / "source", trained.model, text=text)
        assert done.returncode == 0, done.stderr
        answers: list[list[str]] = json.loads(done.stdout)
        return answers

    return serve
