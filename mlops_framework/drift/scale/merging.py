"""The merge tree: windows with many profiles are cut into groups, each group becomes one part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from mlops_framework.drift.layout import part_key
from mlops_framework.drift.records import Records
from mlops_framework.drift.scale.gathering import Gathering
from mlops_framework.drift.scale.parts import FAN_IN, Part, groups
from mlops_framework.drift.windows import Task, Window, instant, moment


@dataclass(frozen=True)
class MergeTree:
    """One level of the tree after the other, until every window is within one function's reach."""

    gathering: Gathering

    def groups(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """What is to be merged next; nothing when no window has too many units any more.

        Args:
            since: Start of the first window.
            until: End of the last one.

        Returns:
            Inputs of :meth:`merge`: the window's start, and names of profiles or of parts.
        """
        gathering = self.gathering
        records = Records(gathering.store, gathering.config)
        found: list[dict[str, Any]] = []
        for window, keys in sorted(records.profile_keys(since, until).items()):
            units = gathering.cover(Task(window, keys, complete=True))
            if units.units <= gathering.limit:
                continue
            start = instant(window.start)
            if units.keys:  # parts are merged only when they alone are too many
                found += [{"window": start, "profiles": list(g)} for g in groups(units.keys)]
                continue
            names = [part.name for part in units.parts]
            found += [
                {"window": start, "parts": names[at : at + FAN_IN]}
                for at in range(0, len(names), FAN_IN)
            ]
        return found

    def merge(self, group: Mapping[str, Any]) -> str:
        """Merge a group into a part and write it; the same group again writes the same part.

        Args:
            group: One of :meth:`groups`.

        Returns:
            The part's key.
        """
        gathering = self.gathering
        config = gathering.config
        start = moment(group["window"])
        window = Window.containing(start, config.window_minutes)
        if "profiles" in group:
            part = gathering.read(group["profiles"], f"a profile of {window}")
        else:
            part = self._of_parts(window, group["parts"])
        key = part_key(config, window, part.name)
        Records(gathering.store, config).write(key, part.to_document())
        return key

    def _of_parts(self, window: Window, names: list[str]) -> Part:
        gathering = self.gathering
        keys = [part_key(gathering.config, window, name) for name in names]
        read = [
            Part.from_document(document, f"a part of {window}")
            for document in gathering.store.read_all(gathering.config.data_bucket, keys)
        ]
        first, *others = read
        profile = first.profile
        for part in others:
            profile = profile.merged(part.profile)
        return Part(
            max(part.level for part in read) + 1,
            tuple(sorted(part.name for part in read)),
            tuple(source for part in read for source in part.counted),
            tuple(source for part in read for source in part.stale),
            tuple(sorted(digest for part in read for digest in part.superseded)),
            profile,
        )
