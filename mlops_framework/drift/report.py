"""The report of a window as a JSON document; the schema is ``report.schema.json`` beside this.

It holds no time of its own making: the same captures, baseline and rule give the same bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime
from functools import cached_property
from typing import Any, Final

from mlops_framework.drift.bars import bars_of
from mlops_framework.drift.baseline import Baseline, BaselineColumn
from mlops_framework.drift.capture import REASONS
from mlops_framework.drift.columns import ColumnCounts
from mlops_framework.drift.comparison import distances
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import TYPES
from mlops_framework.drift.findings import Finding, percent
from mlops_framework.drift.lasting import since_when, topic_of
from mlops_framework.drift.objects import count_objects
from mlops_framework.drift.ordinary import Ordinary
from mlops_framework.drift.policy import Judged, Judgement, Policy, Verdict, decides
from mlops_framework.drift.profile import Profile, prediction_spec, sample_of
from mlops_framework.drift.sections import Section
from mlops_framework.drift.state import Evaluated
from mlops_framework.drift.watched import watched
from mlops_framework.drift.windows import Task, instant

KIND: Final = "mlops-drift-report"
VERSION: Final = 2

_DIGITS: Final = 6


@dataclass(frozen=True)
class Recent:
    """A window that was judged before.

    Attributes:
        start: Its beginning.
        verdict: Its verdict.
        columns: How many of its columns had drifted.
    """

    start: datetime
    verdict: Verdict
    columns: int


@dataclass(frozen=True)
class Evaluation:
    """Everything an evaluation found out about one window.

    Attributes:
        config: The monitor.
        task: The window, its profiles and whether it is complete.
        baseline: What it was compared with.
        profile: The merged profile.
        judgement: Verdict on the columns, and all tests.
        findings: For people, worst first; those of the sections are in the sections.
        stale: Stored profiles left out because they were counted on an earlier baseline.
        sections: What else is watched, each with its own part of the verdict.
        further: Further members of the report, of another rule for the columns.
        recent: The windows before it, oldest first.
        judged: What was found in windows judged before, by their start.
    """

    config: MonitorConfig
    task: Task
    baseline: Baseline
    profile: Profile
    judgement: Judgement
    findings: tuple[Finding, ...]
    stale: int = 0
    sections: tuple[Section, ...] = ()
    further: Mapping[str, Any] = field(default_factory=dict)
    recent: tuple[Recent, ...] = ()
    judged: Mapping[datetime, Evaluated] = field(default_factory=dict)

    @cached_property
    def since(self) -> Mapping[str, datetime]:
        """Of each topic that was found since when it has been."""
        start = self.task.window.start
        return since_when(self.told, self.judgement.verdict, start, self.judged)

    def since_of(self, finding: Finding) -> datetime:
        """Since when it has been as a finding of this window says."""
        return finding.since or self.since[topic_of(finding)]

    @property
    def verdict(self) -> Verdict:
        """The verdict: drift if the columns or any section drifted, else that on the columns."""
        if any(part.verdict == "drift" and decides(part.kind) for part in self.sections):
            return "drift"
        return self.judgement.verdict

    @property
    def features(self) -> tuple[str, ...]:
        """The drifted columns, worst first."""
        if self.judgement.verdict != "drift":
            return ()
        return tuple(dict.fromkeys(found.column for found in self.findings if found.column))

    @property
    def told(self) -> tuple[Finding, ...]:
        """All findings: sections that drifted, the columns', and what other sections say."""
        leading = [part for part in self.sections if self._leads(part)]
        others = [part for part in self.sections if not self._leads(part)]
        first = [found for part in leading for found in part.findings]
        last = [found for part in others for found in part.findings]
        return (*first, *self.findings, *last)

    def _leads(self, part: Section) -> bool:
        """A fault of the captures leads where it is why there is nothing else to say."""
        silent = self.judgement.verdict == "no-data"
        return part.verdict == "drift" and (silent or decides(part.kind))

    @property
    def summary(self) -> str:
        """One or two sentences."""
        window = f"{self.task.window}{'' if self.task.complete else ' (still open)'}"
        match self.verdict:
            case "healthy":
                alike = "look like the training data"
                if not self.baseline.rows:
                    alike = "keep to the constraints"
                return (
                    f"No drift in {window}: {self.profile.rows:,} records {alike} "
                    f"in all {len(self.baseline.columns)} columns."
                )
            case "drift":
                if not self.features:
                    return f"Drift in {window}. {self._worst}"
                columns = f"{len(self.features)} of {len(self.baseline.columns)} columns"
                how = "differ from the training data" if self.baseline.rows else "break constraints"
                return f"Drift in {window}: {columns} {how}. {self._worst}"
            case _:
                return f"No verdict for {window}. {self._worst}"

    @property
    def _worst(self) -> str:
        return self.told[0].sentence if self.told else ""


def report_document(evaluation: Evaluation) -> dict[str, Any]:
    """The report as JSON: what a machine reads, and all that the HTML page shows."""
    config, task, profile = evaluation.config, evaluation.task, evaluation.profile
    baseline = evaluation.baseline
    tests: dict[str, list[Judged]] = {}
    for test in evaluation.judgement.tests:
        tests.setdefault(test.column, []).append(test)
    columns = [
        _column(
            column,
            window,
            tests.get(column.spec.name, []),
            Ordinary.of(column, baseline.blocks, config.window_minutes),
        )
        for column, window in zip(baseline.columns, profile.columns, strict=True)
    ]
    policy = Policy.of(config)
    return {
        "kind": KIND,
        "version": VERSION,
        "monitor": {
            "environment": config.environment,
            "name": config.name,
            "endpoint_name": config.endpoint_name,
            "watched": watched(config),
            "model_name": config.model_name,
            "schedule": config.schedule_expression,
        },
        "window": {
            "start": instant(task.window.start),
            "end": instant(task.window.end),
            "complete": task.complete,
        },
        "verdict": evaluation.verdict,
        "summary": evaluation.summary,
        "features": list(evaluation.features),
        "findings": [
            asdict(finding) | {"since": instant(evaluation.since_of(finding))}
            for finding in evaluation.told
        ],
        "captures": _captures(profile, count_objects(task.keys), evaluation.stale),
        "columns": sorted(columns, key=lambda column: -float(column["severity"])),
        "predictions": [_prediction(name, c) for name, c in sorted(profile.predictions.items())],
        "baseline": {"id": baseline.id, "rows": baseline.rows, "source": baseline.source},
        "method": {
            "tests": len(evaluation.judgement.tests) + len(evaluation.judgement.claims),
            "false_discovery_rate": policy.significance,
            "effect_threshold": policy.effect_threshold,
            "rate_threshold": policy.rate_threshold,
            "minimum_records": policy.minimum_records,
        },
    } | {
        **_recent(evaluation.recent),
        **{part.member: dict(part.document) for part in evaluation.sections if part.document},
        **evaluation.further,
    }


def _recent(windows: Sequence[Recent]) -> dict[str, Any]:
    shown = [
        {"start": instant(each.start), "verdict": each.verdict, "columns": each.columns}
        for each in windows
    ]
    return {"recent": shown} if shown else {}


def _captures(profile: Profile, objects: int, stale: int) -> dict[str, Any]:
    return {
        "objects": objects,
        "invocations": profile.invocations,
        "rows": profile.rows,
        "left_out": [
            {"reason": reason, "meaning": REASONS.get(reason, reason), "count": count}
            for reason, count in sorted(profile.unreadable.items())
        ],
        "samples": [
            dict(zip(("reason", "line"), sample_of(text), strict=True))
            for text, _ in profile.samples.most_frequent()
        ],
        "unexpected": [
            {"name": name, "count": count} for name, count in profile.unexpected.most_frequent()
        ],
        "profiles_of_other_baseline": stale,
    }


def _column(
    column: BaselineColumn,
    window: ColumnCounts,
    tests: list[Judged],
    ordinary: Ordinary | None,
) -> dict[str, Any]:
    spec = column.spec
    found = distances(column, window)
    breached = [test for test in tests if test.breached]
    return {
        "name": spec.name,
        "kind": spec.kind,
        "drifted": bool(breached),
        "severity": _short(max((test.effect for test in breached), default=0.0)),
        "tests": [
            {
                "test": test.test,
                "statistic": _short(test.statistic),
                "p_value": _short(test.p_value),
                "q_value": _short(test.q_value),
                "effect": _short(test.effect),
                "threshold": test.threshold,
                "breached": test.breached,
            }
            for test in tests
        ],
        "distances": found and {name: _short(value) for name, value in asdict(found).items()},
        "baseline": _summary(column.counts, spec.centre),
        "window": _summary(window, spec.centre),
        "bars": [
            {"label": bar.label, "baseline": _short(bar.baseline), "window": _short(bar.window)}
            | ({"ordinary": [_short(end) for end in bar.ordinary]} if bar.ordinary else {})
            for bar in bars_of(column, window, ordinary)
        ],
    }


def _prediction(name: str, counts: ColumnCounts) -> dict[str, Any]:
    """A column of the response; it has no baseline, so it is described and not judged."""
    spec = prediction_spec(name)
    within = counts.minimum is not None and counts.minimum >= 0 and (counts.maximum or 0) <= 1
    bars: list[dict[str, Any]] = []
    if counts.valid and within:
        # Pairs of twentieths; the last cell holds 1.0 itself.
        for cell in range(1, len(spec.edges), 2):
            last = cell + 2 >= len(spec.edges)
            share = sum(counts.cells[cell : None if last else cell + 2]) / counts.valid
            label = f"{spec.edges[cell - 1]:.1f} to {spec.edges[cell + 1]:.1f}"
            bars.append({"label": label, "window": _short(share)})
    elif counts.unseen.total and counts.unseen.complete:
        top = counts.unseen.most_frequent()[:12]
        bars = [{"label": text[:24], "window": _short(n / counts.records)} for text, n in top]
    return {"name": name, "window": _summary(counts, spec.centre), "bars": bars}


def _summary(counts: ColumnCounts, centre: float) -> dict[str, Any]:
    return {
        "records": counts.records,
        "missing": counts.missing,
        "invalid": counts.invalid,
        "mean": _short(counts.mean(centre)),
        "deviation": _short(counts.deviation()),
        "minimum": _short(counts.minimum),
        "maximum": _short(counts.maximum),
        "missing_share": percent(counts.missing / counts.records) if counts.records else "–",
    } | ({"types": _types(counts)} if counts.records and not counts.untyped else {})


def _types(counts: ColumnCounts) -> dict[str, int]:
    """How many values are of each type; those of which there are none are left out."""
    found = {name: getattr(counts, name) for name in TYPES}
    return {name: count for name, count in found.items() if count}


def _short(value: float | None) -> float | None:
    """Six significant digits: enough to read, few enough to compare by eye."""
    return None if value is None else float(f"{value:.{_DIGITS}g}")
