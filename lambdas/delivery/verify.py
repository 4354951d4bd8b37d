"""CodePipeline's Lambda invoke action: is what was delivered what was asked for?"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from lambdas.delivery import wiring

if TYPE_CHECKING:
    from mlops_framework.delivery.service import Verification

logging.getLogger("mlops_framework").setLevel(logging.INFO)


def verify(event: Mapping[str, Any], *, service: Verification) -> dict[str, str]:
    """Look once, report to CodePipeline, and say in the log what was reported."""
    verdict = service.run(event)
    return {"verdict": type(verdict).__name__}


def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function."""
    return verify(event, service=wiring.service())
