"""A profile: what was counted of the captures of one window, from one object or many.

Profiles of the same baseline merge by addition, exactly: any split of the records into objects and
any order of merging give the same profile, byte for byte.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from functools import reduce
from typing import Any, Final, Self

from mlops_framework.drift.baseline import Baseline
from mlops_framework.drift.batches import Batch
from mlops_framework.drift.capture import Invocation, Row
from mlops_framework.drift.columns import ColumnCounts, ColumnSpec, empty_counts
from mlops_framework.drift.documents import (
    counts_from,
    counts_to,
    expect,
    member,
    sample_from,
    sample_to,
)
from mlops_framework.drift.errors import ProfileMismatch
from mlops_framework.drift.outcomes.counting import Counting
from mlops_framework.drift.outcomes.sums import OutcomeSums
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sample import Sample
from mlops_framework.drift.sums import PRECISION
from mlops_framework.drift.tally import Tally
from mlops_framework.drift.values import Values, values_of

KIND: Final = "mlops-drift-profile"
VERSION: Final = 2
PREDICTION_EDGES: Final = tuple(step / 20 for step in range(21))
"""Predictions have no baseline; twentieths of 0..1 show probabilities and 0/1 decisions."""

_SAMPLES: Final = 5
_UNEXPECTED: Final = 32
_CHUNK_ROWS: Final = 10_000
_CHUNK_QUOTES: Final = 1_000
_SEPARATOR: Final = "\t"


def prediction_spec(name: str) -> ColumnSpec:
    """How a column of the response is counted."""
    return ColumnSpec(name, "numeric", PREDICTION_EDGES, exponent=PRECISION)


@dataclass(frozen=True)
class Profile:
    """Mergeable counts of captured rows.

    Attributes:
        baseline_id: Digest of the cells it was counted on.
        invocations: Captured invocations that could be read.
        columns: Counts per baseline column, in the baseline's order.
        predictions: Counts per column of the response.
        unreadable: Records, rows or sides left out, by reason.
        samples: A few of them, ``reason <tab> beginning of the line``.
        unexpected: Members of JSON requests that the baseline does not have.
        outcomes: What became of the rows, by what was counted of them (see :mod:`.outcomes`); none
            where a monitor asks for nothing beside its columns.
    """

    baseline_id: str
    columns: tuple[ColumnCounts, ...]
    invocations: int = 0
    predictions: Mapping[str, ColumnCounts] = field(default_factory=dict)
    unreadable: Mapping[str, int] = field(default_factory=dict)
    samples: Sample = field(default_factory=lambda: Sample(_SAMPLES))
    unexpected: Sample = field(default_factory=lambda: Sample(_UNEXPECTED))
    outcomes: Mapping[str, OutcomeSums] = field(default_factory=dict)

    @classmethod
    def empty(cls, baseline: Baseline) -> Self:
        """The profile of no records."""
        return cls(baseline.id, tuple(empty_counts(spec) for spec in baseline.specs))

    @property
    def rows(self) -> int:
        """Rows counted."""
        return self.columns[0].records

    @property
    def left_out(self) -> int:
        """How much could not be read."""
        return sum(self.unreadable.values())

    def merged(self, other: Profile) -> Profile:
        """Both profiles as one.

        Raises:
            ProfileMismatch: If they were counted on different baselines.
        """
        if self.baseline_id != other.baseline_id:
            raise ProfileMismatch(
                f"A profile of baseline {self.baseline_id} cannot be added to one of baseline "
                f"{other.baseline_id}; profile the captures again with the present baseline."
            )
        predictions = dict(self.predictions)
        for name, counts in other.predictions.items():
            mine = predictions.get(name)
            predictions[name] = counts if mine is None else mine.merged(counts)
        outcomes = dict(self.outcomes)
        for counted, sums in other.outcomes.items():
            own = outcomes.get(counted)
            outcomes[counted] = sums if own is None else own.merged(sums)
        return Profile(
            self.baseline_id,
            tuple(map(ColumnCounts.merged, self.columns, other.columns)),
            self.invocations + other.invocations,
            predictions,
            Counter(self.unreadable) + Counter(other.unreadable),
            self.samples.merged(other.samples),
            self.unexpected.merged(other.unexpected),
            outcomes,
        )

    def to_document(self) -> dict[str, Any]:
        """The profile as its JSON document, keys in a fixed order."""
        document: dict[str, Any] = {
            "kind": KIND,
            "version": VERSION,
            "baseline_id": self.baseline_id,
            "invocations": self.invocations,
            "rows": self.rows,
            "unreadable": dict(sorted(self.unreadable.items())),
            "samples": sample_to(self.samples),
            "unexpected": sample_to(self.unexpected),
            "columns": [counts_to(column) for column in self.columns],
            "predictions": {
                name: counts_to(counts) for name, counts in sorted(self.predictions.items())
            },
        }
        if self.outcomes:
            document["outcomes"] = {
                counted: sums.to_document() for counted, sums in sorted(self.outcomes.items())
            }
        return document

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                str(document["baseline_id"]),
                tuple(counts_from(column) for column in document["columns"]),
                int(document["invocations"]),
                {name: counts_from(counts) for name, counts in document["predictions"].items()},
                {reason: int(count) for reason, count in document["unreadable"].items()},
                sample_from(document["samples"]),
                sample_from(document["unexpected"]),
                {
                    str(counted): OutcomeSums.from_document(sums, source)
                    for counted, sums in document.get("outcomes", {}).items()
                },
            )

    def to_json(self) -> str:
        """The document as text; equal profiles give equal text."""
        return json.dumps(self.to_document(), sort_keys=True, separators=(",", ":"))


def merge(baseline: Baseline, profiles: Iterable[Profile]) -> Profile:
    """All profiles of one baseline as one; of none, the empty profile."""
    return reduce(Profile.merged, profiles, Profile.empty(baseline))


class Profiler:
    """Collects what was captured in one window and counts it in chunks, in bounded memory.

    Args:
        baseline: What columns are counted on.
        counting: What else is counted of rows; ``None`` for nothing.
    """

    def __init__(self, baseline: Baseline, counting: Counting | None = None) -> None:
        self._counting = counting
        self._outcomes = OutcomeSums()
        self._baseline_id = baseline.id
        self._specs = baseline.specs
        self._tallies = [Tally(spec) for spec in baseline.specs]
        self._predictions: dict[str, Tally] = {}
        self._rows: list[Row] = []
        self._outputs: dict[str, list[str]] = {}
        self._unreadable: Counter[str] = Counter()
        self._quoted: Counter[str] = Counter()
        self._samples = Sample(_SAMPLES)
        self._unexpected = Sample(_UNEXPECTED)
        self._invocations = 0

    def add_batch(self, batch: Batch) -> None:
        """Count the rows of many records."""
        self._invocations += len(batch.invocations)
        if not len(batch):
            return
        for tally, values in zip(self._tallies, batch.columns, strict=True):
            tally.add(values)
        for name, values in batch.outputs.items():
            self._prediction(name).add(values)
        if batch.unexpected:
            counts = {name: int(marks.sum()) for name, marks in batch.unexpected.items()}
            self._unexpected = self._unexpected.added({n: c for n, c in counts.items() if c})

    def add(self, invocation: Invocation, line: str | bytes) -> None:
        """Count an invocation; ``line`` is quoted where parts of it were left out."""
        self._invocations += 1
        self._rows.extend(invocation.inputs)
        for name, values in invocation.outputs.items():
            self._outputs.setdefault(name, []).extend(values)
        for reason in invocation.faults:
            self.leave_out(reason, line)
        if invocation.unexpected:
            self._unexpected = self._unexpected.added(Counter(invocation.unexpected))
        if len(self._rows) >= _CHUNK_ROWS:
            self._flush()

    def add_outcomes(self, rows: CapturedRows) -> None:
        """Count what became of rows; each has to come once, as part of a record or of a batch."""
        if self._counting is not None and len(rows):
            self._outcomes = self._outcomes.merged(self._counting.sums(rows))

    def leave_out(self, reason: str, line: str | bytes) -> None:
        """Count something that could not be read."""
        if isinstance(line, bytes):
            line = line.decode("utf-8", "replace")
        self._unreadable[reason] += 1
        self._quoted[f"{reason}{_SEPARATOR}{line.strip()}"] += 1
        if len(self._quoted) >= _CHUNK_QUOTES:
            self._flush_quoted()

    def profile(self) -> Profile:
        """What was counted so far."""
        self._flush()
        self._flush_quoted()
        outcomes = {}
        if self._counting is not None:
            sums = replace(self._outcomes, invocations=self._invocations)
            outcomes[self._counting.id] = sums
        return Profile(
            self._baseline_id,
            tuple(tally.counts() for tally in self._tallies),
            self._invocations,
            {name: tally.counts() for name, tally in self._predictions.items()},
            dict(self._unreadable),
            self._samples,
            self._unexpected,
            outcomes,
        )

    def _prediction(self, name: str) -> Tally:
        if name not in self._predictions:
            self._predictions[name] = Tally(prediction_spec(name))
        return self._predictions[name]

    def _flush(self) -> None:
        if self._rows:
            columns = zip(*self._rows, strict=True)
            for tally, spec, column in zip(self._tallies, self._specs, columns, strict=True):
                tally.add(values_of(column, ordered=spec.ordered))
        for name, texts in self._outputs.items():
            values: Values = values_of(texts, ordered=True)
            self._prediction(name).add(values)
        self._rows, self._outputs = [], {}

    def _flush_quoted(self) -> None:
        self._samples = self._samples.added(self._quoted)
        self._quoted = Counter()


def sample_of(text: str) -> tuple[str, str]:
    """A sampled record's reason and the beginning of its line."""
    reason, _, excerpt = text.partition(_SEPARATOR)
    return reason, excerpt


__all__ = [
    "PREDICTION_EDGES",
    "Profile",
    "Profiler",
    "merge",
    "prediction_spec",
    "sample_of",
]
