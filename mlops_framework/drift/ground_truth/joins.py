"""What many functions joined of a window, in the store: sums by part, under names that say of what.

A *set* is what a window is joined of: its captures, the files of labels that belong to it, and the
settings that decide what is counted. Each of its parts is one small document. Late labels make
another set; the same set, joined again by whomever, writes the same keys with the same sums.
"""

from __future__ import annotations

import hashlib
import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any, Final, Self

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.ground_truth import predictions
from mlops_framework.drift.ground_truth.asked import columns_asked
from mlops_framework.drift.ground_truth.label_files import LabelFile
from mlops_framework.drift.ground_truth.partitions import (
    MOST_HELD,
    Part,
    join_part,
    read_label_files,
    read_tables,
)
from mlops_framework.drift.ground_truth.tables import SUFFIX
from mlops_framework.drift.layout import kept_key, kept_prefix, run_key
from mlops_framework.drift.objects import ObjectVersion
from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.ports import Store
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import Window, instant, moment

NAME: Final = "joined"
PART_ROWS: Final = 1_500_000
"""Rows of one part; 760 MB where all of them have labels, of a function's 1,769."""
MOST_ROWS: Final = 500_000_000
"""Of one window: each of its parts reads all of it, in two thirds of a function's 15 minutes."""
_COLUMN: Final = 0.06
"""What one more column of every row takes of memory, as a share of what a row takes without it."""
_PART: Final = re.compile(r"(?P<set>.+)-(?P<number>\d{4})-of-(?P<of>\d{4})\.json")


def weight_of(config: MonitorConfig) -> float:
    """How much memory a row takes, as a multiple of one of which only the prediction is kept."""
    truth = config.ground_truth
    columns = len(columns_asked(config)) + (len(truth.probabilities) if truth else 0)
    return 1 + _COLUMN * columns


@dataclass(frozen=True)
class JoinSet:
    """What a window is joined of.

    Attributes:
        window: The window.
        counting: Digest of the settings that decide what is counted.
        captured: Digests of the captured objects, in the order of their keys.
        labels: The files that hold labels of them, in the order of their collection.
    """

    window: Window
    counting: str
    captured: tuple[str, ...]
    labels: tuple[LabelFile, ...]

    @classmethod
    def of(
        cls,
        config: MonitorConfig,
        window: Window,
        captured: Sequence[ObjectVersion],
        labels: Sequence[LabelFile],
    ) -> Self:
        """The set of a window's captures and labels."""
        ordered = sorted(captured, key=lambda one: (one.bucket, one.key))
        digests = tuple(one.digest for one in ordered)
        return cls(window, counting_id(config), digests, tuple(labels))

    @property
    def name(self) -> str:
        """Equal sets have equal names; of a window's sets, the one that has more sorts last."""
        text = "\n".join([self.counting, *self.captured, "", *(f.name for f in self.labels)])
        digest = hashlib.sha256(text.encode()).hexdigest()[:32]
        return f"{len(self.captured):07d}-{len(self.labels):05d}-{digest}"


@dataclass(frozen=True)
class Joins:
    """The joined sets of one monitor.

    Attributes:
        store: A monitor's documents.
        config: The monitor.
        part_rows: About so many rows are joined at once.
    """

    store: Store
    config: MonitorConfig
    part_rows: int = PART_ROWS

    def complete(self, window: Window) -> Mapping[str, Sequence[str]]:
        """Of each set of a window whose parts are all there, their keys; by name, ascending."""
        prefix = f"{kept_prefix(self.config, NAME)}{window.path}/"
        found: dict[tuple[str, int], list[str]] = {}
        for key in sorted(self.store.keys(self.config.data_bucket, prefix)):
            part = _PART.fullmatch(key.removeprefix(prefix))
            if part is not None:
                found.setdefault((part["set"], int(part["of"])), []).append(key)
        return {name: keys for (name, of), keys in sorted(found.items()) if len(keys) == of}

    def sums(self, keys: Sequence[str]) -> OutcomeSums | None:
        """The parts of a set, merged.

        Returns:
            ``None`` if there are no rows, or parts vanished meanwhile.
        """
        documents = self.store.read_all(self.config.data_bucket, keys)
        if len(documents) != len(keys):
            return None
        parts = (OutcomeSums.from_document(one, f"one of {keys[0]}") for one in documents)
        merged = reduce(OutcomeSums.merged, parts, OutcomeSums())
        return merged if merged.counts.rows else None

    def plan(self, wanted: JoinSet, rows: int, run: str) -> list[dict[str, Any]]:
        """What is to be done for a set; nothing if all of it is done.

        Args:
            wanted: The set.
            rows: About how many rows it has.
            run: Name of the distributed run, whose list of work it goes to.

        Returns:
            Inputs of :meth:`join`.
        """
        if wanted.name in self.complete(wanted.window):
            return []
        of = max(1, math.ceil(rows * weight_of(self.config) / self.part_rows))
        key = run_key(self.config, run, f"{wanted.window.start:%Y%m%dT%H%M}-{wanted.name}")
        Records(self.store, self.config).write(
            key,
            {
                "window": instant(wanted.window.start),
                "set": wanted.name,
                "captured": list(wanted.captured),
                "labels": [file.key for file in wanted.labels],
            },
        )
        return [{"work": key, "number": number, "of": of} for number in range(of)]

    def join(self, item: Mapping[str, Any]) -> str:
        """Join one part and write its sums; the same part again writes the same.

        Args:
            item: One of :meth:`plan`.

        Returns:
            The key of the sums.

        Raises:
            DocumentInvalid: If the run's list of work is gone.
        """
        config, bucket = self.config, self.config.data_bucket
        work = self.store.read(bucket, item["work"])
        if work is None or config.ground_truth is None:
            raise DocumentInvalid(
                f"s3://{bucket}/{item['work']} says what is to be joined, and is gone, or "
                f"{config.name} reads no labels any more. Start the run again."
            )
        window = Window.containing(moment(work["window"]), config.window_minutes)
        part = Part(item["number"], item["of"])
        name = f"{work['set']}-{part.number:04d}-of-{part.of:04d}.json"
        key = kept_key(config, NAME, window, name)
        if self.store.read(bucket, key) is not None:
            return key
        tables = [
            kept_key(config, predictions.NAME, window, f"{digest}{SUFFIX}")
            for digest in work["captured"]
        ]
        joined = join_part(
            read_tables(self.store, bucket, tables),
            read_label_files(self.store, bucket, work["labels"]),
            part,
            classes=config.ground_truth.classes,
            most_rows=int(MOST_HELD / weight_of(config)),
        )
        sums = OutcomeSums()
        for rows in joined:
            sums = sums.merged(OutcomeSums.of_rows(rows, config))
        Records(self.store, config).write(key, sums.to_document())
        return key
