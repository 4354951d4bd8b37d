"""The two ways in which a service does something for us: under a role, or by itself."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from tests.iam.policies import Ask


@dataclass(frozen=True)
class Use:
    """A role at work for a service.

    Attributes:
        role: ARN.
        service: Who takes it.
        ask: What it then needs; nothing where its policy is AWS's own.
    """

    role: str
    service: str
    ask: Ask | None


@dataclass(frozen=True)
class Visit:
    """A service that comes by itself, without a role.

    Attributes:
        service: Its principal.
        ask: What it then does.
    """

    service: str
    ask: Ask


Found = Iterator[Use | Visit]
