"""What a push to a Git source does: read its folder, plan it, apply what was approved.

The plan is made twice: once to be shown, and again before it is applied. Only the plan that was
shown is applied; if anything has changed meanwhile, nothing is.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from mlops_framework import naming
from mlops_framework.errors import BlueprintUnknown, RequestInvalid
from mlops_framework.orchestration.errors import PipelineBusy, PipelineUnknown, ServiceRefused
from mlops_framework.orchestration.gitops import Change, FileFault, FolderPlan, plan_lines
from mlops_framework.orchestration.provisioning import Requester
from mlops_framework.orchestration.request_files import (
    SUFFIXES,
    is_request_file,
    keys_named,
    read_files,
)
from mlops_framework.orchestration.service import Orchestrator

LOGGER = logging.getLogger(__name__)
PLAN_FILE: Final = "plan.json"
PlatformValues = Callable[[Sequence[naming.PlatformKey]], Mapping[str, str]]
"""Values that the platform publishes, by key."""


@dataclass(frozen=True)
class GitSource:
    """A folder in a Git repository.

    Attributes:
        name: Of the source, in the environment's file.
        folder: With a slash at its end.
        prune: Whether pipelines that came from it go with their file.
    """

    name: str
    folder: str
    prune: bool

    @property
    def origin(self) -> str:
        """What its pipelines are recorded with."""
        return naming.git_origin(self.name)


@dataclass(frozen=True)
class GitPlan:
    """A plan, and the requests that it was made of."""

    plan: FolderPlan
    bodies: Mapping[str, Any]

    @property
    def text(self) -> str:
        """For people: what happens to each pipeline, and every fault."""
        faults = [f"! {fault}" for fault in self.plan.faults]
        return "\n".join([*plan_lines(self.plan.to_document()), *faults]) + "\n"

    def to_files(self) -> dict[str, str]:
        """The artifact that the apply step is given."""
        document = {"digest": self.plan.digest, "files": dict(self.bodies)}
        return {PLAN_FILE: json.dumps(document, sort_keys=True), "plan.txt": self.text}


class FolderRefused(Exception):
    """The folder is not there, or holds no request: an empty folder removes nothing."""


class PlanOutdated(Exception):
    """Pipelines or requests changed after the plan was shown; nothing was applied."""


@dataclass(frozen=True)
class Applied:
    """What applying came to, one line a pipeline.

    Attributes:
        done: Changed, or found as wanted.
        busy: To be tried again.
        failed: Refused; the reason is in the line.
    """

    done: tuple[str, ...] = ()
    busy: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()


class GitDelivery:
    """The two steps behind a push.

    Args:
        orchestrator: Plans and applies requests.
        values: Looks up what the platform publishes.
    """

    def __init__(self, orchestrator: Orchestrator, values: PlatformValues) -> None:
        self._orchestrator = orchestrator
        self._values = values

    def plan(self, source: GitSource, texts: Mapping[str, str]) -> GitPlan:
        """Plan the request files of a repository.

        Args:
            source: Where they stand.
            texts: Text by path in the repository; what is not in the folder is left out.

        Raises:
            FolderRefused: If the folder holds no request file.
        """
        files = {
            path.removeprefix(source.folder): text
            for path, text in texts.items()
            if path.startswith(source.folder) and is_request_file(path)
        }
        if not files:
            raise FolderRefused(
                f"The repository holds no request file (*{', *'.join(SUFFIXES)}) in "
                f"{source.folder}. An empty folder removes nothing: take the pipelines down with "
                "mlops pipelines delete ID, or correct git_sources.folder of the environment."
            )
        reading = read_files(files, self._values(keys_named(files)))
        plan = self._orchestrator.plan_folder(
            reading.bodies, origin=source.origin, prune=source.prune, faults=reading.faults
        )
        return GitPlan(plan, reading.bodies)

    def apply(
        self, source: GitSource, shown: Mapping[str, str], requester: Requester, *, again: bool
    ) -> Applied:
        """Apply the plan that was shown.

        Args:
            source: Where it came from.
            shown: The artifact of :meth:`GitPlan.to_files`.
            requester: Who approved it.
            again: Whether it is applied already in part, so that it cannot be planned as it was.

        Raises:
            PlanOutdated: If planning gives another plan than the one that was shown.
        """
        document = json.loads(shown[PLAN_FILE])
        bodies: Mapping[str, Any] = document["files"]
        plan = self._orchestrator.plan_folder(bodies, origin=source.origin, prune=source.prune)
        if not again and plan.digest != document["digest"]:
            raise PlanOutdated(
                "Pipelines have changed since this plan was shown, so that applying it would do "
                "something else. Nothing was applied. Release the newest commit again to see the "
                "present plan."
            )
        done: list[str] = []
        busy: list[str] = []
        failed: list[str] = []
        for change in plan.effective:
            line, into = change.pipeline_id, failed
            try:
                if change.change is Change.REMOVE:
                    said = self._orchestrator.delete(change.pipeline_id, requester)["message"]
                else:
                    said = self._orchestrator.provision(bodies[change.file], requester).message
                into = done
            except PipelineUnknown:
                said, into = "It is gone already.", done
            except PipelineBusy as fault:
                said, into = str(fault), busy
            except (RequestInvalid, BlueprintUnknown, ServiceRefused) as fault:
                said = str(fault)
            LOGGER.info("%s: %s", line, said)
            into.append(f"{line}: {said}")
        faults = tuple(str(fault) for fault in plan.faults)
        return Applied(tuple(done), tuple(busy), (*failed, *faults))


def shortened(lines: Sequence[str], limit: int) -> str:
    """As many whole lines as fit, and how many do not.

    Args:
        lines: What is told.
        limit: Characters.
    """
    kept: list[str] = []
    for index, line in enumerate(lines):
        more = f"… and {len(lines) - index} more lines"
        room = limit - len("\n".join([*kept, more])) - 1
        if len(line) > room and len("\n".join([*kept, *lines[index:]])) > limit:
            return "\n".join([*kept, more])[:limit]
        kept.append(line)
    return "\n".join(kept)


def told(faults: Sequence[FileFault]) -> list[str]:
    """Faults as lines, with their number before them."""
    files = len({fault.file for fault in faults})
    noun = "fault" if len(faults) == 1 else "faults"
    where = "1 file" if files == 1 else f"{files} files"
    return [f"{len(faults)} {noun} in {where}; nothing was changed.", *map(str, faults)]
