"""What a tuning request may say."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Final, Literal

from pydantic import Field

from mlops_framework.contracts.base import METADATA, Accepts, Document
from mlops_framework.contracts.faults import shown
from mlops_framework.contracts.model_building import JobMetric
from mlops_framework.contracts.parameters import VALUE_LIMIT, Parameter, as_text
from mlops_framework.contracts.training_jobs import TRAINING_PARAMETERS, TrainingJobsRequest
from mlops_framework.errors import Fault

Scaling = Literal["Auto", "Linear", "Logarithmic", "ReverseLogarithmic"]
ParameterName = Annotated[
    str,
    Field(pattern="^[A-Za-z0-9_.:-]+$", max_length=256),
    Accepts("a hyperparameter's name of letters, digits and _ . : -"),
]
ParameterText = Annotated[
    str,
    Field(pattern=r"^[^\x00-\x1f]+$", max_length=256),
    Accepts("a value of the hyperparameter, as text"),
]
Bound = Annotated[float, Field(allow_inf_nan=False)]
TuningJobName = Annotated[
    str,
    Field(pattern="^[a-zA-Z0-9](-*[a-zA-Z0-9])*$", max_length=32),
    Accepts("the name of a tuning job: up to 32 letters, digits and hyphens"),
]

DEFAULT_JOBS: Final = 10
_RANGES: Final = ("continuous_ranges", "integer_ranges", "categorical_ranges")


class ContinuousRange(Document):
    """A hyperparameter that may be any number between two bounds."""

    name: ParameterName = Field(description="Hyperparameter.")
    minimum: Bound = Field(description="Lowest value.")
    maximum: Bound = Field(description="Highest value.")
    scaling: Scaling = Field(default="Auto", description="Scale on which values are spread.")


class IntegerRange(Document):
    """A hyperparameter that may be any whole number between two bounds."""

    name: ParameterName = Field(description="Hyperparameter.")
    minimum: int = Field(description="Lowest value.")
    maximum: int = Field(description="Highest value.")
    scaling: Scaling = Field(default="Auto", description="Scale on which values are spread.")


class CategoricalRange(Document):
    """A hyperparameter that takes one of the listed values."""

    name: ParameterName = Field(description="Hyperparameter.")
    values: list[ParameterText] = Field(
        min_length=1, max_length=30, description="The values it may take."
    )


class TuningRequest(TrainingJobsRequest):
    """Tune -> evaluate the best -> quality gate -> register, as one SageMaker Pipeline."""

    derived_parameters: ClassVar[tuple[Parameter, ...]] = (
        *TRAINING_PARAMETERS,
        Parameter(
            name="TuningJobConfig",
            kind="String",
            max_length=VALUE_LIMIT,
            description="Strategy, objective, limits and ranges. JSON that SageMaker takes as it "
            "stands.",
            field="tuning_job_config",
        ),
        Parameter(
            name="WarmStart",
            kind="String",
            default="",
            max_length=VALUE_LIMIT,
            description="Earlier tuning jobs to start from; JSON that SageMaker takes as it "
            "stands, or empty.",
            field="warm_start",
        ),
    )

    put_together: ClassVar[Mapping[str, str]] = {
        **TrainingJobsRequest.put_together,
        "tuning_job_config": "categorical_ranges",
    }

    pipeline_type: Literal["tuning"] = Field(description="Kind of the blueprint.")

    strategy: Literal["Bayesian", "Random", "Hyperband", "Grid"] = Field(
        default="Bayesian",
        description="How the next hyperparameters are chosen.",
        json_schema_extra=dict(METADATA),
    )
    objective_metric: Annotated[JobMetric, Field(min_length=1)] = Field(
        description="Metric of the training jobs that is to be best, such as validation:auc.",
        json_schema_extra=dict(METADATA),
    )
    objective_type: Literal["Maximize", "Minimize"] = Field(
        default="Maximize",
        description="Whether the best is the greatest or the least.",
        json_schema_extra=dict(METADATA),
    )
    continuous_ranges: list[ContinuousRange] = Field(
        default_factory=list,
        max_length=30,
        description="Hyperparameters that may be any number of a range.",
        json_schema_extra=dict(METADATA),
    )
    integer_ranges: list[IntegerRange] = Field(
        default_factory=list,
        max_length=30,
        description="Hyperparameters that may be any whole number of a range.",
        json_schema_extra=dict(METADATA),
    )
    categorical_ranges: list[CategoricalRange] = Field(
        default_factory=list,
        max_length=30,
        description="Hyperparameters that take one of the listed values.",
        json_schema_extra=dict(METADATA),
    )
    max_jobs: Annotated[int, Field(ge=0, le=10000)] = Field(
        default=0,
        description="Training jobs at most; 10 if 0, and every combination with Grid.",
        json_schema_extra=dict(METADATA),
    )
    max_parallel_jobs: Annotated[int, Field(ge=1, le=100)] = Field(
        default=2,
        description="Training jobs at the same time.",
        json_schema_extra=dict(METADATA),
    )
    max_tuning_seconds: Annotated[int, Field(ge=0, le=15768000)] = Field(
        default=0,
        description="The whole tuning is stopped after this time, seconds; no limit if 0.",
        json_schema_extra=dict(METADATA),
    )
    early_stopping: Literal["Off", "Auto"] = Field(
        default="Off",
        description="Whether jobs that are unlikely to be best are stopped early.",
        json_schema_extra=dict(METADATA),
    )
    random_seed: Annotated[int, Field(ge=0, le=2147483647)] = Field(
        default=0,
        description="Seed of the choice, for tunings that can be repeated; chosen by SageMaker "
        "if 0.",
        json_schema_extra=dict(METADATA),
    )
    hyperband_min_resource: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Hyperband: epochs a job gets at least; SageMaker's choice if 0.",
        json_schema_extra=dict(METADATA),
    )
    hyperband_max_resource: Annotated[int, Field(ge=0)] = Field(
        default=0,
        description="Hyperband: epochs a job gets at most; SageMaker's choice if 0.",
        json_schema_extra=dict(METADATA),
    )
    warm_start_parents: list[TuningJobName] = Field(
        default_factory=list,
        max_length=5,
        description="Earlier tuning jobs whose results this one starts from.",
        json_schema_extra=dict(METADATA),
    )
    warm_start_type: Literal["IdenticalDataAndAlgorithm", "TransferLearning"] = Field(
        default="IdenticalDataAndAlgorithm",
        description="Whether the earlier jobs had the same data and image.",
        json_schema_extra=dict(METADATA),
    )

    @classmethod
    def conflicts(cls, given: Mapping[str, Any]) -> Iterator[Fault]:
        """Refuse ranges and limits that SageMaker would refuse, and a gate on another metric."""
        yield from super().conflicts(given)
        yield from _range_faults(given)
        yield from _strategy_faults(given)
        seconds, metric = given.get("max_tuning_seconds"), given.get("quality_metric")
        if isinstance(seconds, int) and 0 < seconds < 120:
            yield Fault(
                "max_tuning_seconds",
                "SageMaker takes no shorter limit than two minutes.",
                "0 for no limit, or 120 and more",
                shown(seconds),
            )
        objective = given.get("objective_metric")
        if metric and not given.get("evaluation_script") and metric != objective:
            yield Fault(
                "quality_metric",
                "Of a tuning's best job the gate can read the objective only.",
                f"the objective metric, {objective}, or evaluation_script beside it",
                shown(metric),
            )

    def parameter_value(self, name: str, stage: str) -> Any:
        """Put the tuning's settings together as SageMaker takes them."""
        if name == "tuning_job_config":
            return self._config()
        if name == "warm_start":
            return self._warm_start()
        return super().parameter_value(name, stage)

    def _config(self) -> dict[str, Any]:
        limits: dict[str, int] = {"MaxParallelTrainingJobs": self.max_parallel_jobs}
        if self.strategy != "Grid":
            limits["MaxNumberOfTrainingJobs"] = self.max_jobs or DEFAULT_JOBS
        if self.max_tuning_seconds:
            limits["MaxRuntimeInSeconds"] = self.max_tuning_seconds
        config: dict[str, Any] = {
            "Strategy": self.strategy,
            "HyperParameterTuningJobObjective": {
                "Type": self.objective_type,
                "MetricName": self.objective_metric,
            },
            "ResourceLimits": limits,
            "ParameterRanges": {
                "ContinuousParameterRanges": [_bounded(each) for each in self.continuous_ranges],
                "IntegerParameterRanges": [_bounded(each) for each in self.integer_ranges],
                "CategoricalParameterRanges": [
                    {"Name": each.name, "Values": list(each.values)}
                    for each in self.categorical_ranges
                ],
            },
            "TrainingJobEarlyStoppingType": self.early_stopping,
        }
        resources = {
            name: value
            for name, value in (
                ("MinResource", self.hyperband_min_resource),
                ("MaxResource", self.hyperband_max_resource),
            )
            if value
        }
        if resources:
            config["StrategyConfig"] = {"HyperbandStrategyConfig": resources}
        if self.random_seed:
            config["RandomSeed"] = self.random_seed
        return config

    def _warm_start(self) -> dict[str, Any] | str:
        if not self.warm_start_parents:
            return ""
        return {
            "ParentHyperParameterTuningJobs": [
                {"HyperParameterTuningJobName": name} for name in self.warm_start_parents
            ],
            "WarmStartType": self.warm_start_type,
        }


def _bounded(given: ContinuousRange | IntegerRange) -> dict[str, str]:
    return {
        "Name": given.name,
        "MinValue": as_text(given.minimum),
        "MaxValue": as_text(given.maximum),
        "ScalingType": given.scaling,
    }


def _listed(given: Mapping[str, Any], field: str) -> list[Mapping[str, Any]]:
    value = given.get(field)
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []


def _range_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    taken = given.get("hyperparameters")
    names = set(taken) if isinstance(taken, Mapping) else set()
    for field in _RANGES:
        for index, each in enumerate(_listed(given, field)):
            if each.get("name") in names:
                yield Fault(
                    f"{field}.{index}.name",
                    "The hyperparameter has a value or another range already.",
                    "each hyperparameter once, in hyperparameters or in one range",
                    shown(each.get("name")),
                )
            names.add(each.get("name"))
            yield from _bound_faults(f"{field}.{index}", each)
    if not any(given.get(field) for field in _RANGES):
        yield Fault(
            "continuous_ranges",
            "There is nothing to tune.",
            "at least one range, in continuous_ranges, integer_ranges or categorical_ranges",
            "no range",
        )


def _bound_faults(where: str, given: Mapping[str, Any]) -> Iterator[Fault]:
    low, high = given.get("minimum"), given.get("maximum")
    if not (isinstance(low, int | float) and isinstance(high, int | float)):
        return
    if low > high:
        yield Fault(
            f"{where}.minimum", "Is above the maximum.", f"a number up to {high}", shown(low)
        )
    elif low <= 0 and given.get("scaling") == "Logarithmic":
        said = "A logarithmic scale has no zero and no negative numbers."
        yield Fault(f"{where}.minimum", said, "a number above 0", shown(low))


def _strategy_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    strategy, jobs = given.get("strategy"), given.get("max_jobs")
    if strategy == "Grid":
        for field in ("continuous_ranges", "integer_ranges"):
            if given.get(field):
                yield Fault(
                    field,
                    "Grid tries every combination, so that it takes listed values only.",
                    "categorical_ranges, or another strategy",
                    f"{len(_listed(given, field))} ranges",
                )
        lengths = [len(each.get("values") or ()) for each in _listed(given, "categorical_ranges")]
        if jobs and jobs != math.prod(lengths):
            yield Fault(
                "max_jobs",
                "Grid runs every combination, no more and no fewer.",
                f"0, or {math.prod(lengths)}",
                shown(jobs),
            )
    if strategy == "Hyperband" and given.get("early_stopping") == "Auto":
        yield Fault(
            "early_stopping",
            "Hyperband stops jobs by its own rule.",
            "Off with Hyperband",
            "Auto",
        )
    if strategy != "Hyperband":
        for field in ("hyperband_min_resource", "hyperband_max_resource"):
            if given.get(field):
                yield Fault(
                    field,
                    "Only Hyperband shares out epochs.",
                    "strategy: Hyperband beside it",
                    shown(given[field]),
                )
