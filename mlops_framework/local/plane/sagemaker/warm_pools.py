"""Warm pools: what a training job that keeps its instances tells of them.

Nothing is faster here for being warm, since no instance is started; the state is kept so that what
reads it, and pays for it on AWS, can be tried.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import Area, Record, now, only
from mlops_framework.local.plane.service import Scope

KIND = "training-job"
_RUNNING = ("InProgress", "Stopping")
_MATCHED = ("RoleArn", "ResourceConfig", "VpcConfig", "EnableNetworkIsolation")


def described(record: Record) -> Record:
    """The record with its ``WarmPoolStatus`` of this moment, if it keeps its instances."""
    seconds = _kept_for(record)
    if not seconds:
        return record
    if "WarmPoolStatus" in record:
        return record
    if record["TrainingJobStatus"] in _RUNNING:
        return {**record, "WarmPoolStatus": {"Status": "InUse"}}
    end = record.get("TrainingEndTime") or record["LastModifiedTime"]
    passed = min((now() - end).total_seconds(), seconds)
    status = "Available" if passed < seconds else "Terminated"
    pool = {"Status": status, "ResourceRetainedBillableTimeInSeconds": int(passed)}
    return {**record, "WarmPoolStatus": pool}


def reuse(area: Area, record: Record, scope: Scope) -> None:
    """Hand the pool of an earlier job that fits on to this one."""
    if not _kept_for(record):
        return
    with area.locked():
        for earlier in area.records(KIND, scope).values():
            fits = only(earlier, _MATCHED) == only(record, _MATCHED)
            if earlier["TrainingJobName"] == record["TrainingJobName"] or not fits:
                continue
            pool: Mapping[str, Any] = described(earlier).get("WarmPoolStatus", {})
            if pool.get("Status") == "Available":
                earlier["WarmPoolStatus"] = {
                    **pool,
                    "Status": "Reused",
                    "ReusedByJob": record["TrainingJobName"],
                }
                return


def _kept_for(record: Mapping[str, Any]) -> int:
    return int(record.get("ResourceConfig", {}).get("KeepAlivePeriodInSeconds", 0))
