"""SQS batch of S3 "Object Created" events -> profiles of captured objects, and labels taken.

A rule for labels adds whose they are, ``{"labels_of": "<monitor>", "detail": …}``; the keys of
labels do not tell. Captures come as EventBridge gives them.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from lambdas.drift import wiring
from mlops_framework.drift.errors import BaselineMissing, MonitorUnknown, ObjectMissing
from mlops_framework.drift.objects import ObjectVersion, monitor_of
from mlops_framework.drift.service import DriftMonitor

LOGGER = logging.getLogger(__name__)

UNKNOWN_MONITOR: Final = "UnknownMonitorObjects"


class EventMalformed(Exception):
    """A message that is not an "Object Created" event of S3."""


def profile(event: Mapping[str, Any], *, drift: DriftMonitor) -> dict[str, Any]:
    """Profile every object of the batch.

    Returns:
        The messages to be delivered again (partial batch response): those whose object could not
        be profiled for a reason that may pass.
    """
    failed = []
    for record in event["Records"]:
        if not _profiled(record, drift):
            failed.append({"itemIdentifier": record["messageId"]})
    return {"batchItemFailures": failed}


def handler(event: dict[str, Any], context: Any) -> dict[str, Any]:
    """Entry point of the function."""
    return profile(event, drift=wiring.profiling())


def _profiled(record: Mapping[str, Any], drift: DriftMonitor) -> bool:
    """Whether a message is done with; the queue redelivers the others and sets aside after five."""
    try:
        source = object_of(record["body"])
        monitor = labels_of(record["body"])
        if monitor:
            return _labelled(monitor, source, drift)
        done = drift.profile_object(source)
    except MonitorUnknown as fault:
        LOGGER.warning("skipped %s: %s", source, fault)
        drift.metrics.record(monitor_of(source.key) or "unknown", {UNKNOWN_MONITOR: 1.0})
    except ObjectMissing as fault:
        LOGGER.warning("skipped, deleted meanwhile: %s", fault)
    except BaselineMissing as fault:
        LOGGER.warning("%s will be tried again: %s", source, fault)
        return False
    except Exception:
        LOGGER.exception("message %s will be tried again", record.get("messageId"))
        return False
    else:
        if done.skipped:
            LOGGER.info("skipped: %s", done.skipped)
        else:
            LOGGER.info("%s: %d rows, %d left out", source, done.rows, done.left_out)
    return True


def _labelled(monitor: str, source: ObjectVersion, drift: DriftMonitor) -> bool:
    taken = drift.take_labels(monitor, source)
    if taken.skipped:
        LOGGER.info("skipped: %s", taken.skipped)
    else:
        LOGGER.info("%s: %d labels, %d left out", source, taken.labels, taken.left_out)
    return True


def labels_of(body: str) -> str:
    """The monitor whose labels a message announces; empty for captures."""
    found = json.loads(body).get("labels_of", "")
    return found if isinstance(found, str) else ""


def object_of(body: str) -> ObjectVersion:
    """The object version that an "Object Created" event names.

    EventBridge gives keys as they are (S3's own notifications URL-encode them).

    Raises:
        EventMalformed: If the message is something else.
    """
    try:
        detail = json.loads(body)["detail"]
        found = detail["object"]
        version = found.get("version-id") or found.get("etag") or ""
        return ObjectVersion(
            detail["bucket"]["name"], found["key"], version, found.get("sequencer", "")
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise EventMalformed(
            f'Not an "Object Created" event of S3: {body[:200]!r}; the queue takes them from '
            "EventBridge alone."
        ) from error
