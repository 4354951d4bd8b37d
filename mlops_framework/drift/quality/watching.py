"""The watcher of the model's quality: realised where labels came, else estimated."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.comparing import (
    WATCHED,
    Compared,
    compared,
    degradation,
)
from mlops_framework.drift.quality.history import read_history, write_history
from mlops_framework.drift.quality.metrics import metrics_of
from mlops_framework.drift.quality.reference import read_reference, write_reference
from mlops_framework.drift.quality.section import section_of
from mlops_framework.drift.quality.view import QualityView
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

    def waits(self, scene: Scene) -> bool:
        """Whether many functions have to join the window with its labels first."""
        return self.joiner.waits(scene)

    def look(self, scene: Scene) -> QualitySight | NotJoined | None:
        """Take what was counted of the window's rows and compare."""
        settings = scene.config.ground_truth
        found = self.joiner.outcomes(scene)
        if settings is None or found is None or found.quality is None:
            lacking = self.joiner.lacking(scene)
            return NotJoined(lacking) if lacking else None
        sums = found.quality
        window, start = scene.task.window, scene.task.window.start
        reference = read_reference(scene.config, settings, self.store)
        if reference.learns(start, settings) and sums.compared and scene.task.complete:
            reference = reference.with_window(start, sums)
            write_reference(scene.config, reference, self.store)
        history, tag = read_history(scene.config, settings, self.store)
        shown = {*WATCHED[settings.problem_type], *settings.thresholds}
        metrics = {name: one for name, one in metrics_of(sums).items() if name in shown}
        needed = settings.minimum_labels
        latest = history.with_verdicts(scene.judged).with_window(start, sums, metrics, needed)
        if latest != history:
            write_history(scene.config, latest, tag, self.store)
        pool = None
        if 0 < sums.compared < needed and not reference.learns(start, settings):
            pool = latest.pooled(
                start,
                sums,
                needed=needed,
                most=settings.pooled_windows,
                without=reference.windows,
            )
        matches = self.joiner.matches(scene.config)
        return seen(
            QualityView(
                config=scene.config,
                window=window,
                settings=settings,
                sums=sums,
                pool=pool,
                counts=found.counts,
                reference=reference,
                arrived=matches.arrived(window) if matches else (0, 0),
                judged=scene.judged,
                history=latest,
            )
        )


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


@dataclass(frozen=True)
class NotJoined:
    """What is said of a window that has labels and was not joined with them.

    Attributes:
        sentence: Why, and what to do.
    """

    sentence: str
    claims: Sequence[Claim] = field(default=())

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """No verdict."""
        finding = Finding("", "rows", "not-joined", 0.0, None, None, self.sentence, "model-quality")
        return Section(kind="model-quality", verdict="insufficient-data", findings=(finding,))


def seen(view: QualityView) -> QualitySight:
    """Compare a window with its reference."""
    realised: Sequence[Compared] = ()
    if view.enough:
        between = view.history.between(view.window.start)
        realised = compared(view.settings, view.metrics, view.before, between)
    return QualitySight(view, realised, () if view.enough else _promised(view))


def _promised(view: QualityView) -> list[Compared]:
    """Estimated metrics beside what was realised in the reference."""
    found = []
    for name in _CLAIMED:
        if name in view.promise and name in view.before:
            outcome = degradation(name, view.promise[name], view.before[name])
            change = view.settings.minimum_change
            held = Compared(name, view.promise[name], view.before[name], None, outcome, change)
            found.append(held)
    return found
