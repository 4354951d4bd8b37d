"""The values of one column in many rows, as arrays: numbers, or texts by their index.

Texts are kept as indices into the few distinct ones, so that whatever has to be done with a text is
done once for each and not once for each row.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

Indices: TypeAlias = NDArray[np.int64]
Rows: TypeAlias = NDArray[np.int64] | slice

LARGEST_MAGNITUDE: Final = 1e100
"""Numbers beyond are counted as invalid: no feature has them, and their squares overflow."""

MISSING_NUMBER: Final = frozenset({"", "nan", "null", "none", "na", "n/a", "-nan", "+nan"})


@dataclass(frozen=True)
class Numbers:
    """Numbers, one per row.

    Attributes:
        values: NaN where missing; infinite and very large ones may be among them.
    """

    values: Floats

    def __len__(self) -> int:
        return len(self.values)

    def at(self, rows: Rows) -> Numbers:
        """Those of some rows."""
        return Numbers(self.values[rows])


@dataclass(frozen=True)
class Texts:
    """Texts, one per row.

    Attributes:
        indices: Which of ``distinct`` each row holds.
        distinct: The texts, each once.
    """

    indices: Indices
    distinct: Sequence[str]

    def __len__(self) -> int:
        return len(self.indices)

    def at(self, rows: Rows) -> Texts:
        """Those of some rows."""
        return Texts(self.indices[rows], self.distinct)

    def counts(self) -> Indices:
        """How often each of ``distinct`` occurs."""
        return np.bincount(self.indices, minlength=len(self.distinct))


Values: TypeAlias = Numbers | Texts


def texts_of(values: Sequence[str]) -> Texts:
    """Texts as they come, one per row."""
    places: dict[str, int] = {}
    indices = [places.setdefault(value, len(places)) for value in values]
    return Texts(np.array(indices, np.int64), tuple(places))


def values_of(texts: Sequence[str], *, ordered: bool) -> Values:
    """Texts as they come, one per row; as numbers if all are and ``ordered`` asks for them."""
    if ordered and not any("_" in text for text in texts):
        try:
            return Numbers(np.array([float(text or "nan") for text in texts], np.float64) + 0.0)
        except ValueError:
            pass
    return texts_of(texts)


def joined(parts: Sequence[Values]) -> Values:
    """The rows of all parts, one after the other; texts if any part is."""
    if len(parts) == 1:
        return parts[0]
    if all(isinstance(part, Numbers) for part in parts):
        return Numbers(np.concatenate([as_numbers(part)[0] for part in parts]))
    places: dict[str, int] = {}
    indices = []
    for part in parts:
        texts = as_texts(part)
        new = [places.setdefault(text, len(places)) for text in texts.distinct]
        indices.append(np.array(new, np.int64)[texts.indices])
    return Texts(np.concatenate(indices), tuple(places))


def as_texts(values: Values) -> Texts:
    """Numbers as they would be written; missing ones are empty."""
    if isinstance(values, Texts):
        return values
    distinct, indices = np.unique(values.values, return_inverse=True)
    return Texts(indices.astype(np.int64), [text_of(number) for number in distinct.tolist()])


def text_of(number: float) -> str:
    """A number as text, the same for 3 and 3.0; empty for NaN."""
    if number != number:
        return ""
    return str(int(number)) if abs(number) < 1e15 and number.is_integer() else repr(number)


def as_numbers(values: Values) -> tuple[Floats, dict[str, int]]:
    """The numbers that the rows hold, NaN where missing, and the texts that are none.

    Rows of texts that are no numbers are left out of the numbers; infinite numbers are not.

    Returns:
        The numbers, and how often each unreadable text occurs.
    """
    if isinstance(values, Numbers):
        return values.values, {}
    counts = values.counts().tolist()
    invalid: dict[str, int] = {}
    numbers: list[float] = []
    readable = np.ones(len(values.distinct), bool)
    for place, text in enumerate(values.distinct):
        try:
            number = _read(text)
        except ValueError:
            number = None
            readable[place] = False
            if counts[place]:
                invalid[text] = invalid.get(text, 0) + counts[place]
        numbers.append(np.nan if number is None else number)
    found = np.array(numbers, np.float64)[values.indices]
    return (found[readable[values.indices]] if invalid else found), invalid


def number_of(text: str) -> float | None:
    """The number a text stands for; ``None`` for a missing value.

    Raises:
        ValueError: If it is neither, or beyond ``LARGEST_MAGNITUDE``.
    """
    number = _read(text)
    if number is not None and not abs(number) <= LARGEST_MAGNITUDE:
        raise ValueError(text)
    return number


def _read(text: str) -> float | None:
    stripped = text.strip()
    if stripped.lower() in MISSING_NUMBER:
        return None
    if "_" in stripped:  # Python takes 2024_07 for a number
        raise ValueError(text)
    return float(stripped) + 0.0  # -0.0 becomes 0.0, so that minima do not depend on order


def category_of(text: str) -> str:
    """The category a text stands for; empty when missing.

    Booleans are spelt ``true`` and ``false`` whatever wrote them (JSON, Python, R).
    """
    stripped = text.strip()
    lowered = stripped.lower()
    return lowered if lowered in ("true", "false") else stripped
