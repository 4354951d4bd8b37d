"""What is counted of joined rows: sums that add up exactly, in any order and any split.

From them follow all metrics with their errors: a confusion matrix, a histogram of the probability
for each combination of label and prediction, and exact sums of errors and their powers.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final, Self

import numpy as np

from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.answers import numbers_of
from mlops_framework.drift.ground_truth.classes import NEGATIVE, class_of
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth, ProblemType
from mlops_framework.drift.quality.class_scores import counted_classes, promised_rows
from mlops_framework.drift.quality.exact import LARGEST, exact_sum
from mlops_framework.drift.quality.histogram import (
    BINS,
    NEGATIVE_LABEL,
    NO_LABEL,
    POSITIVE_LABEL,
    Counts,
    cells_of,
    counts_of,
    no_scores,
)
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Texts, as_texts

KIND: Final = "mlops-drift-quality"
VERSION: Final = 1
MOST_CLASSES: Final = 200
OTHERS: Final = "(other classes)"
"""Classes beyond ``MOST_CLASSES``, in the order of their names, are counted as one. What is among
the first names of all was among the first of every part that had it, so that the parts add up."""
_SMALLEST: Final = 1e-15
"""Probabilities are held this far from 0 and 1 in the log loss, as scikit-learn does."""

_COUNTED_BY: Final = (
    "problem_type",
    "inference_attribute",
    "probability_attribute",
    "probability_threshold",
    "positive_label",
    "label_attribute",
)


@dataclass(frozen=True, eq=False)
class QualitySums:
    """Mergeable sums of joined rows.

    Attributes:
        problem_type: What the model predicts.
        rows: Captured rows.
        labelled: Rows with a label.
        compared: Rows with label and prediction.
        confusion: Rows by label and prediction; of two classes ``positive`` and ``other``.
        scores: Rows with a probability by label (negative, positive, none), predicted class
            (negative, positive) and 1,024th of the probability.
        exact: Sums of floats by name; see :mod:`.exact`.
        by_class: Of several classes with probabilities the same as ``scores``, each class against
            the rest; see :mod:`.class_scores`.
    """

    problem_type: ProblemType
    rows: int = 0
    labelled: int = 0
    compared: int = 0
    confusion: Mapping[tuple[str, str], int] = field(default_factory=dict)
    scores: Counts = field(default_factory=no_scores)
    exact: Mapping[str, int] = field(default_factory=dict)
    by_class: Mapping[str, Counts] = field(default_factory=dict)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, QualitySums) and self.to_document() == other.to_document()

    __hash__ = None  # type: ignore[assignment]

    @property
    def scored(self) -> int:
        """Labelled rows with a probability."""
        return int(self.scores[:NO_LABEL].sum())

    @property
    def unscored_rows(self) -> int:
        """Rows with a probability and no label."""
        return int(self.scores[NO_LABEL].sum()) + promised_rows(self.by_class)

    def merged(self, other: QualitySums) -> QualitySums:
        """Both as one.

        Raises:
            ValueError: If they are of different problems.
        """
        if self.problem_type != other.problem_type:
            raise ValueError(f"{self.problem_type} and {other.problem_type} do not add up")
        return QualitySums(
            self.problem_type,
            self.rows + other.rows,
            self.labelled + other.labelled,
            self.compared + other.compared,
            _few(Counter(self.confusion) + Counter(other.confusion)),
            self.scores + other.scores,
            {
                name: self.exact.get(name, 0) + other.exact.get(name, 0)
                for name in sorted(self.exact.keys() | other.exact.keys())
            },
            {
                name: self.by_class.get(name, no_scores()) + other.by_class.get(name, no_scores())
                for name in sorted(self.by_class.keys() | other.by_class.keys())
            },
        )

    @classmethod
    def of(cls, rows: JoinedRows, settings: GroundTruth) -> Self:
        """Count joined rows."""
        if settings.problem_type == "Regression":
            return cls._of_numbers(rows)
        labels, predictions = as_texts(rows.labels), as_texts(rows.predictions)
        positive = class_of(settings.positive_label)
        if settings.binary:
            labels, predictions = _two(labels, positive), _two(predictions, positive)
        confusion = _few(_confusion(labels, predictions))
        found = cls(
            settings.problem_type,
            len(rows),
            int(rows.labelled.sum()),
            sum(confusion.values()),
            confusion,
        )
        if settings.binary:
            return found._with_scores(rows.scores, labels, predictions)
        classes = sorted(settings.probabilities)
        by_class, exact = counted_classes(classes, rows.by_class, labels, predictions)
        return replace(found, by_class=by_class, exact=exact)

    def _with_scores(self, scores: Floats, labels: Texts, predictions: Texts) -> Self:
        good = (scores >= 0) & (scores <= 1)
        label = np.array([NEGATIVE_LABEL, POSITIVE_LABEL, NO_LABEL])[labels.indices]
        predicted = (predictions.indices == 1).astype(np.int64)
        cell = np.minimum((np.where(good, scores, 0.0) * BINS).astype(np.int64), BINS - 1)
        flat = (label * 2 + predicted) * BINS + cell
        counted = np.bincount(flat[good], minlength=6 * BINS).reshape(3, 2, BINS)
        known = good & (label != NO_LABEL)
        truth, score = label[known].astype(np.float64), scores[known]
        held = np.clip(score, _SMALLEST, 1 - _SMALLEST)
        loss = -np.where(truth == 1, np.log(held), np.log1p(-held))
        squared = (score - truth) ** 2
        terms = {"log_loss": loss, "log_loss^2": loss**2, "brier": squared, "brier^2": squared**2}
        exact = {name: exact_sum(values) for name, values in terms.items()}
        return type(self)(
            self.problem_type,
            self.rows,
            self.labelled,
            self.compared,
            self.confusion,
            counted,
            exact,
        )

    @classmethod
    def _of_numbers(cls, rows: JoinedRows) -> Self:
        label, predicted = numbers_of(rows.labels), numbers_of(rows.predictions)
        good = (np.abs(label) <= LARGEST) & (np.abs(predicted) <= LARGEST)
        y, e = label[good], predicted[good] - label[good]
        terms = {
            "|e|": np.abs(e),
            "e": e,
            "e^2": e**2,
            "e^4": e**4,
            "y": y,
            "y^2": y**2,
            "y^3": y**3,
            "y^4": y**4,
            "e^2 y": e**2 * y,
            "e^2 y^2": e**2 * y**2,
        }
        exact = {name: exact_sum(values) for name, values in terms.items()}
        labelled = int(rows.labelled.sum())
        return cls("Regression", len(rows), labelled, int(good.sum()), exact=exact)

    def to_document(self) -> dict[str, Any]:
        """As JSON; equal sums give equal documents."""
        classes = {name: cells_of(counts) for name, counts in sorted(self.by_class.items())}
        return {
            "kind": KIND,
            "version": VERSION,
            "problem_type": self.problem_type,
            "rows": self.rows,
            "labelled": self.labelled,
            "compared": self.compared,
            "confusion": [[*pair, n] for pair, n in sorted(self.confusion.items()) if n],
            "scores": cells_of(self.scores),
            # Text: they outgrow the whole numbers that other readers of JSON keep exact.
            "exact": {name: format(total, "x") for name, total in sorted(self.exact.items())},
        } | ({"by_class": classes} if classes else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                document["problem_type"],
                int(document["rows"]),
                int(document["labelled"]),
                int(document["compared"]),
                {(label, predicted): n for label, predicted, n in document["confusion"]},
                counts_of(document["scores"]),
                {name: int(text, 16) for name, text in document["exact"].items()},
                {name: counts_of(cells) for name, cells in document.get("by_class", {}).items()},
            )


def settings_digest(settings: GroundTruth) -> str:
    """What sums depend on: how predictions and labels are read."""
    found = [getattr(settings, name) for name in _COUNTED_BY]
    if settings.probabilities:
        found.append(sorted(settings.probabilities.items()))
    return hashlib.sha256(json.dumps(found).encode()).hexdigest()[:16]


def _two(texts: Texts, positive: str) -> Texts:
    """The negative class, the positive one, and nothing, as 0, 1 and 2."""
    codes = [2 if not text else int(text == positive) for text in texts.distinct]
    indices = np.array(codes, np.int64)[texts.indices] if codes else texts.indices
    return Texts(indices, (NEGATIVE, "positive", ""))


def _few(confusion: Mapping[tuple[str, str], int]) -> dict[tuple[str, str], int]:
    """The same rows with at most so many classes."""
    names = sorted({name for pair in confusion for name in pair} - {OTHERS})
    if len(names) <= MOST_CLASSES:
        return dict(confusion)
    kept = frozenset(names[:MOST_CLASSES])
    found: Counter[tuple[str, str]] = Counter()
    for (label, prediction), count in confusion.items():
        pair = (label if label in kept else OTHERS, prediction if prediction in kept else OTHERS)
        found[pair] += count
    return dict(found)


def _confusion(labels: Texts, predictions: Texts) -> dict[tuple[str, str], int]:
    width = max(1, len(predictions.distinct))
    pairs = np.bincount(labels.indices * width + predictions.indices)
    found: Counter[tuple[str, str]] = Counter()
    for place in np.flatnonzero(pairs).tolist():
        label, prediction = labels.distinct[place // width], predictions.distinct[place % width]
        if label and prediction:
            found[label, prediction] += int(pairs[place])
    return dict(found)
