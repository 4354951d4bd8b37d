"""Waiting for CloudFormation, with an end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mlops_framework.orchestration.ports import Pause, StackGateway
from mlops_framework.orchestration.stack import Stack

POLL_SECONDS: Final = 2.0
_FIRST_SECONDS: Final = 0.25
"""Between the first two looks; every next wait is twice as long, up to ``POLL_SECONDS``: most of
what is waited for takes a second or minutes."""
_BREATH_SECONDS: Final = 0.5


class Patience:
    """A budget of seconds that all waits of one request share.

    Args:
        pause: Waits.
        seconds: The budget.
    """

    def __init__(self, pause: Pause, seconds: float) -> None:
        self._pause = pause
        self._left = seconds

    def until(
        self, stacks: StackGateway, name: str, reached: Callable[[Stack | None], bool]
    ) -> Stack | None:
        """Look at a stack until it is as wanted.

        Returns:
            The stack as last seen, or nothing when it is gone.

        Raises:
            PatienceEnded: If the budget is used up before.
        """
        pause = _FIRST_SECONDS
        while True:
            stack = stacks.describe(name)
            if reached(stack):
                return stack
            if self._left <= 0:
                raise PatienceEnded(name, stack.status if stack else "gone")
            self._pause(min(pause, self._left))
            self._left -= pause
            pause = min(2 * pause, POLL_SECONDS)

    def breathe(self) -> None:
        """Wait until what was asked for shows: the old status may be told for a moment."""
        self._pause(_BREATH_SECONDS)
        self._left -= _BREATH_SECONDS


class PatienceEnded(Exception):
    """A stack did not become what was waited for; ``status`` is the last one seen."""

    def __init__(self, name: str, status: str) -> None:
        self.name = name
        self.status = status
        super().__init__(f"{name} is still {status}")
