"""The quality that the baseline data shows: predictions and labels in columns of its own.

These columns are no features: they are counted here, and taken out of the stream of rows before the
baseline sees it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

import numpy as np

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.ground_truth.answers import (
    from_scores,
    likeliest,
    normalised,
    numbers_of,
)
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.reference import Reference, write_reference
from mlops_framework.drift.quality.sums import QualitySums, settings_digest
from mlops_framework.drift.training_columns import Column, Part
from mlops_framework.drift.values import Numbers, Texts, Values, texts_of


@dataclass
class TrainingQuality:
    """Counts predictions and labels of baseline data while it is read.

    Attributes:
        config: The monitor.
        sums: What was counted; ``None`` if the monitor names no such columns.
    """

    config: MonitorConfig
    sums: QualitySums | None = None

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns of the baseline data that hold predictions or labels."""
        settings = self.config.ground_truth
        if settings is None:
            return ()
        named = (
            settings.baseline_inference_attribute,
            settings.baseline_probability_attribute,
            *settings.baseline_probabilities.values(),
            settings.baseline_ground_truth_attribute,
        )
        return tuple(dict.fromkeys(name for name in named if name))

    def through(self, parts: Iterable[Part], source: str) -> Iterator[Part]:
        """The same rows without these columns.

        The label column stays: whoever builds the baseline leaves it out.

        Args:
            parts: The rows.
            source: Name of the data in messages.

        Raises:
            BaselineInvalid: If a column is not there.
        """
        settings, columns = self.config.ground_truth, self.columns
        if settings is None or not columns:
            yield from parts
            return
        self.sums = QualitySums(settings.problem_type)
        apart = set(columns) - {self.config.label_column}
        for part in parts:
            missing = [name for name in columns if name not in part.columns]
            if missing:
                raise BaselineInvalid(
                    f"{source} has no column {missing[0]!r}, which ground_truth names; its columns "
                    f"are {', '.join(part.columns)}."
                )
            self.sums = self.sums.merged(QualitySums.of(rows_of(part, settings), settings))
            kept = {name: values for name, values in part.columns.items() if name not in apart}
            yield replace(part, columns=kept)

    def write(self, store: Store) -> None:
        """Keep what was counted, for windows to be compared with."""
        settings = self.config.ground_truth
        if settings is not None and self.sums is not None:
            reference = Reference(settings_digest(settings), self.sums)
            write_reference(self.config, reference, store)


def rows_of(part: Part, settings: GroundTruth) -> JoinedRows:
    """Predictions and labels of rows of baseline data; it has the columns that are named."""
    labels = values_of_column(part.columns[settings.baseline_ground_truth_attribute])
    scores = np.full(part.rows, np.nan)
    if settings.baseline_probability_attribute:
        scores = numbers_of(values_of_column(part.columns[settings.baseline_probability_attribute]))
    name = settings.baseline_inference_attribute
    if not settings.classes:
        numbers = (numbers_of(labels), numbers_of(values_of_column(part.columns[name])))
        return JoinedRows.of_columns(Numbers(numbers[1]), Numbers(numbers[0]))
    by_class = normalised(
        {
            one: numbers_of(values_of_column(part.columns[column]))
            for one, column in settings.baseline_probabilities.items()
        }
    )
    predictions: Texts
    if name:
        predictions = classes_of(values_of_column(part.columns[name]))
    elif by_class:
        predictions = likeliest(by_class, part.rows)
    else:
        predictions = from_scores(settings, scores)
    return JoinedRows.of_columns(predictions, classes_of(labels), scores=scores, by_class=by_class)


def values_of_column(column: Column) -> Values:
    """A column as arrays, however it was read."""
    return column if isinstance(column, Numbers | Texts) else texts_of(column)
