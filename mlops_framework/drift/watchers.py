"""What is watched beside the columns, in the order in which people are told."""

from __future__ import annotations

from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.heartbeat.capture_state import Captures
from mlops_framework.drift.heartbeat.watcher import HeartbeatWatcher
from mlops_framework.drift.ports import Clock, Store
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.slow_drift_watch import SlowDriftWatcher
from mlops_framework.drift.watching import Watcher


def watchers_of(store: Store, captures: Captures, clock: Clock) -> tuple[Watcher, ...]:
    """Every watcher; each does nothing for monitors that do not ask for it."""
    joiner = Joiner(store)
    return (
        ModelQualityWatcher(store, joiner),
        SlowDriftWatcher(store),
        HeartbeatWatcher(store, captures, clock),
    )
