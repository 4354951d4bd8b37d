"""The model build that the training blueprint deploys: train, evaluate, gate, register."""

from __future__ import annotations

from dataclasses import dataclass

from mlops_framework.model_build.definition import PipelineDefinition
from mlops_framework.model_build.jobs import TrainingJobs, training_arguments
from mlops_framework.model_build.quality import Evaluation, Gate, Registration, to_registry
from mlops_framework.model_build.steps import TrainingStep


@dataclass(frozen=True, kw_only=True)
class ModelBuild:
    """What differs between two model builds.

    Attributes:
        jobs: The training job.
        registration: Where the passing model is registered.
        evaluation: Script that measures the model; None to take the job's own metric.
        gate: What the model has to reach; None to register every model.
    """

    jobs: TrainingJobs
    registration: Registration
    evaluation: Evaluation | None = None
    gate: Gate | None = None


def model_build_definition(build: ModelBuild) -> PipelineDefinition:
    """Train -> Evaluate -> Gate -> Register, or Fail with the gate's numbers.

    The registered package waits for a person (``PendingManualApproval``) and carries the
    evaluation as its model quality statistics. Without an evaluation the gate reads the final value
    of the job's own metric; without a gate every model is registered.
    """
    train = TrainingStep(
        name="Train",
        arguments={
            **training_arguments(build.jobs),
            "HyperParameters": build.jobs.hyperparameters,
        },
    )
    metric = (
        train.result(f"FinalMetricDataList['{build.gate.metric}'].Value") if build.gate else None
    )
    return PipelineDefinition(
        (
            train,
            *to_registry(
                build.jobs,
                train.result("ModelArtifacts.S3ModelArtifacts"),
                metric,
                evaluation=build.evaluation,
                gate=build.gate,
                registration=build.registration,
            ),
        )
    )
