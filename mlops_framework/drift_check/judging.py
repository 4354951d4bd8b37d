"""Files and tables judged by the monitor's engine: for ``mlops drift check`` and notebooks."""

from __future__ import annotations

import html
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.baselines import Through
from mlops_framework.drift.bias.training import TrainingBias
from mlops_framework.drift.checking import evaluate_counted
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.model_monitor_files import Constraints
from mlops_framework.drift.model_monitor_policy.preparing import POLICY, of_same_data, ruled
from mlops_framework.drift.policy import Verdict
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.training import TrainingQuality
from mlops_framework.drift.record_forms import RecordForm
from mlops_framework.drift.report import Evaluation, report_document
from mlops_framework.drift.report_html import report_page
from mlops_framework.drift.report_tables import since_words
from mlops_framework.drift.training_columns import Part
from mlops_framework.drift_check.counting import called, count_files, count_of_table
from mlops_framework.drift_check.files import Told, expanded
from mlops_framework.drift_check.outcomes import Shelf, not_judged
from mlops_framework.drift_check.references import baseline_of_table, read_baseline
from mlops_framework.drift_check.settings import asked_of, columns_known, not_by_policy, settings_of
from mlops_framework.drift_check.tables import memory_table

TABLE: Final = "the table"
_SHOWN: Final = 620
"""Height of the page in a notebook, pixels."""


@dataclass(frozen=True)
class Check:
    """What was found out about files or a table.

    Attributes:
        evaluation: The engine's evaluation.
        ignored: Columns that the baseline does not have.
        notes: What was not judged, and why.
    """

    evaluation: Evaluation
    ignored: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()

    @property
    def verdict(self) -> Verdict:
        """``healthy``, ``drift`` or ``insufficient-data``."""
        return self.evaluation.verdict

    @property
    def drifted(self) -> bool:
        """Whether the verdict is drift."""
        return self.verdict == "drift"

    @property
    def features(self) -> tuple[str, ...]:
        """The drifted columns, worst first."""
        return self.evaluation.features

    @property
    def findings(self) -> tuple[str, ...]:
        """A sentence for each finding, worst first."""
        return tuple(finding.sentence for finding in self.evaluation.told)

    @cached_property
    def report(self) -> dict[str, Any]:
        """The report that a monitor writes, as JSON (``report.schema.json``)."""
        return report_document(self.evaluation)

    @cached_property
    def page(self) -> str:
        """The report as one self-contained HTML page."""
        return report_page(self.report)

    def __str__(self) -> str:
        """The summary, and a line for each finding."""
        start = self.report["window"]["start"]
        told = (
            f"- {found['sentence']}{since_words(found, start)}" for found in self.report["findings"]
        )
        return "\n".join([self.evaluation.summary, *told])

    def _repr_html_(self) -> str:
        """The page in a notebook's cell, apart from the notebook's own styles."""
        return (
            f'<iframe srcdoc="{html.escape(self.page)}" title="Drift report" sandbox '
            f'style="width:100%;height:{_SHOWN}px;border:0"></iframe>'
        )


def check(
    current: Any,
    baseline: Any,
    *,
    request: Mapping[str, Any] | None = None,
    stage: str = "",
    label_column: str = "",
    time: datetime | None = None,
    name: str = "",
    **settings: Any,
) -> Check:
    """Judge a table or files by a baseline, as a monitor judges a window of traffic.

    Args:
        current: What is judged: a path, several, a folder or a pattern (CSV, JSON lines, Parquet,
            capture records; gzip or not), or a table in memory: Arrow, a data frame (pandas,
            Polars, DuckDB), columns by name, a list of rows.
        baseline: What it is compared with: likewise, a baseline file, Model Monitor's
            ``statistics.json`` or ``constraints.json``, or what :func:`baseline_from` made.
        request: A ``drift-monitor`` request; what files can be judged by is taken from it.
        stage: The stage of the request whose values count.
        label_column: Column of the baseline to leave out.
        time: When a table in memory was made; now, if not given.
        name: What ``current`` is called in the report.
        **settings: Further settings of a request, for example ``effect_threshold=0.02``,
            ``ignored_columns=["id"]``, ``policy="model-monitor"``; they go before the request's.

    Raises:
        DriftFault: If something cannot be read, does not go together, or is no setting.

    Example:
        >>> check("last-week.parquet", "train.csv", label_column="churned").verdict
        'healthy'
    """
    asked = asked_of(request or {}, "The request", stage=stage)
    own = {"label_column": label_column} if label_column else {}
    said = {**asked.settings, **own, **settings}
    config = settings_of(said)
    paths = paths_of(current)
    files = None if paths is None else expanded(paths)
    usual = TABLE if paths is None or files is None else called(paths, files)
    config = replace(config, endpoint_name=name or usual)
    shelf = Shelf()
    built = prepared(_baseline(baseline, config, shelf), config)
    if files is not None:
        counted = count_files(files, built, config, told=_silent)
    else:
        table = memory_table(current, TABLE)
        counted = count_of_table(table, built, config, source=TABLE, time=time or datetime.now(UTC))
    found = evaluate_counted(counted, built, config, store=shelf)
    return Check(found, counted.ignored, (*asked.notes, *not_by_policy(said), *notes_of(found)))


def baseline_from(
    data: Any,
    *,
    label_column: str = "",
    time_column: str = "",
    form: RecordForm | None = None,
    told: Told | None = None,
) -> Baseline:
    """The baseline that files or a table make; see :func:`check`.

    Args:
        data: Paths, or a table in memory.
        label_column: Column to leave out; empty for none.
        time_column: Column with each row's time, by which ordinary hours are told apart.
        form: Where rows and values of JSON are.
        told: Is told how far it is, 0..1.

    Raises:
        DriftFault: If it cannot be read, or cannot become a baseline.
    """
    settings = {"label_column": label_column, "time_column": time_column}
    config = replace(settings_of(settings), records=form)
    return _baseline(data, config, Shelf(), told or _silent)


def _baseline(data: Any, config: MonitorConfig, store: Store, told: Told | None = None) -> Baseline:
    if isinstance(data, Baseline):
        return data.without(config.label_column) if config.label_column else data
    paths = paths_of(data)
    if paths is not None:
        return read_reference(paths, config, store, told=told or _silent)
    return with_outcomes(
        config,
        store,
        lambda through: baseline_of_table(
            data,
            name="the baseline table",
            label=config.label_column,
            time=config.time_column,
            through=through,
        ),
    )


def read_reference(
    places: Sequence[Path], config: MonitorConfig, store: Store, *, told: Told
) -> Baseline:
    """The baseline of files, and what they say of quality and bias.

    Args:
        places: Files, folders and patterns.
        config: The rule.
        store: Gets what predictions and labels among them say.
        told: Is told how far it is.

    Raises:
        FileUnusable: If one cannot be read.
        BaselineInvalid: If they cannot become a baseline.
    """
    return with_outcomes(
        config,
        store,
        lambda through: read_baseline(
            places,
            label=config.label_column,
            time=config.time_column,
            told=told,
            form=config.records,
            through=through,
        ),
    )


def with_outcomes(
    config: MonitorConfig, store: Store, build: Callable[[Through], Baseline]
) -> Baseline:
    """Build a baseline and keep what its predictions and labels say."""
    quality, bias = TrainingQuality(config), TrainingBias(config)

    def through(parts: Iterable[Part], source: str) -> Iterable[Part]:
        return quality.through(bias.through(parts, source), source)

    baseline = build(through)
    quality.write(store)
    bias.write(store)
    return baseline


def paths_of(data: Any) -> list[Path] | None:
    """The paths that were given; ``None`` for a table in memory."""
    if isinstance(data, str | Path):
        return [Path(data)]
    listed = isinstance(data, list | tuple) and bool(data)
    if listed and all(isinstance(one, str | Path) for one in data):
        return [Path(one) for one in data]
    return None


def prepared(
    baseline: Baseline, config: MonitorConfig, constraints: Constraints | None = None
) -> Baseline:
    """The baseline as the rule needs it, once it is clear that they go together.

    Args:
        baseline: What is compared with.
        config: The rule.
        constraints: Model Monitor's constraints to go by; the baseline's own, or those it
            suggests, if not given.

    Raises:
        MonitorInvalid: If the rule names columns that are not there.
    """
    columns_known(config, baseline)
    if config.policy != POLICY:
        return baseline
    if constraints is not None:
        return ruled(baseline, of_same_data(constraints, baseline, "The constraints.json"))
    return ruled(baseline, baseline.constraints)


def notes_of(evaluation: Evaluation) -> tuple[str, ...]:
    """What a rule says and nobody judges."""
    notes = list(not_judged(evaluation))
    baseline = evaluation.baseline
    if not baseline.rows:
        notes.append(
            "Judged by constraints alone: types, completeness, known values and columns. "
            f"Distributions were not: {baseline.source} says nothing of them."
        )
    rules = baseline.constraints.features if baseline.constraints else ()
    positive = {feature.name for feature in rules if feature.non_negative}
    for column, counts in zip(baseline.columns, evaluation.profile.columns, strict=True):
        low = counts.minimum
        if column.spec.name in positive and low is not None and low < 0:
            notes.append(
                f"{column.spec.name} goes down to {low:g}, and its constraint says not negative. "
                "Model Monitor does not check that, so neither does its policy."
            )
    return tuple(notes)


def _silent(share: float) -> None:
    pass


__all__ = [
    "Check",
    "baseline_from",
    "check",
    "notes_of",
    "paths_of",
    "prepared",
    "read_reference",
]
