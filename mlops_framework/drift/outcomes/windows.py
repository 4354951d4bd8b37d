"""The outcomes that a window's profile holds."""

from __future__ import annotations

from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.watching import Scene


def counted(scene: Scene) -> OutcomeSums | None:
    """What was counted of all captures of a window when they were profiled.

    ``None`` where some of them were profiled by a release that did not count it, with settings that
    count something else, or on an earlier baseline: what was kept of their rows tells it then.
    """
    found = scene.profile.outcomes.get(counting_id(scene.config))
    if found is None or scene.stale or found.invocations != scene.profile.invocations:
        return None
    return found
