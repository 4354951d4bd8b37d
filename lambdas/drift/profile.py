"""SQS batch of S3 "Object Created" events -> profiles of captured objects, and labels taken.

A monitor's rules add whose the objects are: ``{"captures_of": "<monitor>", "detail": …}``, because
an endpoint may have several monitors, and ``{"labels_of": …}``, because the keys of labels do not
tell. Captures as EventBridge gives them belong to the monitor that is named like their endpoint.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final

from lambdas.drift import wiring
from mlops_framework.drift.errors import BaselineMissing, MonitorUnknown, ObjectMissing
from mlops_framework.drift.ground_truth.labels import FAULTS
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
        if monitor := owner_of(record["body"], "labels_of"):
            return _labelled(monitor, source, drift)
        monitor = owner_of(record["body"], "captures_of")
        done = drift.profile_object(source, monitor)
    except MonitorUnknown as fault:
        LOGGER.warning("skipped %s: %s", source, fault)
        named = monitor or monitor_of(source.key) or "unknown"
        drift.metrics.record(named, {UNKNOWN_MONITOR: 1.0})
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
        for reason, count in sorted(taken.faults.items()):
            LOGGER.warning("%s: %d left out (%s): %s", source, count, reason, FAULTS[reason])
    return True


def owner_of(body: str, what: str) -> str:
    """The monitor whose ``labels_of`` or ``captures_of`` a message announces; empty if neither."""
    found = json.loads(body).get(what, "")
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
