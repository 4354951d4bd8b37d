"""What a tuning pipeline deploys: a SageMaker Pipeline, its role, its starts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import aws_cdk as cdk

from mlops_framework.cdk import perms
from mlops_framework.cdk.model_build import ModelBuildStack
from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice
from mlops_framework.model_build.quality import Evaluation, Gate
from mlops_framework.model_build.tuning import WARM_START, ModelTuning, model_tuning_definition


class TuningStack(ModelBuildStack):
    """Search hyperparameters, evaluate the best model, gate, register.

    Creates: the SageMaker Pipeline, the role of its jobs, a rule that starts it when a drift
    monitor of the model asks for it, and as the request says a rule for new data and a schedule.
    Fixed: encryption of volumes and outputs, registration that waits for a person.
    """

    summary = "Tune, evaluate the best, gate, register"

    def definition(self, evaluation: Evaluation | None, gate: Gate | None) -> PipelineDefinition:
        """One tuning job and what follows."""
        return model_tuning_definition(
            ModelTuning(
                jobs=self.jobs(),
                config=Splice("TuningJobConfig"),
                warm_start=Splice("WarmStart"),
                registration=self.registration(),
                evaluation=evaluation,
                gate=gate,
            )
        )

    def conditions(self) -> Mapping[str, cdk.CfnCondition]:
        """Spot, and a start from earlier tunings."""
        warm = cdk.CfnCondition(
            self,
            "StartsWarm",
            expression=cdk.Fn.condition_not(cdk.Fn.condition_equals(self.text("warm_start"), "")),
        )
        return {**super().conditions(), WARM_START: warm}

    def job_grants(self) -> Sequence[tuple[perms.Actions, str, str]]:
        """Tuning jobs beside the jobs of every build."""
        return (
            *super().job_grants(),
            (
                perms.RUN_TUNING,
                self.arn("sagemaker", "hyper-parameter-tuning-job/*"),
                "Names of tuning jobs have room for 32 characters: SageMaker Pipelines begins them "
                "with the id of the execution, which nobody knows before.",
            ),
        )
