"""What is watched beside the columns, in the order in which people are told."""

from __future__ import annotations

from mlops_framework.drift.attribution.explaining import Predictor, Seconds
from mlops_framework.drift.attribution.watcher import AttributionWatcher
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.heartbeat.capture_state import Captures
from mlops_framework.drift.heartbeat.watcher import HeartbeatWatcher
from mlops_framework.drift.ports import Clock, Store
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.slow_drift_watch import SlowDriftWatcher
from mlops_framework.drift.watching import Watcher


def watchers_of(
    store: Store, captures: Captures, clock: Clock, predictor: Predictor, seconds: Seconds
) -> tuple[Watcher, ...]:
    """Every watcher; each does nothing for monitors that do not ask for it.

    Args:
        store: A monitor's documents.
        captures: What SageMaker says of an endpoint's data capture.
        clock: The present.
        predictor: Asks endpoints.
        seconds: A clock that only goes forward.
    """
    joiner = Joiner(store)
    return (
        ModelQualityWatcher(store, joiner),
        BiasWatcher(joiner, store),
        AttributionWatcher(store, predictor, seconds),
        SlowDriftWatcher(store),
        HeartbeatWatcher(store, captures, clock, joiner),
    )
