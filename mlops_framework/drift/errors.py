"""What can go wrong in drift monitoring. Each name is a condition a caller can act on.

::

    DriftFault
    ├── MonitorUnknown       no monitor is configured for this endpoint
    ├── MonitorInvalid       the monitor's configuration is refused (.faults)
    ├── BaselineInvalid      the baseline data cannot become a baseline
    ├── BaselineMissing      the baseline has not been built yet
    ├── ObjectMissing        a data object is not where the configuration says
    ├── FileUnusable         a file at hand is missing, empty, or of a form that is not read
    ├── DocumentInvalid      a stored profile, baseline or state is not of a version we read
    ├── MonitorFileInvalid   a file of Model Monitor's is not as its schema says
    ├── ProfileMismatch      two profiles count on different baselines and cannot be added
    ├── PublishingRefused    this function publishes nothing
    └── StateConflict        another evaluation wrote the state first
"""

from __future__ import annotations

from mlops_framework.errors import Fault, FrameworkFault


class DriftFault(FrameworkFault):
    """Root of the drift room's exceptions."""


class MonitorUnknown(DriftFault):
    """No drift monitor is configured for an endpoint."""

    def __init__(self, monitor: str, place: str) -> None:
        self.monitor = monitor
        super().__init__(
            f"There is no drift monitor {monitor!r}: {place} does not exist. "
            f"Submit a drift-monitor request for the endpoint {monitor!r}."
        )


class MonitorInvalid(DriftFault):
    """A monitor's configuration holds unknown keys or bad values; ``faults`` lists all of them."""

    def __init__(self, source: str, faults: tuple[Fault, ...]) -> None:
        self.faults = faults
        lines = [f"{source} is not a monitor configuration:", *(f"  - {fault}" for fault in faults)]
        super().__init__("\n".join(lines))


class BaselineInvalid(DriftFault):
    """The baseline data is empty, has no header, or lacks a column that was asked for."""


class BaselineMissing(DriftFault):
    """A monitor has no baseline yet."""

    def __init__(self, monitor: str) -> None:
        self.monitor = monitor
        super().__init__(
            f"The monitor {monitor!r} has no baseline yet. Invoke the baseline function with "
            f'{{"monitor": "{monitor}"}}; the delivery pipeline does it after each deployment.'
        )


class ObjectMissing(DriftFault):
    """An object that the configuration or an event names does not exist."""


class FileUnusable(DriftFault):
    """A file is missing, empty or of a form that is not read, or cannot be written."""


class DocumentInvalid(DriftFault):
    """A stored document is of another version or shape than this release reads."""


class MonitorFileInvalid(DriftFault):
    """A ``statistics.json``, ``constraints.json`` or violations file is not as its schema says."""


class ProfileMismatch(DriftFault):
    """Profiles of different baselines or columns were asked to merge."""


class PublishingRefused(DriftFault):
    """A function that may not publish was asked to."""


class StateConflict(DriftFault):
    """The monitor's state changed between reading and writing it."""
