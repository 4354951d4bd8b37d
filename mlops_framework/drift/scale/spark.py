"""The same steps as a Spark job, for traffic that is on a cluster's side of the world already.

Spark distributes lists of work and nothing else: profiles go from the executors to the store and
back, as they do with functions, so that the outcome is the same object for object, and a job that
was broken off goes on where it was. Start it with ``mlops_framework.aws.drift_spark``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Protocol

from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.merging import MergeTree
from mlops_framework.drift.scale.steps import Steps

MakeSteps = Callable[[], Steps]


class Distributed(Protocol):
    """A resilient distributed dataset, as far as it is needed."""

    def foreach(self, f: Callable[[Any], None]) -> None:
        """Call ``f`` with each element, on the executors."""
        ...


class Context(Protocol):
    """A ``pyspark.SparkContext``, as far as it is needed."""

    def parallelize(self, c: Any, numSlices: int) -> Any:
        """A dataset of the elements of ``c``."""
        ...


def run(
    context: Context, make_steps: MakeSteps, monitor: str, since: datetime, until: datetime
) -> dict[str, int]:
    """Profile what is not profiled yet, and take labels that no event announced.

    Windows that are large for one function are merged, and joined with their labels.

    Judging stays with the evaluation of the monitor, which remembers and tells.

    Args:
        context: Spark's.
        make_steps: Makes the steps on an executor; it is sent there, so it has to be a function of
            a module, or a partial of one.
        monitor: The monitor.
        since: First moment.
        until: Moment behind the last one.

    Returns:
        How many batches were profiled, how many groups merged, and how many parts of windows
        joined with labels.
    """
    steps = make_steps()
    config = steps.drift.monitors.get(monitor)
    records = Records(steps.drift.store, config)
    done = {"batches": 0, "groups": 0, "joins": 0}
    at: datetime | None = since
    while at is not None:
        plan = steps.planned(config, at, until, labels=True)
        _each(context, plan.batches, _Profile(make_steps, monitor))
        done["batches"] += len(plan.batches)
        at = plan.rest
    tree = MergeTree(Gathering(steps.drift.store, config, records.baseline()))
    while groups := tree.groups(since, until):
        _each(context, groups, _Merge(make_steps, monitor))
        done["groups"] += len(groups)
    joining, now = steps.joining(config), steps.drift.clock()
    at = since
    while at is not None:
        # Named after the time, so that the same job again leaves the same list of work.
        joins = joining.plan(at, until, now=now, run=f"spark-{since:%Y%m%dT%H%M}")
        _each(context, joins.items, _Join(make_steps, monitor))
        done["joins"] += len(joins.items)
        at = joins.rest
    return done


def _each(context: Context, items: list[Any], work: Callable[[Any], None]) -> None:
    if items:
        dataset: Distributed = context.parallelize(items, len(items))
        dataset.foreach(work)


class _Profile:
    """Profiles a batch where it is called."""

    def __init__(self, make_steps: MakeSteps, monitor: str) -> None:
        self._make_steps = make_steps
        self._monitor = monitor

    def __call__(self, batch: list[Mapping[str, str]]) -> None:
        self._make_steps().profile({"monitor": self._monitor, "objects": batch})


class _Join:
    """Joins a part where it is called."""

    def __init__(self, make_steps: MakeSteps, monitor: str) -> None:
        self._make_steps = make_steps
        self._monitor = monitor

    def __call__(self, part: Mapping[str, Any]) -> None:
        self._make_steps().join({"monitor": self._monitor, "part": part})


class _Merge:
    """Merges a group where it is called."""

    def __init__(self, make_steps: MakeSteps, monitor: str) -> None:
        self._make_steps = make_steps
        self._monitor = monitor

    def __call__(self, group: Mapping[str, Any]) -> None:
        self._make_steps().merge({"monitor": self._monitor, "group": group})
