"""What a drift-monitor request may say about single columns."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from mlops_framework.contracts.base import Document
from mlops_framework.contracts.fields import Accepts

Column = Annotated[
    str,
    Field(pattern=r"^([*]|[A-Za-z0-9_. -]+)$", max_length=128),
    Accepts("a column's name of letters, digits, blanks and _ . -, or * for every column"),
]


class ColumnThreshold(Document):
    """The smallest effect that matters in a column."""

    column: Column = Field(description="The column; * for every one.")
    test: Literal[
        "values",
        "rates",
        "location",
        "scale",
        "shape",
        "shares",
        "missing",
        "invalid",
        "unseen",
        "range",
    ] = Field(
        default="values",
        description="Which test; values and rates are all tests of the values, or of rates.",
    )
    share: Annotated[float, Field(ge=0, le=1)] = Field(
        description="Share of the records; of a rate its change."
    )
