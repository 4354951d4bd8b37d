"""Outcomes: what the model answered, to whom, why, and whether it was right, as exact sums.

They add up like the counts of columns do: any split of the rows and any order of merging give the
same sums, byte for byte.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any, Final, Self, TypeVar

import numpy as np

from mlops_framework.drift.attribution.sampled_rows import SampledRows
from mlops_framework.drift.attribution.sums import AttributionSums
from mlops_framework.drift.bias.condition import UNKNOWN
from mlops_framework.drift.bias.counts import BiasCounts, count_rows
from mlops_framework.drift.bias.flip_sample import FlipSample
from mlops_framework.drift.bias.settings import BiasSettings
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.joined import JoinCounts, JoinedRows
from mlops_framework.drift.quality.sums import QualitySums, settings_digest

KIND: Final = "mlops-drift-outcomes"
VERSION: Final = 1

_Part = TypeVar("_Part")


@dataclass(frozen=True)
class OutcomeSums:
    """Mergeable sums of rows; each part is ``None`` where nobody asks for it.

    Attributes:
        counts: How many rows, and what joining them with labels met.
        invocations: Captured invocations that were counted, rows or not.
        quality: Confusion, histogram of the probability, sums of errors.
        bias: Rows by facet, label and prediction.
        flips: The rows that the flip test looks at.
        attribution: Attributions that answers hold.
        sampled: The rows that the endpoint is asked about.
    """

    counts: JoinCounts = field(default_factory=JoinCounts)
    invocations: int = 0
    quality: QualitySums | None = None
    bias: BiasCounts | None = None
    flips: FlipSample | None = None
    attribution: AttributionSums | None = None
    sampled: SampledRows | None = None

    @classmethod
    def of_rows(cls, rows: JoinedRows, config: MonitorConfig) -> Self:
        """Count rows with their labels, as far as there are any.

        Args:
            rows: The rows; those without hashes give no sample for the flip test.
            config: The monitor.
        """
        truth, bias = config.ground_truth, config.bias
        counts, flips = None, None
        if bias is not None:
            counts = count_rows(bias.counting, rows.facets, rows.predictions, rows.labels)
            flips = _flips(rows, bias)
        quality = QualitySums.of(rows, truth) if truth is not None else None
        return cls(rows.counts, quality=quality, bias=counts, flips=flips)

    def merged(self, other: OutcomeSums) -> OutcomeSums:
        """Both as one.

        Raises:
            ProfileMismatch: If they were counted with other settings.
        """
        return OutcomeSums(
            JoinCounts(
                *(getattr(self.counts, one.name) + getattr(other.counts, one.name) for one in _MET)
            ),
            self.invocations + other.invocations,
            _both(QualitySums.merged, self.quality, other.quality),
            _both(BiasCounts.merged, self.bias, other.bias),
            _both(FlipSample.merged, self.flips, other.flips),
            _both(AttributionSums.merged, self.attribution, other.attribution),
            _both(SampledRows.merged, self.sampled, other.sampled),
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON; equal sums give equal documents."""
        document: dict[str, Any] = {
            "kind": KIND,
            "version": VERSION,
            "counts": asdict(self.counts),
            "invocations": self.invocations,
        }
        parts = {name: getattr(self, name) for name in _PARTS}
        return document | {n: part.to_document() for n, part in parts.items() if part is not None}

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            counts = {name: int(count) for name, count in document["counts"].items()}
            parts = {
                name: read(document[name], source)
                for name, read in _PARTS.items()
                if name in document
            }
            return cls(JoinCounts(**counts), int(document["invocations"]), **parts)


_MET: Final = fields(JoinCounts)
_PARTS: Final[Mapping[str, Callable[[Mapping[str, Any], str], Any]]] = {
    "quality": QualitySums.from_document,
    "bias": BiasCounts.from_document,
    "flips": FlipSample.from_document,
    "attribution": AttributionSums.from_document,
    "sampled": SampledRows.from_document,
}


def counting_id(config: MonitorConfig) -> str:
    """Digest of the settings that decide what is counted; empty if nothing is.

    Thresholds, and all else that only judges, are not among them.
    """
    truth, bias, attribution = config.ground_truth, config.bias, config.attribution
    if truth is None and bias is None and attribution is None:
        return ""
    counted: dict[str, Any] = {"version": VERSION}
    if truth is not None:
        counted["quality"] = settings_digest(truth)
    if bias is not None:
        counted["bias"] = bias.counting.id
        if bias.flip_test_columns:
            counted["flips"] = [bias.flip_test_rows, *bias.flip_test_columns]
    if attribution is not None:
        counted["attribution"] = (
            attribution.rows if attribution.asks else sorted(attribution.outputs.items())
        )
    return hashlib.sha256(json.dumps(counted, sort_keys=True).encode()).hexdigest()[:16]


def _flips(rows: JoinedRows, bias: BiasSettings) -> FlipSample | None:
    if not bias.flip_test_columns or rows.hashes is None:
        return None
    unknown = np.full(len(rows), UNKNOWN, np.int8)
    inside = []
    for facet in bias.facets:
        values = rows.facets.get(facet.column)
        inside.append(unknown if values is None else facet.members.marks(values))
    return FlipSample.of_rows(
        bias.flip_test_rows,
        rows.hashes,
        bias.counting.prediction.marks(rows.predictions),
        inside,
        [rows.facets.get(name) for name in bias.flip_test_columns],
    )


def _both(
    merged: Callable[[_Part, _Part], _Part], one: _Part | None, other: _Part | None
) -> _Part | None:
    """Two parts as one; what only one of them has is as it is."""
    if one is None or other is None:
        return other if one is None else one
    return merged(one, other)
