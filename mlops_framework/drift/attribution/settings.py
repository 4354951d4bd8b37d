"""What a monitor is told about attributions."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any, Final, Literal, Self, get_args

Source = Literal["captured", "endpoint"]
ContentType = Literal["text/csv", "application/json"]

MOST_FEATURES: Final = 200
MOST_PREDICTIONS: Final = 100_000
"""Rows that one window may ask the endpoint for."""


@dataclass(frozen=True, kw_only=True)
class AttributionSettings:
    """Where attributions come from, and when a change of their ranking matters.

    Attributes:
        source: ``captured``: the endpoint's answers hold them; ``endpoint``: the endpoint is asked
            for predictions of made-up rows, from which Kernel SHAP computes them.
        outputs: Response column that holds the attribution of each feature (captured).
        baseline: Attribution of each feature as it was at training time, for example
            ``global_shap_values`` of Clarify's ``analysis.json``; without it the first complete
            window is what later ones are compared with.
        threshold: NDCG below it is drift.
        confidence: Level of the interval that has to lie below the threshold.
        minimum_rows: Fewer rows with attributions give no verdict.
        rows: Rows of a window to explain (endpoint).
        samples: Coalitions of features to try for each of them (endpoint).
        content_type: How rows are sent (endpoint): ``text/csv``, or ``application/json`` as
            ``{"instances": [[...], ...]}``.
        output: Response column that is the prediction (endpoint); empty for the only one, or the
            first.
        seconds: How long one evaluation may spend on asking, about all its windows (endpoint).
    """

    source: Source
    outputs: Mapping[str, str] = field(default_factory=dict)
    baseline: Mapping[str, float] = field(default_factory=dict)
    threshold: float = 0.9
    confidence: float = 0.99
    minimum_rows: int = 30
    rows: int = 50
    samples: int = 100
    content_type: ContentType = "text/csv"
    output: str = ""
    seconds: int = 30

    @property
    def asks(self) -> bool:
        """Whether the endpoint is asked."""
        return self.source == "endpoint"

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Check a decoded document.

        Raises:
            ValueError: Naming the member, what was found and what is accepted.
        """
        if not isinstance(document, Mapping):
            raise ValueError("accepted is an object with source")
        known = {one.name for one in fields(cls)}
        extra = sorted(document.keys() - known)
        if extra:
            raise ValueError(f"{extra[0]} is not known; accepted are {', '.join(sorted(known))}")
        if "source" not in document:
            raise ValueError(f"source is missing; accepted is {' or '.join(get_args(Source))}")
        found = cls(**{name: _READ[name](name, value) for name, value in document.items()})
        found._check()
        return found

    def to_document(self) -> dict[str, Any]:
        """As JSON; what is as it is without saying so is left out."""
        document: dict[str, Any] = {"source": self.source}
        for one in fields(self):
            value = getattr(self, one.name)
            if isinstance(value, Mapping):
                if value:
                    document[one.name] = dict(value)
            elif one.name != "source" and value != one.default:
                document[one.name] = value
        return document

    def _check(self) -> None:
        if self.asks and self.outputs:
            raise ValueError("outputs is for source captured; leave it out, or change the source")
        if not self.asks and not self.outputs:
            raise ValueError(
                'outputs is missing: name the response column of each feature, {"age": '
                '"prediction.age_attribution"}; or set source to endpoint'
            )
        if self.asks and self.rows * self.samples > MOST_PREDICTIONS:
            raise ValueError(
                f"rows x samples is {self.rows * self.samples:,}; accepted are {MOST_PREDICTIONS:,}"
            )
        if self.asks and self.minimum_rows > self.rows:
            raise ValueError(
                f"minimum_rows is {self.minimum_rows}, but only {self.rows} rows are explained"
            )
        if self.outputs and self.baseline and self.outputs.keys() != self.baseline.keys():
            raise ValueError("baseline and outputs name other features; name the same")


def _one_of(*accepted: str) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:
        if value not in accepted:
            raise ValueError(f"{name} is {value!r}; accepted is {' or '.join(accepted)}")
        return value

    return read


def _number(low: float, high: float, *, whole: bool = False) -> Callable[[str, Any], Any]:
    def read(name: str, value: Any) -> Any:
        good = isinstance(value, (int, float)) and not isinstance(value, bool)
        if not good or not low <= value <= high or (whole and value != int(value)):
            kind = "whole number" if whole else "number"
            raise ValueError(f"{name} is {value!r}; accepted is a {kind} from {low:g} to {high:g}")
        return int(value) if whole else float(value)

    return read


def _text(name: str, value: Any) -> str:
    if not isinstance(value, str) or len(value) > 256:
        raise ValueError(f"{name} is no text of at most 256 characters")
    return value


def _features(read: Callable[[str, Any], Any]) -> Callable[[str, Any], Any]:
    def each(name: str, value: Any) -> Any:
        if not isinstance(value, Mapping) or len(value) > MOST_FEATURES:
            raise ValueError(f"{name} is no object of at most {MOST_FEATURES} features")
        return {str(feature): read(f"{name}.{feature}", one) for feature, one in value.items()}

    return each


def _attribution(name: str, value: Any) -> float:
    good = isinstance(value, (int, float)) and not isinstance(value, bool)
    if not good or not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}; accepted is a number")
    return abs(float(value))


_READ: Final[Mapping[str, Callable[[str, Any], Any]]] = {
    "source": _one_of(*get_args(Source)),
    "outputs": _features(_text),
    "baseline": _features(_attribution),
    "threshold": _number(0.01, 1),
    "confidence": _number(0.5, 0.9999),
    "minimum_rows": _number(10, 1_000_000, whole=True),
    "rows": _number(10, 1000, whole=True),
    "samples": _number(2, 5000, whole=True),
    "content_type": _one_of(*get_args(ContentType)),
    "output": _text,
    "seconds": _number(1, 60, whole=True),
}
