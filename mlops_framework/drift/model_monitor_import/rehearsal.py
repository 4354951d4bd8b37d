"""Windows of the past judged by both rules, to be held against what Model Monitor said of them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.model_monitor_files.violations import Violation
from mlops_framework.drift.model_monitor_import.schedules import Execution
from mlops_framework.drift.model_monitor_policy.checks import checks_of, violations_of
from mlops_framework.drift.model_monitor_policy.rule import COMPLETED, VIOLATED, constraints_of
from mlops_framework.drift.objects import CaptureKey, ObjectVersion
from mlops_framework.drift.policy import Judgement, Policy, Verdict, judge
from mlops_framework.drift.ports import Sources
from mlops_framework.drift.profile import Profile, merge
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.windows import Window

_OUTSIDE: Final = Window(datetime.min.replace(tzinfo=UTC), datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True)
class Seen:
    """What this engine says of the traffic of one execution.

    Attributes:
        rows: Rows counted.
        objects: Capture objects read.
        violations: By Model Monitor's rules.
        verdict: By the engine's own rule.
        features: What drifted by it, worst first.
        sentences: Its findings, for people.
    """

    rows: int
    objects: int
    violations: tuple[Violation, ...]
    verdict: Verdict
    features: tuple[str, ...] = ()
    sentences: tuple[str, ...] = ()

    @property
    def status(self) -> str:
        """The status that Model Monitor would give."""
        if not self.rows:
            return "no captures"
        return VIOLATED if self.violations else COMPLETED


@dataclass(frozen=True)
class Compared:
    """One execution, with what both say.

    Attributes:
        execution: The run.
        theirs: Its violations; ``None`` where it wrote no file.
        seen: What this engine says.
    """

    execution: Execution
    theirs: tuple[Violation, ...] | None
    seen: Seen

    @property
    def same(self) -> bool | None:
        """Whether both found the same by the same rules; ``None`` where one found nothing."""
        if self.theirs is None or not self.seen.rows:
            return None
        return not self.only_theirs and not self.only_ours

    @property
    def only_theirs(self) -> tuple[str, ...]:
        """What only Model Monitor found."""
        return _without(self.theirs or (), self.seen.violations)

    @property
    def only_ours(self) -> tuple[str, ...]:
        """What only this engine found, by Model Monitor's rules."""
        return _without(self.seen.violations, self.theirs or ())


def look(
    config: MonitorConfig,
    baseline: Baseline,
    sources: Sources,
    objects: Iterable[str],
    span: Window,
) -> Seen:
    """Count the traffic of a span and judge it by both rules.

    Args:
        config: The monitor; its ``records`` say how payloads are read.
        baseline: What the traffic is compared with, with its constraints.
        sources: Where captures are read.
        objects: URIs of the capture objects of the hours that the span touches.
        span: The traffic that is meant; records of other times are passed over.
    """
    found: list[Profile] = []
    read = 0
    for uri in objects:
        location = S3Location.parse(uri)
        named = CaptureKey.parse(location.key)
        if named is None or config.variant_name not in ("", named.variant):
            continue
        read += 1
        profiles = profile_chunks(
            sources.captured(ObjectVersion(location.bucket, location.key)),
            baseline,
            window_of=lambda time: span if span.start <= time < span.end else _OUTSIDE,
            time=named.time,
            form=config.records,
        )
        found += [profile for window, profile in profiles.items() if window == span]
    profile, baseline = merge(baseline, found), baseline.at_windows(config.window_minutes)
    policy = Policy.of(config)
    judgement = judge(baseline, profile, policy)
    if not baseline.rows:  # constraints alone: its own rule has nothing to compare with
        judgement = Judgement("insufficient-data")
    findings = findings_of(judgement, baseline, profile, policy)
    drifted = judgement.verdict == "drift"
    return Seen(
        profile.rows,
        read,
        violations_of(checks_of(constraints_of(baseline), baseline, profile)),
        judgement.verdict,
        tuple(dict.fromkeys(one.column for one in findings if one.column)) if drifted else (),
        tuple(one.sentence for one in findings) if drifted else (),
    )


def _without(those: Sequence[Violation], these: Sequence[Violation]) -> tuple[str, ...]:
    known = {(one.subject, one.check) for one in these}
    return tuple(
        f"{one.subject} ({one.check})" for one in those if (one.subject, one.check) not in known
    )
