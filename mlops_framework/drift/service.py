"""Drift monitoring as one object over its ports; the use cases are modules of their own."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.baselines import build_baseline
from mlops_framework.drift.errors import StateConflict
from mlops_framework.drift.evaluation import Evaluate, Outcome
from mlops_framework.drift.ground_truth.label_files import Taken, take_labels
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.ports import (
    Clock,
    Distribution,
    Metrics,
    Monitors,
    Publisher,
    Sources,
    Store,
)
from mlops_framework.drift.profile_objects import Profiled, ProfileObjects
from mlops_framework.drift.records import Records
from mlops_framework.drift.rulings import Rule
from mlops_framework.drift.watching import Filer, Keeper, Watcher

_ATTEMPTS: Final = 3


@dataclass(frozen=True, kw_only=True)
class DriftMonitor:
    """Drift monitoring of every endpoint of an environment.

    Attributes:
        monitors: Configurations.
        sources: Captures and training data.
        store: Baselines, profiles, reports, state.
        publisher: Events and alerts.
        metrics: Metrics.
        clock: The present.
        keepers: What keeps more of captured objects than their profiles.
        watchers: What looks at windows beside their columns, in this order.
        filers: What writes further files beside reports.
        rules: Other rules for the columns than the engine's own.
        distribution: Takes windows that are too large for one function; ``None`` to judge them
            here.
    """

    monitors: Monitors
    sources: Sources
    store: Store
    publisher: Publisher
    metrics: Metrics
    clock: Clock
    keepers: tuple[Keeper, ...] = ()
    watchers: tuple[Watcher, ...] = ()
    filers: tuple[Filer, ...] = ()
    rules: tuple[Rule, ...] = ()
    distribution: Distribution | None = None

    def build_baseline(self, monitor: str) -> Baseline:
        """Build a monitor's baseline from its training data and store it.

        Raises:
            MonitorUnknown: If there is no such monitor.
            ObjectMissing: If the training data is not there.
            BaselineInvalid: If it cannot be used.
        """
        return build_baseline(self.monitors.get(monitor), self.sources, self.store)

    def profile_object(self, source: ObjectVersion, monitor: str = "") -> Profiled:
        """Count a capture object; the same version again writes the same profiles again.

        Args:
            source: The object.
            monitor: The monitor to count it for; empty for the one named like the object's
                endpoint.

        Raises:
            MonitorUnknown: If there is no such monitor.
            BaselineMissing: If the monitor has no baseline yet; try again later.
            ObjectMissing: If the object is gone.
        """
        profile = ProfileObjects(
            monitors=self.monitors,
            sources=self.sources,
            store=self.store,
            metrics=self.metrics,
            keepers=self.keepers,
        )
        return profile(source, monitor)

    def take_labels(self, monitor: str, source: ObjectVersion) -> Taken:
        """Store the labels of a ground truth object; the same version again changes nothing.

        Raises:
            MonitorUnknown: If there is no such monitor.
            ObjectMissing: If the object is gone.
        """
        config = self.monitors.get(monitor)
        taken = take_labels(config, source, self.sources, self.store)
        if not taken.skipped:
            values = {"LabelsTaken": float(taken.labels), "UnreadableLabels": float(taken.left_out)}
            self.metrics.record(config.name, values)
        return taken

    def evaluate(
        self,
        monitor: str,
        *,
        since: datetime | None = None,
        until: datetime | None = None,
        distribute: bool = True,
    ) -> Outcome:
        """Judge every window that is due; with a range, every window with data in it.

        Args:
            monitor: The monitor.
            since: Start of the range; default: as far back as late captures (and what watchers
                wait for) are looked for.
            until: End of the range (exclusive); default: now.
            distribute: Whether windows too large for one function may be given to many; not when
                these have done their part.

        Raises:
            MonitorUnknown: If there is no such monitor.
            BaselineMissing: If its baseline has not been built.
            StateConflict: If other evaluations kept changing the state.
        """
        config = self.monitors.get(monitor)
        baseline = Records(self.store, config).baseline().at_windows(config.window_minutes)
        evaluate = Evaluate(
            config=config,
            store=self.store,
            publisher=self.publisher,
            metrics=self.metrics,
            watchers=self.watchers,
            filers=self.filers,
            rules=self.rules,
            distribution=self.distribution if distribute else None,
            later=self.distribution is not None,
        )
        for _ in range(_ATTEMPTS - 1):
            try:
                return evaluate(baseline, self.clock(), since, until)
            except StateConflict:
                continue
        return evaluate(baseline, self.clock(), since, until)


__all__ = ["DriftMonitor", "Outcome", "Profiled", "Taken"]
