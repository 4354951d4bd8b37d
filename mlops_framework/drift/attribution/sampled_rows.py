"""A bounded sample of a window's rows that merges in any order to the same sample."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, Self

from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.rows import CapturedRows
from mlops_framework.drift.sample import hash_of
from mlops_framework.drift.values import Numbers, Values, text_of

KIND: Final = "mlops-drift-row-sample"
VERSION: Final = 1

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
        limit = self.rows[-1][0] if len(self.rows) == self.limit else 1 << 64
        candidates = []
        for place, identity in enumerate(identities_of(captured)):
            hashed = hash_of(identity)
            if hashed <= limit:
                candidates.append((hashed, identity, place))
        candidates.sort()
        texts = [
            (hashed, identity, _texts(captured.inputs, place))
            for hashed, identity, place in candidates[: self.limit]
        ]
        return self._with(texts, len(captured))

    def merged(self, other: SampledRows) -> SampledRows:
        """Both samples as one."""
        return self._with(other.rows, other.seen)

    def _with(self, rows: Iterable[Kept], seen: int) -> SampledRows:
        # The same identity twice is the same row delivered twice; one of them is kept.
        known = {(hashed, identity): values for hashed, identity, values in sorted(rows)}
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
            "rows": [[identity, list(values)] for _, identity, values in self.rows],
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
                (hash_of(identity), str(identity), tuple(map(str, values)))
                for identity, values in document["rows"]
            )
            return cls(int(document["limit"]), int(document["seen"]), rows)


def identities_of(captured: CapturedRows) -> Iterable[str]:
    """What tells each row from others: its record's id and its place there, else its values."""
    records, places = captured.records.tolist(), captured.places.tolist()
    for row, (record, place) in enumerate(zip(records, places, strict=True)):
        identity = captured.ids[record]
        if identity:
            yield f"{identity}#{place}"
        else:
            yield "\x1f".join(_texts(captured.inputs, row))


def _texts(columns: tuple[Values, ...], row: int) -> tuple[str, ...]:
    return tuple(
        text_of(float(column.values[row]))
        if isinstance(column, Numbers)
        else column.distinct[column.indices[row]]
        for column in columns
    )
