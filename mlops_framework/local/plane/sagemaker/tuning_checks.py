"""Which tuning jobs the local AWS carries."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker import tuning_search as search
from mlops_framework.local.plane.sagemaker.area import invalid, not_carried
from mlops_framework.local.plane.sagemaker.images import with_metrics

_STRATEGIES = ("Random", "Grid")
_ACCEPTED_MEMBERS = frozenset(
    {
        *("HyperParameterTuningJobName", "HyperParameterTuningJobConfig"),
        *("TrainingJobDefinition", "Tags"),
    }
)


def check_tuning(request: Mapping[str, Any]) -> None:
    """Refuse by name what this machine does not do, and what SageMaker does not take.

    Raises:
        AwsFault: it is refused.
    """
    if unknown := sorted(set(request) - _ACCEPTED_MEMBERS):
        raise not_carried(
            f"CreateHyperParameterTuningJob with {', '.join(unknown)}", "Leave it out."
        )
    config = request["HyperParameterTuningJobConfig"]
    if config["Strategy"] not in _STRATEGIES:
        raise not_carried(
            f"the tuning strategy {config['Strategy']!r}",
            f"Use {' or '.join(map(repr, _STRATEGIES))} here; the same request with "
            f"{config['Strategy']!r} runs in an AWS account.",
        )
    if config.get("TrainingJobEarlyStoppingType", "Off") != "Off":
        raise not_carried("TrainingJobEarlyStoppingType 'Auto'", "Use 'Off' here.")
    for member in ("TuningJobCompletionCriteria", "StrategyConfig"):
        if member in config:
            raise not_carried(f"HyperParameterTuningJobConfig.{member}", "Leave it out.")
    if "TrainingJobDefinition" not in request:
        raise invalid("TrainingJobDefinition is missing.")
    for member in ("HyperParameterTuningJobObjective", "ParameterRanges"):
        if member not in config:
            raise invalid(f"HyperParameterTuningJobConfig.{member} is missing.")
    _check_ranges(config)
    definition = request["TrainingJobDefinition"]
    metric = config["HyperParameterTuningJobObjective"]["MetricName"]
    rules = with_metrics(definition["AlgorithmSpecification"]).get("MetricDefinitions", [])
    if metric not in [rule["Name"] for rule in rules]:
        raise invalid(
            f"The objective metric {metric!r} is not in AlgorithmSpecification.MetricDefinitions."
        )


def _check_ranges(config: Mapping[str, Any]) -> None:
    ranges, limits = config["ParameterRanges"], config["ResourceLimits"]
    if ranges.get("AutoParameters"):
        raise not_carried("ParameterRanges.AutoParameters", "Give ranges.")
    numbers = [
        *ranges.get("ContinuousParameterRanges", []),
        *ranges.get("IntegerParameterRanges", []),
    ]
    if not numbers and not ranges.get("CategoricalParameterRanges"):
        raise invalid("ParameterRanges holds no range.")
    jobs = limits.get("MaxNumberOfTrainingJobs")
    if config["Strategy"] == "Random":
        if jobs is None:
            raise invalid("ResourceLimits.MaxNumberOfTrainingJobs is missing.")
        return
    if numbers:
        raise invalid("Grid search takes categorical parameters only.")
    if jobs not in (None, search.combinations(ranges)):
        raise invalid(
            f"Grid search runs every combination: MaxNumberOfTrainingJobs has to be "
            f"{search.combinations(ranges)}, or left out; it is {jobs}."
        )
