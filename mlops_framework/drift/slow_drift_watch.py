"""Watches for drift that no single window proves; see :mod:`.slow_drift`.

What each complete window says is kept in one document per monitor, so that a window that is judged
again (late captures) replaces what it said before instead of counting twice. It is written like the
state: of two evaluations at once, one wins and the other looks again.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.evidence import Evidence, evidence
from mlops_framework.drift.findings import Finding, number, percent
from mlops_framework.drift.layout import sequence_key
from mlops_framework.drift.policy import Claim, JudgedClaim, Judgement, Policy, Verdict
from mlops_framework.drift.ports import Store
from mlops_framework.drift.sections import Section
from mlops_framework.drift.slow_drift import RUN_LENGTH, Judged, SlowDrift, judge_sequence
from mlops_framework.drift.watched import watched
from mlops_framework.drift.watching import Scene
from mlops_framework.drift.windows import Window, instant, moment

KIND: Final = "mlops-drift-sequence"
VERSION: Final = 1
MOST_WINDOWS: Final = 336
"""Two weeks of hours: what is older adds nothing that the years between alarms would not."""
_MOST_SHOWN: Final = 20


@dataclass(frozen=True)
class SlowDriftWatcher:
    """Adds up the windows of a monitor that asks for it (``slow_drift``).

    Attributes:
        store: Where what windows said is kept.
    """

    store: Store

    def reach(self, config: MonitorConfig) -> timedelta:
        """Nothing beside profiles is looked at, so there is never news."""
        return timedelta(0)

    def news(
        self, config: MonitorConfig, profiles: Mapping[Window, Sequence[str]], now: datetime
    ) -> Mapping[Window, str]:
        """None."""
        return {}

    def look(self, scene: Scene) -> Adding | None:
        """Keep what a complete window says, and add up all until it.

        Raises:
            StateConflict: If another evaluation wrote the document meanwhile.
        """
        config, baseline = scene.config, scene.baseline
        if not config.slow_drift or not scene.task.complete:
            return None
        key = sequence_key(config)
        document, tag = self.store.read_state(config.data_bucket, key)
        windows = said_by(document, baseline, f"s3://{config.data_bucket}/{key}")
        here = scene.task.window.start
        windows[here] = evidence(baseline, scene.profile)
        kept = {start: windows[start] for start in sorted(windows)[-MOST_WINDOWS:]}
        text = json.dumps(to_document(baseline, kept), sort_keys=True, separators=(",", ":"))
        self.store.write_state(config.data_bucket, key, text, tag)
        until = {start: said for start, said in windows.items() if start <= here}
        return Adding(scene, judge_sequence(baseline, until, Policy.of(config)))


@dataclass(frozen=True)
class Adding:
    """What adding up gave for one window."""

    scene: Scene
    judged: Judged
    claims: Sequence[Claim] = field(default=())

    def section(self, judged: Sequence[JudgedClaim], judgement: Judgement) -> Section:
        """The section; columns that the window proves by itself are left to its own findings."""
        told = {test.column for test in judgement.breaches}
        if judgement.verdict == "no-data":  # Silence is told by itself; it says nothing of columns.
            told = {drift.trait.column for drift in self.judged.drifts}
        drifts = [drift for drift in self.judged.drifts if drift.trait.column not in told]
        features = tuple(dict.fromkeys(drift.trait.column for drift in drifts))
        endpoint = watched(self.scene.config)
        # Columns that drift in this very window: neither news nor all well.
        otherwise: Verdict = "insufficient-data" if self.judged.drifts else "healthy"
        return Section(
            kind="slow-drift",
            verdict="drift" if drifts else otherwise,
            features=features,
            findings=tuple(_finding(drift, self.scene.baseline) for drift in drifts),
            alarm=f"Slow drift on {endpoint}: {', '.join(features)}",
            recovered=f"No more slow drift on {endpoint}",
            document={
                "windows": self.judged.windows,
                "run_length": RUN_LENGTH,
                "limit": round(self.judged.limit, 4),
                "strongest": _finite(self.judged.strongest),
                "drifts": [
                    _shown(drift, self.scene.baseline) for drift in self.judged.drifts[:_MOST_SHOWN]
                ],
            },
        )


def to_document(baseline: Baseline, windows: Mapping[datetime, Evidence]) -> dict[str, Any]:
    """What windows said, as JSON: the traits once, and of each window their means and records."""
    traits = sorted({key for said in windows.values() for key in said})
    return {
        "kind": KIND,
        "version": VERSION,
        "baseline_id": baseline.id,
        "traits": traits,
        "windows": {
            instant(start): [list(said[key]) if key in said else None for key in traits]
            for start, said in windows.items()
        },
    }


def said_by(
    document: Mapping[str, Any] | None, baseline: Baseline, source: str
) -> dict[datetime, Evidence]:
    """What windows said; nothing after another baseline, whose columns are counted otherwise.

    Raises:
        DocumentInvalid: If the document is of another kind, version or shape.
    """
    if document is None:
        return {}
    expect(document, KIND, VERSION, source)
    with member(source):
        if document["baseline_id"] != baseline.id:
            return {}
        traits = [str(key) for key in document["traits"]]
        return {
            moment(start): {
                key: (float(said[0]), int(said[1]))
                for key, said in zip(traits, row, strict=True)
                if said is not None
            }
            for start, row in document["windows"].items()
        }


def _finding(drift: SlowDrift, baseline: Baseline) -> Finding:
    trait = drift.trait
    return Finding(
        trait.column,
        trait.side,
        "e-detector",
        drift.moved,
        None,
        None,
        f"{_what(drift, baseline)} since {drift.since:%Y-%m-%d %H:%M} UTC, over "
        f"{drift.records:,} values; this window does not prove it by itself, all together do.",
        "slow-drift",
        drift.since,
    )


def _what(drift: SlowDrift, baseline: Baseline) -> str:
    """The change in words."""
    trait = drift.trait
    up = drift.after > drift.before
    if trait.side == "missing":
        change = f"{percent(drift.before)} to {percent(drift.after)}"
        return f"Missing values of {trait.column} went from {change}"
    if trait.side == "share":
        name = _value_name(trait.column, trait.value, baseline)
        change = f"{percent(drift.before)} to {percent(drift.after)}"
        return f"The share of {name} in {trait.column} went from {change}"
    words = {
        ("location", True): "are higher than in the training data",
        ("location", False): "are lower than in the training data",
        ("scale", True): "spread wider than in the training data",
        ("scale", False): "spread less than in the training data",
    }
    moved = f"about {percent(drift.moved)} of them moved"
    return f"Values of {trait.column} {words[trait.side, up]} ({moved})"


def _value_name(column: str, value: int, baseline: Baseline) -> str:
    spec = next(each.spec for each in baseline.columns if each.spec.name == column)
    if spec.kind == "codes":
        return number(spec.codes[value])
    if value < len(spec.categories):
        return spec.categories[value]
    return "rare values"


def _shown(drift: SlowDrift, baseline: Baseline) -> dict[str, Any]:
    trait = drift.trait
    share = trait.side == "share"
    return {
        "column": trait.column,
        "side": trait.side,
        "value": _value_name(trait.column, trait.value, baseline) if share else None,
        "since": instant(drift.since),
        "before": drift.before,
        "after": drift.after,
        "records": drift.records,
        "moved": drift.moved,
        "evidence": round(drift.log_evidence, 4),
    }


def _finite(value: float) -> float | None:
    return round(value, 4) if value > float("-inf") else None
