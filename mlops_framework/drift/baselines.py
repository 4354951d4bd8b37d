"""Use case: build a monitor's baseline from its training data."""

from __future__ import annotations

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.layout import baseline_key
from mlops_framework.drift.model_monitor_policy.preparing import prepared
from mlops_framework.drift.ports import Sources, Store
from mlops_framework.drift.records import Records


def build_baseline(config: MonitorConfig, sources: Sources, store: Store) -> Baseline:
    """Build the baseline and store it.

    Raises:
        ObjectMissing: If the training data is not there.
        BaselineInvalid: If it cannot be used.
        MonitorFileInvalid: If the monitor's constraints cannot be used.
    """
    location = S3Location.parse(config.baseline_data)
    baseline = Baseline.of_csv(
        sources.table_lines(location),
        label_column=config.label_column,
        time_column=config.time_column,
        source=config.baseline_data,
    )
    baseline = prepared(config, baseline, sources)
    Records(store, config).write(baseline_key(config), baseline.to_document())
    return baseline
