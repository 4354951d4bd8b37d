"""What leaves the room: events for machines, texts for people, numbers for alarms."""

from __future__ import annotations

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, Final

from mlops_framework.drift.alerting import Alert
from mlops_framework.drift.findings import Finding
from mlops_framework.drift.policy import unreadable_inputs
from mlops_framework.drift.report import Evaluation
from mlops_framework.drift.retraining import RetrainingDecision
from mlops_framework.drift.sections import Section
from mlops_framework.drift.watched import watched
from mlops_framework.drift.windows import instant

EVENT_VERSION: Final = 1
EVALUATED: Final = "Drift Evaluated"
DETECTED: Final = "Drift Detected"
RETRAINING: Final = "Retraining Requested"

MOST_DETAIL: Final = 200_000
"""Characters of a detail as ASCII JSON.

EventBridge refuses entries of more than 256 KB (API, ``PutEventsRequestEntry``), and queues and
functions behind it messages of more, which get its envelope, too.
"""

_MOST_SENTENCES: Final = 8
_SAY_SINCE: Final = ("model-quality", "slow-drift")
_LONGEST_SUBJECT: Final = 100  # SNS refuses longer ones


def event_detail(
    evaluation: Evaluation, retraining: RetrainingDecision, report: Mapping[str, str]
) -> dict[str, Any]:
    """The detail of every event of this room (version 1).

    Names of more features than an event holds are left out, the least of each list, and counted;
    the report has them all.
    """
    whole = _detail(evaluation, retraining, report, None)
    if _fits(whole):
        return whole
    lists = (evaluation.features, *(part.features for part in evaluation.sections))
    few = bisect_right(
        range(1, max(map(len, lists)) + 1),
        False,
        key=lambda most: not _fits(_detail(evaluation, retraining, report, most)),
    )
    return _detail(evaluation, retraining, report, few)


def _fits(detail: Mapping[str, Any]) -> bool:
    return len(json.dumps(detail)) <= MOST_DETAIL


def _named(features: Sequence[str], most: int | None) -> dict[str, Any]:
    named = {"features": list(features[:most])}
    left_out = len(features) - len(named["features"])
    return named | ({"features_left_out": left_out} if left_out else {})


def _detail(
    evaluation: Evaluation,
    retraining: RetrainingDecision,
    report: Mapping[str, str],
    most: int | None,
) -> dict[str, Any]:
    config, window = evaluation.config, evaluation.task.window
    return {
        "version": EVENT_VERSION,
        "environment": config.environment,
        "monitor": config.name,
        "endpoint_name": config.endpoint_name,
        "model_name": config.model_name,
        "window": {
            "start": instant(window.start),
            "end": instant(window.end),
            "complete": evaluation.task.complete,
        },
        "verdict": evaluation.verdict,
        **_named(evaluation.features, most),
        "retraining": {"requested": retraining.requested, "reason": retraining.reason},
        "report": dict(report),
    } | (
        {
            "sections": {
                part.kind: {"verdict": part.verdict, **_named(part.features, most)}
                for part in evaluation.sections
            }
        }
        if evaluation.sections
        else {}
    )


def alert_text(
    alert: Alert,
    evaluation: Evaluation,
    retraining: RetrainingDecision,
    report: Mapping[str, str],
) -> tuple[str, str]:
    """Subject and text of an alert on columns or traffic: understood without opening anything."""
    config, endpoint = evaluation.config, watched(evaluation.config)
    subjects: dict[Alert, str] = {
        "drift": f"Drift on {endpoint}",
        "still-drift": f"Drift on {endpoint} goes on",
        "no-data": f"No traffic captured on {endpoint}",
        "still-no-data": f"Still no traffic captured on {endpoint}",
        "recovered": f"{endpoint} is back to normal",
    }
    features = evaluation.features
    subject = subjects[alert]
    if alert in ("drift", "still-drift") and features:
        more = f" and {len(features) - 3} more" if len(features) > 3 else ""
        subject = f"{subject}: {', '.join(features[:3])}{more}"
    columns = replace(evaluation, sections=())  # the rest of the window has alerts of its own
    lines = [columns.summary if alert != "drift" else _headline(evaluation), ""]
    if evaluation.judgement.verdict == "drift":
        lines += _sentences(evaluation, evaluation.findings)
        lines += ["", f"Retraining: {_retraining(retraining)}"]
    lines += _footer(evaluation, report)
    return _subject(f"[{config.environment}] {subject}"), "\n".join(lines)


def section_alert_text(
    alert: Alert,
    section: Section,
    evaluation: Evaluation,
    retraining: RetrainingDecision,
    report: Mapping[str, str],
) -> tuple[str, str]:
    """Subject and text of an alert on one section."""
    subject = section.recovered if alert == "recovered" else section.alarm
    if alert == "still-drift":
        subject = f"{subject} (goes on)"
    still_open = "" if evaluation.task.complete else " (still open)"
    lines = [f"{subject}, in the window {evaluation.task.window}{still_open}.", ""]
    lines += _sentences(evaluation, section.findings)
    if section.verdict == "drift":
        lines += ["", f"Retraining: {_retraining(retraining)}"]
    lines += _footer(evaluation, report)
    return _subject(f"[{evaluation.config.environment}] {subject}"), "\n".join(lines)


def _sentences(evaluation: Evaluation, findings: Sequence[Finding]) -> list[str]:
    shown = findings[:_MOST_SENTENCES]
    lines = [f"- {finding.sentence}{_since(evaluation, finding)}" for finding in shown]
    if len(findings) > len(shown):
        lines.append(f"- and {len(findings) - len(shown)} more in the report")
    return lines


def _since(evaluation: Evaluation, finding: Finding) -> str:
    """Since when, if longer than this window and the finding's sentence does not say so itself."""
    since = evaluation.since_of(finding)
    if finding.kind in _SAY_SINCE or since >= evaluation.task.window.start:
        return ""
    return f" So it is since {since:%Y-%m-%d %H:%M} UTC."


def _footer(evaluation: Evaluation, report: Mapping[str, str]) -> list[str]:
    config = evaluation.config
    return [
        "",
        f"Model: {config.model_name}   Endpoint: {watched(config)}   "
        f"Environment: {config.environment}",
        f"Records: {evaluation.profile.rows:,} in this window, {evaluation.baseline.rows:,} in the "
        f"training data ({evaluation.baseline.source})",
        f"Report: s3://{report['bucket']}/{report['html_key']}",
    ]


def metrics_of(evaluation: Evaluation, decision: RetrainingDecision) -> dict[str, float]:
    """What an alarm or a dashboard needs of an evaluation."""
    verdict = evaluation.verdict
    values = {
        "Records": evaluation.profile.rows,
        "UnreadableRequests": unreadable_inputs(evaluation.profile),
        "DriftedColumns": len(evaluation.features),
        "LargestEffect": max((finding.effect for finding in evaluation.findings), default=0.0),
        "Drift": verdict == "drift",
        "NoData": verdict == "no-data",
        "InsufficientData": verdict == "insufficient-data",
        "RetrainingRequested": decision.requested,
    }
    for section in evaluation.sections:
        values |= section.metrics
    return {name: float(value) for name, value in values.items()}


def column_metrics_of(evaluation: Evaluation) -> Mapping[str, Mapping[str, float]]:
    """Of each column that drifted how much of the records moved, where the monitor asks for it.

    Each column is a metric of its own that CloudWatch charges for in the hours it has a value.
    """
    effects: dict[str, float] = {}
    if evaluation.config.column_metrics:
        for finding in evaluation.findings:
            if finding.column:
                effects[finding.column] = max(finding.effect, effects.get(finding.column, 0.0))
    return {column: {"Effect": float(effect)} for column, effect in effects.items()}


def _headline(evaluation: Evaluation) -> str:
    columns = len(evaluation.features)
    total = len(evaluation.baseline.columns)
    what = f"{columns} of {total} columns differ" if columns else "the captured requests differ"
    window = f"{evaluation.task.window}{'' if evaluation.task.complete else ' (still open)'}"
    return f"In the window {window} {what} from the training data."


def _retraining(decision: RetrainingDecision) -> str:
    return f"{'requested' if decision.requested else 'not requested'}. {decision.reason}"


def _subject(text: str) -> str:
    """SNS takes printable ASCII of at most 100 characters as a subject."""
    ascii_text = text.encode("ascii", "replace").decode()
    short = ascii_text if len(ascii_text) <= _LONGEST_SUBJECT else f"{ascii_text[:97]}..."
    return "".join(character if character.isprintable() else " " for character in short)
