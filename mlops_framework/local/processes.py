"""Process identity and process groups: who is alive, and ending no one else."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import time
from pathlib import Path

_PROC = Path("/proc")


def started_at(pid: int) -> str | None:
    """A mark of when a process started, or ``None`` when there is no such process.

    A pid alone may have been given to somebody else since; pid and mark together identify.
    """
    if _PROC.is_dir():
        fields = _stat(pid)
        return None if fields is None or fields[0] == "Z" else fields[19]
    shown = subprocess.run(
        ["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return shown.stdout.strip() or None


def group_members(group: int) -> list[int]:
    """The live processes of a process group."""
    if _PROC.is_dir():
        pids = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()]
        # Fields after the command: state, parent, group, session, ...
        stats = ((pid, fields) for pid in pids if (fields := _stat(pid)) is not None)
        return [pid for pid, fields in stats if fields[0] != "Z" and int(fields[2]) == group]
    shown = subprocess.run(
        ["ps", "-axo", "pid=,pgid="], capture_output=True, text=True, check=False
    )
    pairs = (line.split() for line in shown.stdout.splitlines())
    return [int(pid) for pid, its_group in pairs if int(its_group) == group]


def end_group(group: int, *, patience: float) -> None:
    """Ends a process group: SIGTERM, then SIGKILL for what is left.

    Args:
        group: The group's id; its leader was started by us in a session of its own.
        patience: Seconds between the two signals.
    """
    _signal_group(group, signal.SIGTERM)
    if not _gone(group, patience):
        _signal_group(group, signal.SIGKILL)
        _gone(group, 5.0)


def _gone(group: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while group_members(group):
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True


def _signal_group(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


def _stat(pid: int) -> list[str] | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return None
    # The command stands in parentheses and may hold blanks and parentheses itself.
    return text.rpartition(")")[2].split()
