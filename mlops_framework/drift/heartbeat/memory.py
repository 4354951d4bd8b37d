"""What the heartbeat remembers between two evaluations."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.heartbeat.label_memory import LabelMemory
from mlops_framework.drift.windows import Window, instant, moment

KIND: Final = "mlops-drift-heartbeat"
VERSION: Final = 1


@dataclass(frozen=True)
class Memory:
    """The memory of one monitor's heartbeat.

    Attributes:
        looked: When the monitor was evaluated last.
        sampling: Percentage captured then; ``None`` where nobody could say.
        objects: Of windows that were over, how many captured objects they were judged with.
        labels: What it remembers of labels; ``None`` where none are looked for.
    """

    looked: datetime | None = None
    sampling: int | None = None
    objects: Mapping[datetime, int] = field(default_factory=dict)
    labels: LabelMemory | None = None

    def late(self, window: Window, objects: int) -> int:
        """How many objects came after the window had been judged as over."""
        return max(0, objects - self.objects.get(window.start, objects))

    def newest(self, window: Window) -> bool:
        """Whether no later window was looked at."""
        return all(start <= window.start for start in self.objects)

    def after(
        self,
        window: Window,
        objects: int,
        sampling: int | None,
        now: datetime,
        keep: timedelta,
        labels: LabelMemory | None = None,
    ) -> Memory:
        """The memory once a window that is over was judged; windows older than ``keep`` go."""
        known = {**self.objects, window.start: max(objects, self.objects.get(window.start, 0))}
        recent = {start: count for start, count in known.items() if start > now - keep}
        return Memory(now, self.sampling if sampling is None else sampling, recent, labels)

    def to_document(self) -> dict[str, Any]:
        """The memory as JSON."""
        document: dict[str, Any] = {
            "kind": KIND,
            "version": VERSION,
            "looked": self.looked and instant(self.looked),
            "sampling": self.sampling,
            "objects": {instant(start): count for start, count in sorted(self.objects.items())},
        }
        return document | ({"labels": self.labels.to_document()} if self.labels else {})

    @classmethod
    def from_document(cls, document: Mapping[str, Any] | None, source: str) -> Self:
        """Read what :meth:`to_document` wrote; of no document, an empty memory.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        if document is None:
            return cls()
        expect(document, KIND, VERSION, source)
        with member(source):
            looked, sampling = document["looked"], document["sampling"]
            labels = document.get("labels")
            return cls(
                moment(looked) if looked else None,
                None if sampling is None else int(sampling),
                {moment(start): int(count) for start, count in document["objects"].items()},
                LabelMemory.from_document(labels) if labels else None,
            )
