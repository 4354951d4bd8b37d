"""The exceptions of the framework. Each name is a condition; catch the branch you can act on.

::

    FrameworkFault                      anything below
    ├── NameRefused                     a derived name breaks an AWS rule
    ├── SettingsInvalid                 a Lambda's environment is not what its settings declare
    ├── EnvironmentInvalid              environments/*.yaml: unknown file, key or value (.faults)
    ├── RequestInvalid                  a request body with every fault in it (.faults)
    ├── BlueprintUnknown                no such pipeline_type (.kind, .known, .suggestion)
    └── BlueprintInvalid                a blueprint breaks the rules of the seam

A message says what was wrong, where, what is accepted and what to do next.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


class FrameworkFault(Exception):
    """Root of everything this library raises on purpose."""


@dataclass(frozen=True)
class Fault:
    """One thing that is wrong with a document.

    Attributes:
        path: Where, as dotted keys (``instance_type.prod``); empty for the document itself.
        message: What is wrong and what to do, one sentence for a person.
        accepted: What would be right.
        found: What is there, as JSON text, shortened; ``nothing`` when absent.
    """

    path: str
    message: str
    accepted: str
    found: str

    def __str__(self) -> str:
        """One line: path, message."""
        return f"{self.path}: {self.message}" if self.path else self.message


class NameRefused(FrameworkFault):
    """A name that would be derived breaks a rule of the AWS service that takes it."""


class SettingsInvalid(FrameworkFault):
    """A Lambda's environment variables do not match its settings class."""


class _Faulty(FrameworkFault):
    """Base of the two exceptions that carry a list of faults."""

    def __init__(self, subject: str, faults: Iterable[Fault]) -> None:
        self.subject = subject
        self.faults: tuple[Fault, ...] = tuple(faults)
        lines = [subject, *(f"  - {fault}" for fault in self.faults)]
        super().__init__("\n".join(lines))


class EnvironmentInvalid(_Faulty):
    """An environment file is missing, malformed, or holds unknown keys or bad values."""


class RequestInvalid(_Faulty):
    """A request body is refused; ``faults`` holds everything that is wrong with it at once."""

    def __init__(self, faults: Iterable[Fault], *, subject: str | None = None) -> None:
        listed = tuple(faults)
        count = f"{len(listed)} fault{'' if len(listed) == 1 else 's'}"
        super().__init__(subject or f"The request has {count}.", listed)


class BlueprintUnknown(FrameworkFault):
    """The ``pipeline_type`` names no blueprint that is enabled here."""

    def __init__(self, kind: str, known: Sequence[str], suggestion: str | None = None) -> None:
        self.kind = kind
        self.known = tuple(known)
        self.suggestion = suggestion
        hint = f" Did you mean {suggestion!r}?" if suggestion else ""
        super().__init__(
            f"There is no blueprint {kind!r}.{hint} Enabled here: {', '.join(known) or 'none'}."
        )


class BlueprintInvalid(FrameworkFault):
    """A blueprint breaks a rule of the seam; the message names it, its source and the way out."""
