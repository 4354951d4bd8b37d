"""What a window's bias is compared with: the training data's, or that of the first windows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from functools import reduce
from typing import Any, Final, Self

from mlops_framework.drift.bias.counts import BiasCounts
from mlops_framework.drift.config import MonitorConfig
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.layout import kept_prefix
from mlops_framework.drift.windows import instant, moment

KIND: Final = "mlops-drift-bias-reference"
VERSION: Final = 1


@dataclass(frozen=True)
class Reference:
    """Counts to compare with.

    Attributes:
        counting: Digest of what was counted; other counts do not compare.
        baseline: Of the training data with the model's predictions; ``None`` if there are none.
        windows: Of the first complete windows, by their start, where the training data has none.
    """

    counting: str
    baseline: BiasCounts | None = None
    windows: Mapping[datetime, BiasCounts] = field(default_factory=dict)

    def with_window(self, start: datetime, counts: BiasCounts) -> Reference:
        """With a window's counts, in place of those it had before late labels came."""
        return replace(self, windows={**self.windows, start: counts})

    def merged(self) -> BiasCounts:
        """The windows' counts as one; there is at least one."""
        return reduce(BiasCounts.merged, self.windows.values())

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "counting": self.counting,
            "baseline": self.baseline.to_document() if self.baseline else None,
            "windows": {
                instant(start): counts.to_document()
                for start, counts in sorted(self.windows.items())
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
                str(document["counting"]),
                BiasCounts.from_document(baseline, source) if baseline else None,
                {
                    moment(start): BiasCounts.from_document(counts, source)
                    for start, counts in document["windows"].items()
                },
            )


def reference_key(config: MonitorConfig) -> str:
    """Where it lies."""
    return f"{kept_prefix(config, 'bias')}reference.json"
