"""Labels as they are stored: files of one object version each, by the hour of their collection.

A file's name says all that has to be known without opening it: which object, which version of it.
The same object version writes the same files again, however often its event is delivered.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final

import pyarrow as pa

from mlops_framework.drift.config import MonitorConfig, S3Location
from mlops_framework.drift.ground_truth.labels import Labels, collected_at, parts_of, read_labels
from mlops_framework.drift.ground_truth.tables import (
    MEDIA_TYPE,
    SUFFIX,
    Table,
    table_bytes,
)
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.ports import Sources, Store

NAME: Final = "labels"
_VERSION_DIGITS: Final = 12
_HOUR: Final = "%Y/%m/%d/%H00"


@dataclass(frozen=True)
class Taken:
    """What became of a ground truth object.

    Attributes:
        keys: Keys of the files written.
        labels: Labels found.
        faults: Records that could not be read, by reason (:data:`~.labels.FAULTS`).
        skipped: Why it was not read; empty if it was.
    """

    keys: tuple[str, ...] = ()
    labels: int = 0
    faults: Mapping[str, int] = field(default_factory=dict)
    skipped: str = ""

    @property
    def left_out(self) -> int:
        """Records that could not be read."""
        return sum(self.faults.values())


@dataclass(frozen=True, order=True)
class LabelFile:
    """A stored file.

    Attributes:
        hour: When its labels were collected.
        origin: The object's file name, as far as it fits, and a digest of its place.
        sequencer: S3's sequencer of the object version.
        version: Digest of the object version, and the part.
        key: Its own key.
    """

    hour: datetime
    origin: str
    sequencer: str
    version: str
    key: str

    @property
    def name(self) -> str:
        """Its name among all files of the monitor, short enough to be kept in lists."""
        return f"{self.origin.rpartition('~')[2]}-{self.version}"

    def is_of(self, source: ObjectVersion) -> bool:
        """Whether its labels are those of an object version."""
        return self.version.partition("-")[0] == source.digest[-_VERSION_DIGITS:]

    @classmethod
    def of_key(cls, key: str, root: str) -> LabelFile:
        """Read its key below the root of all label files."""
        folder, _, file = key.removeprefix(root).rpartition("/")
        origin, sequencer, version = file.removesuffix(SUFFIX).split(".")
        hour = datetime.strptime(folder, _HOUR).replace(tzinfo=UTC)
        return cls(hour, origin, sequencer, version, key)


def take_labels(
    config: MonitorConfig, source: ObjectVersion, sources: Sources, store: Store
) -> Taken:
    """Store the labels of a ground truth object.

    Raises:
        ObjectMissing: If the object is gone.
    """
    settings = config.ground_truth
    if settings is None or not config.ground_truth_location:
        return Taken(skipped=f"the monitor {config.name!r} reads no labels")
    expected = S3Location.parse(config.ground_truth_location)
    inside = source.bucket == expected.bucket and source.key.startswith(f"{expected.key}/")
    hour = collected_at(source.key)
    if not inside or hour is None:
        return Taken(skipped=f"{source} is not of the form {expected}/yyyy/mm/dd/HH/<file>")
    origin, version = origin_of(source), source.digest[-_VERSION_DIGITS:]
    folder = f"{kept_prefix(config, NAME)}{hour.strftime(_HOUR)}"
    keys, count, faults = [], 0, Counter[str]()
    found = read_labels(sources.captured(source), attribute=settings.label_attribute)
    for part, labels in enumerate(parts_of(found)):
        name = f"{origin}.{source.sequencer or '0'}.{version}-{part:04}{SUFFIX}"
        data = table_bytes(_table(labels, source))
        store.write_bytes(config.data_bucket, f"{folder}/{name}", data, MEDIA_TYPE)
        keys.append(f"{folder}/{name}")
        count += len(labels)
        faults.update(labels.faults)
    return Taken(tuple(keys), count, dict(faults))


def label_files(
    config: MonitorConfig, store: Store, start: datetime, end: datetime
) -> Sequence[LabelFile]:
    """The files of labels collected in ``start .. end``, of each object its last version's."""
    return last_versions(_all_files(config, store, start, end))


def files_by_origin(
    config: MonitorConfig, store: Store, start: datetime, end: datetime
) -> Mapping[str, Sequence[LabelFile]]:
    """The files of all versions of each object, by :func:`origin_of`."""
    found: dict[str, list[LabelFile]] = {}
    for file in _all_files(config, store, start, end):
        found.setdefault(file.origin, []).append(file)
    return found


def _all_files(
    config: MonitorConfig, store: Store, start: datetime, end: datetime
) -> Iterator[LabelFile]:
    root = kept_prefix(config, NAME)
    day = start.replace(hour=0, minute=0, second=0, microsecond=0)
    while day <= end:
        for key in store.keys(config.data_bucket, f"{root}{day:%Y/%m/%d}/"):
            yield LabelFile.of_key(key, root)
        day += timedelta(days=1)


def last_versions(files: Iterable[LabelFile]) -> Sequence[LabelFile]:
    """Without files of object versions that were written over; S3 compares sequencers as text."""
    files = tuple(files)
    width = max((len(file.sequencer) for file in files), default=0)

    def age(file: LabelFile) -> tuple[str, str]:
        return file.sequencer.ljust(width, "0"), file.version.partition("-")[0]

    newest: dict[str, tuple[str, str]] = {}
    for file in files:
        newest[file.origin] = max(newest.get(file.origin, ("", "")), age(file))
    return tuple(sorted(file for file in files if age(file) == newest[file.origin]))


def labels_of(table: Table) -> Labels:
    """The labels of a stored file."""
    faults = json.loads(table.notes["faults"])
    return Labels(
        table.columns["id"],
        table.numbers("row"),
        table.numbers("of"),
        table.columns["label"].cast(pa.string()),
        faults,
    )


def origin_of(source: ObjectVersion) -> str:
    """Of which object a file is.

    Files of one hour are in the order of their names, as far as names are told apart here.
    """
    plain = re.sub(r"[^A-Za-z0-9_-]", "-", source.key.rpartition("/")[2])[:80]
    digest = hashlib.sha256(f"{source.bucket}\n{source.key}".encode()).hexdigest()
    return f"{plain}~{digest[:12]}"


def _table(labels: Labels, source: ObjectVersion) -> Table:
    columns = {
        "id": labels.ids,
        "row": pa.array(labels.rows, pa.int32()),
        "of": pa.array(labels.of, pa.int32()),
        "label": labels.texts.dictionary_encode(),
    }
    notes = {
        "bucket": source.bucket,
        "key": source.key,
        "version": source.version,
        "sequencer": source.sequencer,
        "faults": json.dumps(dict(labels.faults), sort_keys=True),
    }
    return Table(columns, notes)
