"""The watcher of the model's quality: realised where labels came, else estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.joined import JoinCounts
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.comparing import Compared, compared, degradation
from mlops_framework.drift.quality.estimating import Calibration, estimated
from mlops_framework.drift.quality.metrics import Metric, metrics_of
from mlops_framework.drift.quality.reference import (
    Reference,
    read_reference,
    write_reference,
)
from mlops_framework.drift.quality.section import QualityView, section_of
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.sections import Section
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Window

ESTIMATED = "estimated "
"""What names of metrics begin with that no label confirmed."""
_CLAIMED = ("accuracy", "auc")


@dataclass(frozen=True)
class ModelQualityWatcher:
    """Watches the quality of monitors with ``ground_truth``.

    Attributes:
        store: Where the reference is kept.
        joiner: Gives rows with their labels.
    """

    store: Store
    joiner: Joiner

    def reach(self, config: MonitorConfig) -> timedelta:
        """As long as labels are waited for, and the day that late captures are."""
        settings = config.ground_truth
        if settings is None or not config.ground_truth_location:
            return timedelta(0)
        minutes = timedelta(minutes=config.window_minutes)
        return timedelta(hours=settings.label_horizon_hours) + minutes + timedelta(hours=2)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """The files that hold labels of each window."""
        return self.joiner.news(config, profiles, now)

    def look(self, scene: Scene) -> QualitySight | None:
        """Count the window's rows and compare."""
        settings = scene.config.ground_truth
        rows = self.joiner.rows(scene) if settings is not None else None
        if settings is None or rows is None:
            return None
        sums = QualitySums.of(rows, settings)
        reference = read_reference(scene.config, settings, self.store)
        start, needed = scene.task.window.start, settings.reference_windows
        enough = sums.compared >= settings.minimum_labels
        learns = reference.learns(start, needed)
        if learns and enough and scene.task.complete:
            reference = reference.with_window(start, sums)
            write_reference(scene.config, reference, self.store)
        matches = self.joiner.matches(scene.config)
        arrived = matches.arrived(scene.task.window) if matches else (0, 0)
        return QualitySight.of(scene, settings, sums, rows.counts, reference, arrived)


@dataclass(frozen=True)
class QualitySight:
    """What was seen of one window's quality.

    Attributes:
        view: All of it, for the section.
        realised: Metrics by labels, held against something.
        promised: Estimated ones.
    """

    view: QualityView
    realised: Sequence[Compared] = ()
    promised: Sequence[Compared] = ()

    @classmethod
    def of(
        cls,
        scene: Scene,
        settings: GroundTruth,
        sums: QualitySums,
        counts: JoinCounts,
        reference: Reference,
        arrived: tuple[int, int],
    ) -> QualitySight:
        """Compare sums with the reference."""
        window = scene.task.window
        enough = sums.compared >= settings.minimum_labels
        learns = reference.learns(window.start, settings.reference_windows)
        known = reference.sums(settings.reference_windows)
        before = metrics_of(known) if known is not None else None
        metrics = metrics_of(sums)
        realised = compared(settings, metrics, None if learns else before) if enough else ()
        promise: Mapping[str, Metric] = {}
        if settings.binary and known is not None:
            calibration = Calibration.learnt(known)
            promise = estimated(sums, calibration) if calibration else {}
        promised = [] if enough else _promised(settings, promise, before or {})
        view = QualityView(
            config=scene.config,
            window=window,
            settings=settings,
            sums=sums,
            counts=counts,
            metrics=metrics,
            reference=reference,
            before=before or {},
            known=known,
            learns=learns,
            enough=enough,
            promise=promise,
            arrived=arrived,
            judged=scene.judged,
        )
        return cls(view, realised, promised)

    @property
    def claims(self) -> Sequence[Claim]:
        """Realised metrics, or where labels are too few the estimated ones."""
        return [
            *(one.claim() for one in self.realised),
            *(one.claim(ESTIMATED) for one in self.promised),
        ]

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """What it means for the window."""
        return section_of(self.view, (*self.realised, *self.promised), judged)


def _promised(
    settings: GroundTruth, promise: Mapping[str, Metric], before: Mapping[str, Metric]
) -> list[Compared]:
    """Estimated metrics beside what was realised in the reference."""
    found = []
    for name in _CLAIMED:
        if name in promise and name in before:
            outcome = degradation(name, promise[name], before[name])
            change = settings.minimum_change
            found.append(Compared(name, promise[name], before[name], None, outcome, change))
    return found
