"""The model build that the tuning blueprint deploys: tune, evaluate the best, gate, register."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.expressions import Splice, When
from mlops_framework.model_build.jobs import TrainingJobs, training_arguments
from mlops_framework.model_build.quality import Evaluation, Gate, Registration, to_registry
from mlops_framework.model_build.steps import TuningStep

WARM_START = "WarmStartMember"
"""Variable of what a tuning has that starts from earlier ones."""


@dataclass(frozen=True, kw_only=True)
class ModelTuning:
    """What differs between two tunings.

    Attributes:
        jobs: The training jobs; their hyperparameters are those that are not tuned.
        config: ``HyperParameterTuningJobConfig``: strategy, objective, limits, ranges.
        warm_start: ``WarmStartConfig``, where the template says that there is one.
        registration: Where the passing model is registered.
        evaluation: Script that measures the best model; None to take the objective's value.
        gate: What the best model has to reach; None to register it in any case.
    """

    jobs: TrainingJobs
    config: Splice | Mapping[str, Any]
    registration: Registration
    warm_start: Splice | None = None
    evaluation: Evaluation | None = None
    gate: Gate | None = None


def model_tuning_definition(build: ModelTuning) -> PipelineDefinition:
    """Tune -> Evaluate the best -> Gate -> Register, or Fail with the gate's numbers."""
    arguments: dict[str, Any] = {
        "HyperParameterTuningJobConfig": build.config,
        "TrainingJobDefinition": {
            **training_arguments(build.jobs),
            "StaticHyperParameters": build.jobs.hyperparameters,
        },
    }
    if build.warm_start:
        arguments["WarmStartConfig"] = When(WARM_START, build.warm_start)
    tune = TuningStep(name="Tune", arguments=arguments)
    return PipelineDefinition(
        (
            tune,
            *to_registry(
                build.jobs,
                tune.top_model(build.jobs.output_location),
                tune.result("BestTrainingJob.FinalHyperParameterTuningJobObjectiveMetric.Value"),
                evaluation=build.evaluation,
                gate=build.gate,
                registration=build.registration,
            ),
        )
    )
