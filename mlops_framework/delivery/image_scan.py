"""Decides whether what a scan found lets an image pass.

Source: ECR API, ``DescribeImageScanFindings``; basic and enhanced (Inspector) scanning answer it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

SEVERITIES: Final = ("critical", "high", "medium", "low")
"""Severities that a gate can be set to, gravest first; ECR knows lesser ones, which never count."""

_RUNNING: Final = frozenset({"PENDING", "IN_PROGRESS"})
_FINISHED: Final = frozenset({"COMPLETE", "ACTIVE"})
"""Basic scans complete; enhanced ones stay active and find more later."""
_NAMES_SHOWN: Final = 10


@dataclass(frozen=True)
class Finding:
    """One vulnerability.

    Attributes:
        name: Such as ``CVE-2024-12345``.
        severity: ECR's word, in lower case.
        package: What it is in; empty if ECR does not say.
    """

    name: str
    severity: str
    package: str = ""

    def __str__(self) -> str:
        """Name and package."""
        return f"{self.name} ({self.package})" if self.package else self.name


@dataclass(frozen=True)
class Scan:
    """What ECR says of the scan of one image.

    Attributes:
        status: ECR's word; empty when there is no scan.
        description: ECR's words about the status.
        findings: All of them, of every page.
    """

    status: str
    description: str = ""
    findings: Sequence[Finding] = ()

    @property
    def is_running(self) -> bool:
        """Whether there is something to wait for."""
        return self.status in _RUNNING

    @property
    def is_finished(self) -> bool:
        """Whether the findings are there."""
        return self.status in _FINISHED


def grave(scan: Scan, gate: str, accepted: Sequence[str]) -> tuple[Finding, ...]:
    """The findings that keep an image out, gravest first.

    Args:
        scan: A finished scan.
        gate: One of :data:`SEVERITIES`, or ``none``.
        accepted: Names of findings that are overlooked.
    """
    if gate not in SEVERITIES:
        return ()
    counted = SEVERITIES[: SEVERITIES.index(gate) + 1]
    found = [
        one for one in scan.findings if one.severity in counted and one.name not in set(accepted)
    ]
    return tuple(sorted(found, key=lambda one: (counted.index(one.severity), one.name)))


def counts(findings: Sequence[Finding]) -> str:
    """``2 critical and 5 high``; ``none`` when there are none."""
    parts = []
    for severity in SEVERITIES:
        if number := sum(one.severity == severity for one in findings):
            parts.append(f"{number} {severity}")
    return " and ".join(parts) or "none"


def names(findings: Sequence[Finding]) -> str:
    """The first ten, and how many more there are."""
    shown = ", ".join(str(one) for one in findings[:_NAMES_SHOWN])
    rest = len(findings) - _NAMES_SHOWN
    return f"{shown} and {rest} more" if rest > 0 else shown
