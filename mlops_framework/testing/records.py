"""Pipeline records in memory."""

from __future__ import annotations

from mlops_framework.orchestration.errors import RecordChanged
from mlops_framework.orchestration.records import PipelineRecord, RecordPage


class InMemoryRecords:
    """The port ``RecordStore``."""

    def __init__(self) -> None:
        self.items: dict[str, PipelineRecord] = {}

    def get(self, pipeline_id: str) -> PipelineRecord | None:
        """See ``RecordStore.get``."""
        return self.items.get(pipeline_id)

    def put(self, record: PipelineRecord, *, expected_revision: int | None) -> None:
        """See ``RecordStore.put``."""
        stored = self.items.get(record.pipeline_id)
        if (stored.revision if stored else None) != expected_revision:
            raise RecordChanged(record.pipeline_id)
        self.items[record.pipeline_id] = record

    def delete(self, pipeline_id: str, *, expected_revision: int) -> None:
        """See ``RecordStore.delete``."""
        stored = self.items.get(pipeline_id)
        if stored is None:
            return
        if stored.revision != expected_revision:
            raise RecordChanged(pipeline_id)
        del self.items[pipeline_id]

    def page(self, *, limit: int, token: str = "") -> RecordPage:
        """See ``RecordStore.page``."""
        names = sorted(name for name in self.items if name > token)
        shown = names[:limit]
        last = shown[-1] if len(names) > limit else ""
        return RecordPage(tuple(self.items[name] for name in shown), last)
