"""``statistics.json`` of data quality: what Model Monitor counted of each column.

Source: SageMaker developer guide, "Schema for Statistics (statistics.json file)".
"""

from __future__ import annotations

import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal, Self, TypeAlias

import numpy as np

from mlops_framework.drift.errors import MonitorFileInvalid
from mlops_framework.drift.model_monitor_files.members import Members, number_of
from mlops_framework.drift.model_monitor_files.sketch import (
    Weights,
    added_up,
    points_of,
    scaled,
    with_ends,
)
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Texts

InferredType: TypeAlias = Literal["Integral", "Fractional", "String", "Unknown"]

TYPES: Final[tuple[InferredType, ...]] = ("Integral", "Fractional", "String", "Unknown")
MOST_ROWS: Final = 1_000_000
"""Rows that a column is expanded to; of more, as many in the same proportions."""
_POINTS: Final = 1000
"""Points that the rows of a bucket are spread over, where there is no sketch."""


@dataclass(frozen=True)
class Bucket:
    """Rows between two values; the last bucket of a column holds its upper bound too."""

    low: float
    high: float
    count: int


@dataclass(frozen=True)
class NumberStatistics:
    """A column of numbers.

    Attributes:
        name: The column.
        inferred_type: ``Integral`` or ``Fractional``.
        present: Rows with a value.
        missing: Rows without.
        mean: Arithmetic mean; ``None`` where the file has none.
        total: Sum of the values.
        deviation: Standard deviation of the population.
        minimum: Smallest value.
        maximum: Largest value.
        buckets: Ten of equal width.
        levels: Items of the sketch, by level.
    """

    name: str
    inferred_type: InferredType
    present: int
    missing: int
    mean: float | None = None
    total: float | None = None
    deviation: float | None = None
    minimum: float | None = None
    maximum: float | None = None
    buckets: Sequence[Bucket] = ()
    levels: Sequence[Sequence[float]] = field(default=(), repr=False)

    def points(self) -> tuple[Floats, Weights]:
        """Distinct values, ascending, and the rows each stands for, which add up to ``present``.

        From the sketch; without one from the buckets, whose rows are spread evenly over them.
        """
        values, weights = points_of(self.levels)
        if not len(values):
            values, weights = self._spread()
        if not len(values) or not self.present:
            return np.empty(0), np.empty(0, np.int64)
        values, weights = added_up(values, scaled(weights, self.present))
        return with_ends(values, weights, self.minimum, self.maximum)

    def values(self) -> Numbers:
        """The column row by row, missing ones NaN, to build a baseline of."""
        values, weights = self.points()
        missing = self.missing
        rows = int(weights.sum()) + missing
        if rows > MOST_ROWS:
            missing = round(missing * MOST_ROWS / rows)
            weights = scaled(weights, MOST_ROWS - missing)
        return Numbers(np.concatenate([np.repeat(values, weights), np.full(missing, np.nan)]))

    def _spread(self) -> tuple[Floats, Weights]:
        values, weights = [np.empty(0)], [np.empty(0, np.int64)]
        for bucket in self.buckets:
            number = min(bucket.count, _POINTS)
            points = np.linspace(bucket.low, bucket.high, number + 2)[1:-1]
            values.append(np.rint(points) if self.inferred_type == "Integral" else points)
            weights.append(scaled(np.ones(number, np.int64), bucket.count))
        return added_up(np.concatenate(values), np.concatenate(weights))


@dataclass(frozen=True)
class TextStatistics:
    """A column of texts.

    Attributes:
        name: The column.
        present: Rows with a value.
        missing: Rows without.
        distinct: Distinct values, estimated.
        counts: Rows of each text, in the file's order; the rarest may be left out.
    """

    name: str
    present: int
    missing: int
    distinct: float = 0.0
    counts: Mapping[str, int] = field(default_factory=dict)
    inferred_type: InferredType = "String"

    @property
    def others(self) -> int:
        """Rows whose text the file does not name."""
        return max(0, self.present - sum(self.counts.values()))

    def values(self) -> Texts:
        """The column row by row, missing ones empty, without the rows that are not named."""
        weights = np.array([*self.counts.values(), self.missing], np.int64)
        if weights.sum() > MOST_ROWS:
            weights = scaled(weights, MOST_ROWS)
        return Texts(np.repeat(np.arange(len(weights)), weights), (*self.counts, ""))


@dataclass(frozen=True)
class UnknownStatistics:
    """A column of which nothing is known but whether it has values."""

    name: str
    present: int
    missing: int
    inferred_type: InferredType = "Unknown"


FeatureStatistics: TypeAlias = NumberStatistics | TextStatistics | UnknownStatistics


@dataclass(frozen=True)
class Statistics:
    """The statistics of a dataset.

    Attributes:
        rows: Rows of the dataset.
        features: Its columns, in order.
    """

    rows: int
    features: tuple[FeatureStatistics, ...]

    @classmethod
    def from_document(cls, document: Any, source: str) -> Self:
        """Read the decoded file.

        Args:
            document: What the JSON says.
            source: Where it was read, for messages.

        Raises:
            MonitorFileInvalid: If it is not as its schema says.
        """
        whole = Members.of(document, source)
        if not whole.has("features"):
            raise MonitorFileInvalid(f"{source} {_no_statistics(whole.document)}")
        features = tuple(_feature(feature) for feature in whole.parts("features"))
        names = [feature.name for feature in features]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise MonitorFileInvalid(f"{source} names {', '.join(twice)} more than once.")
        dataset = whole.part("dataset")
        rows = dataset.count("item_count") if dataset else None
        if rows is None:
            rows = max((each.present + each.missing for each in features), default=0)
        return cls(rows, features)


def is_statistics(document: Any) -> bool:
    """Whether a decoded JSON document is a ``statistics.json`` of data quality."""
    return (
        isinstance(document, Mapping)
        and "kind" not in document
        and isinstance(document.get("features"), list)
        and ("dataset" in document or any(map(_has_statistics, document["features"])))
    )


def without_features(document: Mapping[str, Any], names: Collection[str]) -> dict[str, Any]:
    """A ``statistics.json`` (or ``constraints.json``) without some of its columns."""
    kept = [feature for feature in document["features"] if feature.get("name") not in names]
    return {**document, "features": kept}


def _has_statistics(feature: Any) -> bool:
    known = ("numerical_statistics", "string_statistics")
    return isinstance(feature, Mapping) and any(name in feature for name in known)


def _no_statistics(document: Mapping[str, Any]) -> str:
    metrics = [name for name in document if name.endswith("_metrics")]
    if metrics:
        return (
            f"holds {metrics[0]}: it is of model quality. Statistics of data quality have features."
        )
    return "has no features; accepted is a statistics.json of data quality."


def _feature(feature: Members) -> FeatureStatistics:
    name = feature.text("name")
    inferred = type_of(feature)
    numbers, texts = feature.part("numerical_statistics"), feature.part("string_statistics")
    if numbers is not None and inferred != "String":
        return _numbers(name, inferred if inferred != "Unknown" else "Fractional", numbers)
    if texts is not None:
        read = _texts(name, texts)
        known = read.counts or inferred != "Unknown"
        return read if known else UnknownStatistics(name, read.present, read.missing)
    if numbers is not None:
        return _numbers(name, "Fractional", numbers)
    return UnknownStatistics(name, *_common(feature))


def type_of(feature: Members) -> InferredType:
    """The inferred type of a feature; what is not known is ``Unknown``."""
    found = feature.get("inferred_type")
    return next((known for known in TYPES if known == found), "Unknown")


def _common(members: Members) -> tuple[int, int]:
    common = members.part("common")
    if common is None:
        return 0, 0
    return common.count("num_present") or 0, common.count("num_missing") or 0


def _numbers(name: str, inferred: InferredType, numbers: Members) -> NumberStatistics:
    distribution = numbers.part("distribution")
    kll = distribution.part("kll") if distribution else None
    buckets, levels = (_buckets(kll), _levels(kll)) if kll else ((), ())
    return NumberStatistics(
        name,
        inferred,
        *_common(numbers),
        mean=numbers.number("mean"),
        total=numbers.number("sum"),
        deviation=numbers.number("std_dev"),
        minimum=numbers.number("min"),
        maximum=numbers.number("max"),
        buckets=buckets,
        levels=levels,
    )


def _buckets(kll: Members) -> tuple[Bucket, ...]:
    found = []
    for bucket in kll.parts("buckets"):
        low, high = bucket.number("lower_bound"), bucket.number("upper_bound")
        count = bucket.count("count")
        if low is not None and high is not None and count:
            found.append(Bucket(low, high, count))
    return tuple(found)


def _levels(kll: Members) -> tuple[tuple[float, ...], ...]:
    """The sketch's items; Deequ's own files have them beside the sketch instead of inside."""
    sketch = kll.part("sketch")
    holder = sketch if sketch is not None and sketch.has("data") else kll
    levels = []
    for index, level in enumerate(holder.items("data")):
        if not isinstance(level, list):
            holder.refuse(f"data[{index}]", level, "a list of numbers")
        numbers = [number_of(item) for item in level]
        if None in numbers:
            bad = level[numbers.index(None)]
            holder.refuse(f"data[{index}]", bad, "a list of numbers")
        levels.append(tuple(number for number in numbers if number is not None))
    return tuple(levels)


def _texts(name: str, texts: Members) -> TextStatistics:
    distribution = texts.part("distribution")
    categorical = distribution.part("categorical") if distribution else None
    counts: dict[str, int] = {}
    for bucket in categorical.parts("buckets") if categorical else ():
        value = bucket.get("value")
        text = value if isinstance(value, str) else json.dumps(value)
        counts[text] = counts.get(text, 0) + (bucket.count("count") or 0)
    present, missing = _common(texts)
    distinct = texts.number("distinct_count")
    return TextStatistics(
        name, present, missing, float(len(counts)) if distinct is None else distinct, counts
    )
