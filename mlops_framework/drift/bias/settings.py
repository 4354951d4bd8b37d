"""What a monitor is told about bias."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Self

from mlops_framework.drift.bias.condition import Condition
from mlops_framework.drift.bias.counts import Counting
from mlops_framework.drift.bias.metrics import METRICS, Metric

MOST_FACETS: Final = 20
_GOOD_LABEL: Final = Condition(values=("1",))


@dataclass(frozen=True)
class Facet:
    """A group of people.

    Attributes:
        column: The column that tells them.
        members: Its values that belong to the group.
    """

    column: str
    members: Condition

    @property
    def name(self) -> str:
        """For people and as a key: ``sex 2``, ``age above 40``."""
        return f"{self.column} {self.members}"


@dataclass(frozen=True, kw_only=True)
class BiasSettings:
    """What is counted and when a difference matters.

    Attributes:
        facets: Groups to compare with everybody else.
        label: Which observed labels are good for a person.
        prediction: Which predictions are; the same as of the labels if not given.
        group_column: Column within whose values CDDPL compares; empty for none.
        thresholds: Largest distance from fair that policy allows, by metric; for DI the smallest
            ratio (0.8 allows 0.8 to 1.25).
        minimum_effect: How much further from fair than the baseline matters (of DI: of its
            logarithm).
        minimum_rows: Fewer rows on either side of a facet give no verdict on it.
        confidence: Level of the confidence intervals.
        flip_test_columns: Numeric columns by which the flip test finds the people most alike; empty
            for no flip test.
        flip_test_rows: Rows of a window that it looks at.
    """

    facets: tuple[Facet, ...]
    label: Condition = _GOOD_LABEL
    prediction: Condition | None = None
    group_column: str = ""
    thresholds: Mapping[Metric, float] = field(default_factory=dict)
    minimum_effect: float = 0.05
    minimum_rows: int = 50
    confidence: float = 0.95
    flip_test_columns: tuple[str, ...] = ()
    flip_test_rows: int = 1000

    @property
    def counting(self) -> Counting:
        """What the counts depend on."""
        return Counting(
            tuple((facet.column, facet.members) for facet in self.facets),
            self.prediction or self.label,
            self.label,
            self.group_column,
        )

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Check a decoded document.

        Raises:
            ValueError: Naming the member, what was found and what is accepted.
        """
        known = {*cls.__dataclass_fields__}
        extra = sorted(document.keys() - known)
        if extra:
            raise ValueError(f"{extra[0]} is not known; accepted are {', '.join(sorted(known))}")
        facets = document.get("facets")
        if not isinstance(facets, (list, tuple)) or not 1 <= len(facets) <= MOST_FACETS:
            raise ValueError(f"facets needs 1 to {MOST_FACETS} groups, each a column and a rule")
        read: dict[str, Any] = {
            "facets": tuple(_facet(index, facet) for index, facet in enumerate(facets))
        }
        names = [facet.name for facet in read["facets"]]
        if len(set(names)) < len(names):
            raise ValueError("facets names a group twice; give each once")
        for name in ("prediction", "label"):
            if document.get(name):
                read[name] = _condition(name, document[name])
        group = document.get("group_column", "")
        if not isinstance(group, str):
            raise ValueError(f"group_column is {group!r}; accepted is a column's name")
        read["group_column"] = group
        alike = document.get("flip_test_columns", ())
        if not isinstance(alike, (list, tuple)) or not all(isinstance(c, str) for c in alike):
            raise ValueError("flip_test_columns is no list of column names")
        read["flip_test_columns"] = tuple(alike)
        for name, low, high in (("minimum_effect", 0.0, 1.0), ("confidence", 0.5, 0.9999)):
            if name in document:
                read[name] = _number(name, document[name], low, high)
        for name, least, most in (("minimum_rows", 10, 10**6), ("flip_test_rows", 50, 2000)):
            if name in document:
                read[name] = int(_number(name, document[name], least, most))
        if document.get("thresholds"):
            read["thresholds"] = _thresholds(document["thresholds"])
        return cls(**read)

    @property
    def columns(self) -> frozenset[str]:
        """The input columns that have to be kept with the predictions."""
        facets = (facet.column for facet in self.facets)
        return frozenset((*facets, self.group_column, *self.flip_test_columns)) - {""}

    def to_document(self) -> dict[str, Any]:
        """As JSON; what is as it is without saying so is left out."""
        document: dict[str, Any] = {
            "facets": [{"column": f.column, **f.members.to_document()} for f in self.facets],
            "label": self.label.to_document(),
        }
        if self.prediction:
            document["prediction"] = self.prediction.to_document()
        if self.thresholds:
            document["thresholds"] = dict(sorted(self.thresholds.items()))
        if self.flip_test_columns:
            document["flip_test_columns"] = list(self.flip_test_columns)
        for one in fields(self):
            plain = one.name not in (*document, "facets", "label", "prediction", "thresholds")
            value = getattr(self, one.name)
            if plain and one.name != "flip_test_columns" and value != one.default:
                document[one.name] = value
        return document


def _facet(index: int, document: Any) -> Facet:
    place = f"facets[{index}]"
    column = document.get("column") if isinstance(document, Mapping) else None
    if not isinstance(column, str) or not column:
        raise ValueError(f"{place} has no column; accepted is a column's name and a rule")
    return Facet(column, _condition(place, document))


def _condition(place: str, document: Any) -> Condition:
    if not isinstance(document, Mapping):
        raise ValueError(f"{place} is no object")
    try:
        return Condition.from_document(document)
    except ValueError as error:
        raise ValueError(f"{place}: {error}") from None


def _thresholds(document: Any) -> dict[Metric, float]:
    if not isinstance(document, Mapping):
        raise ValueError("thresholds is no object; accepted is a number by metric")
    read: dict[Metric, float] = {}
    accepted = {str(metric): metric for metric in METRICS}
    for name, limit in document.items():
        metric = accepted.get(str(name))
        if metric is None:
            raise ValueError(f"thresholds names {name!r}; accepted are {', '.join(METRICS)}")
        high = 1.0 if metric == "DI" else 1000.0
        read[metric] = _number(f"thresholds.{name}", limit, 0.001 if metric == "DI" else 0.0, high)
    return read


def _number(name: str, value: Any, low: float, high: float) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not low <= value <= high:
        raise ValueError(f"{name} is {value!r}; accepted is a number from {low:g} to {high:g}")
    return float(value)
