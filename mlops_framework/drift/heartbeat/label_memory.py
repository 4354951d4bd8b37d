"""What the heartbeat remembers of labels."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Self

from mlops_framework.drift.windows import instant, moment

LEARNING: Final = timedelta(days=8)
"""So long labels have to have come until their pauses are known: a week, with its weekend."""
_FACTOR: Final = 2
"""A pause of so many times the longest one of before is no ordinary one."""
_REMEMBERED: Final = timedelta(days=35)


@dataclass(frozen=True)
class LabelMemory:
    """The memory of one monitor's labels.

    Attributes:
        since: When it looked for labels first.
        first: When it saw labels first.
        arrived: When it saw new labels last.
        rows: Rows captured since then, or since it looked first.
        pauses: Of days on which labels came after a pause, the longest of these pauses.
        files: Of each day of collection how many files it had, and a digest of their names.
    """

    since: datetime | None = None
    first: datetime | None = None
    arrived: datetime | None = None
    rows: int = 0
    pauses: Mapping[str, timedelta] = field(default_factory=dict)
    files: Mapping[str, tuple[int, str]] = field(default_factory=dict)

    @property
    def usual(self) -> timedelta:
        """The longest pause that was followed by labels."""
        return max(self.pauses.values(), default=timedelta(0))

    def patience(self, horizon: timedelta) -> timedelta:
        """How long labels may stay away.

        Args:
            horizon: How long labels of a window are waited for.
        """
        if self.arrived and self.first and self.arrived - self.first >= LEARNING:
            return max(_FACTOR * self.usual, horizon)
        return max(_FACTOR * self.usual, _FACTOR * horizon, LEARNING)

    def after(
        self, files: Mapping[str, tuple[int, str]], rows: int, now: datetime, horizon: timedelta
    ) -> LabelMemory:
        """The memory after one more look.

        Args:
            files: As in the memory, now.
            rows: Rows captured in a window that was not counted before.
            now: The present.
            horizon: How long labels of a window are waited for.
        """
        oldest = f"{now - horizon - max(horizon, _REMEMBERED):%Y-%m-%d}"
        known = {day: known for day, known in {**self.files, **files}.items() if day >= oldest}
        after = replace(self, since=self.since or now, files=known)
        if not any(self._new(day, found) for day, found in files.items()):
            return replace(after, rows=self.rows + rows)
        day, pauses = f"{now:%Y-%m-%d}", dict(self.pauses)
        pause = now - self.arrived if self.arrived else timedelta(0)
        pauses[day] = max(pause, pauses.get(day, pause))
        begin = f"{now - max(4 * horizon, _REMEMBERED):%Y-%m-%d}"
        return replace(
            after,
            first=self.first or now,
            arrived=now,
            rows=0,
            pauses={day: pause for day, pause in pauses.items() if day >= begin},
        )

    def _new(self, day: str, found: tuple[int, str]) -> bool:
        """Whether a day has other files; fewer were deleted."""
        count, digest = self.files.get(day, (0, ""))
        return found[1] != digest and found[0] >= max(1, count)

    def to_document(self) -> dict[str, Any]:
        """As JSON."""
        return {
            "since": self.since and instant(self.since),
            "first": self.first and instant(self.first),
            "arrived": self.arrived and instant(self.arrived),
            "rows": self.rows,
            "pauses": {
                day: int(pause.total_seconds()) for day, pause in sorted(self.pauses.items())
            },
            "files": {day: list(found) for day, found in sorted(self.files.items())},
        }

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> Self:
        """Read what :meth:`to_document` wrote."""
        since, first, arrived = (
            moment(document[name]) if document[name] else None
            for name in ("since", "first", "arrived")
        )
        return cls(
            since,
            first,
            arrived,
            int(document["rows"]),
            {day: timedelta(seconds=pause) for day, pause in document["pauses"].items()},
            {day: (int(count), digest) for day, (count, digest) in document["files"].items()},
        )
