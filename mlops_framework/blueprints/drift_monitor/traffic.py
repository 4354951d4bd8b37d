"""What a drift-monitor request may say of captured records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

from pydantic import Field

from mlops_framework.contracts.base import Document
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.fields import Accepts
from mlops_framework.errors import Fault

_NAME: Final = r'([A-Za-z_][A-Za-z0-9_]*|"[^"\\]+")'
_ITEM: Final = r"\[(-?[0-9]{1,9}|\*)?\]"
PATH: Final = rf"(@|({_NAME}|{_ITEM})({_ITEM}|[.]{_NAME})*)"
"""What a path looks like."""
PATH_WORDS: Final = (
    'a path of names joined by dots ("in quotes" if they hold other signs than letters, digits '
    "and _), [0] for one item of a list, [*] for every item"
)

Path = Annotated[
    str,
    Field(pattern=f"^{PATH}$", max_length=256),
    Accepts(PATH_WORDS),
]
OptionalPath = Annotated[
    str,
    Field(pattern=f"^{PATH}?$", max_length=256),
    Accepts(f"{PATH_WORDS}, or empty"),
]
OptionalTargetModel = Annotated[
    str,
    Field(pattern="^([A-Za-z0-9][A-Za-z0-9_.=+@-]*(/[A-Za-z0-9_.=+@-]+)*)?$", max_length=256),
    Accepts("a model as calls name it in target_model, such as eu/churn.tar.gz, or empty for all"),
]
Moment = Annotated[
    str,
    Field(pattern="^[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}(:[0-9]{2})?Z$"),
    Accepts("a time in UTC, for example 2026-03-01T00:00:00Z"),
]


class RecordSide(Document):
    """Where the rows and values of JSON requests, or responses, are (a subset of JMESPath)."""

    rows: OptionalPath = Field(
        default="", description="Path to the rows, for example instances[*]; empty = found."
    )
    columns: dict[str, Path] = Field(
        default_factory=dict,
        description="Path from a row to the value of a column, by the column's name; other columns "
        "are members of the row.",
    )
    values: OptionalPath = Field(
        default="",
        description="Path from a row to the list of its values in the columns' order; empty if "
        "rows are objects.",
    )


class Records(Document):
    """Where rows and values are in the payloads of captured records."""

    input: RecordSide | None = Field(default=None, description="In requests.")
    output: RecordSide | None = Field(default=None, description="In responses.")


class CapturedTime(Document):
    """The time whose captures are the baseline."""

    since: Moment = Field(description="First moment, UTC.")
    until: Moment = Field(description="Moment behind the last one, UTC.")
    columns: list[str] = Field(
        default_factory=list,
        max_length=256,
        description="Names of the columns of CSV requests, in their order; JSON objects name them.",
    )


def out_of_reach(
    locations: Mapping[str, str | dict[str, str]], data_bucket: str
) -> Iterator[Fault]:
    """A fault for each location in another bucket, of which neither events nor objects ever come.

    Args:
        locations: By field, one for all stages or one for each; an empty one is nowhere.
        data_bucket: The one bucket whose events reach the drift functions, which may read no other.
    """
    for name, given in locations.items():
        by_stage = given if isinstance(given, dict) else {"": given}
        for stage, location in by_stage.items():
            bucket = location.removeprefix("s3://").partition("/")[0]
            if bucket and bucket != data_bucket:
                yield Fault(
                    f"{name}.{stage}" if stage else name,
                    f"It lies in the bucket {bucket}; drift monitors read {data_bucket} alone, so "
                    "that nothing would ever arrive. Let it be written or copied there.",
                    f"a location in s3://{data_bucket}/, or empty",
                    shown(location),
                )
