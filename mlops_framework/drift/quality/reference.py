"""What a window's quality is held against: the baseline's, or that of the first windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any, Final, Literal, Self

from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.ground_truth.settings import GroundTruth
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.ports import Store
from mlops_framework.drift.quality.sums import QualitySums, settings_digest
from mlops_framework.drift.records import Records
from mlops_framework.drift.windows import instant, moment

KIND: Final = "mlops-drift-quality-reference"
VERSION: Final = 1

Origin = Literal["baseline", "windows"]


@dataclass(frozen=True)
class Reference:
    """Sums to compare with.

    Attributes:
        settings: Digest of the settings they were counted with; those of others do not compare.
        baseline: Sums of the baseline data's own predictions; ``None`` if it has none.
        windows: Sums of the first complete windows with labels, by their start.
    """

    settings: str
    baseline: QualitySums | None = None
    windows: Mapping[datetime, QualitySums] = field(default_factory=dict)

    @property
    def origin(self) -> Origin:
        """Where the sums are from."""
        return "baseline" if self.baseline is not None else "windows"

    def full(self, settings: GroundTruth) -> bool:
        """Whether there is enough: so many windows, and on average enough labels in each."""
        rows = sum(sums.compared for sums in self.windows.values())
        needed = settings.reference_windows
        return len(self.windows) >= needed and rows >= needed * settings.minimum_labels

    def sums(self, settings: GroundTruth) -> QualitySums | None:
        """The sums; ``None`` while there are not enough."""
        if self.baseline is not None:
            return self.baseline
        if not self.full(settings):
            return None
        return reduce(QualitySums.merged, self.windows.values())

    def learns(self, start: datetime, settings: GroundTruth) -> bool:
        """Whether a window is one of those that later ones are compared with."""
        return self.baseline is None and (start in self.windows or not self.full(settings))

    def with_window(self, start: datetime, sums: QualitySums) -> Reference:
        """With a window more, or with what it says now that more labels came."""
        return replace(self, windows={**self.windows, start: sums})

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "settings": self.settings,
            "baseline": self.baseline and self.baseline.to_document(),
            "windows": {
                instant(start): sums.to_document() for start, sums in sorted(self.windows.items())
            },
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            baseline = document["baseline"]
            return cls(
                document["settings"],
                QualitySums.from_document(baseline, source) if baseline else None,
                {
                    moment(start): QualitySums.from_document(sums, source)
                    for start, sums in document["windows"].items()
                },
            )


def reference_key(config: MonitorConfig) -> str:
    """Where it lies."""
    return f"{kept_prefix(config, 'quality')}reference.json"


def read_reference(config: MonitorConfig, settings: GroundTruth, store: Store) -> Reference:
    """What is known; nothing if it was counted with other settings."""
    key = reference_key(config)
    document = store.read(config.data_bucket, key)
    counted_by = settings_digest(settings)
    if document is not None:
        found = Reference.from_document(document, f"s3://{config.data_bucket}/{key}")
        if found.settings == counted_by:
            return found
    return Reference(counted_by)


def write_reference(config: MonitorConfig, reference: Reference, store: Store) -> None:
    """Keep it."""
    Records(store, config).write(reference_key(config), reference.to_document())
