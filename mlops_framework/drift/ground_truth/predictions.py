"""Predictions kept of captured rows, to be joined with labels later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import pyarrow as pa

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.asked import columns_asked
from mlops_framework.drift.ground_truth.classes import NEGATIVE, classes_of
from mlops_framework.drift.ground_truth.settings import GroundTruth, output_of
from mlops_framework.drift.ground_truth.tables import (
    MEDIA_TYPE,
    SUFFIX,
    Table,
    column_of,
    table_bytes,
)
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sums import Floats
from mlops_framework.drift.values import Numbers, Texts, Values, as_texts, joined, number_of
from mlops_framework.drift.watching import Artefact
from mlops_framework.drift.windows import Window

NAME: Final = "predictions"
FACET: Final = "column:"


class KeepPredictions:
    """The keeper of predictions."""

    def start(self, config: MonitorConfig, baseline: Baseline) -> Predictions | None:
        """See :class:`~mlops_framework.drift.watching.Keeper`."""
        if config.ground_truth is None:
            return None
        wanted = columns_asked(config)
        facets = {name: place for place, name in enumerate(baseline.names) if name in wanted}
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


@dataclass
class Predictions:
    """The predictions of one object.

    Attributes:
        settings: Where they are in the answers.
        facets: Input columns to keep with them, and their places.
    """

    settings: GroundTruth
    facets: Mapping[str, int]
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
                {name: rows.inputs[place] for name, place in self.facets.items()},
            )
        )

    def artefacts(self) -> Mapping[Window, Artefact]:
        """One table per window."""
        return {
            window: Artefact(NAME, SUFFIX, table_bytes(self._table(parts)), MEDIA_TYPE)
            for window, parts in self._parts.items()
        }

    def _table(self, parts: list[_Part]) -> Table:
        ids = pa.array([one for part in parts for one in part.ids], pa.string())
        records = np.concatenate([part.records for part in parts])
        columns = {
            "id": ids.take(pa.array(records)),
            "record": pa.array(records, pa.int32()),
            "row": pa.array(np.concatenate([part.places for part in parts]), pa.int32()),
            "minute": pa.array(np.concatenate([part.minutes for part in parts]), pa.int64()),
            "prediction": column_of(joined([part.predictions for part in parts])),
            "score": pa.array(np.concatenate([part.scores for part in parts]), pa.float64()),
        }
        for name in self.facets:
            columns[f"{FACET}{name}"] = column_of(joined([part.facets[name] for part in parts]))
        return Table(columns)


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
        name = output_of(settings.probability_attribute, outputs)
        if name:
            scores = numbers_of(outputs[name])
    asked = settings.inference_attribute
    if settings.binary and not asked:
        return from_scores(settings, scores), scores
    name = output_of(asked, outputs)
    if settings.classes:
        return (classes_of(outputs[name]) if name else _nothing(rows)), scores
    return Numbers(numbers_of(outputs[name]) if name else scores), scores


def numbers_of(values: Values) -> Floats:
    """A number per row; NaN where there is none."""
    if isinstance(values, Numbers):
        numbers = values.values
    else:
        texts = as_texts(values)
        numbers = np.array([_number(text) for text in texts.distinct], np.float64)[texts.indices]
    return np.where(np.isfinite(numbers), numbers, np.nan)


def _number(text: str) -> float:
    try:
        number = number_of(text)
    except ValueError:
        return np.nan
    return np.nan if number is None else number


def _nothing(rows: int) -> Texts:
    return Texts(np.zeros(rows, np.int64), ("",))


def from_scores(settings: GroundTruth, scores: Floats) -> Texts:
    """The classes that probabilities stand for: the positive one from the threshold on."""
    positive = np.where(scores >= settings.probability_threshold, 2, 1)
    indices = np.where(np.isnan(scores), 0, positive).astype(np.int64)
    return classes_of(Texts(indices, ("", NEGATIVE, settings.positive_label)))
