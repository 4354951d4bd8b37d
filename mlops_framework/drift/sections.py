"""What is found out about a window beside its columns: one section for each thing watched."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_framework.drift.findings import Finding
from mlops_framework.drift.policy import Kind, Verdict


@dataclass(frozen=True, kw_only=True)
class Section:
    """One side of a window.

    Attributes:
        kind: What was watched; names the section in report, event and state.
        verdict: ``drift`` makes the window's verdict drift; anything else leaves it to the others.
            ``insufficient-data`` and ``no-data`` change nothing that people were told.
        features: What breached, worst first: metrics, facets, whatever this kind names.
        findings: For people, worst first; their ``kind`` is this section's.
        alarm: Subject of the message when this section begins to drift, endpoint included.
        recovered: Subject of the message when it is well again.
        document: What the report holds of it, as JSON; empty to leave it out of the report. Equal
            captures, labels and rule give equal documents.
        metrics: Further CloudWatch metrics; few, because each costs money.
    """

    kind: Kind
    verdict: Verdict
    features: tuple[str, ...] = ()
    findings: tuple[Finding, ...] = ()
    alarm: str = ""
    recovered: str = ""
    document: Mapping[str, Any] = field(default_factory=dict)
    metrics: Mapping[str, float] = field(default_factory=dict)

    @property
    def member(self) -> str:
        """Its name in documents: ``model_quality``."""
        return self.kind.replace("-", "_")
