"""What can keep a command from doing its work, below the framework's root.

::

    FrameworkFault
    ├── PlaceUnknown         it is not clear which environment is meant, or it is not there
    ├── RequestUnreadable    the request file is missing or not JSON
    ├── ApiUnreachable       the API did not answer
    ├── ApiRefused           the API answered with a problem (.problem)
    ├── BlueprintNotWritten  the new blueprint's name or folder is refused
    └── NotDone              what the command waited for did not happen
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.errors import FrameworkFault


class PlaceUnknown(FrameworkFault):
    """It is not clear which environment is meant, or it is not there."""


class RequestUnreadable(FrameworkFault):
    """A request file is missing or not JSON."""


class ApiUnreachable(FrameworkFault):
    """The API did not answer."""


class ApiRefused(FrameworkFault):
    """The API answered with a problem.

    Attributes:
        status: HTTP status.
        problem: The problem document.
    """

    def __init__(self, status: int, problem: Mapping[str, Any]) -> None:
        self.status = status
        self.problem = problem
        super().__init__(str(problem.get("detail") or problem.get("message") or status))


class BlueprintNotWritten(FrameworkFault):
    """The name or the folder of a new blueprint is refused; nothing was written."""


class NotDone(FrameworkFault):
    """What the command waited for did not happen."""
