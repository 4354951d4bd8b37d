"""What a monitor remembers between evaluations: one small document per monitor."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final, Self

from mlops_framework.drift.alerting import AlertState
from mlops_framework.drift.documents import expect, member
from mlops_framework.drift.policy import Kind, Verdict, decides
from mlops_framework.drift.retraining import RetrainingState
from mlops_framework.drift.windows import LATE_HORIZON, instant, moment

KIND: Final = "mlops-drift-state"
VERSION: Final = 1
_MARGIN: Final = timedelta(days=1)


@dataclass(frozen=True)
class Found:
    """What was found out about one side of a window.

    Attributes:
        verdict: Its verdict.
        features: What breached, worst first.
    """

    verdict: Verdict
    features: tuple[str, ...] = ()


@dataclass(frozen=True)
class Evaluated:
    """A window that was judged.

    Attributes:
        fingerprint: Digest of the profiles, and of the news, it was judged with.
        complete: Whether it was over by then.
        verdict: The verdict on its columns.
        features: Drifted columns, worst first.
        sections: What else was watched.
        since: Of each topic that was found (:mod:`.lasting`) since when it has been.
    """

    fingerprint: str
    complete: bool
    verdict: Verdict
    features: tuple[str, ...] = ()
    sections: Mapping[Kind, Found] = field(default_factory=dict)
    since: Mapping[str, datetime] = field(default_factory=dict)

    @property
    def breaches(self) -> frozenset[tuple[str, str]]:
        """Everything that breached, with its kind; ``(kind, "")`` for a verdict without names."""
        columns: dict[Kind, Found] = {"data-quality": Found(self.verdict, self.features)}
        found = {**columns, **self.sections}
        return frozenset(
            (kind, name)
            for kind, side in found.items()
            if side.verdict == "drift" and decides(kind)
            for name in ("", *side.features)
        )


@dataclass(frozen=True)
class MonitorState:
    """The memory of one monitor.

    Attributes:
        watching_since: When it was first evaluated.
        windows: Judged windows by their start, as far back as late captures are looked for.
        alerts: What people were told about the columns and the traffic.
        sections: What they were told about what else is watched.
        retraining: What was asked for.
        outbox: Messages and metrics decided on but perhaps not sent yet; they are written down
            before they are sent, so that a crash in between delays them and cannot lose them.
    """

    watching_since: datetime
    windows: Mapping[datetime, Evaluated] = field(default_factory=dict)
    alerts: AlertState = field(default_factory=AlertState)
    retraining: RetrainingState = field(default_factory=RetrainingState)
    outbox: tuple[Mapping[str, Any], ...] = ()
    sections: Mapping[Kind, AlertState] = field(default_factory=dict)

    def remembered(
        self, now: datetime, minutes: int, reach: timedelta = LATE_HORIZON
    ) -> Mapping[datetime, Evaluated]:
        """The windows (of ``minutes``) that an evaluation may meet again within ``reach``."""
        oldest = now - reach - timedelta(minutes=minutes) - _MARGIN
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
                | _sections_to(seen.sections)
                | _since_to(seen.since)
                for start, seen in sorted(self.windows.items())
            },
            "alerts": self.alerts.to_document(),
            "retraining": self.retraining.to_document(),
            "outbox": [dict(message) for message in self.outbox],
        } | (
            {"sections": {k: alerts.to_document() for k, alerts in sorted(self.sections.items())}}
            if self.sections
            else {}
        )

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
                    seen["fingerprint"],
                    seen["complete"],
                    seen["verdict"],
                    tuple(seen["features"]),
                    {
                        kind: Found(side["verdict"], tuple(side["features"]))
                        for kind, side in seen.get("sections", {}).items()
                    },
                    {
                        topic: moment(at)
                        for at, topics in seen.get("since", {}).items()
                        for topic in topics
                    },
                )
                for start, seen in document["windows"].items()
            }
            return cls(
                moment(document["watching_since"]),
                windows,
                AlertState.from_document(document["alerts"]),
                RetrainingState.from_document(document["retraining"]),
                tuple(document["outbox"]),
                {k: AlertState.from_document(d) for k, d in document.get("sections", {}).items()},
            )


def _sections_to(sections: Mapping[Kind, Found]) -> dict[str, Any]:
    if not sections:
        return {}
    return {
        "sections": {
            kind: {"verdict": side.verdict, "features": list(side.features)}
            for kind, side in sorted(sections.items())
        }
    }


def _since_to(since: Mapping[str, datetime]) -> dict[str, Any]:
    """By time: what began together has it once."""
    topics: dict[str, list[str]] = {}
    for topic, at in sorted(since.items()):
        topics.setdefault(instant(at), []).append(topic)
    return {"since": topics} if topics else {}
