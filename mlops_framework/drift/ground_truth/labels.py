"""Ground truth records: labels by the id of the record they belong to.

SageMaker's form, one JSON object a line below ``<location>/yyyy/mm/dd/HH/`` of the hour in which
the labels were collected (Amazon SageMaker developer guide, *Ingest ground truth labels and merge
them with predictions*)::

    {"groundTruthData": {"data": "1", "encoding": "CSV"},
     "eventMetadata": {"eventId": "<inferenceId, or eventId>"}, "eventVersion": "0"}

``data`` is CSV: a line for each row of the record, a field or several. It may be JSON, too, or CSV
in base64 (:mod:`.label_data`).
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, Final, Literal, Self

import numpy as np
import orjson
import pyarrow as pa
from pyarrow import json as arrow_json

from mlops_framework.drift.blocks import blocks
from mlops_framework.drift.ground_truth.label_data import (
    REASONS,
    LabelPlace,
    LabelUnreadable,
    Reason,
    labels_in,
)
from mlops_framework.drift.values import Indices

Fault = Literal["not-json", "no-ground-truth", "no-event-id"] | Reason

FAULTS: Final[Mapping[str, str]] = {
    "not-json": "the line is not a JSON object",
    "no-ground-truth": "the record has no groundTruthData with data, a text or with JSON any value",
    "no-event-id": "the record has no eventMetadata.eventId",
    **REASONS,
}
MOST_LABELS: Final = 1_000_000
"""So many labels at most are stored in one file."""
_LABEL_KEY: Final = re.compile(r"(?:.*/)?(?P<hour>\d{4}/\d{2}/\d{2}/\d{2})/[^/]+")
_SPECIAL: Final = '[",\\n\\r]'
_JSON_NUMBER: Final = r"^-?(0|[1-9][0-9]*)(\.[0-9]+)?$"
_SCHEMA: Final = pa.schema(
    [
        (
            "groundTruthData",
            pa.struct([("data", pa.string()), ("encoding", pa.string())]),
        ),
        ("eventMetadata", pa.struct([("eventId", pa.string())])),
    ]
)


def collected_at(key: str) -> datetime | None:
    """The hour in which the labels of an object were collected, by its key; ``None`` for none."""
    match = _LABEL_KEY.fullmatch(key)
    if match is None:
        return None
    try:
        return datetime.strptime(match["hour"], "%Y/%m/%d/%H").replace(tzinfo=UTC)
    except ValueError:
        return None


@dataclass(frozen=True)
class Labels:
    """Labels of rows, in the order of their file.

    Attributes:
        ids: Of each label, the id of its record (an Arrow array of text).
        rows: Of each label, the number of its row in the record, from 0.
        of: Of each label, how many its record has.
        texts: The labels as they are written (an Arrow array of text).
        faults: Records that could not be read, by reason.
    """

    ids: Any
    rows: Indices
    of: Indices
    texts: Any
    faults: Mapping[str, int] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(self.rows)

    @classmethod
    def of_lists(
        cls,
        ids: Sequence[str],
        rows: Sequence[int],
        of: Sequence[int],
        texts: Sequence[str],
        faults: Mapping[str, int],
    ) -> Self:
        """From lists, one entry a label."""
        return cls(
            pa.array(ids, pa.string()),
            np.array(rows, np.int64),
            np.array(of, np.int64),
            pa.array(texts, pa.string()),
            faults,
        )


def read_labels(chunks: Iterable[bytes], *, attribute: str = "") -> Iterator[Labels]:
    """Labels of a ground truth object, part by part.

    Args:
        chunks: Parts of its text, cut anywhere.
        attribute: Where a row has its label: a position, a path into JSON, or empty for the first.
    """
    place = LabelPlace.parse(attribute)
    for block in blocks(chunks):
        text = block.text[block.begin : block.end]
        if text.strip():
            yield _quickly(text, place) or _one_by_one(text, place)


def _quickly(text: bytes, place: LabelPlace) -> Labels | None:
    """The labels, if all lines are plain; ``None`` if they have to be read one by one."""
    import pyarrow.compute as pc  # 40 ms that only those wait for who have labels

    try:
        table = arrow_json.read_json(
            pa.BufferReader(text),
            read_options=arrow_json.ReadOptions(use_threads=False, block_size=len(text) + 1),
            parse_options=arrow_json.ParseOptions(
                explicit_schema=_SCHEMA, unexpected_field_behavior="ignore"
            ),
        ).combine_chunks()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None
    truth, metadata = (table.column(name).combine_chunks() for name in _SCHEMA.names)
    if isinstance(truth, pa.ChunkedArray) or not len(truth):
        return None
    data = pc.utf8_trim_whitespace(pc.struct_field(truth, "data"))
    encoding, ids = pc.struct_field(truth, "encoding"), pc.struct_field(metadata, "eventId")
    if data.null_count or encoding.null_count or ids.null_count:
        return None
    csv, json = pc.equal(encoding, "CSV"), pc.equal(encoding, "JSON")
    plain = pc.and_(csv, pc.invert(pc.match_substring_regex(data, _SPECIAL)))
    plain = pc.or_(plain, pc.and_(json, pc.match_substring_regex(data, _JSON_NUMBER)))
    if place.position or not pc.all(plain).as_py() or pc.any(pc.equal(ids, "")).as_py():
        return None
    count = len(ids)
    return Labels(ids, np.zeros(count, np.int64), np.ones(count, np.int64), data)


def _one_by_one(text: bytes, place: LabelPlace) -> Labels:
    ids: list[str] = []
    rows: list[int] = []
    of: list[int] = []
    texts: list[str] = []
    faults: Counter[str] = Counter()
    for line in text.split(b"\n"):
        if not line.strip():
            continue
        found = _record(line, place)
        if isinstance(found, str):
            faults[found] += 1
            continue
        identity, labels = found
        ids += [identity] * len(labels)
        rows += range(len(labels))
        of += [len(labels)] * len(labels)
        texts += labels
    return Labels.of_lists(ids, rows, of, texts, faults)


def _record(line: bytes, place: LabelPlace) -> tuple[str, list[str]] | Fault:
    """Id and labels of one line, or why it has none."""
    try:
        record = orjson.loads(line)
    except ValueError:
        return "not-json"
    if not isinstance(record, dict):
        return "not-json"
    truth, metadata = record.get("groundTruthData"), record.get("eventMetadata")
    if not isinstance(truth, dict):
        return "no-ground-truth"
    data, encoding = truth.get("data"), truth.get("encoding")
    if data is None or not (isinstance(data, str) or encoding == "JSON"):
        return "no-ground-truth"
    try:
        labels = labels_in(data, encoding, place)
    except LabelUnreadable as error:
        return error.reason
    identity = metadata.get("eventId") if isinstance(metadata, dict) else None
    if not isinstance(identity, str) or not identity:
        return "no-event-id"
    return identity, list(labels)


def parts_of(labels: Iterable[Labels], most: int = MOST_LABELS) -> Iterator[Labels]:
    """The same labels in parts of so many; the last one has the rest and tells all faults.

    There is at least one part, so that an object without labels is known as read.
    """
    held: list[Labels] = []
    faults: Counter[str] = Counter()
    for one in labels:
        faults.update(one.faults)
        held.append(one)
        while sum(map(len, held)) > most:
            whole = _whole(held)
            yield _cut(whole, 0, most)
            held = [_cut(whole, most, len(whole))]
    last = _whole(held)
    yield Labels(last.ids, last.rows, last.of, last.texts, dict(sorted(faults.items())))


def _cut(labels: Labels, begin: int, end: int) -> Labels:
    size = max(0, min(end, len(labels)) - begin)
    return Labels(
        labels.ids.slice(begin, size),
        labels.rows[begin:end],
        labels.of[begin:end],
        labels.texts.slice(begin, size),
    )


def _whole(parts: Sequence[Labels]) -> Labels:
    if not parts:
        return Labels.of_lists([], [], [], [], {})
    return Labels(
        pa.concat_arrays([part.ids for part in parts]),
        np.concatenate([part.rows for part in parts]),
        np.concatenate([part.of for part in parts]),
        pa.concat_arrays([part.texts for part in parts]),
    )
