"""CodePipelines in memory."""

from __future__ import annotations

from dataclasses import replace

from mlops_framework.orchestration.code_pipeline import ActionState, CodePipelineState, StageState
from mlops_framework.orchestration.errors import PipelineMissing

_AT = "2026-01-01T00:00:00+00:00"


class InMemoryPipelines:
    """The port ``PipelineGateway``."""

    def __init__(self) -> None:
        self.states: dict[str, CodePipelineState] = {}
        self.started: dict[str, str] = {}

    def place(self, name: str, *stages: StageState) -> None:
        """Put a pipeline there in a given state; see :func:`stage_ran`."""
        self.states[name] = CodePipelineState(name, 1, _AT, _AT, stages)

    def state(self, name: str) -> CodePipelineState | None:
        """See ``PipelineGateway.state``."""
        return self.states.get(name)

    def start(self, name: str, *, token: str) -> str:
        """See ``PipelineGateway.start``."""
        if name not in self.states:
            raise PipelineMissing(name)
        if token in self.started:
            return self.started[token]
        execution = f"execution-{len(self.started) + 1}"
        self.started[token] = execution
        state = self.states[name]
        if state.stages:
            first = replace(state.stages[0], status="InProgress", execution_id=execution)
            self.states[name] = replace(state, stages=(first, *state.stages[1:]))
        return execution


def stage_ran(
    name: str, status: str, *actions: ActionState, execution: str = "execution-0"
) -> StageState:
    """A stage that an execution has reached."""
    return StageState(name, status, execution, actions)
