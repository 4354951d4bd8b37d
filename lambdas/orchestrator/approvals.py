"""Started by EventBridge when somebody approves or rejects a version in the model registry."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.logging.utils import copy_config_to_registered_loggers

from lambdas.orchestrator import wiring
from mlops_framework.orchestration.errors import PipelineBusy

if TYPE_CHECKING:
    from mlops_framework.orchestration.model_approvals import ModelApprovals, Started

LOGGER = Logger(service="approvals", level="INFO")
# The library logs through the standard logger of its package, which has to exist by now.
logging.getLogger("mlops_framework")
copy_config_to_registered_loggers(LOGGER, include={"mlops_framework"})


def decide(event: Mapping[str, Any], *, approvals: ModelApprovals) -> tuple[Started, ...]:
    """Read the event and pass it on.

    Raises:
        PipelineBusy: If a pipeline could not be changed now; Lambda gives the event again later,
            and what was changed meanwhile is then found unchanged.
    """
    detail = event["detail"]
    started = approvals.decided(
        detail["ModelPackageGroupName"],
        detail["ModelPackageArn"],
        detail["ModelApprovalStatus"],
        correlation_id=event["id"],
    )
    for one in started:
        LOGGER.info(one.message, extra={"pipeline_id": one.pipeline_id, "outcome": one.outcome})
    busy = [one.message for one in started if one.outcome == "busy"]
    if busy:
        raise PipelineBusy(" ".join(busy))
    return started


@LOGGER.inject_lambda_context(clear_state=True)
def handler(event: dict[str, Any], context: Any) -> dict[str, str]:
    """Entry point of the function; what became of each pipeline."""
    started = decide(event, approvals=wiring.approvals())
    return {one.pipeline_id: one.outcome for one in started}
