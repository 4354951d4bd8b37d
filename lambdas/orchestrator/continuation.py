"""Goes on with a request that needs longer than its sender could wait for."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from mlops_framework.orchestration.errors import PipelineBroken, TakenOver

if TYPE_CHECKING:
    from mlops_framework.orchestration.service import Orchestrator

LOGGER = Logger(service="continuation", level="INFO")
# The library logs through the standard logger of its package, which has to exist by now.
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})

RESERVE_SECONDS: Final = 60.0
"""Kept back for the calls between the waits, and to hand over to the next run."""


def go_on(event: Mapping[str, Any], context: Any, *, orchestrator: Orchestrator) -> dict[str, str]:
    """One run; the request hands over to the next one if CloudFormation needs longer."""
    pipeline_id, revision = str(event["pipeline_id"]), int(event["revision"])
    seconds = max(0.0, context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    try:
        done = orchestrator.go_on(pipeline_id, revision, seconds=seconds)
    except TakenOver as taken:
        outcome, message = "taken over", str(taken)
    except PipelineBroken as broken:
        # The record says so; another attempt would find the same.
        outcome, message = "broken", str(broken)
    else:
        outcome, message = done.outcome.value, done.message
    LOGGER.info(message, extra={"pipeline_id": pipeline_id, "outcome": outcome})
    return {"pipeline_id": pipeline_id, "outcome": outcome}


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function; the event is ``{"pipeline_id": …, "revision": …}``."""
    return go_on(event, context, orchestrator=wiring.service())
