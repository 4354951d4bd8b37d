"""What became of the rows of files: predictions and labels in columns of their own.

Quality and bias are judged by the monitor's own watchers, which find here what they would find in a
monitor's bucket.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa

from mlops_framework.drift.checking import Counted
from mlops_framework.drift.columns import ColumnSpec
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import StateConflict
from mlops_framework.drift.ground_truth.id_hashes import row_hashes
from mlops_framework.drift.ground_truth.joined import JoinedRows
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.quality.training import rows_of, values_of_column
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.rows import spelt_alike
from mlops_framework.drift.training_columns import Part
from mlops_framework.drift.values import Values

PREDICTED: Final = ("baseline_inference_attribute", "baseline_probability_attribute")


@dataclass
class Shelf:
    """A monitor's documents in memory; serves as ``Store`` of any bucket."""

    _texts: dict[tuple[str, str], str] = field(default_factory=dict)
    _files: dict[tuple[str, str], bytes] = field(default_factory=dict)

    def read(self, bucket: str, key: str) -> Mapping[str, Any] | None:
        """A document; ``None`` if it does not exist."""
        return self.read_state(bucket, key)[0]

    def read_all(self, bucket: str, keys: Sequence[str]) -> Sequence[Mapping[str, Any]]:
        """Documents that exist."""
        return [found for key in keys if (found := self.read(bucket, key)) is not None]

    def write(self, bucket: str, key: str, text: str, media_type: str) -> None:
        """Write a text."""
        self._texts[bucket, key] = text

    def read_bytes(self, bucket: str, keys: Sequence[str]) -> Mapping[str, bytes]:
        """Objects that exist, by key."""
        return {key: self._files[bucket, key] for key in keys if (bucket, key) in self._files}

    def write_bytes(self, bucket: str, key: str, data: bytes, media_type: str) -> None:
        """Write what is no text."""
        self._files[bucket, key] = data

    def keys(self, bucket: str, prefix: str) -> Iterable[str]:
        """Keys below a prefix."""
        return sorted(
            key
            for place, key in (*self._texts, *self._files)
            if place == bucket and key.startswith(prefix)
        )

    def read_state(self, bucket: str, key: str) -> tuple[Mapping[str, Any] | None, str]:
        """A document, and its text as the tag of this reading."""
        text = self._texts.get((bucket, key))
        return (None, "") if text is None else (json.loads(text), text)

    def write_state(self, bucket: str, key: str, text: str, tag: str) -> str:
        """Replace a document if it still is what was read.

        Raises:
            StateConflict: If it changed since.
        """
        if self._texts.get((bucket, key), "") != tag:
            raise StateConflict(f"{key} changed.")
        self._texts[bucket, key] = text
        return text


def columns_of(config: MonitorConfig) -> tuple[str, ...]:
    """Columns of files that hold predictions, probabilities or labels."""
    truth = config.ground_truth
    if truth is None:
        return ()
    named = (getattr(truth, name) for name in (*PREDICTED, "baseline_ground_truth_attribute"))
    return tuple(dict.fromkeys(name for name in named if name))


def not_judged(evaluation: Evaluation) -> tuple[str, ...]:
    """Why quality, bias and attributions were not judged, where the rule asks for them."""
    config, columns = evaluation.config, columns_of(evaluation.config)
    asked = {"model-quality": config.ground_truth, "bias": config.bias}
    seen = {section.kind for section in evaluation.sections}
    notes = []
    if config.attribution is not None and "attribution" not in seen:
        notes.append("Not judged: attribution: answers of captures hold it, and tables do not.")
    quality = next((one for one in evaluation.sections if one.kind == "model-quality"), None)
    reference = quality.document.get("reference", {}) if quality else {}
    if reference.get("origin") == "none":
        notes.append(
            "The baseline holds no predictions with labels, so quality and bias are held against "
            "the request's bounds alone."
        )
    missed = [kind.replace("-", " ") for kind, settings in asked.items() if settings]
    if not missed or seen & asked.keys():
        return tuple(notes)
    why = f"{config.name} has no columns {', '.join(columns)}, as ground_truth calls them."
    if not columns:
        why = (
            "name predictions and labels of the files with baseline_inference_attribute (or "
            "baseline_probability_attribute) and baseline_ground_truth_attribute of ground_truth."
        )
    return (f"Not judged: {' and '.join(missed)}: {why}", *notes)


@dataclass
class TableOutcomes:
    """Counts predictions and labels of a table while it is read.

    Attributes:
        config: The rule.
        specs: The baseline's columns, by name.
        sums: What was counted.
    """

    config: MonitorConfig
    specs: Mapping[str, ColumnSpec]
    sums: OutcomeSums | None = None
    _rows: int = 0

    def through(self, parts: Iterable[Part]) -> Iterator[Part]:
        """The same rows."""
        truth = self.config.ground_truth
        predicted = [getattr(truth, name, "") for name in PREDICTED]
        predicted = [name for name in predicted if name]
        if truth is None or not predicted:
            yield from parts
            return
        for part in parts:
            if all(name in part.columns for name in predicted):
                found = OutcomeSums.of_rows(self._joined(part, truth), self.config)
                self.sums = found if self.sums is None else self.sums.merged(found)
            self._rows += part.rows
            yield part

    def added_to(self, counted: Counted) -> Counted:
        """What was counted of the table, with the outcomes."""
        if self.sums is None:
            return counted
        sums = replace(self.sums, invocations=counted.profile.invocations)
        outcomes = {counting_id(self.config): sums}
        return replace(
            counted,
            profile=replace(counted.profile, outcomes=outcomes),
            ignored=tuple(name for name in counted.ignored if name not in columns_of(self.config)),
        )

    def _joined(self, part: Part, truth: GroundTruth) -> JoinedRows:
        bias, observed = self.config.bias, truth.baseline_ground_truth_attribute
        if observed not in part.columns:  # labels have not come
            part = replace(part, columns={**part.columns, observed: [""] * part.rows})
        rows = rows_of(part, truth)
        wanted = sorted(bias.columns) if bias else ()
        facets = {
            name: self._spelt(name, values_of_column(part.columns[name]))
            for name in wanted
            if name in part.columns
        }
        hashes = None
        if bias and bias.flip_test_columns:
            numbers = range(self._rows, self._rows + part.rows)
            ids, first = pa.array(map(str, numbers)), np.zeros(part.rows, np.int64)
            hashes = row_hashes(ids, np.arange(part.rows), first)
        return replace(rows, facets=facets, hashes=hashes)

    def _spelt(self, name: str, values: Values) -> Values:
        spec = self.specs.get(name)
        return values if spec is None else spelt_alike(values, spec)


__all__ = ["Shelf", "TableOutcomes", "columns_of", "not_judged"]
