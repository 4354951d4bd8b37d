"""Which input columns are kept beside the predictions."""

from __future__ import annotations

from mlops_framework.drift.config import MonitorConfig


def columns_asked(config: MonitorConfig) -> tuple[str, ...]:
    """Baseline columns that a watcher wants to see row by row."""
    return tuple(sorted(config.bias.columns)) if config.bias else ()
