"""Judging one table or one batch of captures by hand: the monitor's engine without its service.

Nothing is stored and nothing is published: records in, an evaluation out, of which
:func:`~mlops_framework.drift.report.report_document` makes the report that a monitor writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.capture import Invocation, Row
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import DriftFault
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.policy import Judgement, Policy, judge
from mlops_framework.drift.profile import Profile, Profiler
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.windows import Task, Window

ENVIRONMENT: Final = "files"
"""What a report names where a monitor's names its environment."""
_DAY: Final = 24 * 60
_QUOTED: Final = 160


class ColumnsDiffer(DriftFault):
    """A table lacks columns of the baseline, or names them twice.

    Attributes:
        missing: Columns of the baseline that the table does not have.
        twice: Columns of the baseline that it has more than once.
    """

    def __init__(self, source: str, missing: Sequence[str], twice: Sequence[str]) -> None:
        self.missing, self.twice = tuple(missing), tuple(twice)
        told = []
        if missing:
            told.append(f"{source} has no column {', '.join(missing)}, which the baseline has.")
        if twice:
            told.append(f"{source} names {', '.join(twice)} more than once.")
        super().__init__(" ".join(told))


@dataclass(frozen=True, order=True)
class Span(Window):
    """The time that records cover, which people know by another name (a file's).

    Attributes:
        name: What they are called.
    """

    name: str = ""

    def __str__(self) -> str:
        return self.name


@dataclass(frozen=True)
class Counted:
    """What was counted of one source.

    Attributes:
        profile: All of it as one profile.
        start: Beginning of the first day.
        end: End of the last day.
        ignored: Columns that the baseline does not have.
    """

    profile: Profile
    start: datetime
    end: datetime
    ignored: tuple[str, ...] = ()


def count_table(
    header: Sequence[str], rows: Iterable[Row], baseline: Baseline, *, source: str, time: datetime
) -> Counted:
    """Count a table's rows, whose columns are found by name.

    Args:
        header: Names of the table's columns.
        rows: Values as text, one per column; empty ones are missing.
        baseline: What to count on.
        source: Name of the table in messages.
        time: When the table was made; its day is the report's window.

    Raises:
        ColumnsDiffer: If a column of the baseline is absent or there twice.
    """
    found = Counter(header)
    missing = [name for name in baseline.names if name not in found]
    twice = [name for name in baseline.names if found[name] > 1]
    if missing or twice:
        raise ColumnsDiffer(source, missing, twice)
    order = [header.index(name) for name in baseline.names]
    width, profiler = len(header), Profiler(baseline)
    for row in rows:
        if len(row) == width:
            profiler.add(Invocation(None, ([row[index] for index in order],), {}), "")
        elif row:
            profiler.leave_out("field-count", ",".join(row)[:_QUOTED])
    day = Window.containing(time, _DAY)
    ignored = tuple(name for name in header if name not in baseline.names)
    return Counted(profiler.profile(), day.start, day.end, ignored)


def count_captures(
    chunks: Iterable[bytes], baseline: Baseline, *, time: datetime, form: RecordForm | None = None
) -> Counted:
    """Count capture records of any number of days, in bounded memory.

    Args:
        chunks: Parts of capture records' text, one record a line, cut anywhere.
        baseline: What to count on; it names headerless columns.
        time: Moment of records that have none of their own.
        form: Where rows and values of the payloads are, if not where they usually are.
    """
    met: list[datetime] = []
    whole = Window.containing(time, _DAY)

    def meet(moment: datetime) -> Window:
        met[:] = [min([*met, moment]), max([*met, moment])]
        return whole

    found = profile_chunks(chunks, baseline, window_of=meet, time=time, form=form)
    profile = found.get(whole, Profile.empty(baseline))
    first, last = met or (time, time)
    start = Window.containing(first, _DAY).start
    end = Window.containing(last, _DAY).end
    ignored = tuple(name for name, _ in profile.unexpected.most_frequent())
    return Counted(profile, start, end, ignored)


def evaluate_counted(
    counted: Counted,
    baseline: Baseline,
    *,
    name: str,
    effect_threshold: float,
    minimum_records: int,
) -> Evaluation:
    """Judge what was counted by the rule of a monitor.

    Args:
        counted: What was counted.
        baseline: What it was counted on.
        name: What the records are called in the report.
        effect_threshold: Share of the records that must have moved.
        minimum_records: Fewer give no verdict.
    """
    config = MonitorConfig(
        environment=ENVIRONMENT,
        data_bucket="",
        model_name="not named",
        endpoint_name=name,
        baseline_data=baseline.source,
        schedule_expression="on request",
        effect_threshold=effect_threshold,
        minimum_records=minimum_records,
    )
    policy = Policy.of(config)
    judgement = judge(baseline, counted.profile, policy)
    if judgement.verdict == "no-data":  # silence is a finding of an endpoint, not of a file
        judgement = Judgement("insufficient-data")
    return Evaluation(
        config,
        Task(Span(counted.start, counted.end, name), (name,), complete=True),
        baseline,
        counted.profile,
        judgement,
        findings_of(judgement, baseline, counted.profile, policy),
    )


__all__ = [
    "ColumnsDiffer",
    "Counted",
    "Span",
    "count_captures",
    "count_table",
    "evaluate_counted",
]
