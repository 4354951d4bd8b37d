"""What a training pipeline deploys: a SageMaker Pipeline, its role, its starts."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping

import aws_cdk as cdk

from mlops_framework.cdk.model_build import ModelBuildStack
from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.jobs import WARM_POOL
from mlops_framework.model_build.quality import Evaluation, Gate
from mlops_framework.model_build.training import ModelBuild, model_build_definition


class TrainingStack(ModelBuildStack):
    """Train, evaluate, gate, register.

    Creates: the SageMaker Pipeline, the role of its jobs, a rule that starts it when a drift
    monitor of the model asks for it, and as the request says a rule for new data and a schedule.
    Fixed: encryption of volumes and outputs, registration that waits for a person.
    """

    summary = "Train, evaluate, gate, register"

    def definition(self, evaluation: Evaluation | None, gate: Gate | None) -> PipelineDefinition:
        """One training job and what follows."""
        jobs = dataclasses.replace(self.jobs(), keep_alive_seconds=Splice("KeepAliveSeconds"))
        return model_build_definition(
            ModelBuild(
                jobs=jobs, registration=self.registration(), evaluation=evaluation, gate=gate
            )
        )

    def conditions(self) -> Mapping[str, cdk.CfnCondition]:
        """Spot, and a warm pool."""
        keeps = cdk.CfnCondition(
            self,
            "KeepsInstances",
            expression=cdk.Fn.condition_not(
                cdk.Fn.condition_equals(self.number("keep_alive_seconds"), 0)
            ),
        )
        return {**super().conditions(), WARM_POOL: keeps}
