"""From tests to a verdict: one false discovery rate over everything, and a minimum relevant effect.

With 16 columns and some 80 tests, judging each p-value by itself alarms on most quiet days, and
with a million rows it alarms on differences nobody cares about. So a test counts only if it is
rejected by the Benjamini-Hochberg procedure over *all* tests of the window (Benjamini & Hochberg
1995, JRSS B 57) *and* moves at least a set share of the records.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, Literal, Self, TypeAlias

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.comparison import FEWEST_VALUES, RATES, ColumnTest, Test, tests_of
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.model_monitor_files.violations import Check
from mlops_framework.drift.profile import Profile
from mlops_framework.drift.statistics.result import Outcome
from mlops_framework.drift.thresholds import Thresholds

Verdict = Literal["healthy", "drift", "insufficient-data", "no-data"]

Kind: TypeAlias = Literal[
    "data-quality", "model-quality", "bias", "attribution", "heartbeat", "slow-drift"
]
"""What a finding is about; all but the first are watched by a watcher of their own."""

UNREADABLE_SHARE: Final = 0.05
"""More unreadable records than this is a finding: the format of the traffic changed."""


def decides(kind: Kind) -> bool:
    """Whether a kind can make the window's verdict drift, and so ask for retraining.

    A broken capture says nothing about the model: people are told, and that is all.
    """
    return kind != "heartbeat"


@dataclass(frozen=True, kw_only=True)
class Policy:
    """When a difference matters; see :class:`MonitorConfig` for the fields."""

    significance: float = 0.001
    effect_threshold: float = 0.1
    rate_threshold: float = 0.005
    minimum_records: int = 200
    thresholds: Thresholds = field(default_factory=Thresholds)
    ignored: frozenset[str] = frozenset()

    @classmethod
    def of(cls, config: MonitorConfig) -> Self:
        """The policy a monitor is configured with."""
        return cls(
            significance=config.significance,
            effect_threshold=config.effect_threshold,
            rate_threshold=config.rate_threshold,
            minimum_records=config.minimum_records,
            thresholds=config.thresholds or Thresholds(),
            ignored=frozenset(config.ignored_columns),
        )

    def threshold(self, column: str, test: Test) -> float:
        """The smallest effect of a test that matters in a column."""
        own = self.thresholds.of(column, test)
        if own is not None:
            return own
        return self.rate_threshold if test in RATES else self.effect_threshold


@dataclass(frozen=True)
class Judged:
    """A test with its place among all tests of the window.

    Attributes:
        column: The column.
        test: Which test, or which check of another rule.
        statistic: The test's statistic.
        p_value: Its p-value by itself.
        q_value: The smallest false discovery rate at which it would be rejected.
        effect: How much changed, as a share of the records.
        threshold: The smallest effect that matters.
        breached: Whether it counts: significant and relevant.
    """

    column: str
    test: Test | Check
    statistic: float
    p_value: float
    q_value: float
    effect: float
    threshold: float
    breached: bool


@dataclass(frozen=True)
class Claim:
    """A test about something else than a column, judged in the same family as the columns' tests.

    Attributes:
        kind: What it is about.
        subject: What is said to have changed, for example the name of a metric.
        test: Which test.
        outcome: Statistic, p-value and effect.
        threshold: The smallest effect that matters.
    """

    kind: Kind
    subject: str
    test: str
    outcome: Outcome
    threshold: float


@dataclass(frozen=True)
class JudgedClaim:
    """A claim with its place among all tests of the window.

    Attributes:
        claim: The claim.
        q_value: The smallest false discovery rate at which it would be rejected.
        breached: Whether it counts: significant and relevant.
    """

    claim: Claim
    q_value: float
    breached: bool


@dataclass(frozen=True)
class Judgement:
    """The verdict on a window.

    Attributes:
        verdict: Of its columns: healthy, drift, or that there was too little or nothing to judge
            by.
        tests: Every test of a column that was made, in the baseline's column order.
        claims: What else was tested, in the order it was brought.
    """

    verdict: Verdict
    tests: tuple[Judged, ...] = ()
    claims: tuple[JudgedClaim, ...] = ()

    @property
    def breaches(self) -> tuple[Judged, ...]:
        """The tests that count, worst first."""
        return tuple(sorted((test for test in self.tests if test.breached), key=_badness))


def judge(
    baseline: Baseline, profile: Profile, policy: Policy, claims: Sequence[Claim] = ()
) -> Judgement:
    """Judge a window by its merged profile and by what else is claimed about it.

    All tests form one family. The verdict is that of the columns; what claims mean for the window
    is for those who brought them.
    """
    seen = profile.rows + unreadable_inputs(profile)
    if not seen:
        return Judgement("no-data", (), _judged((), claims, policy)[1])
    needed = max(policy.minimum_records, FEWEST_VALUES)
    if seen < needed:
        return Judgement("insufficient-data", (), _judged((), claims, policy)[1])
    unreadable = _unreadable(profile, seen)
    if profile.rows < needed:
        # Too little is readable to compare columns; that may itself be the finding.
        verdict: Verdict = "drift" if unreadable.breached else "insufficient-data"
        return Judgement(verdict, (unreadable,), _judged((), claims, policy)[1])
    tests = [
        test
        for column, window in zip(baseline.columns, profile.columns, strict=True)
        if column.spec.name not in policy.ignored
        for test in tests_of(column, window)
    ]
    of_columns, of_claims = _judged(tests, claims, policy)
    judged = (unreadable, *of_columns)
    drift = any(test.breached for test in judged)
    return Judgement("drift" if drift else "healthy", judged, of_claims)


def unreadable_inputs(profile: Profile) -> int:
    """Records and rows of requests that could not be read (responses are not counted)."""
    inputs = (n for reason, n in profile.unreadable.items() if not reason.startswith("output-"))
    return sum(inputs)


def q_values(p_values: Sequence[float]) -> list[float]:
    """Benjamini-Hochberg adjusted p-values, in the order given.

    ``q_i = min over p_j >= p_i of p_j K / rank_j``; rejecting ``q <= level`` keeps the expected
    share of false discoveries at or below ``level``.
    """
    count = len(p_values)
    adjusted = [1.0] * count
    smallest = 1.0
    descending = sorted(range(count), key=lambda index: p_values[index], reverse=True)
    for rank, index in zip(range(count, 0, -1), descending, strict=True):
        smallest = min(smallest, p_values[index] * (count / rank))
        adjusted[index] = smallest
    return adjusted


def _judged(
    tests: Sequence[ColumnTest], claims: Sequence[Claim], policy: Policy
) -> tuple[tuple[Judged, ...], tuple[JudgedClaim, ...]]:
    """Columns' tests and claims, adjusted for each other."""
    p_values = [test.outcome.p_value for test in tests]
    p_values += [claim.outcome.p_value for claim in claims]
    adjusted = q_values(p_values)
    judged = []
    for test, q_value in zip(tests, adjusted[: len(tests)], strict=True):
        found, threshold = test.outcome, policy.threshold(test.column, test.test)
        breached = q_value <= policy.significance and found.effect >= threshold
        judged.append(
            Judged(
                test.column,
                test.test,
                found.statistic,
                found.p_value,
                q_value,
                found.effect,
                threshold,
                breached,
            )
        )
    of_claims = [
        JudgedClaim(
            claim,
            q_value,
            q_value <= policy.significance and claim.outcome.effect >= claim.threshold,
        )
        for claim, q_value in zip(claims, adjusted[len(tests) :], strict=True)
    ]
    return tuple(judged), tuple(of_claims)


def _unreadable(profile: Profile, seen: int) -> Judged:
    """A deterministic check, not a test: its p-value is 0 when breached and 1 otherwise."""
    count = unreadable_inputs(profile)
    breached = count / seen > UNREADABLE_SHARE
    p_value = 0.0 if breached else 1.0
    share = count / seen
    return Judged("", "records", count, p_value, p_value, share, UNREADABLE_SHARE, breached)


def _badness(test: Judged) -> tuple[float, float, str, str]:
    return (-test.effect, test.q_value, test.column, test.test)
