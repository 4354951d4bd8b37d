"""What is watched beside the columns, in the order in which people are told."""

from __future__ import annotations

from collections.abc import Sequence

from mlops_framework.drift.ports import Store
from mlops_framework.drift.slow_drift_watch import SlowDriftWatcher
from mlops_framework.drift.watching import Watcher


def watchers_of(store: Store) -> Sequence[Watcher]:
    """Every watcher; each does nothing for monitors that do not ask for it."""
    return (SlowDriftWatcher(store),)
