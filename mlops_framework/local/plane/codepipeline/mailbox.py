"""Where running actions wait for what comes from outside: approvals and job results."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from typing import Any


class Mailbox:
    """One slot per approval token or job id; each takes one message."""

    def __init__(self) -> None:
        """Starts empty."""
        self._changed = threading.Condition()
        self._open: dict[str, dict[str, Any]] = {}
        self._answers: dict[str, Mapping[str, Any]] = {}

    def open(self, key: str, details: Mapping[str, Any]) -> None:
        """Opens a slot.

        Args:
            key: Token or job id.
            details: What it is about, for :meth:`details`.
        """
        with self._changed:
            self._open[key] = dict(details)

    def details(self, key: str) -> dict[str, Any] | None:
        """What an opened slot is about; ``None`` for one that never was."""
        with self._changed:
            return self._open.get(key)

    def deliver(self, key: str, message: Mapping[str, Any]) -> bool:
        """Puts the message into a slot.

        Returns:
            False when the slot was never opened, was closed, or has its message already.
        """
        with self._changed:
            if key not in self._open or key in self._answers or self._open[key].get("closed"):
                return False
            self._answers[key] = dict(message)
            self._changed.notify_all()
            return True

    def take(
        self, key: str, seconds: float, abandoned: Callable[[], bool]
    ) -> Mapping[str, Any] | None:
        """Waits for a slot's message, then closes it.

        Args:
            key: Token or job id.
            seconds: How long at most.
            abandoned: Asked again and again; true ends the wait.

        Returns:
            The message, or ``None`` when there was none in time.
        """
        deadline = time.monotonic() + seconds
        with self._changed:
            while key not in self._answers:
                if abandoned() or time.monotonic() >= deadline:
                    break
                self._changed.wait(0.2)
            if key in self._open:
                self._open[key]["closed"] = True
            return self._answers.get(key)
