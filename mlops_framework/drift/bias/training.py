"""The bias that the training data shows, where it holds the model's predictions and labels."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from mlops_framework.drift.bias.counts import BiasCounts, count_rows
from mlops_framework.drift.bias.reference import Reference, reference_key
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import BaselineInvalid
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.training import rows_of, values_of_column
from mlops_framework.drift.training_columns import Part


@dataclass
class TrainingBias:
    """Counts groups, predictions and labels of baseline data while it is read.

    Attributes:
        config: The monitor.
        counts: What was counted; ``None`` if the monitor compares no groups, or names no columns of
            predictions and labels.
    """

    config: MonitorConfig
    counts: BiasCounts | None = None

    def through(self, parts: Iterable[Part], source: str) -> Iterator[Part]:
        """The same rows.

        Args:
            parts: The rows.
            source: Name of the data in messages.

        Raises:
            BaselineInvalid: If a column that tells groups is not there.
        """
        settings, truth = self.config.bias, self.config.ground_truth
        if settings is None or truth is None:
            yield from parts
            return
        predicted = bool(truth.baseline_ground_truth_attribute)
        wanted = sorted(settings.columns)
        for part in parts:
            missing = [name for name in wanted if name not in part.columns]
            if missing and not part.open:
                raise BaselineInvalid(
                    f"{source} has no column {missing[0]!r}, which bias names; its columns are "
                    f"{', '.join(part.columns)}."
                )
            if predicted:
                rows = rows_of(part, truth)
                columns = {
                    name: values_of_column(part.columns[name])
                    for name in wanted
                    if name in part.columns
                }
                found = count_rows(settings.counting, columns, rows.predictions, rows.labels)
                self.counts = found if self.counts is None else self.counts.merged(found)
            yield part

    def write(self, store: Store) -> None:
        """Keep what was counted, for windows to be compared with."""
        if self.counts is not None:
            document = Reference(self.counts.counting, self.counts).to_document()
            place, text = reference_key(self.config), json.dumps(document, sort_keys=True)
            store.write(self.config.data_bucket, place, text, "application/json")
