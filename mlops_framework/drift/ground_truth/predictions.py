"""Predictions kept of captured rows, to be joined with labels later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.answers import Probabilities, predicted, probabilities
from mlops_framework.drift.ground_truth.asked import columns_asked
from mlops_framework.drift.ground_truth.own_labels import own_labels
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.ground_truth.tables import (
    FACET,
    LABEL,
    MEDIA_TYPE,
    PROBABILITY,
    SUFFIX,
    Table,
    column_of,
    table_bytes,
    texts_array,
)
from mlops_framework.drift.rows import CapturedRows, spelt_alike
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Texts, Values, joined
from mlops_framework.drift.watching import Artefact
from mlops_framework.drift.windows import Window

NAME: Final = "predictions"


class KeepPredictions:
    """The keeper of predictions."""

    def start(self, config: MonitorConfig, baseline: Baseline) -> Predictions | None:
        """See :class:`~mlops_framework.drift.watching.Keeper`."""
        if config.ground_truth is None:
            return None
        wanted = columns_asked(config)
        specs = enumerate(baseline.specs)
        facets = {spec.name: (place, spec) for place, spec in specs if spec.name in wanted}
        return Predictions(config.ground_truth, facets)


@dataclass
class _Part:
    """What was kept of some rows."""

    ids: list[str]
    records: np.ndarray
    places: np.ndarray
    minutes: np.ndarray
    predictions: Values
    scores: Floats
    facets: Mapping[str, Values]
    labels: Texts | None
    by_class: Mapping[str, Probabilities]


@dataclass
class Predictions:
    """The predictions of one object.

    Attributes:
        settings: Where they are in the answers.
        facets: Input columns to keep with them, their places and cells.
    """

    settings: GroundTruth
    facets: Mapping[str, tuple[int, ColumnSpec]]
    _parts: dict[Window, list[_Part]] = field(default_factory=dict)

    def add(self, window: Window, rows: CapturedRows) -> None:
        """Keep many rows of a window."""
        parts = self._parts.setdefault(window, [])
        before = sum(len(part.ids) for part in parts)
        predictions, scores = predicted(self.settings, rows.outputs, len(rows))
        used, records = np.unique(rows.records, return_inverse=True)
        parts.append(
            _Part(
                [rows.ids[record] for record in used.tolist()],
                records + before,
                rows.places.copy(),
                rows.minutes.copy(),
                predictions,
                scores,
                {
                    name: spelt_alike(rows.inputs[place], spec)
                    for name, (place, spec) in self.facets.items()
                },
                own_labels(rows, self.settings.label_attribute)[0],
                probabilities(self.settings, rows.outputs, len(rows)),
            )
        )

    def artefacts(self) -> Mapping[Window, Artefact]:
        """One table per window."""
        return {
            window: Artefact(NAME, SUFFIX, table_bytes(self._table(parts)), MEDIA_TYPE)
            for window, parts in self._parts.items()
        }

    def _table(self, parts: list[_Part]) -> Table:
        ids = texts_array([one for part in parts for one in part.ids])
        records = np.concatenate([part.records for part in parts])
        columns = {
            "id": ids.take(pa.array(records)),
            "record": pa.array(records, pa.int32()),
            "row": pa.array(np.concatenate([part.places for part in parts]), pa.int32()),
            "minute": pa.array(np.concatenate([part.minutes for part in parts]), pa.int64()),
            "prediction": column_of(joined([part.predictions for part in parts])),
            "score": pa.array(np.concatenate([part.scores for part in parts]), pa.float64()),
        }
        for name in parts[0].by_class:
            scores = np.concatenate([part.by_class[name] for part in parts])
            columns[f"{PROBABILITY}{name}"] = pa.array(scores, pa.float32())
        for name in self.facets:
            columns[f"{FACET}{name}"] = column_of(joined([part.facets[name] for part in parts]))
        if any(part.labels for part in parts):
            columns[LABEL] = column_of(joined([_labels(part) for part in parts]))
        return Table(columns)


def _labels(part: _Part) -> Texts:
    return part.labels or Texts(np.zeros(len(part.places), np.int64), ("",))
