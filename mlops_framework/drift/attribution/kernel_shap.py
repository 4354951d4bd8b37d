"""Kernel SHAP: what each feature contributed to a prediction, by asking the model alone.

A weighted least squares fit of predictions with some features taken from the row and the others
from background rows (Lundberg & Lee 2017, NeurIPS 30, theorem 2). Small coalitions and large ones
weigh most and are taken completely as long as the budget lasts, the others sampled in pairs with
their complements (Covert & Lee 2021, AISTATS). The contributions add up to the prediction less the
mean prediction of the background, whatever the budget.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, TypeAlias

import numpy as np
from numpy.typing import NDArray

from mlops_framework.drift.sums import Floats

Masks: TypeAlias = NDArray[np.bool_]
Row: TypeAlias = Sequence[str]
Predict: TypeAlias = Callable[[Sequence[Row]], Floats]
"""Predictions of rows of texts in the baseline's column order, one number a row."""

_RIDGE: Final = 1e-10
"""Keeps the fit solvable where sampled coalitions do not tell two features apart."""


@dataclass(frozen=True)
class Explained:
    """The explanation of one row.

    Attributes:
        contributions: One per feature; they add up to ``prediction - expected``.
        prediction: Of the row.
        expected: Mean prediction of the background.
    """

    contributions: Floats
    prediction: float
    expected: float


@dataclass(frozen=True)
class Question:
    """What to ask the model about one row.

    Attributes:
        row: The row.
        varying: The features in which it differs from some background row.
        masks: Coalitions of them, shape (coalitions, varying).
        weights: Of each coalition in the fit.
    """

    row: Row
    varying: tuple[int, ...]
    masks: Masks
    weights: Floats

    def rows(self, background: Sequence[Row]) -> list[Row]:
        """The rows to predict: every coalition with every background row."""
        asked: list[Row] = []
        for mask in self.masks.tolist():
            taken = [place for place, own in zip(self.varying, mask, strict=True) if own]
            for other in background:
                mixed = list(other)
                for place in taken:
                    mixed[place] = self.row[place]
                asked.append(mixed)
        return asked

    def answer(self, predictions: Floats, prediction: float, expected: float) -> Explained:
        """The contributions.

        Args:
            predictions: Of :meth:`rows`.
            prediction: Of the row itself.
            expected: Mean prediction of the background.
        """
        contributions = np.zeros(len(self.row))
        if self.varying:
            means = predictions.reshape(len(self.masks), -1).mean(1) if len(self.masks) else None
            values = np.empty(0) if means is None else means
            places = list(self.varying)
            contributions[places] = fitted(self.masks, self.weights, values, prediction, expected)
        return Explained(contributions, prediction, expected)


def question(
    row: Row, background: Sequence[Row], samples: int, draw: np.random.Generator
) -> Question:
    """What to ask about a row, of at most ``samples`` coalitions."""
    varying = tuple(
        place
        for place, value in enumerate(row)
        if any(other[place] != value for other in background)
    )
    masks, weights = coalitions(len(varying), samples, draw)
    return Question(row, varying, masks, weights)


def coalitions(features: int, most: int, draw: np.random.Generator) -> tuple[Masks, Floats]:
    """Coalitions that are neither empty nor complete, and their weights, which add up to 1.

    All of them if there are no more than ``most``.
    """
    sizes = range(1, features)
    if not sizes:
        return np.empty((0, features), bool), np.empty(0)
    mass = {size: (features - 1) / (size * (features - size)) for size in sizes}
    total = sum(mass.values())
    chosen: list[tuple[Sequence[int], float]] = []
    left = most
    open_sizes = list(sizes)
    for size in range(1, features // 2 + 1):
        pair = {size, features - size}
        needed = sum(math.comb(features, s) for s in pair)
        if needed > left:
            break
        for s in pair:
            weight = mass[s] / total / math.comb(features, s)
            chosen += [(members, weight) for members in combinations(range(features), s)]
            open_sizes.remove(s)
        left -= needed
    if open_sizes and left >= 2:
        chosen += _sampled(features, open_sizes, mass, total, left, draw)
    masks = np.zeros((len(chosen), features), bool)
    for place, (members, _) in enumerate(chosen):
        masks[place, list(members)] = True
    weights = np.array([weight for _, weight in chosen])
    return masks, weights / weights.sum()


def _sampled(
    features: int,
    sizes: Sequence[int],
    mass: dict[int, float],
    total: float,
    most: int,
    draw: np.random.Generator,
) -> list[tuple[Sequence[int], float]]:
    """Coalitions of the sizes that were not taken completely, each with its complement."""
    rest = sum(mass[size] for size in sizes)
    chances = np.array([mass[size] for size in sizes]) / rest
    pairs = most // 2
    counts: dict[tuple[int, ...], int] = {}
    everything = frozenset(range(features))
    for size in draw.choice(np.array(sizes), size=pairs, p=chances).tolist():
        members = tuple(sorted(draw.permutation(features)[:size].tolist()))
        for one in (members, tuple(sorted(everything.difference(members)))):
            counts[one] = counts.get(one, 0) + 1
    unit = rest / total / (2 * pairs)
    return [(members, count * unit) for members, count in counts.items()]


def fitted(
    masks: Masks, weights: Floats, values: Floats, prediction: float, expected: float
) -> Floats:
    """Contributions that fit the coalitions' values best and add up exactly.

    The last feature is what the others leave (the constraint put into the fit).
    """
    whole = prediction - expected
    features = masks.shape[1]
    if features == 1:
        return np.array([whole])
    own = masks.astype(np.float64)
    design = own[:, :-1] - own[:, -1:]
    target = values - expected - own[:, -1] * whole
    left = design.T @ (design * weights[:, None])
    right = design.T @ (target * weights)
    left += np.eye(features - 1) * _RIDGE
    first = np.linalg.solve(left, right)
    return np.append(first, whole - first.sum())
