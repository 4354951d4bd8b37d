"""What a monitor remembers between evaluations: one small document per monitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from mlops_framework.drift.alerting import AlertState
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.policy import Verdict
from mlops_framework.drift.retraining import RetrainingState
from mlops_framework.drift.windows import LATE_HORIZON, instant, moment

KIND: Final = "mlops-drift-state"
VERSION: Final = 1
_MARGIN: Final = timedelta(days=1)


@dataclass(frozen=True)
class Evaluated:
    """A window that was judged.

    Attributes:
        fingerprint: Digest of the profiles it was judged with.
        complete: Whether it was over by then.
        verdict: The verdict.
        features: Drifted columns, worst first.
    """

    fingerprint: str
    complete: bool
    verdict: Verdict
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class MonitorState:
    """The memory of one monitor.

    Attributes:
        watching_since: When it was first evaluated.
        windows: Judged windows by their start, as far back as late captures are looked for.
        alerts: What people were told.
        retraining: What was asked for.
        outbox: Messages decided on but perhaps not sent yet; they are written down before they are
            sent, so that a crash in between delays them and cannot lose them.
    """

    watching_since: datetime
    windows: Mapping[datetime, Evaluated] = field(default_factory=dict)
    alerts: AlertState = field(default_factory=AlertState)
    retraining: RetrainingState = field(default_factory=RetrainingState)
    outbox: tuple[Mapping[str, Any], ...] = ()

    def remembered(self, now: datetime, minutes: int) -> Mapping[datetime, Evaluated]:
        """The windows (of ``minutes``) that an evaluation may meet again."""
        oldest = now - LATE_HORIZON - timedelta(minutes=minutes) - _MARGIN
        return {start: seen for start, seen in self.windows.items() if start > oldest}

    def to_document(self) -> dict[str, Any]:
        """The state as JSON."""
        return {
            "kind": KIND,
            "version": VERSION,
            "watching_since": instant(self.watching_since),
            "windows": {
                instant(start): {
                    "fingerprint": seen.fingerprint,
                    "complete": seen.complete,
                    "verdict": seen.verdict,
                    "features": list(seen.features),
                }
                for start, seen in sorted(self.windows.items())
            },
            "alerts": self.alerts.to_document(),
            "retraining": self.retraining.to_document(),
            "outbox": [dict(message) for message in self.outbox],
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any], source: str) -> Self:
        """Read what :meth:`to_document` wrote.

        Raises:
            DocumentInvalid: If it is of another kind, version or shape.
        """
        expect(document, KIND, VERSION, source)
        with member(source):
            windows = {
                moment(start): Evaluated(
                    seen["fingerprint"], seen["complete"], seen["verdict"], tuple(seen["features"])
                )
                for start, seen in document["windows"].items()
            }
            return cls(
                moment(document["watching_since"]),
                windows,
                AlertState.from_document(document["alerts"]),
                RetrainingState.from_document(document["retraining"]),
                tuple(document["outbox"]),
            )
