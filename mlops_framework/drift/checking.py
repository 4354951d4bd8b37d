"""Judging one table or one batch of captures by hand: the monitor's engine without its service.

Nothing is stored and nothing is published: records in, an evaluation out, of which
:func:`~mlops_framework.drift.report.report_document` makes the report that a monitor writes.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, TypeAlias

import numpy as np

from mlops_framework.drift.attribution.watcher import AttributionWatcher
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import Batch
from mlops_framework.drift.bias.watcher import BiasWatcher
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import BaselineInvalid, DriftFault
from mlops_framework.drift.findings import findings_of
from mlops_framework.drift.ground_truth.joiner import Joiner
from mlops_framework.drift.model_monitor_files.alone import constraints_alone
from mlops_framework.drift.model_monitor_policy.preparing import POLICY
from mlops_framework.drift.model_monitor_policy.rule import ModelMonitorRule
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.outcomes.sums import counting_id
from mlops_framework.drift.policy import Policy, judge
from mlops_framework.drift.ports import Store
from mlops_framework.drift.profile import Profile, Profiler, merge
from mlops_framework.drift.profiling import profile_chunks
from mlops_framework.drift.quality.watching import ModelQualityWatcher
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.report_html import FILES
from mlops_framework.drift.rulings import Ruling
from mlops_framework.drift.sections import Section
from mlops_framework.drift.training_columns import Column, Part, hours_of
from mlops_framework.drift.values import Numbers, Texts, Values, values_of
from mlops_framework.drift.watching import Scene, Watcher
from mlops_framework.drift.windows import Task, Window

_MINUTES: Final = 60
_DAY: Final = 24 * _MINUTES
_HOUR: Final = timedelta(hours=1)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)

LeaveOut: TypeAlias = Callable[[str, str], None]
"""Is told why a row was left out, and how it begins."""


class ColumnsDiffer(DriftFault):
    """A table lacks columns of the baseline, or names them twice.

    Attributes:
        missing: Columns of the baseline that the table does not have.
        twice: Columns of the baseline that it has more than once.
        names: All columns of the table.
    """

    def __init__(
        self, source: str, missing: Sequence[str], twice: Sequence[str], names: Sequence[str] = ()
    ) -> None:
        self.missing, self.twice, self.names = tuple(missing), tuple(twice), tuple(names)
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
        hours: The hours that records are of, since 1970; none where no times are known.
    """

    profile: Profile
    start: datetime
    end: datetime
    ignored: tuple[str, ...] = ()
    hours: frozenset[int] = frozenset()


def count_parts(
    names: Sequence[str],
    parts: Callable[[LeaveOut], Iterable[Part]],
    baseline: Baseline,
    *,
    source: str,
    time: datetime,
    apart: Collection[str] = (),
    time_column: str = "",
    lenient: bool = False,
) -> Counted:
    """Count a table's rows, whose columns are found by name.

    Args:
        names: Names of the table's columns; empty where only its rows tell.
        parts: The rows; is given what takes those that cannot be read.
        baseline: What to count on.
        source: Name of the table in messages.
        time: When the table was made; its day is the report's window, where rows have no times.
        apart: Columns that are no features: labels, predictions.
        time_column: Column with each row's time, if there is one; empty for none.
        lenient: Whether absent and further columns are counted, as Model Monitor's rules have it,
            and not refused.

    Raises:
        ColumnsDiffer: If a column of the baseline is absent (where it is lenient: all of them) or
            there twice.
    """
    if names:
        _same_columns(names, baseline, source, lenient=lenient)
    profiler, met = Profiler(baseline), dict.fromkeys(names)
    own, hours = {*baseline.names, *apart}, set[int]()
    for part in parts(profiler.leave_out):
        met.update(dict.fromkeys(part.columns))
        if time_column in part.columns:
            hours |= _hours_in(part.columns[time_column], source)
        columns = tuple(
            _values(part.columns.get(spec.name), part.rows, ordered=spec.ordered)
            for spec in baseline.specs
        )
        nothing = np.zeros(part.rows, np.int64)
        further = part.columns.keys() - own if lenient else ()
        extra = {name: np.ones(part.rows, bool) for name in sorted(further)}
        profiler.add_batch(Batch(columns, {}, nothing, nothing, nothing, tuple, unexpected=extra))
    if met:
        _same_columns(list(met), baseline, source, lenient=lenient)
    ignored = tuple(name for name in met if name not in baseline.names)
    return _of_hours(profiler.profile(), hours, time, ignored)


def _of_hours(
    profile: Profile, hours: Collection[int], time: datetime, ignored: tuple[str, ...]
) -> Counted:
    """What was counted, with the days that it is of."""
    first, last = time, time
    if hours:
        first, last = (_EPOCH + each * _HOUR for each in (min(hours), max(hours)))
    start = Window.containing(first, _DAY).start
    end = Window.containing(last, _DAY).end
    return Counted(profile, start, end, ignored, frozenset(hours))


def _hours_in(column: Column, source: str) -> set[int]:
    """The hours that rows are of; none where a time cannot be read: what is judged may be torn."""
    try:
        return set(np.unique(hours_of(column, "", source)).tolist())
    except BaselineInvalid:
        return set()


def _same_columns(names: Sequence[str], baseline: Baseline, source: str, *, lenient: bool) -> None:
    found = Counter(names)
    missing = [name for name in baseline.names if name not in found]
    twice = [name for name in baseline.names if found[name] > 1]
    if lenient and len(missing) < len(baseline.names):
        missing = []
    if missing or twice:
        raise ColumnsDiffer(source, missing, twice, tuple(found))


def _values(column: Column | None, rows: int, *, ordered: bool) -> Values:
    """A column as arrays, however it was read; one that some rows lack is missing there."""
    if column is None:
        return Texts(np.zeros(rows, np.int64), ("",))
    return column if isinstance(column, Numbers | Texts) else values_of(column, ordered=ordered)


def count_captures(
    chunks: Iterable[bytes],
    baseline: Baseline,
    *,
    time: datetime,
    form: RecordForm | None = None,
    counting: Counting | None = None,
) -> Counted:
    """Count capture records of any number of days, in bounded memory.

    Args:
        chunks: Parts of capture records' text, one record a line, cut anywhere.
        baseline: What to count on; it names headerless columns.
        time: Moment of records that have none of their own.
        form: Where rows and values of the payloads are, if not where they usually are.
        counting: What else is counted of the rows; ``None`` for nothing.
    """
    hours = set[int]()
    whole = Window.containing(time, _DAY)

    def meet(moment: datetime) -> Window:
        hours.add((moment - _EPOCH) // _HOUR)
        return whole

    found = profile_chunks(
        chunks, baseline, window_of=meet, time=time, form=form, counting=counting
    )
    profile = found.get(whole, Profile.empty(baseline))
    ignored = tuple(name for name, _ in profile.unexpected.most_frequent())
    return _of_hours(profile, hours, time, ignored)


def together(counted: Sequence[Counted], baseline: Baseline) -> Counted:
    """What was counted of several sources as one; there is at least one."""
    ignored = dict.fromkeys(name for one in counted for name in one.ignored)
    return Counted(
        merge(baseline, (one.profile for one in counted)),
        min(one.start for one in counted),
        max(one.end for one in counted),
        tuple(ignored),
        frozenset[int]().union(*(one.hours for one in counted)),
    )


def _for_files(section: Section) -> Section:
    """A section that promises no later windows: files have none."""
    reference = section.document.get("reference") if section.kind == "model-quality" else None
    if reference is None or not reference["learnt_from_this_window"]:
        return section
    nothing = {**reference, "origin": "none", "windows": [], "learnt_from_this_window": False}
    return replace(section, document={**section.document, "reference": nothing})


def evaluate_counted(
    counted: Counted, baseline: Baseline, config: MonitorConfig, *, store: Store
) -> Evaluation:
    """Judge what was counted by the rule of a monitor.

    Args:
        counted: What was counted.
        baseline: What it was counted on.
        config: The rule, with the name of the records as that of the endpoint.
        store: Has what the training data says of quality and bias; watchers may write to it.

    Raises:
        BaselineInvalid: If the baseline holds constraints alone, and other rules are to judge.
    """
    if not baseline.rows and config.policy != POLICY:
        raise BaselineInvalid(constraints_alone(baseline.source))
    # Ordinary days differ by less than ordinary hours do.
    baseline = baseline.at_windows(_MINUTES * len(counted.hours))
    config = replace(config, baseline_data=baseline.source, environment=FILES)
    profile, policy = counted.profile, Policy.of(config)
    span = Span(counted.start, counted.end, config.name)
    task = Task(span, (config.name,), complete=True)
    found = profile.outcomes.get(counting_id(config))
    # Only captures hold attributions; what they are called is all that the watcher asks of them.
    captured = (ObjectVersion("", config.name),) if found and found.attribution else ()
    scene = Scene(config, task, baseline, profile, captured)
    joiner = Joiner(store)
    watchers: tuple[Watcher, ...] = (
        ModelQualityWatcher(store, joiner),
        BiasWatcher(joiner, store),
        AttributionWatcher(store, None, lambda: 0.0),
    )
    sights = [sight for watcher in watchers if (sight := watcher.look(scene)) is not None]
    judgement = judge(baseline, profile, policy, [one for sight in sights for one in sight.claims])
    if judgement.verdict == "no-data":  # silence is a finding of an endpoint, not of a file
        judgement = replace(judgement, verdict="insufficient-data")
    sections, rest = [], list(judgement.claims)
    for sight in sights:
        own, rest = rest[: len(sight.claims)], rest[len(sight.claims) :]
        sections.append(_for_files(sight.section(own, judgement)))
    ruling = Ruling(judgement, findings_of(judgement, baseline, profile, policy))
    ruled = ModelMonitorRule().rule(config, span, baseline, profile, judgement)
    if ruled is not None:
        theirs = {**ruled.document["model_monitor"], "files": ""}  # none are written
        ruling = replace(ruled, document={"model_monitor": theirs})
    return Evaluation(
        config,
        task,
        baseline,
        profile,
        ruling.judgement,
        ruling.findings or (),
        sections=tuple(sections),
        further=ruling.document,
    )


__all__ = [
    "ColumnsDiffer",
    "Counted",
    "LeaveOut",
    "Span",
    "count_captures",
    "count_parts",
    "evaluate_counted",
    "together",
]
