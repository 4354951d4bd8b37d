"""The operations of Application Auto Scaling, and the loop in which step policies act."""

from __future__ import annotations

import copy
import datetime as dt
import logging
import time
import uuid
from collections.abc import Mapping, Sequence
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.scaling.capacity import capacity_of
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

_log = logging.getLogger(__name__)
_LOOK_SECONDS = 2.0
_STORE = "application-autoscaling"
_KEY = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class ApplicationAutoScaling(LocalService):
    """Scalable targets, policies and scheduled actions of SageMaker's endpoints."""

    name = "application-autoscaling"

    def __init__(self, host: PlaneHost) -> None:
        """Start looking at alarms.

        Args:
            host: the emulator.
        """
        super().__init__(host)
        self._rests: dict[str, float] = {}
        host.spawn("scaling steps", self._look)

    @operation("RegisterScalableTarget")
    def register_scalable_target(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Keep a target, and bring its number between the bounds."""
        client = self.host.client("sagemaker", scope)
        capacity = capacity_of(request["ResourceId"], request["ScalableDimension"])
        try:
            number = capacity.read(client)
        except ClientError as error:
            raise AwsFault("ValidationException", str(error)) from error
        with self.host.lock(_STORE):
            kept = self._kept("targets", scope)
            known = kept.get(_key(request), {})
            identity = known.get("ScalableTargetARN") or scope.arn(
                "application-autoscaling", f"scalable-target/{uuid.uuid4().hex[:24]}"
            )
            target = {
                "CreationTime": _now(),
                "RoleARN": f"arn:aws:iam::{scope.account}:role/aws-service-role/"
                "sagemaker.application-autoscaling.amazonaws.com/"
                "AWSServiceRoleForApplicationAutoScaling_SageMakerEndpoint",
                **known,
                **{member: value for member, value in request.items() if member != "Tags"},
                "ScalableTargetARN": identity,
            }
            least, most = target.get("MinCapacity"), target.get("MaxCapacity")
            if least is None or most is None or least > most:
                raise AwsFault(
                    "ValidationException", "MinCapacity and MaxCapacity are required, in order."
                )
            kept[_key(request)] = target
        if number is not None and not least <= number <= most:
            capacity.write(client, min(max(number, least), most))
        return {"ScalableTargetARN": identity}

    @operation("DescribeScalableTargets")
    def describe_scalable_targets(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe targets."""
        ids = request.get("ResourceIds")
        found = [t for t in self._all("targets", scope) if not ids or t["ResourceId"] in ids]
        return {"ScalableTargets": found}

    @operation("DeregisterScalableTarget")
    def deregister_scalable_target(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Forget a target with its policies and scheduled actions."""
        with self.host.lock(_STORE):
            if self._kept("targets", scope).pop(_key(request), None) is None:
                raise _missing("scalable target", request)
            for kind in ("policies", "actions"):
                kept = self._kept(kind, scope)
                for name in [n for n, each in kept.items() if _key(each) == _key(request)]:
                    del kept[name]
        return {}

    @operation("PutScalingPolicy")
    def put_scaling_policy(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep a policy."""
        if "PredictiveScalingPolicyConfiguration" in request:
            raise AwsFault(
                "NotCarriedByLocalAws",
                "The local AWS does not carry predictive scaling. Use TargetTrackingScaling or "
                "StepScaling.",
                501,
            )
        with self.host.lock(_STORE):
            if _key(request) not in self._kept("targets", scope):
                raise _missing("scalable target", request)
            kept = self._kept("policies", scope)
            name = f"{_key(request)}|{request['PolicyName']}"
            arn = scope.arn(
                "autoscaling",
                f"scalingPolicy:{uuid.uuid4()}:resource/sagemaker/{request['ResourceId']}"
                f":policyName/{request['PolicyName']}",
            )
            known = kept.get(name, {})
            kept[name] = {"CreationTime": _now(), "PolicyARN": arn, **known, **request}
            return {"PolicyARN": kept[name]["PolicyARN"], "Alarms": []}

    @operation("DescribeScalingPolicies")
    def describe_scaling_policies(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe policies."""
        names = request.get("PolicyNames")
        found = [
            policy
            for policy in self._all("policies", scope)
            if request.get("ResourceId", policy["ResourceId"]) == policy["ResourceId"]
            and (not names or policy["PolicyName"] in names or policy["PolicyARN"] in names)
        ]
        return {"ScalingPolicies": found}

    @operation("DeleteScalingPolicy")
    def delete_scaling_policy(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Forget a policy."""
        with self.host.lock(_STORE):
            name = f"{_key(request)}|{request['PolicyName']}"
            if self._kept("policies", scope).pop(name, None) is None:
                raise _missing("scaling policy", request)
        return {}

    @operation("PutScheduledAction")
    def put_scheduled_action(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep a scheduled action; it does not act here."""
        with self.host.lock(_STORE):
            if _key(request) not in self._kept("targets", scope):
                raise _missing("scalable target", request)
            name = f"{_key(request)}|{request['ScheduledActionName']}"
            arn = scope.arn("autoscaling", f"scheduledAction:{uuid.uuid4()}")
            kept = {"CreationTime": _now(), "ScheduledActionARN": arn, **request}
            self._kept("actions", scope)[name] = kept
        return {}

    @operation("DescribeScheduledActions")
    def describe_scheduled_actions(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe scheduled actions."""
        found = [
            action
            for action in self._all("actions", scope)
            if request.get("ResourceId", action["ResourceId"]) == action["ResourceId"]
        ]
        return {"ScheduledActions": found}

    @operation("DeleteScheduledAction")
    def delete_scheduled_action(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Forget a scheduled action."""
        with self.host.lock(_STORE):
            name = f"{_key(request)}|{request['ScheduledActionName']}"
            if self._kept("actions", scope).pop(name, None) is None:
                raise _missing("scheduled action", request)
        return {}

    def _kept(self, kind: str, scope: Scope) -> dict[str, Any]:
        kept: dict[str, Any] = self.host.store(_STORE, scope).setdefault(kind, {})
        return kept

    def _all(self, kind: str, scope: Scope) -> list[dict[str, Any]]:
        with self.host.lock(_STORE):
            return copy.deepcopy(list(self._kept(kind, scope).values()))

    def _look(self) -> None:
        while not self.host.stopping.wait(_LOOK_SECONDS):
            for scope in self.host.scopes(_STORE):
                for policy in self._all("policies", scope):
                    if policy.get("PolicyType") != "StepScaling":
                        continue
                    try:
                        self._step(policy, scope)
                    except (ClientError, BotoCoreError, AwsFault) as error:
                        _log.info("%s does not act: %s", policy["PolicyName"], error)

    def _step(self, policy: Mapping[str, Any], scope: Scope) -> None:
        """Add what a step policy adds, if the alarm that names it is due and its rest is over."""
        arn, steps = policy["PolicyARN"], policy["StepScalingPolicyConfiguration"]
        if time.monotonic() < self._rests.get(arn, 0.0):
            return
        target = self._kept("targets", scope).get(_key(policy))
        client = self.host.client("sagemaker", scope)
        capacity = capacity_of(policy["ResourceId"], policy["ScalableDimension"])
        number = capacity.read(client) if target else None
        if target is None or number is None or number >= target["MaxCapacity"]:
            return
        alarms = self.host.client("cloudwatch", scope).describe_alarms()["MetricAlarms"]
        due = [a for a in alarms if arn in a["AlarmActions"] and self._is_due(a, scope)]
        if not due:
            return
        added = sum(step["ScalingAdjustment"] for step in steps["StepAdjustments"])
        wanted = min(max(number + added, target["MinCapacity"]), target["MaxCapacity"])
        _log.info("%s: from %s to %s", policy["ResourceId"], number, wanted)
        capacity.write(client, wanted)
        self._rests[arn] = time.monotonic() + steps.get("Cooldown", 300)

    def _is_due(self, alarm: Mapping[str, Any], scope: Scope) -> bool:
        """Whether the alarm's metric, with its dimensions, has reached the threshold.

        The emulator's own state of an alarm does not look at dimensions.
        """
        until = _now()
        window = alarm["Period"] * alarm["EvaluationPeriods"]
        points: Sequence[Mapping[str, Any]] = self.host.client(
            "cloudwatch", scope
        ).get_metric_statistics(
            Namespace=alarm["Namespace"],
            MetricName=alarm["MetricName"],
            Dimensions=alarm["Dimensions"],
            StartTime=until - dt.timedelta(seconds=window),
            EndTime=until,
            Period=alarm["Period"],
            Statistics=[alarm["Statistic"]],
        )["Datapoints"]
        return any(point[alarm["Statistic"]] >= alarm["Threshold"] for point in points)


def _key(request: Mapping[str, Any]) -> str:
    return "|".join(request[member] for member in _KEY)


def _missing(what: str, request: Mapping[str, Any]) -> AwsFault:
    return AwsFault(
        "ObjectNotFoundException",
        f"No {what} found for service namespace: {request['ServiceNamespace']}, resource ID: "
        f"{request['ResourceId']}, scalable dimension: {request['ScalableDimension']}",
    )


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
