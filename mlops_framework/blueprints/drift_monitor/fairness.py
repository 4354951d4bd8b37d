"""What a drift-monitor request may say of bias and of attributions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from mlops_framework.contracts.base import Document
from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.contracts.fields import Accepts, ColumnName
from mlops_framework.errors import Fault

BIAS_METRICS: Final = (
    "DPPL",
    "DI",
    "DCAcc",
    "DCR",
    "DAR",
    "DRR",
    "RD",
    "AD",
    "SD",
    "TE",
    "CDDPL",
    "FT",
    "GE",
)
"""As the engine has them (a test compares them): requests are checked where it is not."""
MOST_PREDICTIONS: Final = 100_000

NumberText = Annotated[
    str,
    Field(pattern="^(-?[0-9]{1,12}([.][0-9]{1,12})?)?$"),
    Accepts('a number in quotes ("40", "0.5"), or empty'),
]
GivenColumn = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_. -]+$", max_length=128),
    Accepts("a column's name of letters, digits, blanks and _ . -"),
]
_RULE_WORDS: Final = "one of values, above and up_to"


class Belongs(Document):
    """Which values belong: those listed, or the numbers on one side of a threshold."""

    values: list[str | int | float] = Field(
        default_factory=list, max_length=100, description="These values."
    )
    above: NumberText = Field(default="", description="Numbers greater than this.")
    up_to: NumberText = Field(default="", description="Numbers not greater than this.")


class BiasFacet(Belongs):
    """A group that is compared with everybody else."""

    column: GivenColumn = Field(description="Column of the requests that tells the group.")


class Bias(Document):
    """Groups to compare, and when a difference matters."""

    facets: list[BiasFacet] = Field(min_length=1, max_length=20, description="Groups to compare.")
    label: Belongs | None = Field(
        default=None, description='Which labels are good for a person; "1" if left out.'
    )
    prediction: Belongs | None = Field(
        default=None, description="Which predictions are; the same as of the labels if left out."
    )
    group_column: ColumnName = Field(
        default="", description="Column within whose values CDDPL compares; empty for no CDDPL."
    )
    thresholds: dict[str, float] = Field(
        default_factory=dict,
        description="Largest distance from fair that policy allows, by metric; of DI the smallest "
        "ratio (0.8 allows 0.8 to 1.25).",
    )
    minimum_effect: Annotated[float, Field(ge=0, le=1)] = Field(
        default=0.05, description="How much further from fair than before matters."
    )
    minimum_rows: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        default=50, description="Fewer rows inside or outside a group give no verdict on it."
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.9999)] = Field(
        default=0.95, description="Level of the confidence intervals."
    )
    flip_test_columns: list[str] = Field(
        default_factory=list,
        max_length=100,
        description="Numeric columns by which the flip test finds the people most alike; empty for "
        "no flip test.",
    )
    flip_test_rows: Annotated[int, Field(ge=50, le=2000)] = Field(
        default=1000, description="Rows of a window that the flip test looks at."
    )


class Attribution(Document):
    """Where attributions of features come from, and when a change of their ranking matters."""

    source: Literal["captured", "endpoint"] = Field(
        description="The endpoint's answers hold them, or the endpoint is asked and Kernel SHAP "
        "computes them."
    )
    outputs: dict[str, str] = Field(
        default_factory=dict,
        description="Of source captured: response column (prediction.3, prediction.age_shap) that "
        "holds the attribution, by feature.",
    )
    baseline: dict[str, float] = Field(
        default_factory=dict,
        description="Attribution by feature at training time; the first complete window's if left "
        "out.",
    )
    threshold: Annotated[float, Field(ge=0.01, le=1)] = Field(
        default=0.9, description="NDCG below it is drift."
    )
    confidence: Annotated[float, Field(ge=0.5, le=0.9999)] = Field(
        default=0.99, description="Level of the interval that has to lie below the threshold."
    )
    minimum_rows: Annotated[int, Field(ge=10, le=1_000_000)] = Field(
        default=30, description="Fewer rows with attributions give no verdict."
    )
    rows: Annotated[int, Field(ge=10, le=1000)] = Field(
        default=50, description="Of source endpoint: rows of a window to explain."
    )
    samples: Annotated[int, Field(ge=2, le=5000)] = Field(
        default=100, description="Of source endpoint: coalitions of features to try for each row."
    )
    content_type: Literal["text/csv", "application/json"] = Field(
        default="text/csv",
        description='Of source endpoint: how rows are sent; as JSON {"instances": [[...], ...]}.',
    )
    output: Annotated[str, Field(pattern="^[^\\r\\n]{0,256}$"), Accepts("a response column")] = (
        Field(
            default="",
            description="Of source endpoint: response column that is the prediction; the only one, "
            "or the first, if empty.",
        )
    )
    seconds: Annotated[int, Field(ge=1, le=60)] = Field(
        default=30, description="Of source endpoint: time an evaluation may spend on asking."
    )


def fairness_conflicts(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults between the settings of a request's ``bias`` and ``attribution``."""
    bias, attribution = given.get("bias"), given.get("attribution")
    if isinstance(bias, Mapping):
        yield from _bias_conflicts(bias, given)
    if isinstance(attribution, Mapping):
        yield from _attribution_conflicts(attribution)


def _bias_conflicts(bias: Mapping[str, Any], given: Mapping[str, Any]) -> Iterator[Fault]:
    if not given.get("ground_truth"):
        yield Fault(
            "ground_truth",
            "Required with bias: where in an answer the prediction is.",
            "an object with problem_type",
            NOTHING,
        )
    facets = bias.get("facets")
    rules = [(f"bias.{name}", bias.get(name)) for name in ("label", "prediction")]
    if isinstance(facets, list):
        rules += [(f"bias.facets.{place}", facet) for place, facet in enumerate(facets)]
    for place, rule in rules:
        if isinstance(rule, Mapping):
            named = [name for name in ("values", "above", "up_to") if rule.get(name)]
            if len(named) != 1:
                found = " and ".join(named) or NOTHING
                yield Fault(place, f"A rule is {_RULE_WORDS}.", _RULE_WORDS, found)
    thresholds = bias.get("thresholds")
    for metric, limit in sorted(thresholds.items()) if isinstance(thresholds, Mapping) else ():
        path = f"bias.thresholds.{metric}"
        if metric not in BIAS_METRICS:
            yield Fault(path, "Not a bias metric.", ", ".join(BIAS_METRICS), shown(metric))
        elif isinstance(limit, (int, float)) and not _possible(metric, limit):
            accepted = "0.001 to 1" if metric == "DI" else "0 to 1000"
            yield Fault(path, "Not a limit for this metric.", accepted, shown(limit))


def _possible(metric: str, limit: float) -> bool:
    return 0.001 <= limit <= 1 if metric == "DI" else 0 <= limit <= 1000


def _attribution_conflicts(attribution: Mapping[str, Any]) -> Iterator[Fault]:
    asks, outputs = attribution.get("source") == "endpoint", attribution.get("outputs")
    if attribution.get("source") == "captured" and not outputs:
        yield Fault(
            "attribution.outputs",
            "Required with source captured: the response column of each feature.",
            '{"age": "prediction.age_shap"}',
            NOTHING,
        )
    if asks and outputs:
        yield Fault("attribution.outputs", "Of source captured alone.", NOTHING, shown(outputs))
    rows, samples = attribution.get("rows", 50), attribution.get("samples", 100)
    needed = attribution.get("minimum_rows", 30)
    if not asks or not all(isinstance(one, int) for one in (rows, samples, needed)):
        return
    if rows * samples > MOST_PREDICTIONS:
        yield Fault(
            "attribution.samples",
            f"{rows} rows of {samples} samples are {rows * samples:,} predictions a window.",
            f"rows x samples of at most {MOST_PREDICTIONS:,}",
            shown(samples),
        )
    if needed > rows:
        yield Fault(
            "attribution.minimum_rows",
            f"No more than {rows} rows of a window are explained.",
            f"10 to {rows}",
            shown(needed),
        )
