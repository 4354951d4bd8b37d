"""Which emulator runs over a state folder, as its ``emulator.json`` says."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path

from mlops_framework.local import processes


@dataclass(frozen=True)
class Running:
    """A running emulator, as written to ``emulator.json``.

    Attributes:
        pid: Its process, also the id of its process group.
        mark: When that process started, see :func:`processes.started_at`.
        port: Where it listens, on 127.0.0.1.
        account: The default account.
        region: The default region.
        keep_state: Whether its state outlives it.
    """

    pid: int
    mark: str
    port: int
    account: str
    region: str
    keep_state: bool

    @property
    def endpoint(self) -> str:
        """The address that clients use."""
        return f"http://127.0.0.1:{self.port}"

    def is_alive(self) -> bool:
        """Whether this very process still runs."""
        return processes.started_at(self.pid) == self.mark

    def write(self, state_dir: Path) -> None:
        """Records it in its state folder."""
        _file(state_dir).write_text(json.dumps(asdict(self)), encoding="utf-8")

    @classmethod
    def read(cls, state_dir: Path) -> Running | None:
        """What a state folder records, alive or not."""
        try:
            return cls(**json.loads(_file(state_dir).read_text(encoding="utf-8")))
        except (FileNotFoundError, json.JSONDecodeError, TypeError):
            # No record, or one whose writing was interrupted: nothing that could be held.
            return None

    @staticmethod
    def forget(state_dir: Path) -> None:
        """Removes a state folder's record."""
        _file(state_dir).unlink(missing_ok=True)


def status(state_dir: Path) -> Running | None:
    """The emulator that runs over a folder, or ``None``."""
    record = Running.read(state_dir)
    return record if record is not None and record.is_alive() else None


def _file(state_dir: Path) -> Path:
    return state_dir.resolve() / "emulator.json"
