"""What contradicts itself in a request for training jobs."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import shown
from mlops_framework.errors import Fault

SCRIPT_MODE_PREFIX: Final = "sagemaker_"


def training_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    """Faults between the fields of a request for training jobs, from what was given."""
    yield from _image_faults(given)
    yield from _hyperparameter_faults(given)
    yield from _channel_faults(given)
    yield from _evaluation_faults(given)
    yield from _spot_faults(given)


def _image_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    if not given.get("image_uri") and not given.get("algorithm"):
        yield Fault(
            "image_uri",
            "Neither an image nor an algorithm is given.",
            "image_uri, or algorithm with algorithm_version",
            "nothing",
        )
    if given.get("algorithm_version") and not given.get("algorithm"):
        yield Fault(
            "algorithm",
            "A version is given without the algorithm it is of.",
            "algorithm beside algorithm_version",
            "nothing",
        )


def _hyperparameter_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    hyperparameters = given.get("hyperparameters")
    if not isinstance(hyperparameters, dict):
        return
    for name in hyperparameters:
        if str(name).startswith(SCRIPT_MODE_PREFIX):
            yield Fault(
                f"hyperparameters.{name}",
                f"Names that begin with {SCRIPT_MODE_PREFIX} are script mode's own; use "
                "training_entry_point and source_archive.",
                f"a name that does not begin with {SCRIPT_MODE_PREFIX}",
                shown(hyperparameters[name]),
            )


def _channel_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    channels = given.get("channels")
    listed = channels if isinstance(channels, list) else []
    names = [each.get("name") for each in listed if isinstance(each, dict)]
    taken = {given.get("training_channel") or "training"}
    if given.get("algorithm") and not given.get("source_archive"):
        taken = {given.get("training_channel") or "train"}
    if given.get("validation_data"):
        taken.add(given.get("validation_channel") or "validation")
    for index, name in enumerate(names):
        if name in taken:
            yield Fault(
                f"channels.{index}.name",
                "Another channel has this name already.",
                "a name of its own for each channel",
                shown(name),
            )
        taken.add(name)
    for where, each in [("", given), *((f"channels.{i}.", c) for i, c in enumerate(listed))]:
        if not isinstance(each, Mapping):
            continue
        attributes, kind = each.get("attribute_names"), each.get("s3_data_type")
        if bool(attributes) != (kind == "AugmentedManifestFile"):
            yield Fault(
                f"{where}attribute_names",
                "Attributes are named for an augmented manifest, and only for one.",
                "attribute_names together with s3_data_type AugmentedManifestFile",
                shown(attributes or "nothing"),
            )


def _evaluation_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    script, data = given.get("evaluation_script"), given.get("evaluation_data")
    if bool(script) != bool(data):
        yield Fault(
            "evaluation_data" if script else "evaluation_script",
            "An evaluation script needs data, and evaluation data a script.",
            "evaluation_script and evaluation_data together, or neither",
            "nothing",
        )
    metric = given.get("quality_metric")
    if script and isinstance(metric, str) and not metric.replace("_", "a").isalnum() and metric:
        yield Fault(
            "quality_metric",
            "Is looked up in evaluation.json, below 'metrics'.",
            "letters, digits and underscores",
            metric,
        )
    if not script and not metric:
        for field in ("quality_threshold", "quality_direction"):
            if field in given:
                yield Fault(
                    field,
                    "Nothing is compared with it: neither evaluation_script nor quality_metric is "
                    "given.",
                    "quality_metric, a metric of the training job, or evaluation_script beside it",
                    shown(given[field]),
                )


def _spot_faults(given: Mapping[str, Any]) -> Iterator[Fault]:
    if given.get("use_spot") is not True:
        for field in ("max_wait_seconds", "checkpoint_location"):
            if given.get(field):
                yield Fault(
                    field,
                    "Only a spot job waits and keeps checkpoints: use_spot is not on.",
                    "use_spot: true beside it",
                    shown(given[field]),
                )
        return
    limits, waits = given.get("max_runtime_seconds", 3600), given.get("max_wait_seconds", 0)
    stages = {*(limits if isinstance(limits, dict) else ())}
    stages |= {*(waits if isinstance(waits, dict) else ())}
    for stage in sorted(map(str, stages)) or [""]:
        limit, wait = _at(limits, stage), _at(waits, stage)
        if isinstance(limit, int) and isinstance(wait, int) and 0 < wait < limit:
            yield Fault(
                f"max_wait_seconds.{stage}" if isinstance(waits, dict) else "max_wait_seconds",
                "The time to wait holds the time to run.",
                f"at least max_runtime_seconds, {limit}",
                shown(wait),
            )


def _at(value: Any, stage: str) -> Any:
    return value.get(stage) if isinstance(value, dict) else value
