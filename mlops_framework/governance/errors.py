"""The conditions in which a model card cannot be read or changed.

::

    FrameworkFault
    ├── CardUnknown    there is no such card, or no such version of it
    ├── CardExists     there is one of that name already
    └── CardLocked     it is archived, or SageMaker is at work on it
"""

from __future__ import annotations

from mlops_framework.errors import FrameworkFault


class CardUnknown(FrameworkFault):
    """There is no such model card."""

    def __init__(self, name: str, version: int | None = None) -> None:
        what = f" in version {version}" if version else ""
        super().__init__(
            f"There is no model card {name!r}{what}. GET /model-cards lists those that exist."
        )


class CardExists(FrameworkFault):
    """A card of that name is there already."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"There is a model card {name!r} already. Change it with PATCH /model-cards/{name}, or "
            "take another name."
        )


class CardLocked(FrameworkFault):
    """The card takes no change now."""


class MetricFileUnreadable(FrameworkFault):
    """A file of metrics is not there, or the platform may not read it."""
