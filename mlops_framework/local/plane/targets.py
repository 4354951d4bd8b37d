"""Delivers events to the plane's services: EventBridge rules and Scheduler schedules.

The emulator delivers to Lambda, SQS, SNS, Step Functions and event buses itself. This adds
CodePipeline pipelines, SageMaker Pipelines and Scheduler's universal ``aws-sdk`` targets, and it
fills in the context attributes Scheduler offers in a target's input.
"""

from __future__ import annotations

import datetime as dt
import json
import logging
import re
from collections.abc import Callable, Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import Scope, snake_case

_log = logging.getLogger(__name__)
_UNIVERSAL = re.compile(r"arn:aws:scheduler:::aws-sdk:([a-z0-9-]+):([A-Za-z0-9]+)")
_CODEPIPELINE = re.compile(r"arn:aws:codepipeline:([a-z0-9-]+):(\d{12}):(.+)")
_SAGEMAKER = re.compile(r"arn:aws:sagemaker:([a-z0-9-]+):(\d{12}):pipeline/(.+)")

# Pipeline name, its scope, the ARN of the rule or schedule that starts it.
PipelineStarter = Callable[[str, Scope, str], None]


class TargetDelivery:
    """Calls the service behind a target's ARN."""

    def __init__(self, host: PlaneHost, start_pipeline: PipelineStarter) -> None:
        """Keeps what makes the calls.

        Args:
            host: Its clients call SageMaker and universal targets.
            start_pipeline: Starts a CodePipeline pipeline on behalf of a rule.
        """
        self._host = host
        self._start_pipeline = start_pipeline

    def carries(self, arn: str) -> bool:
        """Whether this delivers to the target, rather than the emulator."""
        return any(form.fullmatch(arn) for form in (_UNIVERSAL, _CODEPIPELINE, _SAGEMAKER))

    def filled_in(self, target: Mapping[str, Any], event: Mapping[str, Any]) -> dict[str, Any]:
        """Replaces Scheduler's context attributes in a schedule's input.

        Source: EventBridge Scheduler user guide, "Adding context attributes".

        Args:
            target: The rule's or schedule's target.
            event: The emulator's event record; one of Scheduler has source ``aws.scheduler``.
        """
        filled = dict(target)
        if event.get("Source") != "aws.scheduler" or not isinstance(filled.get("Input"), str):
            return filled
        moment = dt.datetime.fromtimestamp(float(event["Time"]), tz=dt.UTC)
        attributes = {
            "schedule-arn": (event.get("Resources") or [""])[0],
            "scheduled-time": moment.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "execution-id": str(event.get("EventId", "")),
            "attempt-number": "1",
        }
        for name, value in attributes.items():
            filled["Input"] = filled["Input"].replace(f"<aws.scheduler.{name}>", value)
        return filled

    def deliver(
        self, target: Mapping[str, Any], event: Mapping[str, Any], scope: Scope, rule_arn: str
    ) -> None:
        """Calls the target in the background; a refusal is logged, as EventBridge drops it.

        Args:
            target: The target, see :meth:`carries`.
            event: The event as a target would receive it.
            scope: The account and region of the rule.
            rule_arn: The rule or schedule.
        """
        arn = target["Arn"]
        self._host.spawn(f"target {arn}", self._call, dict(target), dict(event), scope, rule_arn)

    def _call(
        self, target: dict[str, Any], event: dict[str, Any], scope: Scope, rule_arn: str
    ) -> None:
        arn = target["Arn"]
        try:
            if match := _CODEPIPELINE.fullmatch(arn):
                self._start_pipeline(match[3], Scope(match[2], match[1]), rule_arn)
            elif match := _SAGEMAKER.fullmatch(arn):
                client = self._host.client("sagemaker", Scope(match[2], match[1]))
                listed = (target.get("SageMakerPipelineParameters") or {}).get(
                    "PipelineParameterList", []
                )
                client.start_pipeline_execution(
                    PipelineName=match[3],
                    PipelineParameters=[
                        {"Name": item["Name"], "Value": _looked_up(item["Value"], event)}
                        for item in listed
                    ],
                )
            elif match := _UNIVERSAL.fullmatch(arn):
                client = self._host.client(match[1], scope)
                method = getattr(client, snake_case(match[2][:1].upper() + match[2][1:]))
                method(**json.loads(target.get("Input") or "{}"))
        except Exception as error:
            _log.error("The event was not delivered to %s: %s", arn, error)


def _looked_up(value: str, event: Mapping[str, Any]) -> str:
    # A pipeline parameter of a rule may be a JSON path into the event ("$.detail.bucket.name").
    if not value.startswith("$."):
        return value
    found: Any = event
    for step in value[2:].split("."):
        found = found.get(step) if isinstance(found, Mapping) else None
    if found is None:
        raise LookupError(f"the event has nothing at {value}")
    return found if isinstance(found, str) else json.dumps(found)
