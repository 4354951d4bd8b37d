"""Columns of values as one compressed Arrow file, and back.

The file is Arrow's IPC format with Zstandard buffers: what is read and written is a column at a
time, a million ids take some 20 MB, and equal columns give equal bytes.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pyarrow as pa

from mlops_framework.drift.errors import DocumentInvalid
from mlops_framework.drift.values import Numbers, Texts, Values

SUFFIX: Final = ".arrow"
FACET: Final = "column:"
"""What names of input columns begin with in a table of predictions."""
PROBABILITY: Final = "probability:"
"""What names of probabilities of one of several classes begin with."""
LABEL: Final = "label"
"""Labels that captured records themselves have; no such column where none has."""
MEDIA_TYPE: Final = "application/vnd.apache.arrow.file"


@dataclass(frozen=True)
class Table:
    """Columns of equal length.

    Attributes:
        columns: Arrow arrays by name.
        notes: Texts about the whole table.
    """

    columns: Mapping[str, Any]
    notes: Mapping[str, str] = field(default_factory=dict)

    def __len__(self) -> int:
        return len(next(iter(self.columns.values()), ()))

    def numbers(self, name: str) -> Any:
        """A column of numbers as a numpy array."""
        return self.columns[name].to_numpy(zero_copy_only=False)

    def values(self, name: str) -> Values:
        """A column as values."""
        column = self.columns[name]
        if pa.types.is_floating(column.type):
            return Numbers(column.to_numpy(zero_copy_only=False))
        indices = column.indices.to_numpy(zero_copy_only=False).astype(np.int64)
        return Texts(indices, tuple(column.dictionary.to_pylist()))


def texts_array(texts: Sequence[str]) -> Any:
    """Texts as an Arrow array; half of a surrogate pair, which JSON may hold, becomes ``?``."""
    try:
        return pa.array(texts, pa.string())
    except UnicodeEncodeError:
        return pa.array([text.encode("utf-8", "replace").decode() for text in texts], pa.string())


def column_of(values: Values) -> Any:
    """Values as an Arrow array: numbers, or texts each kept once."""
    if isinstance(values, Numbers):
        return pa.array(values.values, pa.float64())
    indices = pa.array(values.indices, pa.int32())
    return pa.DictionaryArray.from_arrays(indices, texts_array(values.distinct))


def table_bytes(table: Table) -> bytes:
    """The table as a file."""
    schema = pa.schema(
        [(name, column.type) for name, column in table.columns.items()],
        metadata=dict(sorted(table.notes.items())),
    )
    sink = pa.BufferOutputStream()
    options = pa.ipc.IpcWriteOptions(compression=pa.Codec("zstd", compression_level=1))
    with pa.ipc.new_file(sink, schema, options=options) as writer:
        writer.write_batch(pa.record_batch(list(table.columns.values()), schema=schema))
    return sink.getvalue().to_pybytes()  # type: ignore[no-any-return]


def table_of(data: bytes, source: str, only: Sequence[str] = ()) -> Table:
    """Read what :func:`table_bytes` wrote.

    Args:
        data: The file.
        source: Its name in messages.
        only: The columns that are needed; empty for all.

    Raises:
        DocumentInvalid: If it is not such a file.
    """
    try:
        reader = pa.ipc.open_file(pa.BufferReader(data))
        if only:
            places = [reader.schema.get_field_index(name) for name in only]
            options = pa.ipc.IpcReadOptions(included_fields=places)
            reader = pa.ipc.open_file(pa.BufferReader(data), options=options)
        batch = reader.get_batch(0)
    except (pa.ArrowInvalid, OSError) as error:
        raise DocumentInvalid(
            f"{source} is damaged ({error}). Delete it and let it be written again."
        ) from error
    notes = {key.decode(): text.decode() for key, text in (reader.schema.metadata or {}).items()}
    return Table(dict(zip(batch.schema.names, batch.columns, strict=True)), notes)
