"""Removes a pipeline; started by ``DELETE /pipelines/{id}``, and by itself when time runs short."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from mlops_framework.orchestration.teardown import Removal, Removed

if TYPE_CHECKING:
    from mlops_framework.orchestration.teardown import Teardown

LOGGER = Logger(service="teardown", level="INFO")
# The library logs through the standard logger of its package, which has to exist by now.
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})

RESERVE_SECONDS: Final = 20.0
"""Kept back to write the record or to start the next run."""


def remove(
    event: Mapping[str, Any],
    context: Any,
    *,
    teardown: Teardown,
    start_again: Callable[[str, str], None],
) -> Removed:
    """One run; starts the next one if CloudFormation needs longer."""
    pipeline_id = str(event["pipeline_id"])
    seconds = max(0.0, context.get_remaining_time_in_millis() / 1000 - RESERVE_SECONDS)
    removed = teardown.run(pipeline_id, seconds=seconds)
    if removed.removal is Removal.CONTINUES:
        start_again(context.invoked_function_arn, pipeline_id)
    return removed


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function; the event is ``{"pipeline_id": …}``."""
    removed = remove(event, context, teardown=wiring.teardown(), start_again=wiring.start_again)
    log = LOGGER.error if removed.removal is Removal.FAILED else LOGGER.info
    log(removed.message, extra={"pipeline_id": removed.pipeline_id})
    return {"pipeline_id": removed.pipeline_id, "removal": removed.removal.value}
