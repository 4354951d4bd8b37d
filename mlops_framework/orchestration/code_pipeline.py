"""What the orchestrator knows of a CodePipeline's state."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

_CLOCKS_DIFFER: Final = timedelta(seconds=1)
"""CodePipeline's clock and ours, and what its times are rounded to."""


@dataclass(frozen=True)
class ActionState:
    """Latest run of one action.

    Attributes:
        name: Of the action: ``CreateChangeSet``, ``ExecuteChangeSet``, ``Verify``, ``Approve``.
        status: ``InProgress``, ``Abandoned``, ``Succeeded``, ``Failed``; empty before a run.
        summary: What the action says of itself.
        error_code: CodePipeline's code of a failure; empty otherwise.
        error: The service's reason of a failure; empty otherwise.
        changed_at: Last change of the status, ISO 8601; empty before the first run.
        execution_id: Id in the other service: a change set, a SageMaker execution.
        link: Where to look further in the console.
    """

    name: str
    status: str = ""
    summary: str = ""
    error_code: str = ""
    error: str = ""
    changed_at: str = ""
    execution_id: str = ""
    link: str = ""


@dataclass(frozen=True)
class StageState:
    """Latest run of one stage; ``execution_id`` tells which execution came last to it."""

    name: str
    status: str = ""
    execution_id: str = ""
    actions: tuple[ActionState, ...] = ()
    enabled: bool = True


@dataclass(frozen=True)
class CodePipelineState:
    """A CodePipeline as GetPipelineState tells it, without the tokens of its approvals."""

    name: str
    version: int
    created: str
    updated: str
    stages: tuple[StageState, ...]

    @property
    def execution_id(self) -> str:
        """The newest execution: the one that entered the first stage last; empty before any."""
        return self.stages[0].execution_id if self.stages else ""

    def has_run_since(self, moment: datetime) -> bool:
        """Whether an execution began at or after a moment; unknown counts as yes."""
        changes = [action.changed_at for stage in self.stages[:1] for action in stage.actions]
        known = [datetime.fromisoformat(change) for change in changes if change]
        return not known or max(known) + _CLOCKS_DIFFER >= moment

    @property
    def current(self) -> Iterator[StageState]:
        """The stages that the newest execution has reached."""
        return (s for s in self.stages if s.execution_id and s.execution_id == self.execution_id)

    @property
    def status(self) -> str:
        """Of the newest execution: ``InProgress``, ``Succeeded``, ``Failed``, ``Stopped`` or empty.

        A stage that stands between two others counts as in progress: CodePipeline moves on by
        itself unless somebody has disabled the transition.
        """
        reached = list(self.current)
        for status in ("Failed", "Stopped", "Cancelled", "Stopping", "InProgress"):
            if any(stage.status == status for stage in reached):
                return "Stopped" if status in ("Cancelled", "Stopping") else status
        if not reached:
            return ""
        return "Succeeded" if len(reached) == len(self.stages) else "InProgress"
