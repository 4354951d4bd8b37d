"""How classes are told apart: labels and predictions are spelt by different programs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np

from mlops_framework.drift.values import Texts, Values, as_texts, category_of

MISSING: Final = frozenset({"", "nan", "null", "none", "na", "n/a"})
NEGATIVE: Final = "other"
"""The class of a prediction whose probability is below the threshold."""


def class_of(text: str) -> str:
    """The class a text stands for; empty when missing.

    ``1``, ``1.0`` and ``+1`` are one class, as are ``True`` and ``true``; the rest is trimmed.
    """
    plain = category_of(text)
    if plain.lower() in MISSING:
        return ""
    if "_" in plain:  # Python takes 2024_07 for a number
        return plain
    try:
        number = float(plain)
    except ValueError:
        return plain
    return str(int(number)) if number.is_integer() and abs(number) < 1e15 else plain


def classes_of(values: Values) -> Texts:
    """Values as classes, one per row; each class occurs once among the distinct ones."""
    texts = as_texts(values)
    return recoded(texts, [class_of(text) for text in texts.distinct])


def recoded(texts: Texts, names: Sequence[str]) -> Texts:
    """Texts whose distinct ones have other names, some of them perhaps the same."""
    places: dict[str, int] = {}
    codes = np.array([places.setdefault(name, len(places)) for name in names], np.int64)
    if not len(codes):
        return Texts(texts.indices, ())
    return Texts(codes[texts.indices], tuple(places))
