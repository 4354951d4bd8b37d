"""What matters in one column and not in another: thresholds of their own, and columns left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self, get_args

from mlops_framework.drift.comparison import RATES, Test

EVERY_COLUMN: Final = "*"
VALUES, RATE = "values", "rates"
_TESTS: Final = tuple(test for test in get_args(Test) if test != "records")
WORDS: Final = (VALUES, RATE, *_TESTS)
"""Single tests, and all tests of values or of rates at once."""


@dataclass(frozen=True)
class Thresholds:
    """Smallest effects that matter, where they are not those of the monitor.

    Attributes:
        of_columns: By column (``*`` for every one), then by test, ``values`` or ``rates``: a share
            of the records, 0..1.
    """

    of_columns: Mapping[str, Mapping[str, float]] = field(default_factory=dict)

    def of(self, column: str, test: Test) -> float | None:
        """The threshold of a test; ``None`` for the monitor's. The closest word wins."""
        group = RATE if test in RATES else VALUES
        for name in (column, EVERY_COLUMN):
            found = self.of_columns.get(name, {})
            for word in (test, group):
                if word in found:
                    return found[word]
        return None

    def at_least(self, share: float) -> Self:
        """The same, with none for the values of a column below a share; rates stay as they are."""
        return type(self)(
            {
                column: {
                    word: own if word == RATE or word in RATES else max(own, share)
                    for word, own in given.items()
                }
                for column, given in self.of_columns.items()
            }
        )

    @classmethod
    def from_document(cls, document: Sequence[Mapping[str, Any]]) -> Self:
        """Read ``[{"column": "age", "test": "values", "share": 0.05}, ...]``.

        Raises:
            ValueError: What is wrong, and what is accepted.
        """
        if not isinstance(document, list):
            raise ValueError("accepted is a list of objects of column, test and share")
        found: dict[str, dict[str, float]] = {}
        for place, given in enumerate(document):
            if not isinstance(given, Mapping) or given.keys() - {"column", "test", "share"}:
                raise ValueError(f"{place}: accepted is an object of column, test and share")
            column, word = given.get("column"), given.get("test", VALUES)
            share = given.get("share")
            if not isinstance(column, str) or not column:
                raise ValueError(f"{place}.column: accepted is a column's name, or {EVERY_COLUMN}")
            if word not in WORDS:
                raise ValueError(f"{place}.test: accepted are {', '.join(WORDS)}")
            if not isinstance(share, int | float) or share is True or not 0 <= share <= 1:
                raise ValueError(f"{place}.share: accepted is a number from 0 to 1")
            found.setdefault(column, {})[word] = float(share)
        return cls(found)

    def to_document(self) -> list[dict[str, Any]]:
        """As JSON."""
        return [
            {"column": column, "test": word, "share": share}
            for column, given in self.of_columns.items()
            for word, share in given.items()
        ]
