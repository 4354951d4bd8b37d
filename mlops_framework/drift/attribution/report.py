"""What attributions mean for a window: its section."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mlops_framework.drift.attribution.sums import AttributionSums
from mlops_framework.drift.attribution.uncertainty import Agreement
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding, percent
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement, Verdict
from mlops_framework.drift.sections import Section
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.watched import watched

_MOST_SHOWN: Final = 40


@dataclass(frozen=True)
class Reference:
    """What a window's attributions are compared with.

    Attributes:
        name: For people.
        attributions: Sums, or the attribution of each feature.
    """

    name: str
    attributions: AttributionSums | Floats

    def values(self) -> Floats:
        """Attribution of each feature."""
        found = self.attributions
        return found.means() if isinstance(found, AttributionSums) else found


@dataclass(frozen=True)
class AttributionSight:
    """What was seen.

    Attributes:
        config: The monitor.
        sums: The window's attributions; ``None`` if there are none yet.
        reference: What they are compared with; ``None`` if with nothing.
        agreement: NDCG; ``None`` without a comparison.
        note: What people should know of how they came about.
        calls: Calls to the endpoint.
        asked: Predictions asked for.
    """

    config: MonitorConfig
    sums: AttributionSums | None = None
    reference: Reference | None = None
    agreement: Agreement | None = None
    note: str = ""
    calls: int = 0
    asked: int = 0

    @property
    def claims(self) -> Sequence[Claim]:
        """None: NDCG is judged by its own interval, which is no test of "nothing changed"."""
        return ()

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """See ``Sight.section``."""
        settings = self.config.attribution
        assert settings is not None
        found, endpoint = self.agreement, watched(self.config)
        verdict: Verdict = "insufficient-data"
        findings: tuple[Finding, ...] = ()
        moved = self._moved()
        metrics = {}
        if found is not None:
            drifted = found.high < settings.threshold
            verdict = "drift" if drifted else "healthy"
            metrics = {"AttributionNdcg": found.value}
            if drifted:
                findings = (self._finding(found, moved),)
        return Section(
            kind="attribution",
            verdict=verdict,
            features=tuple(moved[:3]) if verdict == "drift" else (),
            findings=findings,
            alarm=f"{endpoint} decides by other features than before",
            recovered=f"{endpoint} decides by the features it did before",
            document=self._document(),
            metrics=metrics,
        )

    def _finding(self, found: Agreement, moved: Sequence[str]) -> Finding:
        assert self.sums is not None
        assert self.reference is not None
        settings = self.config.attribution
        assert settings is not None
        before, now = (self._shares(v) for v in (self.reference.values(), self.sums.means()))
        changes = ", ".join(
            f"{name} ({percent(before[place])} before, {percent(now[place])} now)"
            for name in moved[:3]
            for place in [self.sums.features.index(name)]
        )
        sentence = (
            f"The features weigh otherwise than in {self.reference.name}: {changes}. NDCG is "
            f"{found.value:.3f}, at most {found.high:.3f} by chance; {settings.threshold:g} is "
            "asked for."
        )
        effect = settings.threshold - found.value
        return Finding("", "ranking", "ndcg", effect, None, None, sentence, "attribution")

    def _moved(self) -> list[str]:
        """Features by how much their share of all attribution changed."""
        if self.sums is None or self.reference is None:
            return []
        before, now = (self._shares(v) for v in (self.reference.values(), self.sums.means()))
        change = np.abs(now - before)
        order = np.argsort(-change, kind="stable")
        return [self.sums.features[place] for place in order.tolist() if change[place] > 0]

    @staticmethod
    def _shares(values: Floats) -> Floats:
        total = values.sum()
        shares: Floats = values / total if total > 0 else values
        return shares

    def _document(self) -> dict[str, Any]:
        settings = self.config.attribution
        assert settings is not None
        document: dict[str, Any] = {
            "source": settings.source,
            "threshold": settings.threshold,
            "confidence": settings.confidence,
            "rows": self.sums.count if self.sums else 0,
            "left_out": self.sums.left_out if self.sums else 0,
            "reference": self.reference.name if self.reference else None,
            "note": self.note,
            "ndcg": None,
            "features": self._features(),
        }
        if self.agreement:
            found = self.agreement
            pairs = (("value", found.value), ("low", found.low), ("high", found.high))
            document["ndcg"] = {name: _short(value) for name, value in pairs}
        if settings.asks:
            document["endpoint"] = {"calls": self.calls, "predictions": self.asked}
        return document

    def _features(self) -> list[dict[str, Any]]:
        if self.sums is None or not self.sums.count:
            return []
        now = self.sums.means()
        before = self.reference.values() if self.reference else None
        by = before if before is not None else now
        order = np.argsort(-by, kind="stable")[:_MOST_SHOWN].tolist()
        return [
            {
                "name": self.sums.features[place],
                "baseline": None if before is None else _short(float(before[place])),
                "window": _short(float(now[place])),
            }
            for place in order
        ]


def _short(value: float) -> float:
    """Six significant digits."""
    return float(f"{value:.6g}")


__all__ = ["AttributionSight", "Reference"]
