"""A bounded sample of a window's rows that merges in any order to the same sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

import numpy as np

from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.id_hashes import Hashes, row_hashes
from mlops_framework.drift.ground_truth.tables import texts_array
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sample import hash_of
from mlops_framework.drift.values import Numbers, Values, text_of

KIND: Final = "mlops-drift-row-sample"
VERSION: Final = 1

_LAST: Final = np.uint64((1 << 64) - 1)

Kept = tuple[int, str, tuple[str, ...]]
"""Hash of the row's identity, the identity, and its values as texts."""


@dataclass(frozen=True)
class SampledRows:
    """The rows whose identities have the smallest hashes (bottom-k sampling).

    Attributes:
        limit: Most rows kept.
        seen: Rows it was taken from.
        rows: What is kept, smallest hash first.
    """

    limit: int
    seen: int = 0
    rows: tuple[Kept, ...] = ()

    def added(self, captured: CapturedRows) -> SampledRows:
        """This sample with more rows."""
        hashes = hashes_by_identity(captured)
        if len(self.rows) == self.limit:
            hashes = np.where(hashes <= np.uint64(self.rows[-1][0]), hashes, _LAST)
        # Each once: what was delivered twice takes one place.
        smallest = np.unique(hashes)[: self.limit]
        chosen = np.flatnonzero(
            (hashes <= smallest[-1:].max(initial=0)) & (hashes < _LAST)
        ).tolist()
        found = [
            (int(hashes[row]), _identity(captured, row), _texts(captured.inputs, row))
            for row in chosen
        ]
        return self._with(found, len(captured))

    def merged(self, other: SampledRows) -> SampledRows:
        """Both samples as one."""
        return self._with(other.rows, other.seen)

    def _with(self, rows: Iterable[Kept], seen: int) -> SampledRows:
        # The same identity twice is the same row delivered twice; one of them is kept.
        ordered = sorted(rows, reverse=True)  # of values that differ the smallest stay
        known = {(hashed, identity): values for hashed, identity, values in ordered}
        mine = {(hashed, identity): values for hashed, identity, values in self.rows}
        merged = {
            key: min(known[key], mine[key]) if key in known and key in mine else value
            for key, value in (known | mine).items()
        }
        kept = sorted((*key, values) for key, values in merged.items())[: self.limit]
        return SampledRows(self.limit, self.seen + seen, tuple(kept))

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "limit": self.limit,
            "seen": self.seen,
            "rows": [
                [identity, list(values), f"{hashed:016x}"] for hashed, identity, values in self.rows
            ],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            rows = tuple(
                (
                    # Earlier releases wrote no hash, and had this one.
                    int(hashed[0], 16) if hashed else hash_of(identity),
                    str(identity),
                    tuple(map(str, values)),
                )
                for identity, values, *hashed in document["rows"]
            )
            return cls(int(document["limit"]), int(document["seen"]), rows)


def hashes_by_identity(captured: CapturedRows) -> Hashes:
    """A hash of each row's identity: its record's id and its place there, else its values."""
    found = row_hashes(texts_array(captured.ids), captured.records, captured.places)
    for row in np.flatnonzero(found == 0).tolist():
        found[row] = hash_of(_identity(captured, row))
    return found


def _identity(captured: CapturedRows, row: int) -> str:
    identity = captured.ids[captured.records[row]]
    if identity:
        return f"{identity}#{captured.places[row]}"
    return "\x1f".join(_texts(captured.inputs, row))


def _texts(columns: tuple[Values, ...], row: int) -> tuple[str, ...]:
    return tuple(
        text_of(float(column.values[row]))
        if isinstance(column, Numbers)
        else column.distinct[column.indices[row]]
        for column in columns
    )
