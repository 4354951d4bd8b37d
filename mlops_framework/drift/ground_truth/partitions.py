"""A window's rows and labels part by part, where they are more than one function holds.

Which part a row is in follows from its record's id alone, and so does which part a label is in.
All records of an id are in one part, with all labels that were ever sent for it, so that the parts
are joined without knowing of each other, and add up to what joining everything at once gives.
Tables are read some megabytes at a time, and of each only the rows of the part are kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from mlops_framework.drift.ground_truth.id_hashes import hashes_of
from mlops_framework.drift.ground_truth.joined import JoinedRows, facets_of, join, out_of_reach
from mlops_framework.drift.ground_truth.label_files import labels_of
from mlops_framework.drift.ground_truth.labels import Labels
from mlops_framework.drift.ground_truth.tables import Table, table_of
from mlops_framework.drift.ports import Store

_BYTES_AT_ONCE: Final = 24 << 20
"""Stored tables that are read side by side: some three quarters of a million rows."""
_MOST_AT_ONCE: Final = 100
MOST_HELD: Final = 3_000_000
"""Held while tables are read, twice a part's own; 1.4 GB if all of them have labels."""
_HIGH: Final = np.uint64(33)


@dataclass(frozen=True)
class Part:
    """One of the parts of a window.

    Attributes:
        number: Which one, from 0.
        of: How many there are.
    """

    number: int
    of: int

    def rows(self, table: Table) -> Table:
        """The kept predictions of this part.

        Rows without an id are joined with nothing; they go round, so that no part has all of them.
        """
        import pyarrow.compute as pc  # 40 ms that only those wait for who have labels

        ids = table.columns["id"]
        codes = self._codes(ids)
        nameless = pc.equal(ids, "").to_numpy(zero_copy_only=False)
        if nameless.any():
            codes[nameless] = table.numbers("record")[nameless] % self.of
        return _some(table, pa.array(codes == self.number))

    def labels(self, labels: Labels) -> Labels:
        """The labels of this part."""
        mine = self._codes(labels.ids) == self.number
        kept = pa.array(mine)
        return replace(
            labels,
            ids=labels.ids.filter(kept),
            rows=labels.rows[mine],
            of=labels.of[mine],
            texts=labels.texts.filter(kept),
        )

    def _codes(self, ids: Any) -> NDArray[np.int64]:
        # High bits: low ones of a product are mixed less.
        codes: NDArray[np.int64] = ((hashes_of(ids) >> _HIGH) % np.uint64(self.of)).astype(np.int64)
        return codes


def join_part(
    tables: Iterable[Table],
    labels: Iterable[Labels],
    part: Part,
    *,
    classes: bool,
    most_rows: int = MOST_HELD,
) -> Iterator[JoinedRows]:
    """The rows of one part with their labels; see :func:`~.joined.join`.

    All records of an id are in one part, however many they are. Where that makes a part large, the
    rows that no label can belong to go ahead of the others.

    Args:
        tables: Kept predictions of the window, in the order of the objects' keys; one is held at a
            time.
        labels: Labels in the order in which they were collected; likewise.
        part: The part.
        classes: Whether predictions are classes; otherwise numbers.
        most_rows: So many rows are held at most, as long as labels may belong to half of them.
    """
    kept: list[Table] = []
    facets: set[str] = set()
    held = 0
    for table in tables:
        facets |= facets_of(table)
        mine = part.rows(table)
        if not len(mine):
            continue
        kept.append(mine)
        held += len(mine)
        if held > most_rows:
            ahead, kept = _divided(kept)
            rows = join(ahead, (), classes=classes, facets=facets)
            if rows is not None:  # all but those without an id have their id later on
                counts = replace(
                    rows.counts, repeated_ids=rows.counts.rows - rows.counts.without_id
                )
                yield replace(rows, counts=counts)
            held = sum(map(len, kept))
            most_rows = max(most_rows, 2 * held)
    found = join(kept, (part.labels(one) for one in labels), classes=classes, facets=facets)
    if found is not None:
        yield found


def _divided(tables: Sequence[Table]) -> tuple[list[Table], list[Table]]:
    """Rows that no label can belong to, and the others."""
    gone = out_of_reach(tables)
    sides: tuple[list[Table], list[Table]] = ([], [])
    begin = 0
    for table in tables:
        marks = gone[begin : begin + len(table)]
        begin += len(table)
        for side, mine in zip(sides, (marks, ~marks), strict=True):
            if mine.any():
                side.append(_some(table, pa.array(mine)))
    return sides


def _some(table: Table, mine: Any) -> Table:
    columns = {name: _taken(column, mine) for name, column in table.columns.items()}
    return Table(columns, table.notes)


def read_tables(store: Store, bucket: str, keys: Sequence[str]) -> Iterator[Table]:
    """Stored tables in the order of their keys; those that vanished are left out."""
    return (table for _, table in read_keyed(store, bucket, keys))


def read_keyed(
    store: Store, bucket: str, keys: Sequence[str], *, only: Sequence[str] = ()
) -> Iterator[tuple[str, Table]]:
    """Stored tables with their keys.

    Small ones are read side by side, as many as have some megabytes together.

    Args:
        store: Where they are.
        bucket: Its bucket.
        keys: Their keys.
        only: The columns that are needed; empty for all.
    """
    at, count = 0, 1
    while at < len(keys):
        some = keys[at : at + count]
        read = store.read_bytes(bucket, some)
        at += len(some)
        size = sum(map(len, read.values())) // max(1, len(read))
        count = max(1, min(_MOST_AT_ONCE, _BYTES_AT_ONCE // max(1, size)))
        for key in some:
            if key in read:
                yield key, table_of(read[key], key, only)


def read_label_files(store: Store, bucket: str, keys: Sequence[str]) -> Iterator[Labels]:
    """Stored labels in the order of their files, likewise."""
    return map(labels_of, read_tables(store, bucket, keys))


def _taken(column: Any, mine: Any) -> Any:
    """A column's rows; of texts that are kept once, only those that occur in them."""
    column = column.filter(mine)
    if not pa.types.is_dictionary(column.type):
        return column
    used, indices = np.unique(column.indices.to_numpy(zero_copy_only=False), return_inverse=True)
    return pa.DictionaryArray.from_arrays(
        pa.array(indices, pa.int32()), column.dictionary.take(pa.array(used))
    )
