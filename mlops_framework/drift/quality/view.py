"""All that is known of one window's quality."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.joined import JoinCounts
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.quality.estimating import (
    Calibration,
    estimated,
    estimated_of_classes,
)
from mlops_framework.drift.quality.history import History, Pooled
from mlops_framework.drift.quality.metrics import Metric, metrics_of
from mlops_framework.drift.quality.reference import Reference
from mlops_framework.drift.quality.sums import QualitySums
from mlops_framework.drift.state import Evaluated
from mlops_framework.drift.windows import Window


@dataclass(frozen=True, kw_only=True)
class QualityView:
    """What was counted, and what it is compared with.

    Attributes:
        config: The monitor.
        window: The window.
        settings: Its settings.
        sums: What was counted of the window.
        pool: The window together with earlier ones, where its own labels are few.
        counts: What the joining met.
        reference: What is kept to compare with.
        arrived: Labels collected during the window, and those of them that match no prediction.
        judged: Windows judged before, by their start.
        history: The latest windows, this one among them.
    """

    config: MonitorConfig
    window: Window
    settings: GroundTruth
    sums: QualitySums
    pool: Pooled | None
    counts: JoinCounts
    reference: Reference
    arrived: tuple[int, int]
    judged: Mapping[datetime, Evaluated]
    history: History

    @cached_property
    def together(self) -> QualitySums:
        """What is judged: the window, or where its labels are few, the pool."""
        return self.pool.sums if self.pool else self.sums

    @property
    def enough(self) -> bool:
        """Whether there are labels enough to compare."""
        return self.together.compared >= self.settings.minimum_labels

    @property
    def learns(self) -> bool:
        """Whether this window is itself part of the reference."""
        return self.reference.learns(self.window.start, self.settings)

    @cached_property
    def known(self) -> QualitySums | None:
        """The reference's sums; ``None`` if there is not enough yet."""
        return self.reference.sums(self.settings)

    @cached_property
    def before(self) -> Mapping[str, Metric]:
        """The reference's metrics; empty for a window that is part of it."""
        return {} if self.known is None or self.learns else metrics_of(self.known)

    @cached_property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics that are judged."""
        return metrics_of(self.together)

    @cached_property
    def promise(self) -> Mapping[str, Metric]:
        """Metrics estimated of the rows without labels."""
        if self.known is None or not self.settings.classes:
            return {}
        if not self.settings.binary:
            return estimated_of_classes(self.sums.by_class, self.known.by_class)
        calibration = Calibration.learnt(self.known.scores)
        return estimated(self.sums.scores, calibration) if calibration else {}
