"""What bias means for a window: its section."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework.drift.bias.counts import BiasCounts
from mlops_framework.drift.bias.judging import Comparison
from mlops_framework.drift.bias.metrics import MEANINGS, Measure, Metric
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.findings import Finding, number
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement, Verdict
from mlops_framework.drift.sections import Section
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.watched import watched

_EVERYBODY: Final = "everybody"


@dataclass(frozen=True)
class BiasSight:
    """What was seen.

    Attributes:
        config: The monitor.
        counts: Of the window.
        window: Metrics by facet name.
        baseline: Likewise; empty without one.
        comparisons: What is to be judged.
        reference: What the baseline is, for people; empty without one.
    """

    config: MonitorConfig
    counts: BiasCounts
    window: Mapping[str, Sequence[Measure]]
    baseline: Mapping[str, Sequence[Measure]]
    comparisons: Sequence[Comparison]
    reference: str

    @property
    def claims(self) -> Sequence[Claim]:
        """One for each comparison."""
        return [
            Claim(
                "bias",
                f"{one.facet or _EVERYBODY}: {one.measure.metric}",
                one.rule,
                Outcome(_value(one.measure), one.p_value, one.excess),
                one.needed,
            )
            for one in self.comparisons
        ]

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """See ``Sight.section``."""
        pairs = list(zip(self.comparisons, judged, strict=True))
        breached = [(one, claim) for one, claim in pairs if claim.breached and one.apart]
        breached.sort(key=lambda pair: (-pair[0].excess, pair[0].facet, pair[0].measure.metric))
        verdict: Verdict = "insufficient-data"
        if self.comparisons:
            verdict = "drift" if breached else "healthy"
        endpoint = watched(self.config)
        worst = {one.facet or _EVERYBODY: None for one, _ in breached}
        metrics = {"BiasBreaches": float(len(breached))} if self.comparisons else {}
        return Section(
            kind="bias",
            verdict=verdict,
            features=tuple(
                f"{one.facet or _EVERYBODY}: {one.measure.metric}" for one, _ in breached
            ),
            findings=tuple(self._finding(one, claim) for one, claim in breached),
            alarm=f"Bias on {endpoint}: {', '.join(list(worst)[:3])}",
            recovered=f"Bias of {endpoint} is back to what is accepted",
            document=self._document(pairs),
            metrics=metrics,
        )

    def _finding(self, one: Comparison, claim: JudgedClaim) -> Finding:
        metric, found, settings = one.measure.metric, one.measure.estimate, self.config.bias
        assert found is not None
        assert settings is not None
        who = f"{one.facet} against all others" if one.facet else "everybody together"
        if one.rule == "baseline":
            limit = f"{number(one.baseline)} in {self.reference}"
        else:
            limit = f"policy allows {_span(metric, one.low, one.high)}"
        sentence = (
            f"{metric} ({MEANINGS[metric]}) of {who} is {number(found.value)}, with "
            f"{settings.confidence * 100:g} % confidence between {number(found.low)} and "
            f"{number(found.high)}; {limit}."
        )
        # In the metric's own units, of which those of DI's logarithm are none.
        effect = max(found.value - one.high, one.low - found.value)
        return Finding(
            one.facet, "metric", one.rule, effect, one.p_value, claim.q_value, sentence, "bias"
        )

    def _document(self, pairs: Sequence[tuple[Comparison, JudgedClaim]]) -> dict[str, Any]:
        settings = self.config.bias
        assert settings is not None
        by_metric: dict[tuple[str, Metric], list[tuple[Comparison, JudgedClaim]]] = {}
        for one, claim in pairs:
            by_metric.setdefault((one.facet, one.measure.metric), []).append((one, claim))
        facets = []
        for (name, found), counts in zip(
            ((name, found) for name, found in self.window.items() if name),
            self.counts.facets,
            strict=True,
        ):
            rest, inside = counts.outcomes(facet=False), counts.outcomes(facet=True)
            facets.append(
                {
                    "name": name,
                    "rows": inside.rows,
                    "labelled": inside.labelled,
                    "others": rest.rows,
                    "others_labelled": rest.labelled,
                    "unknown": counts.unknown,
                    "metrics": [self._measure(name, one, by_metric) for one in found],
                }
            )
        return {
            "facets": facets,
            "overall": [self._measure("", one, by_metric) for one in self.window[""]],
            "unpredicted": self.counts.unpredicted,
            "confidence": settings.confidence,
            "minimum_rows": settings.minimum_rows,
            "reference": self.reference or None,
        }

    def _measure(
        self,
        facet: str,
        measure: Measure,
        judged: Mapping[tuple[str, Metric], Sequence[tuple[Comparison, JudgedClaim]]],
    ) -> dict[str, Any]:
        known = {one.metric: one.estimate for one in self.baseline.get(facet, ())}
        before, now = known.get(measure.metric), measure.estimate
        return {
            "metric": measure.metric,
            "meaning": MEANINGS[measure.metric],
            "value": _short(now.value) if now else None,
            "low": _short(now.low) if now else None,
            "high": _short(now.high) if now else None,
            "undefined": measure.undefined,
            "baseline": _short(before.value) if before else None,
            "judged": [
                {
                    "rule": one.rule,
                    "allowed": [_short(one.low), _short(one.high)],
                    "excess": _short(one.excess),
                    "p_value": _short(one.p_value),
                    "q_value": _short(claim.q_value),
                    "breached": claim.breached and one.apart,
                }
                for one, claim in judged.get((facet, measure.metric), ())
            ],
        }


def _value(measure: Measure) -> float:
    return measure.estimate.value if measure.estimate else math.nan


def _span(metric: Metric, low: float, high: float) -> str:
    return f"up to {number(high)}" if metric == "GE" else f"{number(low)} to {number(high)}"


def _short(value: float) -> float:
    """Six significant digits; what is beyond all numbers as the largest there is."""
    return float(f"{max(-1e308, min(1e308, value)):.6g}")
