"""What finding drift costs beside its peers, on the same tables, in one run.

``.venv/bin/python bench/drift_peers.py [--rows N] [--turns T] [--folder DIR]``

Each runs in a fresh process, its libraries held to one thread, in turn; CPU seconds of the process
are counted (median of the turns) and the figures to quote are the ratios to the yardstick,
``orjson.loads`` of every captured line. The peers start from ready frames: reading and parsing cost
them nothing. The engine starts from raw capture JSON lines and a stored baseline, as it does in
production. The peers' environments are made by uv from ``bench/peers/*.in`` (1 to 2 GB).
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import statistics
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

ONE_THREAD: Final = {
    f"{library}_NUM_THREADS": "1"
    for library in ("OMP", "OPENBLAS", "MKL", "ARROW", "NUMBA", "POLARS_MAX")
}
SILENT: Final = {"DO_NOT_TRACK": "1", "NML_DISABLE_USAGE_LOGGING": "1"}
"""Some of the peers tell their makers of every run."""
PEERS: Final = ("evidently", "whylogs", "nannyml")
BASELINE: Final = "baseline.json"
CAPTURES: Final = "captures.jsonl"


def yardstick(folder: Path) -> list[str]:
    """Decode every line."""
    import orjson

    with (folder / CAPTURES).open("rb") as file:
        for line in file:
            orjson.loads(line)["captureData"]["endpointInput"]["data"]
    return []


def engine(folder: Path) -> list[str]:
    """From captured lines to a verdict."""
    from mlops_framework.drift.baseline import Baseline
    from mlops_framework.drift.blocks import BLOCK
    from mlops_framework.drift.policy import Policy, judge
    from mlops_framework.drift.profiling import profile_chunks
    from mlops_framework.drift.windows import Window

    baseline = Baseline.from_document(json.loads((folder / BASELINE).read_text()), BASELINE)
    day = datetime(2026, 1, 5, tzinfo=UTC)
    window = Window.containing(day, 24 * 60)
    with (folder / CAPTURES).open("rb") as file:
        chunks = iter(lambda: file.read(BLOCK), b"")
        profiles = profile_chunks(chunks, baseline, window_of=lambda _: window, time=day)
    judgement = judge(baseline, profiles[window], Policy(effect_threshold=0.02))
    return sorted({breach.column for breach in judgement.breaches})


OURS: Final = {"yardstick": yardstick, "engine": engine}


def peak_memory() -> float:
    """Most memory this process ever had, MB; `ru_maxrss` would count its parent's as well."""
    status = Path("/proc/self/status").read_text()
    return int(status.split("VmHWM:")[1].split()[0]) / 1024


def measured(what: str, folder: Path) -> dict[str, Any]:
    """Run one of ours in this process and say what it took."""
    work = OURS[what]
    importlib.import_module("orjson" if what == "yardstick" else "mlops_framework.drift.checking")
    before = resource.getrusage(resource.RUSAGE_SELF)
    found = work(folder)
    after = resource.getrusage(resource.RUSAGE_SELF)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return {"cpu": cpu, "memory_mb": peak_memory(), "drifted": found}


def command(what: str, folder: Path) -> list[str]:
    """The command line that measures one of ours, or a peer."""
    if what in OURS:
        return [sys.executable, __file__, "--only", what, "--folder", str(folder)]
    python = str(environment(what, folder) / "bin" / "python")
    tables = [str(folder / f"{name}.parquet") for name in ("reference", "current")]
    return [python, str(ROOT / "bench" / "peers" / "run.py"), what, *tables]


def environment(peer: str, folder: Path) -> Path:
    """The peer's own environment, made once."""
    made = folder / "environments" / peer
    done = made / "installed"
    if not done.exists():
        uv = str(ROOT / ".venv" / "bin" / "uv")
        subprocess.run([uv, "venv", "--quiet", "--clear", str(made)], check=True)
        listed = str(ROOT / "bench" / "peers" / f"{peer}.in")
        where = str(made / "bin" / "python")
        install = [uv, "pip", "install", "--quiet", "--python", where, "--requirement", listed]
        subprocess.run(install, check=True)
        done.touch()
    return made


def prepare(folder: Path, rows: int) -> None:
    """Make the tables, the captures and the baseline."""
    import pyarrow.csv as pa_csv
    import pyarrow.parquet as pq

    from bench.traffic import make
    from mlops_framework.drift.baseline import Baseline

    make(folder, rows)
    table = folder / "reference.csv"
    pa_csv.write_csv(pq.read_table(folder / "reference.parquet"), table)
    with table.open() as lines:
        baseline = Baseline.of_csv(lines, label_column="", source="bench")
    (folder / BASELINE).write_text(json.dumps(baseline.to_document()))
    table.unlink()


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000, help="at most 1,000,000")
    parser.add_argument("--turns", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=ROOT / ".build" / "bench")
    parser.add_argument("--only", choices=sorted(OURS), help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.only:
        print(json.dumps(measured(arguments.only, arguments.folder)))
        return
    folder, rows = arguments.folder, min(arguments.rows, 1_000_000)
    prepare(folder, rows)
    runs: dict[str, list[dict[str, Any]]] = {}
    for _ in range(arguments.turns):
        for what in (*OURS, *PEERS):
            done = subprocess.run(
                command(what, folder),
                env=os.environ | ONE_THREAD | SILENT,
                stdout=subprocess.PIPE,
                check=True,
                text=True,
            )
            runs.setdefault(what, []).append(json.loads(done.stdout.splitlines()[-1]))
    cpu = {what: statistics.median(run["cpu"] for run in each) for what, each in runs.items()}
    print("| what | CPU s | ratio to the yardstick | ratio to the engine | peak MB | drifted |")
    print("|---|---|---|---|---|---|")
    for what, each in runs.items():
        ratios = f"{cpu[what] / cpu['yardstick']:.2f} | {cpu[what] / cpu['engine']:.1f}"
        memory = max(run["memory_mb"] for run in each)
        print(f"| {what} | {cpu[what]:.2f} | {ratios} | {memory:.0f} | {each[0]['drifted']} |")


if __name__ == "__main__":
    main()
