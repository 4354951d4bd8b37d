"""The main job as a command of its own, and a platform beside it for everything that goes wrong.

`mlops demo` is mostly waiting for the next minute, so it is started with the first test of the
session and looked at by the last one.
"""

from __future__ import annotations

import io
import subprocess
import sys
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.cli.demo import load_loop, mlops_json
from mlops_framework.cli.embedded import CheckoutEmbedded, Up
from mlops_framework.local import processes

ROOT = Path(__file__).resolve().parents[2]
HERE = Path(__file__).resolve().parent
LAST = "test_demo.py"
LOOKS_BACK = "test_permissions.py"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Puts this folder first, so that the demo waits while the rest runs, and its end last.

    What looks back at the calls of the others comes after them.
    """

    def place(item: pytest.Item) -> int:
        if item.path.parent != HERE:
            return 2
        return {LOOKS_BACK: 1, LAST: 3}.get(item.path.name, 0)

    items.sort(key=place)


@pytest.fixture(scope="session")
def demo() -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """`mlops demo`, running; its folder."""
    with tempfile.TemporaryDirectory(prefix="mlops-demo-") as folder:
        command = [sys.executable, "-m", "mlops_framework.cli", "--state", folder, "demo", "--json"]
        process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        yield process, Path(folder)
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=60)


@pytest.fixture(scope="session")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("state")


@pytest.fixture(scope="session")
def record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What the platform's stacks made and its functions called."""
    return tmp_path_factory.mktemp("record") / "record.jsonl"


@pytest.fixture(scope="session")
def platform(state: Path, record: Path) -> Iterator[Up]:
    """The platform, deployed as `mlops local up` does; nothing of it is left afterwards."""
    embedded = CheckoutEmbedded(state, ROOT, record)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        up = embedded.up(lambda _: None, port=None, keep=False, deploy=True)
    yield up
    embedded.down()
    assert processes.group_members(up.pid) == []


@pytest.fixture(scope="session")
def mlops(state: Path, platform: Up) -> Any:
    """The command line: arguments in, document out, its own words in an AssertionError."""
    return lambda *arguments: mlops_json(arguments, state)


@pytest.fixture(scope="session")
def loop(platform: Up, state: Path) -> Any:
    """The example's steps, its data uploaded."""
    data = state / "data"
    script = ROOT / "examples" / "employment" / "prepare.py"
    subprocess.run(
        [sys.executable, str(script), "--output", str(data)], check=True, capture_output=True
    )
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(ROOT)
        loop = load_loop("employment", platform, data=data, state=state)
    loop.upload()
    return loop


@pytest.fixture(scope="session")
def bucket(loop: Any) -> str:
    return str(loop.place.value("data-bucket-name"))


@pytest.fixture(scope="session")
def put(loop: Any, bucket: str) -> Any:
    """Uploads a tar.gz of scripts: key, then text by file name; its S3 URI."""

    def upload(key: str, files: dict[str, str]) -> str:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
            for name, text in files.items():
                member = tarfile.TarInfo(name)
                member.size = len(text)
                tar.addfile(member, io.BytesIO(text.encode()))
        loop.place.client("s3").put_object(Bucket=bucket, Key=key, Body=buffer.getvalue())
        return f"s3://{bucket}/{key}"

    return upload
