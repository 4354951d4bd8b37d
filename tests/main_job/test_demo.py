"""`make demo` is this command: the whole loop on real data, every step read back."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from mlops_framework.cli.demo import STEPS

pytestmark = pytest.mark.slow


def test_the_main_job_holds_from_request_to_retraining(
    demo: tuple[subprocess.Popen[str], Path],
) -> None:
    process, _ = demo

    out, err = process.communicate(timeout=400)

    assert process.returncode == 0, out + err
    told = json.loads(out)
    steps = {done["step"]: done["checked"] for done in told["timeline"]}
    assert steps.keys() >= {title for title, _ in STEPS}
    assert "verdict healthy" in steps["Traffic as in training"]
    assert "AGEP" in steps["Drifted traffic"]
    assert "AGEP" in steps["Alert"]
    assert "version 2 pending" in steps["Retrain"]
    assert "AGEP" in Path(told["report"]).read_text()
