"""What the emulator's process is told by its parent; read on both sides."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass

INSTALLER = "MLOPS_INSTALLER"
"""Variable with ``venvs.Installer`` as JSON: not an argument, since everybody can read those."""


@dataclass(frozen=True)
class ProcessSettings:
    """What the process is told by its parent.

    Attributes:
        endpoint: The emulator's own address.
        state_dir: Where the plane keeps files.
        lambda_python: Interpreter for Python functions.
        ml_python: Interpreter for training and serving.
        keep_state: Whether stores are written at the end and read at the start.
        ends_with_parent: Standard input is held open by the parent; its end is the end.
        record: File that resources and calls are written down in; empty writes nothing.
    """

    endpoint: str
    state_dir: str
    lambda_python: str
    ml_python: str
    keep_state: bool
    ends_with_parent: bool
    record: str = ""

    def to_json(self) -> str:
        """The one argument of the process."""
        return json.dumps(asdict(self))

    @classmethod
    def from_json(cls, text: str) -> ProcessSettings:
        """Reads what :meth:`to_json` wrote."""
        return cls(**json.loads(text))
