"""What can be wrong with a monitor's own files and events."""

from __future__ import annotations

from mlops_framework.errors import FrameworkFault


class AnalysisInvalid(FrameworkFault):
    """What is analysed cannot be completed from what is there."""


class EventMalformed(FrameworkFault):
    """The function was called with something else than its rule or pipeline sends."""
