"""Lets one peer compare two tables and prints what it took; run by `bench/drift_peers.py`.

Usage: ``python bench/peers/run.py PEER REFERENCE.parquet CURRENT.parquet``, in the peer's own
environment. Reading the files and importing the peer are not counted; defaults are the peer's.
Prints one JSON object: CPU seconds, peak memory in MB, the columns it says have drifted.
"""

from __future__ import annotations

import json
import resource
import sys
import warnings
from pathlib import Path
from typing import Any


def evidently(reference: Any, current: Any) -> list[str]:
    """The data drift preset."""
    from evidently import Report
    from evidently.presets import DataDriftPreset

    result = Report([DataDriftPreset()]).run(current, reference)
    found = []
    for metric in result.dict()["metrics"]:
        settings = metric["config"]
        if "column" not in settings:
            continue
        method, limit, value = settings["method"], settings["threshold"], metric["value"]
        drifted = value < limit if method.endswith("p_value") else value >= limit
        if drifted:
            found.append(settings["column"])
    return found


def whylogs(reference: Any, current: Any) -> list[str]:
    """Profiles of both tables and their drift scores."""
    import whylogs as why
    from whylogs.viz.drift.column_drift_algorithms import calculate_drift_scores

    views = [why.log(table).view() for table in (current, reference)]
    scores = calculate_drift_scores(
        target_view=views[0], reference_view=views[1], with_thresholds=True
    )
    return [name for name, score in scores.items() if score["drift_category"] == "DRIFT"]


def nannyml(reference: Any, current: Any) -> list[str]:
    """Univariate drift, in chunks of a tenth."""
    import nannyml as nml

    names = list(reference.columns)
    calculator = nml.UnivariateDriftCalculator(column_names=names, chunk_number=10)
    result = calculator.fit(reference).calculate(current).filter(period="analysis")
    frame = result.to_df()
    alerts = frame.xs("alert", axis=1, level=2)
    return [name for name in names if bool(alerts[name].to_numpy().mean() > 0.5)]


PEERS = {"evidently": evidently, "whylogs": whylogs, "nannyml": nannyml}


def spent() -> float:
    """CPU seconds of this process and what it started."""
    mine = resource.getrusage(resource.RUSAGE_SELF)
    theirs = resource.getrusage(resource.RUSAGE_CHILDREN)
    return mine.ru_utime + mine.ru_stime + theirs.ru_utime + theirs.ru_stime


def main() -> None:
    """Measure one peer."""
    import pyarrow.parquet as pq

    warnings.filterwarnings("ignore")
    peer, *paths = sys.argv[1:]
    reference, current = (pq.read_table(path).to_pandas() for path in paths)
    work = PEERS[peer]
    work(reference.head(1000), current.head(1000))  # imports, and compiles what is compiled late
    before = spent()
    found = work(reference, current)
    memory = int(Path("/proc/self/status").read_text().split("VmHWM:")[1].split()[0]) / 1024
    print(json.dumps({"cpu": spent() - before, "memory_mb": memory, "drifted": sorted(found)}))


if __name__ == "__main__":
    main()
