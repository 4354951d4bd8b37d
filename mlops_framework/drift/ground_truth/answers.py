"""Prediction and probability of each row, read from what an endpoint answered.

What a row's prediction is follows from that row alone, so that rows can be read in any parts.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.ground_truth.classes import NEGATIVE, classes_of
from mlops_framework.drift.ground_truth.settings import GroundTruth, outputs_of
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import (
    LARGEST_MAGNITUDE,
    Numbers,
    Texts,
    Values,
    as_texts,
    joined,
    number_of,
)

Probabilities: TypeAlias = NDArray[np.float32]
_TOLERANCE: Final = 0.1


def predicted(
    settings: GroundTruth, outputs: Mapping[str, Values], rows: int
) -> tuple[Values, Floats]:
    """Prediction and probability of each row.

    Args:
        settings: Where they are.
        outputs: Captured outputs by name.
        rows: How many rows.

    Returns:
        Classes as text (of a regression numbers), and probabilities; missing where a row has none.
    """
    scores = np.full(rows, np.nan)
    if settings.probability_attribute:
        found = _answer(settings.probability_attribute, outputs)
        if found is not None:
            scores = numbers_of(found)
    asked = settings.inference_attribute
    if settings.binary and not asked:
        return from_scores(settings, scores), scores
    if settings.probabilities and not asked:
        return likeliest(probabilities(settings, outputs, rows), rows), scores
    found = _answer(asked, outputs)
    if settings.classes:
        return (_nothing(rows) if found is None else classes_of(found)), scores
    return Numbers(np.full(rows, np.nan) if found is None else numbers_of(found)), scores


def probabilities(
    settings: GroundTruth, outputs: Mapping[str, Values], rows: int
) -> Mapping[str, Probabilities]:
    """Probabilities of several classes; see :func:`normalised`."""
    columns = {}
    for name, attribute in settings.probabilities.items():
        found = _answer(attribute, outputs)
        columns[name] = np.full(rows, np.nan) if found is None else numbers_of(found)
    return normalised(columns)


def normalised(columns: Mapping[str, Floats]) -> Mapping[str, Probabilities]:
    """Probabilities by class that add up to 1 in each row; NaN in all where they nearly do not.

    A row has none if one of them is missing, negative, or they add up to less than 0.9 or more
    than 1.1: rounding is put right, another thing than probabilities is not. They are held in four
    bytes each, here and where they are kept, so that both are counted alike.
    """
    if not columns:
        return {}
    names = sorted(columns)
    total = np.zeros(len(columns[names[0]]))
    for name in names:  # one after the other: numpy adds a single row up in another order
        total = total + np.where(columns[name] >= 0, columns[name], np.nan)
    total[~((total >= 1 - _TOLERANCE) & (total <= 1 + _TOLERANCE))] = np.nan
    return {name: (columns[name] / total).astype(np.float32) for name in names}


def likeliest(columns: Mapping[str, Probabilities], rows: int) -> Texts:
    """The class with the highest probability, the first by name of several; none without any."""
    if not columns:
        return _nothing(rows)
    table = np.array([np.where(np.isnan(one), -1.0, one) for one in columns.values()])
    return Texts(np.where(table.max(0) < 0, 0, table.argmax(0) + 1), ("", *columns))


def numbers_of(values: Values) -> Floats:
    """A number per row; NaN where there is none, or one that is beyond all features."""
    if isinstance(values, Numbers):
        numbers = values.values
    else:
        texts = as_texts(values)
        numbers = np.array([_number(text) for text in texts.distinct], np.float64)[texts.indices]
    return np.where(np.abs(numbers) <= LARGEST_MAGNITUDE, numbers, np.nan)


def from_scores(settings: GroundTruth, scores: Floats) -> Texts:
    """The classes that probabilities stand for: the positive one from the threshold on."""
    positive = np.where(scores >= settings.probability_threshold, 2, 1)
    indices = np.where(np.isnan(scores), 0, positive).astype(np.int64)
    return classes_of(Texts(indices, ("", NEGATIVE, settings.positive_label)))


def _answer(attribute: str, outputs: Mapping[str, Values]) -> Values | None:
    """The output that an attribute means; ``None`` if no row has it.

    Endpoints do not always answer alike: each row has the first of the outputs that may be meant
    and in which it has a value.
    """
    found = [outputs[name] for name in outputs_of(attribute, outputs)]
    return _first(found) if found else None


def _first(columns: Sequence[Values]) -> Values:
    """Of each row the first value that is not missing."""
    if len(columns) == 1:
        return columns[0]
    rows = len(columns[0])
    whole = joined(columns)
    if isinstance(whole, Numbers):
        there = ~np.isnan(whole.values)
    else:
        there = np.array([bool(text.strip()) for text in whole.distinct], bool)[whole.indices]
    return whole.at(there.reshape(-1, rows).argmax(0) * rows + np.arange(rows))


def _number(text: str) -> float:
    try:
        number = number_of(text)
    except ValueError:
        return np.nan
    return np.nan if number is None else number


def _nothing(rows: int) -> Texts:
    return Texts(np.zeros(rows, np.int64), ("",))
