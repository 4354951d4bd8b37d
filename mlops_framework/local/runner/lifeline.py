"""Nothing outlives the emulator.

The plane keeps the writing end of the runner's standard input. When the emulator ends, by `down`
or by a kill that it cannot see coming, that end closes, and the runner ends its process group.
"""

from __future__ import annotations

import os
import signal
import sys
import threading

LIFELINE = "MLOPS_LIFELINE"


def hold() -> None:
    """End this process group when standard input closes, if the plane asked for it.

    Does nothing unless the environment variable `MLOPS_LIFELINE` is `stdin`, so that a runner
    started by hand in a terminal or a test is left alone.
    """
    if os.environ.pop(LIFELINE, "") != "stdin":
        return
    descriptor = os.dup(sys.stdin.fileno())
    threading.Thread(target=_watch, args=(descriptor,), name="lifeline", daemon=True).start()


def _watch(descriptor: int) -> None:
    while os.read(descriptor, 1024):
        pass
    os.killpg(os.getpgid(0), signal.SIGKILL)


def leave_termination_to_the_program() -> None:
    """Let SIGTERM reach the user's program (same group) while the runner waits for it.

    A handler, not SIG_IGN: an ignored signal would stay ignored in the program started next.
    """
    signal.signal(signal.SIGTERM, lambda _number, _frame: None)
