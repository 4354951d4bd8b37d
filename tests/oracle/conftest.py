"""The SageMaker SDK as a witness, in an environment of its own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
LOCK = ROOT / "requirements-oracle.txt"


@pytest.fixture(scope="session")
def oracle_python() -> Path:
    """Interpreter that has the SDK of ``requirements-oracle.txt``; made once for each lock."""
    digest = hashlib.sha256(LOCK.read_bytes()).hexdigest()[:12]
    home = ROOT / ".mlops" / "venvs" / f"oracle-{digest}"
    python = home / "bin" / "python"
    if not (home / "complete").exists():
        shutil.rmtree(home, ignore_errors=True)
        uv = [sys.executable, "-m", "uv"]
        subprocess.run([*uv, "venv", "--quiet", str(home)], check=True)
        install = [*uv, "pip", "install", "--quiet", "--require-hashes"]
        subprocess.run([*install, "--python", str(python), "-r", str(LOCK)], check=True)
        (home / "complete").touch()
    return python
