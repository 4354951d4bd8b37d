"""Drift at scale: the function that does one step, and the state machine of a distributed run."""

from __future__ import annotations

import json
from collections.abc import Callable

from aws_cdk import aws_iam as iam
from aws_cdk import aws_stepfunctions as states
from constructs import Construct

from lambdas.drift.settings import ProfileSettings
from mlops_framework import naming
from mlops_framework.cdk import perms
from mlops_framework.cdk.bundling import Bundle
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import acknowledge, allow
from mlops_framework.cdk.stack import FrameworkStack
from mlops_framework.drift.scale.machine import scale_definition

Granting = Callable[[PythonFunction], None]


class DriftAtScale(Construct):
    """Profiling, merging, joining with labels and judging by many functions side by side.

    Creates: one function for all steps, the state machine, its role.
    Fixed: the machine's name, so that the evaluation can name it before it is there.
    You choose: what the function may read and write (``grant``).
    """

    def __init__(
        self,
        scope: FrameworkStack,
        construct_id: str,
        *,
        bundle: Bundle,
        logs: LogPolicy,
        evaluate: PythonFunction,
        grant: Granting,
    ) -> None:
        """Define them."""
        super().__init__(scope, construct_id)
        self._stack = scope
        steps = PythonFunction(
            self,
            "Steps",
            bundle=bundle,
            handler="scale:handler",
            settings=ProfileSettings,
            environment={"environment_prefix": scope.config.prefix},
            description="One step of a distributed run: plan, profile, group, merge, join",
            logs=logs,
            shape=FunctionShape(memory_mb=1769, timeout_seconds=900),
        )
        grant(steps)
        self.steps = steps
        role = self._role(steps, evaluate)
        self.machine = states.CfnStateMachine(
            self,
            "Machine",
            state_machine_name=machine_name(scope.config.prefix),
            role_arn=role.role_arn,
            definition_string=json.dumps(
                scale_definition(
                    partition="${Partition}", steps_arn="${Steps}", evaluate_arn="${Evaluate}"
                )
            ),
            definition_substitutions={
                "Partition": scope.partition,
                "Steps": steps.function_arn,
                "Evaluate": evaluate.function_arn,
            },
        )
        # The role's policies are resources of their own; Step Functions tries its role at once.
        self.machine.node.add_dependency(role)
        acknowledge(
            self.machine, "SF1", "Step Functions keeps the history of every execution for 90 days."
        )
        acknowledge(
            self.machine, "SF2", "Its steps are in that history; the functions log what they do."
        )

    def _role(self, steps: PythonFunction, evaluate: PythonFunction) -> iam.Role:
        scope = self._stack
        role = scope.role_for(
            "ScaleRole", "states.amazonaws.com", "Runs the steps of drift at scale"
        )
        allow(
            role,
            actions=perms.INVOKE_FUNCTION,
            resources=[steps.function_arn, evaluate.function_arn],
        )
        allow(
            role,
            actions=perms.READ_OBJECTS,
            resources=[
                f"{scope.platform.bucket_arn('data-bucket-name')}/{naming.DRIFT_PREFIX}/*/runs/*"
            ],
            because="Lists of work are named after monitor and run, below drift/.",
        )
        allow(role, actions=perms.USE_KEY, resources=[scope.platform.value("key-arn")])
        # A distributed map runs its items as executions of the same machine, and looks after them.
        allow(role, actions=perms.START_MACHINE, resources=[machine_arn(scope)])
        executions = scope.arn("states", f"execution:{machine_name(scope.config.prefix)}")
        allow(
            role,
            actions=perms.LOOK_AFTER_EXECUTIONS,
            resources=[f"{executions}:*", f"{executions}/*"],
            because="Step Functions numbers the executions of this one machine itself.",
        )
        return role


def machine_name(prefix: str) -> str:
    """Name of an environment's state machine."""
    return f"{prefix}-drift-at-scale"


def machine_arn(stack: FrameworkStack) -> str:
    """ARN of the state machine, known before it is there."""
    return stack.arn("states", f"stateMachine:{machine_name(stack.config.prefix)}")
