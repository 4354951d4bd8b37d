"""What a check comes to."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

FailureKind = Literal["JobFailed", "ConfigurationError", "PermissionError", "SystemUnavailable"]
"""CodePipeline's kinds of failure."""


@dataclass(frozen=True)
class Passed:
    """It is as asked.

    Attributes:
        summary: One sentence for the pipeline's page.
        reference: Id in the service that did the work; empty for none.
        outputs: Variables for later actions.
    """

    summary: str
    reference: str = ""
    outputs: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Waiting:
    """It is not finished; ``token`` is what the next look needs to know."""

    summary: str
    reference: str = ""
    token: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Refused:
    """It is not as asked; ``message`` says what, with the service's own reason."""

    message: str
    reference: str = ""
    kind: FailureKind = "JobFailed"


Verdict = Passed | Waiting | Refused
