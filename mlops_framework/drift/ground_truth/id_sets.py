"""The ids of each window's rows as sorted numbers: a sixth of what is kept of the rows.

Every new file of labels is held against every window it may belong to. Reading the kept rows for
that would be reading a week of them for every file; so their ids are put down once per window, as
56 bits each, in five bytes. Two ids in 10^17 have the same number, in a million rows and a million
labels two in 10^5 times: then a window is judged again for nothing. A label that belongs to a
window is never passed over, since equal ids have equal numbers.

What is put down follows from the kept rows alone. It is a memory that can be lost: what is missing
is put down again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Self

import numpy as np
import pyarrow as pa

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.id_hashes import Hashes, hashes_of
from mlops_framework.drift.ground_truth.partitions import read_keyed, read_tables
from mlops_framework.drift.ground_truth.tables import (
    MEDIA_TYPE,
    SUFFIX,
    Table,
    table_bytes,
)
from mlops_framework.drift.layout import kept_key, kept_prefix
from mlops_framework.drift.ports import Store
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import Window

NAME: Final = "ids"
KIND: Final = "mlops-drift-id-sets"
VERSION: Final = 1
MOST_IDS: Final = 4_000_000
"""Of one set: 20 MB stored, 32 MB in memory."""
MOST_READ: Final = 30_000_000
"""Rows whose ids one evaluation puts down: about a gigabyte to read, a minute."""
_SMALL: Final = MOST_IDS // 4
_DROPPED: Final = np.uint64(8)
_LOW: Final = np.uint64(32)
_MASK: Final = np.uint64(0xFFFFFFFF)


def numbers_of(ids: Any) -> Hashes:
    """A number of 56 bits for each text of an Arrow array."""
    found: Hashes = hashes_of(ids) >> _DROPPED
    return found


@dataclass(frozen=True)
class IdSet:
    """One stored set.

    Attributes:
        file: Its file name.
        count: How many numbers it holds.
        of: Names of the files of kept rows whose ids it holds.
    """

    file: str
    count: int
    of: tuple[str, ...]

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read an entry of a window's list."""
        return cls(str(document["file"]), int(document["count"]), tuple(document["of"]))


@dataclass
class IdSets:
    """The sets of one monitor's windows, for one evaluation.

    Attributes:
        store: A monitor's documents.
        config: The monitor.
        most_read: So many rows are read at most to put their ids down; the rest is for the next
            evaluation.
    """

    store: Store
    config: MonitorConfig
    most_read: int = MOST_READ
    _known: dict[Window, tuple[IdSet, ...]] = field(default_factory=dict)

    def know(self, windows: Sequence[Window]) -> None:
        """Read what there is of some windows, side by side."""
        self._known = dict.fromkeys(windows, ())
        if not windows:
            return
        records = Records(self.store, self.config)
        root = kept_prefix(self.config, NAME)
        span = min(windows).start, max(windows).end
        stored = records.keys_by_window(root, *span)
        lists = [
            self._key(window) for window in windows if self._key(window) in stored.get(window, ())
        ]
        by_key = {self._key(window): window for window in windows}
        for document in self.store.read_all(self.config.data_bucket, lists):
            expect(document, KIND, VERSION, "a list of id sets")
            with member("a list of id sets"):
                window = by_key[document["key"]]
                names = {key.rpartition("/")[2] for key in stored[window]}
                sets = (IdSet.from_document(one) for one in document["sets"])
                # One that vanished is put down again.
                self._known[window] = tuple(one for one in sets if one.file in names)

    def count(self, window: Window) -> int:
        """How many numbers there are of a window."""
        return sum(one.count for one in self._known.get(window, ()))

    def complete(self, window: Window, keys: Sequence[str]) -> bool:
        """Put down what is missing of a window.

        Args:
            window: The window.
            keys: Keys of its kept rows.

        Returns:
            Whether nothing is missing now; otherwise it was too much for one evaluation.
        """
        known = self._known.get(window, ())
        covered = {name for one in known for name in one.of}
        missing = sorted(key for key in keys if _name(key) not in covered)
        if not missing or self.most_read <= 0:
            return not missing
        # Small sets, of evaluations before the window was over, become one with what is new.
        sets = [one for one in known if one.count >= _SMALL]
        small = [one for one in known if one.count < _SMALL]
        held = list(self._numbers(window, small))
        names = [name for one in small for name in one.of]
        bucket, whole = self.config.data_bucket, True
        for key, table in read_keyed(self.store, bucket, missing, only=("id",)):
            if self.most_read <= 0:
                whole = False
                break
            held.append(numbers_of(table.columns["id"]))
            names.append(_name(key))
            self.most_read -= len(table)
            if sum(map(len, held)) >= MOST_IDS:
                sets.append(self._write(window, held, names))
                held, names = [], []
        if whole:  # what vanished has no ids
            seen = {name for one in sets for name in one.of} | set(names)
            names += [_name(key) for key in missing if _name(key) not in seen]
        if names:
            sets.append(self._write(window, held, names))
        self._known[window] = tuple(sets)
        document = {
            "kind": KIND,
            "version": VERSION,
            "key": self._key(window),
            "sets": [{"file": s.file, "count": s.count, "of": list(s.of)} for s in sets],
        }
        Records(self.store, self.config).write(self._key(window), document)
        return whole

    def numbers(self, window: Window) -> Iterator[Hashes]:
        """The numbers of a window, ascending in each set; one set is held at a time."""
        return self._numbers(window, self._known.get(window, ()))

    def _numbers(self, window: Window, sets: Iterable[IdSet]) -> Iterator[Hashes]:
        for one in sets:
            key = kept_key(self.config, NAME, window, one.file)
            for table in read_tables(self.store, self.config.data_bucket, [key]):
                high = table.numbers("high").astype(np.uint64)
                yield np.cumsum((high << _LOW) | table.numbers("low"), dtype=np.uint64)

    def _write(self, window: Window, held: Sequence[Hashes], names: Sequence[str]) -> IdSet:
        numbers = np.unique(np.concatenate([*held, np.empty(0, np.uint64)]))
        # Steps from one to the next: those of a million take a byte less than the numbers.
        steps = np.diff(numbers, prepend=np.uint64(0))
        columns = {
            "low": pa.array((steps & _MASK).astype(np.uint32)),
            "high": pa.array((steps >> _LOW).astype(np.uint32)),
        }
        digest = hashlib.sha256("\n".join(sorted(names)).encode()).hexdigest()[:32]
        file = f"{digest}{SUFFIX}"
        key = kept_key(self.config, NAME, window, file)
        self.store.write_bytes(
            self.config.data_bucket, key, table_bytes(Table(columns)), MEDIA_TYPE
        )
        return IdSet(file, len(numbers), tuple(names))

    def _key(self, window: Window) -> str:
        return kept_key(self.config, NAME, window, "sets.json")


def _name(key: str) -> str:
    return key.rpartition("/")[2]
