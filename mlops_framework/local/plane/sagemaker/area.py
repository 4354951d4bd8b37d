"""What every part of the local SageMaker rests on: its records, its events, its tags."""

from __future__ import annotations

import copy
import datetime as dt
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from mlops_framework.local.plane.service import AwsFault, LocalService, Scope

Record = dict[str, Any]
# What SageMaker keeps of a FailureReason.
REASON_LIMIT = 1024
# Names of these are the same in any case, and in lower case in their ARNs.
_CASELESS = frozenset(
    {
        *("model", "endpoint-config", "endpoint", "training-job", "processing-job"),
        *("transform-job", "hyper-parameter-tuning-job"),
    }
)


class Area(LocalService):
    """A part of SageMaker, with operations of its own; `SageMaker` puts the parts together.

    Records are plain values (strings, numbers, datetimes, lists, dicts), so that the host can keep
    them between runs. What a part hands out is always a copy.
    """

    name = "sagemaker"

    @property
    def implementations(self) -> dict[str, Callable[..., Any]]:
        """This part's operations, by name."""
        return dict(self._operations)

    def records(self, kind: str, scope: Scope) -> dict[str, Record]:
        """The live records of one kind; change them under `locked()` only.

        Args:
            kind: for example `training-job`; also the word of the kind's ARNs.
            scope: account and region.
        """
        kept: dict[str, Record] = self.host.store(self.name, scope).setdefault(kind, {})
        return kept

    def locked(self) -> AbstractContextManager[Any]:
        """The lock over all records. Never call another service, or emit, while holding it."""
        return self.host.lock(self.name)

    def live(self, kind: str, name: str, scope: Scope) -> Record | None:
        """A record itself, or None; change it under `locked()` only."""
        return self.records(kind, scope).get(_key(kind, name))

    def find(self, kind: str, name: str, scope: Scope) -> Record | None:
        """A copy of one record, or None."""
        with self.locked():
            return copy.deepcopy(self.live(kind, name, scope))

    def change(self, kind: str, name: str, scope: Scope, **values: Any) -> Record:
        """Change members of a record and its LastModifiedTime.

        Args:
            kind: the kind of record.
            name: its name.
            scope: account and region.
            **values: new members; None removes one.

        Returns:
            A copy of the record as it is now; empty when it has been deleted meanwhile.
        """
        with self.locked():
            record = self.live(kind, name, scope)
            if record is None:
                return {}
            if reason := values.get("FailureReason"):
                values["FailureReason"] = reason[:REASON_LIMIT]
            record.update(values, LastModifiedTime=now())
            for member in [member for member, value in values.items() if value is None]:
                del record[member]
            return copy.deepcopy(record)

    def add(self, kind: str, name: str, scope: Scope, record: Record, taken: AwsFault) -> None:
        """Add a record whose name must be free.

        Raises:
            AwsFault: `taken`, when the name is in use.
        """
        with self.locked():
            kept = self.records(kind, scope)
            if _key(kind, name) in kept:
                raise taken
            kept[_key(kind, name)] = copy.deepcopy(record)

    def forget(self, kind: str, name: str, scope: Scope, arn: str) -> None:
        """Remove a record and its tags; one that is gone already is fine."""
        with self.locked():
            self.records(kind, scope).pop(_key(kind, name), None)
            self.records("tags", scope).pop(arn, None)

    def keep_tags(self, arn: str, tags: Sequence[Mapping[str, str]] | None, scope: Scope) -> None:
        """Add tags to a resource.

        Args:
            arn: the resource.
            tags: Key and Value pairs; None for none.
            scope: account and region.
        """
        if tags:
            with self.locked():
                kept = self.records("tags", scope).setdefault(arn, {})
                kept.update({tag["Key"]: tag["Value"] for tag in tags})

    def tags_of(self, arn: str, scope: Scope) -> dict[str, str]:
        """The tags of a resource, by key."""
        with self.locked():
            return dict(self.records("tags", scope).get(arn, {}))

    def emit(
        self, detail_type: str, detail: Mapping[str, Any], resources: Sequence[str], scope: Scope
    ) -> None:
        """Put an `aws.sagemaker` event on the default bus."""
        self.host.emit_event("aws.sagemaker", detail_type, detail, resources, scope)


def _key(kind: str, name: str) -> str:
    return name.lower() if kind in _CASELESS else name


def now() -> dt.datetime:
    """The present, as SageMaker keeps it: UTC, to the millisecond."""
    moment = dt.datetime.now(dt.UTC)
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)


def iso(moment: dt.datetime) -> str:
    """A time in the form that events of pipelines and model packages use."""
    return moment.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def milliseconds(moment: dt.datetime) -> int:
    """A time in the form that events of jobs and endpoints use."""
    return int(moment.timestamp() * 1000)


def only(record: Mapping[str, Any], members: Sequence[str]) -> dict[str, Any]:
    """The given members of a record, as far as they are there."""
    return {member: record[member] for member in members if member in record}


def invalid(message: str) -> AwsFault:
    """The error of a request that SageMaker does not take."""
    return AwsFault("ValidationException", message)


def not_carried(what: str, instead: str) -> AwsFault:
    """The error of a request that SageMaker takes and the local AWS does not.

    Args:
        what: what was asked for, by its name in the request.
        instead: what is accepted here.
    """
    return AwsFault("NotCarriedByLocalAws", f"The local AWS does not carry {what}. {instead}", 501)
