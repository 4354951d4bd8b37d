"""Since when it has been like this: findings that windows in a row agree on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Final

from mlops_framework.drift.findings import Finding
from mlops_framework.drift.policy import Kind, Verdict
from mlops_framework.drift.state import Evaluated

_TELLING: Final[Mapping[str, frozenset[Verdict]]] = {
    "no-data": frozenset(("no-data", "healthy", "drift", "insufficient-data")),
    "insufficient-data": frozenset(("insufficient-data", "healthy", "drift")),
}
"""By a window's verdict on its columns the verdicts of earlier windows that say anything about it;
of others those with a verdict do. A quiet night does not end a drift."""


def topic_of(finding: Finding) -> str:
    """What a finding is about: findings of the same topic in windows in a row are one story."""
    return f"{finding.kind}/{finding.aspect}/{finding.column}"


def since_when(
    findings: Sequence[Finding],
    verdict: Verdict,
    start: datetime,
    judged: Mapping[datetime, Evaluated],
) -> Mapping[str, datetime]:
    """Of each topic the start of the first of the windows in a row that found it.

    Args:
        findings: Of one window, those of its sections included.
        verdict: The window's verdict on its columns.
        start: Where the window begins.
        judged: Windows judged before, by their start; later ones do not matter.
    """
    earlier = [judged[at] for at in sorted((at for at in judged if at < start), reverse=True)]
    found: dict[str, datetime] = {}
    for finding in findings:
        topic = topic_of(finding)
        before = next((one for one in earlier if _tells(one, finding.kind, verdict)), None)
        found[topic] = finding.since or (before.since.get(topic, start) if before else start)
    return found


def _tells(seen: Evaluated, kind: Kind, verdict: Verdict) -> bool:
    if kind == "data-quality":
        return seen.verdict in _TELLING.get(verdict, ("healthy", "drift"))
    side = seen.sections.get(kind)
    return side is not None and side.verdict in ("healthy", "drift")
