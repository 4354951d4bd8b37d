"""Which execution may be in which stage: one at a time, the others in line."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Literal

Outcome = Literal["entered", "superseded", "stopped"]


class StageGates:
    """The stages of all pipelines, each with its occupant and its queue.

    In QUEUED mode executions enter in the order they arrived. In SUPERSEDED mode an execution
    that arrives at an occupied stage replaces the one that waits there. PARALLEL has no gates.

    Source: CodePipeline user guide, "Pipeline execution modes".
    """

    def __init__(self) -> None:
        """Starts with every stage free."""
        self._changed = threading.Condition()
        self._inside: dict[tuple[str, str], str] = {}
        self._waiting: dict[tuple[str, str], list[str]] = {}
        self._superseded: set[tuple[tuple[str, str], str]] = set()

    def enter(
        self, pipeline: str, stage: str, execution: str, mode: str, stopped: Callable[[], bool]
    ) -> Outcome:
        """Waits until the execution may enter.

        Args:
            pipeline: A key of the pipeline, unique over accounts and regions.
            stage: The stage.
            execution: The execution.
            mode: ``QUEUED``, ``SUPERSEDED`` or ``PARALLEL``.
            stopped: Asked again and again; true ends the wait.
        """
        if mode == "PARALLEL":
            return "entered"
        gate = (pipeline, stage)
        with self._changed:
            line = self._waiting.setdefault(gate, [])
            if mode == "SUPERSEDED":
                self._superseded |= {(gate, older) for older in line}
                line.clear()
            line.append(execution)
            self._changed.notify_all()
            while True:
                if (gate, execution) in self._superseded:
                    self._superseded.discard((gate, execution))
                    return "superseded"
                if stopped():
                    if execution in line:
                        line.remove(execution)
                    return "stopped"
                if gate not in self._inside and line and line[0] == execution:
                    line.pop(0)
                    self._inside[gate] = execution
                    return "entered"
                self._changed.wait(0.2)

    def leave(self, pipeline: str, stage: str, execution: str) -> None:
        """Frees the stage for the next in line."""
        gate = (pipeline, stage)
        with self._changed:
            if self._inside.get(gate) == execution:
                del self._inside[gate]
            self._changed.notify_all()

    def waiting(self, pipeline: str, stage: str) -> list[str]:
        """The executions that wait to enter a stage, first in line first."""
        with self._changed:
            return list(self._waiting.get((pipeline, stage), ()))
