"""How long the orchestrator's handler takes to import, against boto3 and against its peer.

Run from a checkout that has been set up: ``.venv/bin/python bench/cold_start.py``. Whole
interpreters are timed, in turn, so that the machine's mood hits all of them; the figures to quote
are the ratios. The peer is what the system we succeed imports in its API function: the SageMaker
SDK. The one of ``requirements-oracle.txt`` stands for it; the line is left out where that
environment is missing (``make oracle`` makes it).
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from mlops_framework.cdk.bundling import Bundler, RuntimeTarget  # noqa: E402

RUNS = 9
SETTINGS = {
    "AWS_REGION": "us-east-1",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_ACCESS_KEY_ID": "testing",
    "AWS_SECRET_ACCESS_KEY": "testing",
}


def _seconds(python: Path, code: str, path: Path | None) -> float:
    environment = {"PATH": os.defpath, **SETTINGS}
    if path is not None:
        environment["PYTHONPATH"] = str(path)
    start = time.perf_counter()
    subprocess.run([str(python), "-c", code], check=True, env=environment, cwd="/")
    return time.perf_counter() - start


def main() -> None:
    """Prints the table of ``docs/performance.md``."""
    lambda_python = next((ROOT / ".mlops" / "venvs").glob("lambda-*/bin/python"), None)
    oracle_python = next((ROOT / ".mlops" / "venvs").glob("oracle-*/bin/python"), None)
    if lambda_python is None:
        sys.exit("no Lambda environment yet: run `make demo` once, it makes it")
    bundler = Bundler(ROOT, ROOT / ".build", RuntimeTarget.this_host())
    with tempfile.TemporaryDirectory() as folder:
        bundle = Path(folder)
        with zipfile.ZipFile(bundler.bundle("orchestrator").path) as archive:
            archive.extractall(bundle)
        # As the service does after the first start: bytecode is there.
        subprocess.run([str(lambda_python), "-m", "compileall", "-q", str(bundle)], check=True)
        cases = {
            "boto3 and one client": (
                lambda_python,
                "import boto3; boto3.client('dynamodb')",
                None,
            ),
            "orchestrator handler": (lambda_python, "import lambdas.orchestrator.handler", bundle),
        }
        if oracle_python is not None:
            cases["peer: SageMaker SDK"] = (oracle_python, "import sagemaker.core", None)
        times: dict[str, list[float]] = {name: [] for name in cases}
        for turn in range(RUNS + 1):
            for name, (python, code, path) in cases.items():
                taken = _seconds(python, code, path)
                if turn:  # the first turn warms the disk
                    times[name].append(taken)
    base = times["boto3 and one client"]
    print("| what | median s | ratio to boto3 (median of pairs) |\n|---|---|---|")
    for name, taken in times.items():
        ratio = statistics.median(a / b for a, b in zip(taken, base, strict=True))
        print(f"| {name} | {statistics.median(taken):.2f} | {ratio:.2f} |")


if __name__ == "__main__":
    main()
