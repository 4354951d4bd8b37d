"""Step of a baseline pipeline -> the configuration files that Clarify reads."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from lambdas.monitors import wiring
from mlops_framework.model_monitor.errors import EventMalformed
from mlops_framework.model_monitor.service import Preparation

ACCEPTED: Final = '{"analysis": "s3://<bucket>/<key>", "folder": "s3://<bucket>/<prefix>"}'


def prepare(event: Mapping[str, Any], *, service: Preparation) -> dict[str, str]:
    """Write both configurations and say where.

    Raises:
        EventMalformed: If the input is not of the form above.
        AnalysisInvalid: If something that has to be looked up is not there.
    """
    given = [event.get(name) for name in ("analysis", "folder")]
    if not all(isinstance(value, str) and value.startswith("s3://") for value in given):
        raise EventMalformed(f"The input is {dict(event)!r}; accepted: {ACCEPTED}.")
    return service.prepare(str(given[0]), str(given[1]).rstrip("/"))


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function."""
    return prepare(event, service=wiring.preparation())
