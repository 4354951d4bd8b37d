"""The outcomes that a window's profile holds."""

from __future__ import annotations

from mlops_framework.drift.outcomes.sums import OutcomeSums, counting_id
from mlops_framework.drift.watching import Scene


def counted(scene: Scene, *, partly: bool = False) -> OutcomeSums | None:
    """What was counted of all captures of a window when they were profiled.

    Args:
        scene: The window.
        partly: Whether what was counted of some of them will do.

    Returns:
        ``None`` where some of them were profiled by a release that did not count it, with settings
        that count something else, or on an earlier baseline: what was kept of their rows tells it
        then.
    """
    found = scene.profile.outcomes.get(counting_id(scene.config))
    if found is None or partly:
        return found
    whole = not scene.stale and found.invocations == scene.profile.invocations
    return found if whole else None
