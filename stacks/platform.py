"""The platform: every stack, in the order they are deployed.

The stacks are the app's own and in no CDK stage, because ``cdk deploy --all`` deploys the stacks of
the app itself and leaves out those of stages.
"""

from __future__ import annotations

from typing import TypedDict

import aws_cdk as cdk

from mlops_framework import naming
from mlops_framework.cdk.bundling import Bundler
from mlops_framework.cdk.catalogue import Catalogue
from mlops_framework.environments.models import EnvironmentConfig
from stacks.delivery_stack import DeliveryStack
from stacks.drift_stack import DriftStack
from stacks.foundation_stack import FoundationStack
from stacks.gitops_stack import GitOpsStack
from stacks.observability_stack import ObservabilityStack, Watched
from stacks.orchestrator_stack import OrchestratorStack


class _Place(TypedDict):
    stack_name: str
    env: cdk.Environment
    termination_protection: bool


class Platform:
    """All stacks of one environment.

    Attributes:
        foundation: Key, buckets, alerts, boundary.
        delivery: Roles of delivery, stage check.
        drift: The drift service.
        orchestrator: The API.
        observability: Dashboard and alarms.
        gitops: CodePipelines of Git sources; none without any.
    """

    def __init__(
        self, app: cdk.App, *, config: EnvironmentConfig, catalogue: Catalogue, bundler: Bundler
    ) -> None:
        """Define the stacks of ``config`` in ``app``."""

        def place(stack: naming.PlatformStack) -> _Place:
            return {
                "stack_name": naming.platform_stack(config.prefix, stack),
                "env": cdk.Environment(account=config.account, region=config.region),
                "termination_protection": config.termination_protection,
            }

        self.foundation = FoundationStack(app, "Foundation", config=config, **place("Foundation"))
        self.drift = DriftStack(app, "Drift", config=config, bundler=bundler, **place("Drift"))
        self.delivery = DeliveryStack(
            app,
            "Delivery",
            config=config,
            catalogue=catalogue,
            bundler=bundler,
            **place("Delivery"),
        )
        self.orchestrator = OrchestratorStack(
            app,
            "Orchestrator",
            config=config,
            catalogue=catalogue,
            bundler=bundler,
            **place("Orchestrator"),
        )
        self.observability = ObservabilityStack(
            app,
            "Observability",
            config=config,
            watched=Watched(
                functions={
                    "Api": self.orchestrator.handler.function_name,
                    "Approvals": self.orchestrator.approvals.function_name,
                    "Files": self.orchestrator.files.function_name,
                    "Teardown": self.orchestrator.teardown.function_name,
                    "Continuation": self.orchestrator.continuation.function_name,
                    "Verify": self.delivery.verify.function_name,
                    "Profile": self.drift.profile.function_name,
                    "Evaluate": self.drift.evaluate.function_name,
                    "Baseline": self.drift.baseline.function_name,
                },
                queue=self.drift.captures.queue.queue_name,
                dead_letters=self.drift.captures.dead_letters.queue_name,
                api=self.orchestrator.api.api.rest_api_name,
            ),
            **place("Observability"),
        )
        self.gitops: GitOpsStack | None = None
        if config.git_sources:
            self.gitops = GitOpsStack(app, "GitOps", config=config, **place("GitOps"))
            self.gitops.add_stack_dependency(self.orchestrator, "invokes its function")
        # Values travel through SSM, which CloudFormation cannot see: the order is said here.
        self.drift.add_stack_dependency(self.foundation, "reads its SSM values")
        self.delivery.add_stack_dependency(self.drift, "calls its baseline function")
        self.orchestrator.add_stack_dependency(self.delivery, "passes its delivery role")

    @property
    def stacks(self) -> tuple[cdk.Stack, ...]:
        """Every stack, in order of deployment."""
        always = (self.foundation, self.drift, self.delivery, self.orchestrator, self.observability)
        return (*always, self.gitops) if self.gitops else always
