"""A folder of request files and the pipelines it asks for: what would change, before it does.

Pure: the requests planned, the records as they are, and out comes what would be added, updated,
left alone or removed, with the fields that change and every fault of every file.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Final

from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.errors import Fault
from mlops_framework.orchestration.documents import canonical_json, digest
from mlops_framework.orchestration.plan import DeploymentPlan
from mlops_framework.orchestration.records import PipelineRecord, RecordState

ORIGIN_FIELD: Final = "origin"


class Change(StrEnum):
    """What a folder does to a pipeline."""

    ADD = "add"
    UPDATE = "update"
    NONE = "no change"
    REMOVE = "remove"
    KEEP = "keep"
    """It came from the folder and no file asks for it any more; pruning is off."""


_SIGNS: Final[Mapping[Change, str]] = {
    Change.ADD: "+",
    Change.UPDATE: "~",
    Change.NONE: "=",
    Change.REMOVE: "-",
    Change.KEEP: "?",
}
_COUNTED: Final[Mapping[Change, str]] = {
    Change.ADD: "to add",
    Change.UPDATE: "to update",
    Change.REMOVE: "to remove",
    Change.NONE: "unchanged",
    Change.KEEP: "without a file",
}


@dataclass(frozen=True)
class FileFault:
    """One thing that is wrong with one file."""

    file: str
    path: str
    message: str
    accepted: str
    found: str

    @classmethod
    def of(cls, file: str, fault: Fault) -> FileFault:
        """A fault of a request, in its file."""
        return cls(file, fault.path, fault.message, fault.accepted, fault.found)

    def __str__(self) -> str:
        """One line: file, path, message, and what is accepted if the message does not say."""
        where = f"{self.file}: {self.path}" if self.path else self.file
        known = (
            not self.accepted or self.accepted in (NOTHING, "…") or self.accepted in self.message
        )
        return f"{where}: {self.message}" + ("" if known else f" Accepted: {self.accepted}.")


@dataclass(frozen=True)
class FieldChange:
    """A field of the request that gets another value; both as JSON text, ``nothing`` if absent."""

    path: str
    before: str
    after: str


@dataclass(frozen=True)
class Wanted:
    """What one file asks for."""

    file: str
    plan: DeploymentPlan


@dataclass(frozen=True)
class PlannedChange:
    """What would happen to one pipeline.

    Attributes:
        pipeline_id: The pipeline.
        pipeline_type: Its kind.
        change: What happens.
        file: File that asks for it; empty for what no file asks for.
        fields: Fields that get another value, sorted by path.
        why: Why it is changed although no field does, or why it is kept.
        basis: Digest of what it would become and of what it is; equal means the same change.
    """

    pipeline_id: str
    pipeline_type: str
    change: Change
    file: str = ""
    fields: tuple[FieldChange, ...] = ()
    why: str = ""
    basis: str = ""


@dataclass(frozen=True)
class FolderPlan:
    """What applying a folder would do.

    Attributes:
        origin: The folder or Git source.
        prune: Whether pipelines without a file are removed.
        changes: Sorted by pipeline.
        faults: Of every file; with a single one nothing may be applied.
    """

    origin: str
    prune: bool
    changes: tuple[PlannedChange, ...]
    faults: tuple[FileFault, ...] = ()

    @property
    def digest(self) -> str:
        """Two plans with the same digest do the same to the same pipelines."""
        return digest(
            self.origin, *(f"{c.pipeline_id} {c.change.value} {c.basis}" for c in self.changes)
        )

    @property
    def effective(self) -> tuple[PlannedChange, ...]:
        """The changes that do something."""
        return tuple(
            change
            for change in self.changes
            if change.change in (Change.ADD, Change.UPDATE, Change.REMOVE)
        )

    def to_document(self) -> dict[str, Any]:
        """The answer of ``POST /plans``."""
        return {
            "origin": self.origin,
            "prune": self.prune,
            "digest": self.digest,
            "changes": [
                {**_without_basis(asdict(change)), "change": change.change.value}
                for change in self.changes
            ],
            "faults": [asdict(fault) for fault in self.faults],
        }


def plan_folder(
    origin: str,
    wanted: Sequence[Wanted],
    records: Iterable[PipelineRecord],
    *,
    prune: bool,
    faults: Sequence[FileFault] = (),
) -> FolderPlan:
    """Compare what files ask for with what is recorded.

    Args:
        origin: The folder or Git source; only pipelines that came from it are ever removed.
        wanted: What the files without faults ask for.
        records: Every pipeline's.
        prune: Whether pipelines of this origin without a file are removed.
        faults: Of the files that could not be planned.
    """
    known = {record.pipeline_id: record for record in records}
    twice = list(_asked_twice(wanted))
    changes = [_change(one, known.get(one.plan.pipeline_id), origin) for one in wanted]
    named = {one.plan.pipeline_id for one in wanted}
    # A file that cannot be read may be the one that asks for the pipeline.
    changes += [
        _left_over(record, prune=prune and not faults)
        for record in known.values()
        if record.origin == origin
        and record.pipeline_id not in named
        and record.state is not RecordState.DELETING
    ]
    ordered = tuple(sorted(changes, key=lambda change: (change.pipeline_id, change.file)))
    return FolderPlan(origin, prune, ordered, (*faults, *twice))


def field_changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[FieldChange, ...]:
    """The fields in which two documents differ, by dotted path."""
    old, new = dict(_flat(before, "")), dict(_flat(after, ""))
    return tuple(
        FieldChange(path, _said(old, path), _said(new, path))
        for path in sorted({*old, *new})
        if old.get(path, NOTHING) != new.get(path, NOTHING)
    )


def plan_lines(document: Mapping[str, Any]) -> list[str]:
    """A plan for people: a line a pipeline, its changing fields below it, and the sum.

    Args:
        document: As :meth:`FolderPlan.to_document` gives it.
    """
    lines = []
    width = max((len(change["pipeline_id"]) for change in document["changes"]), default=0)
    for change in document["changes"]:
        sign = _SIGNS[Change(change["change"])]
        lines.append(f"{sign} {change['pipeline_id']:<{width}}  {change['file']}".rstrip())
        lines += [
            f"    {field['path']}: {field['before']} -> {field['after']}"
            for field in change["fields"]
        ]
        if change["why"]:
            lines.append(f"    {change['why']}")
    return [*lines, plan_sum(document)]


def plan_sum(document: Mapping[str, Any]) -> str:
    """How many pipelines a plan adds, updates, removes and leaves as they are."""
    kinds = [Change(change["change"]) for change in document["changes"]]
    told = [f"{kinds.count(kind)} {words}" for kind, words in _COUNTED.items() if kind in kinds]
    return f"Plan: {', '.join(told) or 'nothing to do'}."


def _change(one: Wanted, record: PipelineRecord | None, origin: str) -> PlannedChange:
    plan = one.plan
    identity = (plan.pipeline_id, plan.kind)
    if record is None:
        return PlannedChange(*identity, Change.ADD, one.file, basis=plan.digest)
    before = json.loads(record.request) if record.request else None
    fields = field_changes(before, plan.request) if before is not None else ()
    why = _why(record, plan, bool(fields))
    if record.origin != origin:
        moved = FieldChange(
            ORIGIN_FIELD, shown(record.origin) if record.origin else NOTHING, shown(origin)
        )
        fields = (*fields, moved)
    change = Change.UPDATE if fields or why else Change.NONE
    basis = digest(plan.digest, record.plan_digest, record.state.value, record.origin)
    return PlannedChange(*identity, change, one.file, fields, why, basis)


def _why(record: PipelineRecord, plan: DeploymentPlan, has_fields: bool) -> str:
    if record.state in (RecordState.DELETING, RecordState.DELETE_FAILED):
        return "It is being deleted: applying waits until it is gone."
    if record.state is not RecordState.APPLIED:
        return "The last request for it was left half way; applying it again finishes it."
    if record.plan_digest != plan.digest and not has_fields:
        return "The platform's own template for it, or the environment's tags, have changed."
    return ""


def _left_over(record: PipelineRecord, *, prune: bool) -> PlannedChange:
    why = "No file asks for it any more."
    if not prune:
        why += " It stays, because pruning is off."
    change = Change.REMOVE if prune else Change.KEEP
    return PlannedChange(record.pipeline_id, record.kind, change, why=why, basis=record.plan_digest)


def _asked_twice(wanted: Sequence[Wanted]) -> Iterator[FileFault]:
    by_pipeline: dict[str, str] = {}
    for one in wanted:
        first = by_pipeline.setdefault(one.plan.pipeline_id, one.file)
        if first != one.file:
            yield FileFault(
                one.file,
                "model_name",
                f"It asks for the pipeline {one.plan.pipeline_id}, and so does {first}. One "
                "pipeline stands in one file: remove one of them, or give it another model_name.",
                "a pipeline that no other file asks for",
                shown(one.plan.pipeline_id),
            )


def _flat(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        for key, inner in value.items():
            yield from _flat(inner, f"{path}.{key}" if path else str(key))
    else:
        yield path, value


def _said(flat: Mapping[str, Any], path: str) -> str:
    return canonical_json(flat[path]) if path in flat else NOTHING


def _without_basis(change: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in change.items() if key != "basis"}
