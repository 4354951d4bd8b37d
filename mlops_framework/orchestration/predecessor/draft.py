"""What becomes of a body while it is translated: ours, where each part came from, what is wrong."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from mlops_framework.contracts.faults import NOTHING, shown
from mlops_framework.errors import Fault

_IDENTIFIER = re.compile(r"\b[a-z]+(?:_[a-z]+)+\b")


@dataclass(frozen=True)
class Setting:
    """Where bodies are translated.

    Attributes:
        stages: The environment's delivery stages in order, each with the further names by which a
            map of ``dev``, ``staging`` and ``prod`` may mean it.
        assets_bucket: Bucket of the paths that name none.
    """

    stages: Mapping[str, tuple[str, ...]]
    assets_bucket: str


@dataclass
class Draft:
    """A body of ours in the making.

    Attributes:
        setting: Where.
        type_name: The predecessor's ``pipeline_type``.
        given: The predecessor's body, keys in the names this room uses.
        body: Ours.
        faults: What is wrong, with the predecessor's paths.
        notes: What is carried out in another way than it was asked.
    """

    setting: Setting
    type_name: str
    given: Mapping[str, Any]
    body: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    _origins: dict[str, tuple[str, bool]] = field(default_factory=dict)
    _spelt: dict[str, str] = field(default_factory=dict)

    def spelt(self, name: str) -> str:
        """A field as the body spells it."""
        return self._spelt.get(name, name)

    def take(self, name: str, spelling: str) -> None:
        """Note that the body spells a field in another way."""
        self._spelt[name] = spelling

    def put(self, ours: str, value: Any, theirs: str) -> None:
        """Set a field of ours that comes from one of theirs."""
        self.body[ours] = value
        self.came_from(ours, theirs)

    def came_from(self, ours: str, theirs: str, *, whole: bool = False) -> None:
        """Say which part of their body a part of ours stands for.

        Args:
            ours: Path in our body.
            theirs: Path in theirs.
            whole: What is wrong deeper inside ours is wrong with theirs as a whole.
        """
        self._origins[ours] = (theirs, whole)

    def wrong(self, path: str, message: str, accepted: str, found: Any = NOTHING) -> None:
        """Note a fault at a path of theirs."""
        text = found if found is NOTHING else shown(found)
        self.faults.append(Fault(path, message, accepted, text))

    def renamed(self) -> dict[str, str]:
        """Fields of ours by those of theirs, where both are given and the names differ."""
        return {
            theirs: ours
            for ours, (theirs, _) in self._origins.items()
            if ours in self.body and theirs in self.given and theirs != ours
        }

    def in_their_words(self, faults: Iterable[Fault]) -> list[Fault]:
        """Faults that our contract found, as the sender can read them.

        What only follows from a fault that is known already is left out: one at the same place, or
        at a field that such a body cannot have.
        """
        known = {fault.path for fault in self.faults}
        theirs = {theirs.split(".")[0] for theirs, _ in self._origins.values()}
        told = []
        for fault in faults:
            path = self._path(fault.path)
            if any(path == other or path.startswith(f"{other}.") for other in known):
                continue
            if known and path.split(".")[0] not in theirs:
                continue
            told.append(
                Fault(path, self._words(fault.message), self._words(fault.accepted), fault.found)
            )
        return told

    def _path(self, ours: str) -> str:
        parts = ours.split(".")
        for length in range(len(parts), 0, -1):
            origin = self._origins.get(".".join(parts[:length]))
            if origin is not None:
                theirs, whole = origin
                rest = () if whole else parts[length:]
                return ".".join([theirs, *rest])
        return ours

    def _words(self, text: str) -> str:
        """Our names of fields are words with underscores; nothing else in a message is."""
        return _IDENTIFIER.sub(lambda match: self._path(match[0]), text)
