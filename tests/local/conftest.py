from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from mlops_framework.local import processes
from mlops_framework.local.emulator import Emulator


@pytest.fixture(scope="session")
def local_aws() -> Iterator[Emulator]:
    """One emulator for the whole test run, on a free port, over a folder of its own."""
    state_dir = Path(tempfile.mkdtemp(prefix="mlops-local-"))
    emulator = Emulator(state_dir).start()
    group = emulator.running.pid
    yield emulator
    emulator.stop()
    assert processes.group_members(group) == []
    assert [entry.name for entry in state_dir.iterdir()] == ["emulator.log"]
    shutil.rmtree(state_dir)
