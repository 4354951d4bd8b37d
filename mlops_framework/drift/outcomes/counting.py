"""Counting the outcomes of captured rows while they are profiled."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Self

import numpy as np

from mlops_framework.drift.attribution.captured import attributed
from mlops_framework.drift.attribution.sampled_rows import SampledRows
from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.ground_truth.answers import numbers_of, predicted, probabilities
from mlops_framework.drift.ground_truth.classes import classes_of
from mlops_framework.drift.ground_truth.id_hashes import Hashes, row_hashes
from mlops_framework.drift.ground_truth.joined import JoinCounts, JoinedRows
from mlops_framework.drift.ground_truth.own_labels import own_labels
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.ground_truth.tables import texts_array
from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.rows import CapturedRows, spelt_alike
from mlops_framework.drift.values import Numbers, Texts, Values


@dataclass(frozen=True)
class Counting:
    """What is counted of a monitor's captured rows beside their columns.

    Attributes:
        config: The monitor.
        specs: The baseline's columns.
        id: Digest of what is counted: sums of other settings do not add up.
    """

    config: MonitorConfig
    specs: tuple[ColumnSpec, ...]
    id: str

    @classmethod
    def of(cls, config: MonitorConfig, baseline: Baseline) -> Self | None:
        """What a monitor asks for; ``None`` if nothing."""
        found = counting_id(config)
        return cls(config, tuple(baseline.specs), found) if found else None

    def sums(self, rows: CapturedRows) -> OutcomeSums:
        """Count rows; those of records that have labels themselves with their labels."""
        config = self.config
        # Texts are spelt as they were sent, and told apart only where somebody asks for groups.
        inputs = (
            spelt_alike(values, spec) if spec.ordered else values
            for values, spec in zip(rows.inputs, self.specs, strict=True)
        )
        rows = replace(rows, inputs=tuple(inputs))
        found = OutcomeSums()
        if config.ground_truth is not None:
            joined = self._joined(rows, config.ground_truth, config.bias)
            found = OutcomeSums.of_rows(joined, config)
        attribution = config.attribution
        if attribution is None:
            return found
        if attribution.asks:
            return replace(found, sampled=SampledRows(attribution.rows).added(rows))
        return replace(found, attribution=attributed(attribution, rows))

    def _joined(
        self, rows: CapturedRows, truth: GroundTruth, bias: BiasSettings | None
    ) -> JoinedRows:
        """Rows with the labels that their records have themselves."""
        predictions, scores = predicted(truth, rows.outputs, len(rows))
        written, misfits = own_labels(rows, truth.label_attribute)
        labels: Values
        if written is None:
            labels = _no_labels(len(rows), classes=truth.classes)
        else:
            labels = classes_of(written) if truth.classes else Numbers(numbers_of(written))
        wanted = bias.columns if bias else frozenset()
        facets = {
            spec.name: spelt_alike(values, spec)
            for spec, values in zip(self.specs, rows.inputs, strict=True)
            if spec.name in wanted
        }
        found = JoinedRows.of_columns(
            predictions,
            labels,
            scores=scores,
            facets=facets,
            by_class=probabilities(truth, rows.outputs, len(rows)),
        )
        nameless = np.array([not one for one in rows.ids], bool)
        counts = JoinCounts(
            found.counts.rows,
            found.counts.labelled,
            without_id=int(nameless[rows.records].sum()) if nameless.any() else 0,
            labels_of_other_shape=misfits,
        )
        hashes = _hashes(rows) if bias and bias.flip_test_columns else None
        return replace(found, counts=counts, hashes=hashes)


def _hashes(rows: CapturedRows) -> Hashes:
    return row_hashes(texts_array(rows.ids), rows.records, rows.places)


def _no_labels(rows: int, *, classes: bool) -> Values:
    return Texts(np.zeros(rows, np.int64), ("",)) if classes else Numbers(np.full(rows, np.nan))
