"""Whether labels come as they always did, and whether they belong to anything."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.label_files import LabelFile
from mlops_framework.drift.ground_truth.label_index import Matches
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.heartbeat.label_memory import LabelMemory
from mlops_framework.drift.heartbeat.pulse import Fault
from mlops_framework.drift.windows import instant

_EXPECTED: Final = 20.0
"""So many labels have to be expected to match, for none to be no chance (e to the power of -20)."""
_SHARE_OF_ONE_VARIANT: Final = 0.05
_DAY: Final = timedelta(days=1)
_HOUR: Final = timedelta(hours=1)


def files_by_day(matches: Matches, now: datetime, horizon: timedelta) -> dict[str, tuple[int, str]]:
    """Of each day of collection, how many files with labels there are and a digest of their names.

    Files that were opened and held no label do not count, nor do days that lie further back than
    labels are waited for: a backfill looks at these.
    """
    oldest = f"{now - horizon - 2 * _DAY:%Y-%m-%d}"
    names: dict[str, list[str]] = {}
    for file in matches.files:
        if matches.index.sizes.get(file.name, 1):
            names.setdefault(f"{file.hour:%Y-%m-%d}", []).append(file.name)
    return {
        day: (len(found), hashlib.sha256("\n".join(sorted(found)).encode()).hexdigest()[:12])
        for day, found in names.items()
        if day >= oldest
    }


def label_faults(
    config: MonitorConfig,
    settings: GroundTruth,
    memory: LabelMemory,
    matches: Matches,
    *,
    sampling: int | None,
    now: datetime,
) -> Iterator[Fault]:
    """What is wrong with the labels of a monitor.

    Args:
        config: The monitor.
        settings: Its ground truth.
        memory: With this look.
        matches: Which labels belong to which windows.
        sampling: Percentage of the requests that are captured; ``None`` where nobody could say.
        now: The present.
    """
    yield from _silence(config, settings, memory, now)
    yield from _strangers(config, settings, matches, sampling, now)


def _silence(
    config: MonitorConfig, settings: GroundTruth, memory: LabelMemory, now: datetime
) -> Iterator[Fault]:
    last = memory.arrived or memory.since
    if last is None or memory.rows < settings.minimum_labels:
        return
    if now - last <= memory.patience(timedelta(hours=settings.label_horizon_hours)):
        return
    what = f"{memory.rows:,} rows were captured since"
    if memory.arrived is None:
        came = (
            f"No labels have come to {config.ground_truth_location} since they were looked for "
            f"first, {instant(last)}, though {what}"
        )
    else:
        before = f", and {_long(memory.usual)} was the longest pause before" if memory.usual else ""
        came = (
            f"No labels have come to {config.ground_truth_location} for {_long(now - last)}, "
            f"though {what}{before}"
        )
    yield Fault(
        "no-labels",
        f"{came}: look at what collects them. Without labels nobody knows how good the model is.",
    )


def _strangers(
    config: MonitorConfig,
    settings: GroundTruth,
    matches: Matches,
    sampling: int | None,
    now: datetime,
) -> Iterator[Fault]:
    """Labels of which none belongs to a prediction, though many should."""
    wait = _HOUR + timedelta(seconds=config.grace_seconds)  # late captures may be theirs
    sizes = matches.index.sizes
    matched = {name for seen in matches.index.windows.values() for name in seen.matched}
    settled = [
        file
        for file in matches.files
        if file.hour + wait <= now and sizes.get(file.name) and file.name not in matches.waiting
    ]
    strange = _after_the_last(settled, matched)
    count = sum(sizes[file.name] for file in strange)
    # One in a hundred where nobody says how many are captured: labels are for all requests.
    share = (1 if sampling is None else sampling) / 100.0
    share *= _SHARE_OF_ONE_VARIANT if config.variant_name else 1.0
    if count < settings.minimum_labels or count * share < _EXPECTED:
        return
    yield Fault(
        "unmatched-labels",
        f"None of {count:,} labels that were collected since {instant(strange[0].hour)} belongs to "
        "a captured prediction: eventMetadata.eventId of a label has to be the inferenceId of its "
        "request, or else the eventId of its captured record, and a label has to come within "
        f"{settings.label_horizon_hours} hours (label_horizon_hours).",
    )


def _after_the_last(files: Sequence[LabelFile], matched: set[str]) -> Sequence[LabelFile]:
    """The files collected after the last hour that had one with labels that matched."""
    last = max((file.hour for file in files if file.name in matched), default=None)
    return [file for file in files if last is None or file.hour > last]


def _long(time: timedelta) -> str:
    """A length of time for a person: ``5 hours``, ``3 days``."""
    hours = round(time / _HOUR)
    if hours >= 48:
        return f"{round(time / _DAY)} days"
    return f"{hours} hour{'' if hours == 1 else 's'}"
