"""The exceptions of the local AWS, below the framework's root.

::

    FrameworkFault
    └── LocalAwsFault                   anything below
        ├── EnvironmentFailed           a virtual environment could not be made
        ├── EmulatorFailed              the emulator did not start or did not stop
        │   ├── PortInUse               the port asked for is taken (.port)
        │   └── StateInUse              a live emulator holds the state folder (.pid)
        ├── AssemblyUnreadable          there is no cloud assembly, or not one that is understood
        └── DeployFailed                a stack did not reach its end state (.stack, .reasons)
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from mlops_framework.errors import FrameworkFault


class LocalAwsFault(FrameworkFault):
    """Anything that goes wrong with the local AWS itself."""


class EnvironmentFailed(LocalAwsFault):
    """A virtual environment could not be made; the message holds the installer's own words."""


class EmulatorFailed(LocalAwsFault):
    """The emulator did not start or did not stop; the message ends with the tail of its log."""


class PortInUse(EmulatorFailed):
    """The port that was asked for is taken."""

    def __init__(self, port: int) -> None:
        self.port = port
        super().__init__(
            f"Port {port} on 127.0.0.1 is in use. Stop what listens there, name another port, or "
            "name none: a free one is chosen then."
        )


class StateInUse(EmulatorFailed):
    """A live emulator holds the state folder."""

    def __init__(self, folder: Path, pid: int, endpoint: str) -> None:
        self.pid = pid
        super().__init__(
            f"{folder} is in use: an emulator runs in it at {endpoint} (process {pid}). "
            "Stop it with `mlops local down`, or name another state folder."
        )


class AssemblyUnreadable(LocalAwsFault):
    """There is no cloud assembly in the folder, or it asks for what is not understood."""


class DeployFailed(LocalAwsFault):
    """A stack did not reach its end state.

    Attributes:
        stack: The stack's name.
        reasons: The failing resources with the service's own words, first cause first.
    """

    def __init__(self, stack: str, status: str, reasons: Sequence[str]) -> None:
        self.stack = stack
        self.reasons = tuple(reasons)
        told = "".join(f"\n  - {reason}" for reason in reasons) or " No reason was given."
        super().__init__(f"Stack {stack} ended {status}:{told}")
