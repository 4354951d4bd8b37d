"""What a run of a monitor came to, from SageMaker's account of its job and its own files.

Source: SageMaker API, ``DescribeProcessingJob``; developer guide, "Schema for Violations
(constraint_violations.json file)", which differs by kind.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal

Outcome = Literal["healthy", "violations", "failed"]

VIOLATIONS_FILE: Final = "constraint_violations.json"
_MOST_TOLD: Final = 20
_LONGEST: Final = 300
_LONGEST_SUBJECT: Final = 100  # SNS refuses longer ones
_MERGE: Final = "groundtruth-merge-"
"""SageMaker's name for the job that joins predictions and truth before a run."""


@dataclass(frozen=True)
class Job:
    """A processing job as SageMaker describes it.

    Attributes:
        name: Its name.
        status: ``Completed``, ``Failed``, ``Stopped``, or one that is not final.
        schedule: Name of the monitoring schedule that started it; empty for other jobs.
        output: S3 prefix of its report; empty if it has none.
        reason: Why it failed.
        message: What its container said at the end.
    """

    name: str
    status: str
    schedule: str = ""
    output: str = ""
    reason: str = ""
    message: str = ""

    @property
    def is_run(self) -> bool:
        """Whether its end is the end of a run, or ends one before its time."""
        if not self.schedule or self.status not in ("Completed", "Failed", "Stopped"):
            return False
        return not (self.name.startswith(_MERGE) and self.status == "Completed")


@dataclass(frozen=True)
class Violation:
    """One finding.

    Attributes:
        subject: Feature, metric or facet it is about.
        check: Kind of check.
        text: The analyzer's words.
    """

    subject: str
    check: str
    text: str


@dataclass(frozen=True)
class Run:
    """One finished run.

    Attributes:
        monitor: The monitor's schedule.
        job: Name of the processing job.
        outcome: What it came to.
        violations: What was found, in the analyzer's order.
        report: S3 prefix of its files; empty if there are none.
        reason: Why it failed.
    """

    monitor: str
    job: str
    outcome: Outcome
    violations: Sequence[Violation] = ()
    report: str = ""
    reason: str = ""

    def detail(self, labels: Mapping[str, str]) -> dict[str, Any]:
        """Detail of the event.

        Args:
            labels: Environment, endpoint, model and kind.
        """
        return {
            "version": 1,
            **labels,
            "monitor": self.monitor,
            "job": self.job,
            "outcome": self.outcome,
            "violation_count": len(self.violations),
            "violations": [
                {"subject": found.subject, "check": found.check, "text": found.text}
                for found in self.violations[:_MOST_TOLD]
            ],
            "report": self.report,
            "reason": self.reason,
        }

    def alert(self) -> tuple[str, str] | None:
        """Subject and text for people, who are told of nothing healthy."""
        if self.outcome == "healthy":
            return None
        if self.outcome == "failed":
            subject = f"Monitor {self.monitor} could not look"
            lines = [f"The run {self.job} failed: {self.reason or 'SageMaker gives no reason'}"]
        else:
            count = len(self.violations)
            subject = f"Monitor {self.monitor}: {count} violation{'' if count == 1 else 's'}"
            lines = [f"{found.subject}: {found.text}" for found in self.violations[:_MOST_TOLD]]
            if count > _MOST_TOLD:
                lines.append(f"and {count - _MOST_TOLD} more.")
        if self.report:
            lines.append(f"Report: {self.report}")
        return subject[:_LONGEST_SUBJECT], "\n".join(lines)

    def metrics(self) -> dict[str, float]:
        """Numbers for alarms; a run that looked counts, one that could not does not."""
        failed = self.outcome == "failed"
        return {
            "Runs": float(not failed),
            "FailedRuns": float(failed),
            "Violations": float(len(self.violations)),
        }


def judge(job: Job, violations: str | None) -> Run:
    """What a run came to.

    Args:
        job: Its job, for which :attr:`Job.is_run` holds.
        violations: Text of its violations file; nothing when it wrote none.
    """
    if job.status != "Completed":
        reason = job.reason or job.message or f"the job was {job.status.lower()}"
        return Run(job.schedule, job.name, "failed", (), job.output, reason)
    found = violations_in(violations) if violations else ()
    if not found and job.message.startswith("CompletedWithViolations"):
        # The file could not be read; the container's word for it counts.
        found = (Violation(job.schedule, "unknown", job.message[:_LONGEST]),)
    outcome: Outcome = "violations" if found else "healthy"
    return Run(job.schedule, job.name, outcome, found, job.output)


def violations_in(text: str) -> tuple[Violation, ...]:
    """The findings in a violations file, whichever kind of monitor wrote it."""
    try:
        document = json.loads(text)
    except ValueError as error:
        return (Violation(VIOLATIONS_FILE, "unreadable", f"The file is no JSON: {error}"),)
    entries = document.get("violations", ()) if isinstance(document, dict) else ()
    return tuple(_violation(entry) for entry in entries if isinstance(entry, dict))


def _violation(entry: Mapping[str, Any]) -> Violation:
    facet = entry.get("facet")
    subject = entry.get("feature_name") or (
        f"{facet}={entry.get('facet_value')} {entry.get('metric_name', '')}".strip()
        if facet
        else entry.get("metric_name") or entry.get("label") or "unknown"
    )
    return Violation(
        str(subject),
        str(entry.get("constraint_check_type", "unknown")),
        str(entry.get("description", ""))[:_LONGEST],
    )
