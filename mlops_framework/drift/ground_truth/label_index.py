"""Which labels belong to which windows, remembered so that only new ones are looked at.

A label says whose it is and not when that was. Each file of labels is compared once with the ids of
each window it may belong to; what comes of it is kept in one document. The document is a memory
and no truth: whatever is missing in it is found again, so that nothing depends on the order of
events or on two evaluations at the same time.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

import numpy as np

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth import predictions
from mlops_framework.drift.ground_truth.id_hashes import Hashes
from mlops_framework.drift.ground_truth.id_sets import MOST_READ, IdSets, numbers_of
from mlops_framework.drift.ground_truth.label_files import LabelFile, label_files
from mlops_framework.drift.ground_truth.tables import table_of
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.ports import Store
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import Window, instant, moment

KIND: Final = "mlops-drift-label-index"
VERSION: Final = 1
_MOST_AT_ONCE: Final = 8_000_000
"""Labels that are compared at once: 8 bytes each for the hash and for the file, and the sorting."""
MOST_COMPARED: Final = 200_000_000
"""Ids that one evaluation compares: a gigabyte to read, and some 40 s of its processor."""
_MARGIN: Final = timedelta(days=2)
_HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Seen:
    """What is known of one window.

    Attributes:
        predictions: Digest of the kept predictions it was compared with.
        checked: Names of the files compared with it.
        matched: Of those the ones that hold labels of it, and how many.
        before: Files that held labels of what was kept before, and were not compared again yet.
    """

    predictions: str
    checked: frozenset[str] = frozenset()
    matched: Mapping[str, int] = field(default_factory=dict)
    before: frozenset[str] = frozenset()

    def again(self, digest: str) -> Seen:
        """To be compared again, since other predictions are kept."""
        return Seen(digest, before=self.before | self.matched.keys())

    def holds(self, file: str) -> bool:
        """Whether a file holds labels of the window, as far as is known."""
        return file in self.matched or file in self.before

    def compared(self, files: Sequence[str], counts: Mapping[str, int]) -> Seen:
        """With some files compared, and how many labels of the window those hold that hold any."""
        return replace(
            self,
            checked=self.checked | set(files),
            matched={**self.matched, **counts},
            before=self.before - set(files),
        )

    def to_document(self) -> dict[str, Any]:
        """As JSON; what is empty and new is left out."""
        document: dict[str, Any] = {
            "predictions": self.predictions,
            "checked": sorted(self.checked - self.matched.keys()),
            "matched": dict(sorted(self.matched.items())),
        }
        return document | ({"before": sorted(self.before)} if self.before else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_document` wrote."""
        return cls(
            document["predictions"],
            frozenset(document["checked"]) | document["matched"].keys(),
            dict(document["matched"]),
            frozenset(document.get("before", ())),
        )


@dataclass(frozen=True)
class LabelIndex:
    """What is known of all windows.

    Attributes:
        windows: By the window's start.
        sizes: Labels in each file that was opened.
    """

    windows: Mapping[datetime, Seen] = field(default_factory=dict)
    sizes: Mapping[str, int] = field(default_factory=dict)

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "windows": {
                instant(start): seen.to_document() for start, seen in sorted(self.windows.items())
            },
            "sizes": dict(sorted(self.sizes.items())),
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            return cls(
                {
                    moment(start): Seen.from_document(seen)
                    for start, seen in document["windows"].items()
                },
                dict(document["sizes"]),
            )


def index_key(config: MonitorConfig) -> str:
    """Where it lies."""
    return f"{kept_prefix(config, 'labels')}index.json"


@dataclass(frozen=True)
class Matches:
    """Which labels belong to which windows, now.

    Attributes:
        by_window: Of windows that have labels, the files that hold them.
        index: What is known.
        files: All current files within reach.
        waiting: Names of files that have windows left to be compared with.
        behind: These windows.
    """

    by_window: Mapping[Window, tuple[LabelFile, ...]]
    index: LabelIndex
    files: Sequence[LabelFile]
    waiting: frozenset[str] = frozenset()
    behind: frozenset[Window] = frozenset()

    def arrived(self, window: Window) -> tuple[int, int]:
        """Labels collected during a window's hours, and how many of them match no prediction."""
        names = [file.name for file in self.files if window.start <= file.hour < window.end]
        total = sum(self.index.sizes.get(name, 0) for name in names)
        seen = self.index.windows.values()
        matched = sum(one.matched.get(name, 0) for one in seen for name in names)
        return total, max(0, total - matched)


def find_matches(
    config: MonitorConfig,
    store: Store,
    windows: Sequence[Window],
    now: datetime,
    *,
    most: int = MOST_COMPARED,
    most_read: int = MOST_READ,
) -> Matches:
    """Compare what was not compared yet, and remember it.

    Args:
        config: A monitor that reads labels.
        store: Its documents.
        windows: The windows within reach that have captures.
        now: The present.
        most: So many ids are compared, about; windows beyond have their turn with the next call.
        most_read: So many rows are read, about, to put their ids down; likewise.
    """
    assert config.ground_truth is not None
    records = Records(store, config)
    document = store.read(config.data_bucket, index_key(config))
    known = LabelIndex()
    if document is not None:
        known = LabelIndex.from_document(document, index_key(config))
    if not windows:
        return Matches({}, known, ())
    start, end = min(windows).start, max(windows).end
    horizon = timedelta(hours=config.ground_truth.label_horizon_hours)
    files = label_files(config, store, start - _HOUR, min(now, end + horizon) + _HOUR)
    kept = records.keys_by_window(kept_prefix(config, predictions.NAME), start, end)
    due: dict[Window, tuple[Seen, Sequence[LabelFile]]] = {}
    seen_now: dict[datetime, Seen] = {}
    eligible: dict[Window, Sequence[LabelFile]] = {}
    for window in sorted(windows):
        digest = _digest(kept.get(window, ()))
        seen = known.windows.get(window.start)
        if seen is None:
            seen = Seen(digest)
        elif seen.predictions != digest:
            seen = seen.again(digest)
        eligible[window] = [
            f for f in files if window.start - _HOUR < f.hour < window.end + horizon
        ]
        missing = [file for file in eligible[window] if file.name not in seen.checked]
        if missing and kept.get(window):
            due[window] = (seen, missing)
        seen_now[window.start] = seen

    def turn(window: Window) -> tuple[bool, int, Window]:
        """Those first that will not be looked at much longer, then those that miss most files."""
        return now < window.end + horizon, -len(due[window][1]), window

    due = {window: due[window] for window in sorted(due, key=turn)}
    sizes = dict(known.sizes)
    ids = IdSets(store, config, most_read)
    seen_now |= _compared(config, store, due, kept, sizes, ids, most)
    behind = {
        window: names
        for window, (_, missing) in due.items()
        if (names := {f.name for f in missing} - seen_now[window.start].checked)
    }
    oldest = min(start, now) - horizon - _MARGIN
    kept_windows = {s: seen for s, seen in known.windows.items() if s > oldest}
    remembered = {**kept_windows, **seen_now}
    named = {name for seen in remembered.values() for name in seen.checked | seen.before}
    named |= {file.name for file in files}
    index = LabelIndex(remembered, {name: n for name, n in sizes.items() if name in named})
    if index != known:
        records.write(index_key(config), index.to_document())
    by_window = {}
    for window in windows:
        seen = index.windows[window.start]
        mine = tuple(file for file in eligible[window] if seen.holds(file.name))
        if mine:
            by_window[window] = mine
    return Matches(by_window, index, files, frozenset().union(*behind.values()), frozenset(behind))


def _compared(
    config: MonitorConfig,
    store: Store,
    due: Mapping[Window, tuple[Seen, Sequence[LabelFile]]],
    kept: Mapping[Window, Sequence[str]],
    sizes: dict[str, int],
    ids: IdSets,
    most: int,
) -> Mapping[datetime, Seen]:
    """Compare each window's ids with the labels of the files that it was not compared with.

    Labels are held as numbers, as many as fit, and the windows pass by one after the other, until
    it is enough for this time.
    """
    files: Sequence[LabelFile] = sorted({f for _, missing in due.values() for f in missing})
    found = {window: seen for window, (seen, _) in due.items()}
    ids.know(sorted(due))
    while files and most > 0:
        slab, files = _slab(config, store, files, sizes)
        for window in due:
            mine = [file for file in due[window][1] if file.name in slab.places]
            if not mine or most <= 0 or not ids.complete(window, kept[window]):
                continue
            counts = slab.counts(ids.numbers(window))
            most -= max(1, ids.count(window))
            names = [file.name for file in mine]
            matched = {name: n for name in names if (n := int(counts[slab.places[name]]))}
            found[window] = found[window].compared(names, matched)
    return {window.start: seen for window, seen in found.items()}


@dataclass(frozen=True)
class _Slab:
    """Labels of several files as numbers.

    Attributes:
        places: Of each file's name its number here.
        hashes: Of all labels' ids, ascending.
        of: Of each of them the file's number.
    """

    places: Mapping[str, int]
    hashes: Hashes
    of: np.ndarray

    def counts(self, sets: Iterable[Hashes]) -> np.ndarray:
        """How many labels of each file belong to one of some ids.

        Args:
            sets: The ids as numbers, ascending in each set.
        """
        hit = np.zeros(len(self.hashes), bool)
        for ids in sets:
            if not len(ids) or not len(self.hashes):
                continue
            if len(self.hashes) <= 2 * len(ids):
                place = np.minimum(np.searchsorted(ids, self.hashes), len(ids) - 1)
                hit |= ids[place] == self.hashes
                continue
            first = np.searchsorted(self.hashes, ids, side="left")
            lengths = np.searchsorted(self.hashes, ids, side="right") - first
            steps = np.arange(int(lengths.sum())) - np.repeat(np.cumsum(lengths) - lengths, lengths)
            hit[np.repeat(first, lengths) + steps] = True
        counts: np.ndarray = np.bincount(self.of[hit], minlength=len(self.places))
        return counts


def _slab(
    config: MonitorConfig, store: Store, files: Sequence[LabelFile], sizes: dict[str, int]
) -> tuple[_Slab, Sequence[LabelFile]]:
    """As many files as fit, and those that are left."""
    places: dict[str, int] = {}
    hashes: list[Hashes] = []
    taken = 0
    for position, file in enumerate(files):
        if taken >= _MOST_AT_ONCE:
            files = files[position:]
            break
        read = store.read_bytes(config.data_bucket, [file.key])
        ids = ()
        if file.key in read:
            ids = table_of(read[file.key], file.key, ("id",)).columns["id"]
        hashes.append(numbers_of(ids))
        sizes[file.name] = len(ids)
        places[file.name] = len(places)
        taken += len(ids)
    else:
        files = ()
    of = np.repeat(np.arange(len(hashes), dtype=np.int32), [len(one) for one in hashes])
    together = np.concatenate(hashes)
    order = np.argsort(together, kind="stable")
    return _Slab(places, together[order], of[order]), files


def _digest(keys: Sequence[str]) -> str:
    return hashlib.sha256("\n".join(sorted(keys)).encode()).hexdigest()[:16]
