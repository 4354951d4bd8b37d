"""Use case: build a monitor's baseline from training data, captures, or Model Monitor's files."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import Any, BinaryIO, Final

from mlops_framework.drift.baseline import KIND, Baseline
from mlops_framework.drift.bias.training import TrainingBias
from mlops_framework.drift.captured_baseline import CapturedBaseline
from mlops_framework.drift.captured_parts import captured_parts, found_columns
from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.errors import BaselineInvalid, ObjectMissing
from mlops_framework.drift.layout import baseline_key
from mlops_framework.drift.model_monitor_files import (
    Constraints,
    Statistics,
    is_constraints,
    is_statistics,
)
from mlops_framework.drift.model_monitor_files.alone import (
    baseline_of_constraints,
    constraints_alone,
)
from mlops_framework.drift.model_monitor_files.training import baseline_of
from mlops_framework.drift.model_monitor_policy.preparing import POLICY, prepared
from mlops_framework.drift.objects import CaptureKey, ManifestKey, ObjectVersion
from mlops_framework.drift.ports import Sources, Store
from mlops_framework.drift.profile_batches import BatchJobs
from mlops_framework.drift.quality.training import TrainingQuality
from mlops_framework.drift.record_forms import RecordForm, SideForm
from mlops_framework.drift.records import Records
from mlops_framework.drift.training_columns import Part
from mlops_framework.drift.training_tables import HEAD, parts_of

STATISTICS: Final = "statistics.json"
CONSTRAINTS: Final = "constraints.json"
LARGEST_DOCUMENT: Final = 1 << 28
"""Bytes of Model Monitor's statistics, or of a baseline."""
_HOUR: Final = timedelta(hours=1)

Opened = Callable[[], BinaryIO]
"""Opens a file at its beginning."""
Through = Callable[[Iterable[Part], str], Iterable[Part]]
"""Passes rows on; is told the name of the data for its messages."""


def build_baseline(config: MonitorConfig, sources: Sources, store: Store) -> Baseline:
    """Build the baseline and store it.

    Raises:
        ObjectMissing: If the training data is not there.
        BaselineInvalid: If it cannot be used.
        MonitorFileInvalid: If statistics or constraints of Model Monitor cannot be used.
    """
    captures = config.baseline_captures
    if captures is not None:
        baseline = _of_captures(config, captures, sources, store)
    else:
        quality, bias = TrainingQuality(config), TrainingBias(config)

        def through(parts: Iterable[Part], source: str) -> Iterator[Part]:
            return quality.through(bias.through(parts, source), source)

        baseline = _of_data(config, sources, store, through)
        quality.write(store)
        bias.write(store)
    if not baseline.rows and config.policy != POLICY:
        raise BaselineInvalid(constraints_alone(config.baseline_source))
    baseline = prepared(config, baseline, sources)
    Records(store, config).write(baseline_key(config), baseline.to_document())
    return baseline


def baseline_of_files(
    files: Sequence[tuple[str, Opened]],
    *,
    source: str,
    label_column: str = "",
    time_column: str = "",
    form: SideForm | None = None,
    through: Through | None = None,
) -> Baseline:
    """The baseline of one file or of many of one table.

    Args:
        files: Name and opener of each. A baseline, or Model Monitor's ``statistics.json`` or
            ``constraints.json``, has to be the only one.
        source: What they are called together.
        label_column: Column to leave out; empty for none.
        time_column: Column with each row's time; empty for none.
        form: Where values of JSON rows are, if they are nested.
        through: Sees the rows first, and may take out columns that are no features.

    Raises:
        BaselineInvalid: If they cannot become a baseline.
        DocumentInvalid: If a baseline is of another version.
        MonitorFileInvalid: If statistics cannot be used.
    """
    if len(files) == 1:
        name, opened = files[0]
        document = _document(opened)
        if isinstance(document, dict) and document.get("kind") == KIND:
            return Baseline.from_document(document, name).without(label_column)
        if is_statistics(document):
            return of_statistics(Statistics.from_document(document, name), label_column, source)
        if is_constraints(document):
            constraints = Constraints.from_document(document, name)
            return baseline_of_constraints(constraints, source=source, without=label_column)

    def parts() -> Iterator[Part]:
        for name, opened in files:
            with opened() as file:
                yield from parts_of(file, name, form)

    rows = through(parts(), source) if through else parts()
    return Baseline.of_parts(
        rows, label_column=label_column, time_column=time_column, source=source
    )


def of_statistics(statistics: Statistics, label_column: str, source: str) -> Baseline:
    """The baseline of Model Monitor's statistics: its sketches give edges, its buckets categories.

    A column without statistics keeps its place, by which headerless captures are read.

    Raises:
        BaselineInvalid: If nothing is left, or there is no such label.
    """
    names = [feature.name for feature in statistics.features]
    if label_column and label_column not in names:
        raise BaselineInvalid(
            f"{source} has no column {label_column!r} to leave out as label_column; its columns "
            f"are {', '.join(names)}."
        )
    return baseline_of(statistics, source=source, without=[label_column] if label_column else ())


def of_baseline(names: Sequence[str]) -> list[str]:
    """What in a folder is the baseline: statistics if there are, else the data.

    Model Monitor's baseline job writes its constraints beside its statistics; they are the baseline
    where there is nothing else.
    """
    statistics = [name for name in names if name.rpartition("/")[2] == STATISTICS]
    data = [name for name in names if name.rpartition("/")[2] != CONSTRAINTS]
    return statistics or data or list(names)


def is_data(key: str) -> bool:
    """Whether an object below a folder holds rows; markers and hidden ones do not."""
    name = key.rpartition("/")[2]
    return bool(name) and not name.startswith(("_", "."))


def _of_data(config: MonitorConfig, sources: Sources, store: Store, through: Through) -> Baseline:
    location = S3Location.parse(config.baseline_data)
    places = [location]
    if config.baseline_data.endswith("/"):
        found = sorted(filter(is_data, store.keys(location.bucket, f"{location.key}/")))
        places = [S3Location(location.bucket, key) for key in of_baseline(found)]
        if not places:
            raise ObjectMissing(
                f"There is nothing below {config.baseline_data}; upload the training data, or "
                "correct the monitor's request."
            )
    return baseline_of_files(
        [(str(place), lambda place=place: sources.opened(place)) for place in places],  # type: ignore[misc]
        source=config.baseline_data,
        label_column=config.label_column,
        time_column=config.time_column,
        form=config.records.input if config.records else None,
        through=through,
    )


def _of_captures(
    config: MonitorConfig, captures: CapturedBaseline, sources: Sources, store: Store
) -> Baseline:
    objects = list(_captured(config, captures, store))
    form, jobs = config.records or RecordForm(), BatchJobs(sources=sources, store=store)

    def chunks(key: CaptureKey | ManifestKey, source: ObjectVersion) -> Iterable[bytes]:
        if isinstance(key, CaptureKey):
            return sources.captured(source)
        return jobs.chunks(jobs.again(source), key, captures.columns)

    specs = found_columns(
        (lambda key=key, source=source: chunks(key, source) for key, source in objects),  # type: ignore[misc]
        captures.columns,
        form,
    )
    left_out: Counter[str] = Counter()

    def parts() -> Iterator[Part]:
        for key, source in objects:
            yield from captured_parts(
                chunks(key, source),
                specs,
                form,
                since=captures.start,
                until=captures.end,
                time=key.time,
                left_out=left_out,
            )

    source = config.baseline_source
    if not specs:
        raise BaselineInvalid(
            f"{source}: none of {len(objects)} objects holds a request that can be read; give "
            "another time, or say in records where rows and values are."
        )
    baseline = Baseline.of_parts(parts(), label_column=config.label_column, source=source)
    if left_out:
        told = f"{baseline.source}; {sum(left_out.values()):,} records were left out"
        baseline = replace(baseline, source=told)
    return baseline


def _captured(
    config: MonitorConfig, captures: CapturedBaseline, store: Store
) -> Iterator[tuple[CaptureKey | ManifestKey, ObjectVersion]]:
    """The capture objects of a time."""
    place = config.captures
    folders = [f"{place.key}/"]
    if config.variant_name:
        hours = captures.hours()
        folders = [f"{place.key}/{config.variant_name}/{hour:%Y/%m/%d/%H}/" for hour in hours]
    for folder in folders:
        for key in sorted(store.keys(place.bucket, folder)):
            found = CaptureKey.parse(key) or ManifestKey.parse(key)
            if found is None or (isinstance(found, ManifestKey) and found.side == "output"):
                continue
            if isinstance(found, CaptureKey) and not found.is_of("", config.target_model):
                continue
            hour = found.time.replace(minute=0, second=0, microsecond=0)
            if hour < captures.end and hour + _HOUR > captures.start:
                yield found, ObjectVersion(place.bucket, key)


def _document(opened: Opened) -> Any:
    """A file's JSON document if it is a baseline or statistics; ``None`` if it is anything else."""
    with opened() as file:
        head = file.read(HEAD)
        begins = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] == b"{"
        if not begins or (b'"features"' not in head and b'"kind"' not in head):
            return None
        text = head + file.read(LARGEST_DOCUMENT)
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return None
