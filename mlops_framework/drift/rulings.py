"""Another rule than the engine's own for the columns of a window."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.policy import Judgement
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.windows import Window


@dataclass(frozen=True)
class Ruling:
    """What a rule says of a window.

    Attributes:
        judgement: The verdict on the columns that counts.
        findings: Its findings, worst first; ``None`` where the engine's own stand.
        document: Further members of the report.
    """

    judgement: Judgement
    findings: tuple[Finding, ...] | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


class Rule(Protocol):
    """Judges the columns of windows by a rule of its own."""

    def rule(
        self,
        config: MonitorConfig,
        window: Window,
        baseline: Baseline,
        profile: Profile,
        judgement: Judgement,
    ) -> Ruling | None:
        """Judge a window.

        Args:
            config: The monitor.
            window: Which window.
            baseline: What the window is compared with.
            profile: The window's merged profile.
            judgement: What the engine's own rule says.

        Returns:
            ``None`` where the monitor does not ask for this rule.
        """
        ...


__all__ = ["Rule", "Ruling"]
