"""The three types that build a model: training, tuning, Autopilot."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.contracts.faults import closest
from mlops_framework.orchestration.predecessor.draft import Draft
from mlops_framework.orchestration.predecessor.fields import (
    Form,
    Old,
    OldType,
    in_known_words,
    read_at,
)
from mlops_framework.orchestration.predecessor.serving import MODEL_NAME, PROBLEMS, algorithm

_JOB_NAME: Final = "job_name"
_DATA: Final[Mapping[str, Old]] = {
    "model_name": MODEL_NAME,
    "training_data": Old(
        "training_data", Form.ASSET, required=True, meaning="Data the model learns from."
    ),
    "job_output_location": Old(
        "output_location", Form.ASSET, required=True, meaning="Where models go."
    ),
    _JOB_NAME: Old("", Form.TEXT),
    "kms_key_arn": Old("kms_key_arn", Form.TEXT, per_stage=True),
    "encrypt_inner_traffic": Old("encrypt_inter_container_traffic", Form.SWITCH, default=True),
    "max_runtime_per_job": Old("max_runtime_seconds", Form.WHOLE, default=86400),
}
_COMPRESSION: Final = Old("compression", Form.TEXT, words=("None", "Gzip"))
_JOBS: Final[Mapping[str, Old]] = {
    **_DATA,
    "model_framework": Old(
        "algorithm", Form.LOWER, required=True, meaning="Built-in algorithm, such as xgboost."
    ),
    "model_framework_version": Old(
        "algorithm_version", Form.TEXT, required=True, meaning="Its version, such as 1.7-1."
    ),
    "algo_hyperparamaters": Old(
        "hyperparameters",
        Form.OBJECT,
        required=True,
        also=("algo_hyperparameters", "algo_hyperparameteres", "hyperparameters"),
        meaning="Hyperparameters of the algorithm.",
    ),
    "validation_data": Old("validation_data", Form.ASSET),
    "instance_type": Old("instance_type", Form.LOWER, default="ml.m4.xlarge", per_stage=True),
    "instance_count": Old("instance_count", Form.WHOLE, default=1),
    "instance_volume_size": Old("volume_size_gb", Form.WHOLE, default=20, per_stage=True),
    "use_spot_instances": Old("use_spot", Form.SWITCH, default=True),
    "max_wait_time_spot_instances": Old("max_wait_seconds", Form.WHOLE, default=172800),
    "content_type": Old("content_type", Form.TEXT, default="csv"),
    "s3_data_type": Old(
        "s3_data_type",
        Form.TEXT,
        default="S3Prefix",
        words=("S3Prefix", "ManifestFile", "AugmentedManifestFile"),
    ),
    "data_distribution": Old(
        "distribution",
        Form.TEXT,
        default="FullyReplicated",
        words=("FullyReplicated", "ShardedByS3Key"),
    ),
    "compression_type": _COMPRESSION,
    "data_input_mode": Old(
        "input_mode", Form.TEXT, default="File", words=("File", "Pipe", "FastFile")
    ),
    "data_record_wrapping": Old("record_wrapping", Form.TEXT, words=("None", "RecordIO")),
    "attribute_names": Old("attribute_names", Form.LIST),
}
_TUNING: Final[Mapping[str, Old]] = {
    **_JOBS,
    "tuner_configs": Old("", Form.OBJECT, also=("tuner_config",)),
    "hyperparamaters_ranges": Old(
        "",
        Form.OBJECT,
        also=(
            "hyperparameters_ranges",
            "hyperparameter_ranges",
            "hyperparameters_range",
            "hyperparamaters_range",
        ),
    ),
}
_AUTOPILOT: Final[Mapping[str, Old]] = {
    **_DATA,
    "target_attribute": Old(
        "target_attribute", Form.TEXT, required=True, meaning="Column to predict."
    ),
    "problem_type": Old("problem_type", Form.TEXT, words=PROBLEMS),
    "job_objective": Old(
        "objective_metric", Form.TEXT, words=("Accuracy", "MSE", "F1", "F1macro", "AUC")
    ),
    "compression_type": _COMPRESSION,
    "job_max_candidates": Old("max_candidates", Form.WHOLE, default=10),
    "total_max_runtime": Old("max_total_seconds", Form.WHOLE, default=2592000),
    "generate_definition_only": Old(
        "candidate_definitions_only",
        Form.SWITCH,
        default=False,
        also=("generate_definitions_only",),
    ),
}

_TUNER: Final[Mapping[str, Old]] = {
    "objective_metric_name": Old("objective_metric", Form.TEXT),
    "strategy": Old(
        "strategy",
        Form.TEXT,
        default="Bayesian",
        words=("Bayesian", "Random", "Hyperband", "Grid"),
    ),
    "objective_type": Old(
        "objective_type", Form.TEXT, default="Maximize", words=("Maximize", "Minimize")
    ),
    "max_jobs": Old("max_jobs", Form.WHOLE, default=1),
    "max_parallel_jobs": Old("max_parallel_jobs", Form.WHOLE, default=1),
    "early_stopping_type": Old("early_stopping", Form.TEXT, default="Off", words=("Off", "Auto")),
    "max_runtime_in_seconds": Old("max_tuning_seconds", Form.WHOLE),
    "random_seed": Old("random_seed", Form.WHOLE),
}
"""They were arguments of the SDK's ``HyperparameterTuner``, and the defaults are its own."""
_SCALINGS: Final = ("Auto", "Linear", "Logarithmic", "ReverseLogarithmic")
_NAMED: Final = "SageMaker Pipelines names the jobs, by pipeline, step and execution."


def _job_name(draft: Draft) -> None:
    if draft.given.get(_JOB_NAME):
        read_at(draft, draft.spelt(_JOB_NAME), draft.given[_JOB_NAME], Form.TEXT)
        draft.notes.append(f"{draft.spelt(_JOB_NAME)}: not used. {_NAMED}")


def _training(draft: Draft) -> None:
    _job_name(draft)
    algorithm(draft)
    draft.came_from("image_uri", draft.spelt("model_framework"))
    _spot(draft)
    given = draft.body.get("hyperparameters")
    if isinstance(given, dict):
        draft.body["hyperparameters"] = {
            str(name): _hyperparameter(value) for name, value in given.items()
        }


def _spot(draft: Draft) -> None:
    name = "max_wait_time_spot_instances"
    wait, given = draft.body.get("max_wait_seconds"), draft.given.get(name)
    if draft.body.get("use_spot") is False and draft.body.pop("max_wait_seconds", None):
        if given is not None:
            draft.notes.append(
                f"{draft.spelt(name)}: not used, since nothing waits for spot capacity."
            )
        return
    runtime = draft.body.get("max_runtime_seconds")
    if (
        given in (None, "")
        and isinstance(runtime, int)
        and isinstance(wait, int)
        and wait < runtime
    ):
        del draft.body["max_wait_seconds"]
        draft.notes.append(
            f"{draft.spelt(name)}: twice {draft.spelt('max_runtime_per_job')}; the {wait} s that "
            "2.x took for it are shorter than one job."
        )


def _hyperparameter(value: Any) -> Any:
    """Text, as the SDK made it; lists and objects as their JSON."""
    if isinstance(value, list | dict):
        return json.dumps(value)
    return str(value) if isinstance(value, int | float) else value


def _tuning(draft: Draft) -> None:
    _training(draft)
    _tuner(draft)
    _ranges(draft)


def _tuner(draft: Draft) -> None:
    path, value = draft.spelt("tuner_configs"), draft.given.get("tuner_configs")
    config = _needed(draft, "tuner_configs", path, value)
    for name, old in _TUNER.items():
        draft.came_from(old.to, f"{path}.{name}")
        given = config.get(name)
        if given is None or given == "":
            found = old.default
        else:
            found = read_at(draft, f"{path}.{name}", given, old.form)
        if found is not None:
            draft.body[old.to] = in_known_words(found, old.words)
    _metrics(draft, path, config.get("metric_definitions"))
    if config.get("base_tuning_job_name"):
        draft.notes.append(f"{path}.base_tuning_job_name: not used. {_NAMED}")
    known = (*_TUNER, "metric_definitions", "base_tuning_job_name")
    for name in config:
        if name not in known:
            nearest = closest(str(name), known)
            hint = f" Did you mean {nearest!r}?" if nearest else ""
            draft.wrong(
                f"{path}.{name}",
                f"There is no field {name!r} here, or it is not carried.{hint}",
                f"one of {', '.join(known)}",
                config[name],
            )


def _metrics(draft: Draft, path: str, given: Any) -> None:
    if given is None or given == []:
        return
    draft.came_from("metric_definitions", f"{path}.metric_definitions")
    listed = read_at(draft, f"{path}.metric_definitions", given, Form.LIST)
    if listed is not None:
        draft.body["metric_definitions"] = [
            {str(key).lower(): value for key, value in each.items()}
            if isinstance(each, dict)
            else each
            for each in listed
        ]


def _needed(draft: Draft, name: str, path: str, value: Any) -> Mapping[str, Any]:
    if name not in draft.given:
        draft.wrong(
            path,
            f"Bad request. API body does not have the necessary parameter: {name}.",
            Form.OBJECT.value,
        )
        return {}
    found = read_at(draft, path, value, Form.OBJECT)
    return found if isinstance(found, dict) else {}


def _ranges(draft: Draft) -> None:
    name = "hyperparamaters_ranges"
    path = draft.spelt(name)
    given = _needed(draft, name, path, draft.given.get(name))
    lists: dict[str, list[dict[str, Any]]] = {}
    for parameter, value in given.items():
        read = _range(draft, f"{path}.{parameter}", str(parameter), value)
        if read is not None:
            field, entry = read
            listed = lists.setdefault(field, [])
            draft.came_from(f"{field}.{len(listed)}", f"{path}.{parameter}", whole=True)
            listed.append(entry)
    for field in ("continuous_ranges", "integer_ranges", "categorical_ranges"):
        draft.came_from(field, path)
    draft.body |= lists
    static = draft.body.get("hyperparameters")
    both = [each for each in given if isinstance(static, dict) and each in static]
    if both and isinstance(static, dict):
        draft.body["hyperparameters"] = {k: v for k, v in static.items() if k not in both}
        draft.notes.append(f"{path}: {', '.join(both)} is tuned; its fixed value is not used.")


def _range(draft: Draft, path: str, name: str, value: Any) -> tuple[str, dict[str, Any]] | None:
    """``["continuous", [0.1, 0.5]]`` as one entry of one of our three lists."""
    accepted = '["continuous", [0.1, 0.5]], ["integer", [1, 15]] or ["categorical", ["a", "b"]]'
    kind, values = (
        (str(value[0]).strip().lower(), value[1])
        if isinstance(value, list) and len(value) == 2 and isinstance(value[1], list)
        else ("", [])
    )
    if kind == "categorical" and values:
        texts = [str(each) if isinstance(each, int | float) else each for each in values]
        return "categorical_ranges", {"name": name, "values": texts}
    form = {"continuous": Form.REAL, "integer": Form.WHOLE}.get(kind)
    scaling = values[2] if len(values) == 3 else "Auto"
    if form is None or len(values) not in (2, 3) or scaling not in _SCALINGS:
        draft.wrong(path, f"Is no range; give one such as {accepted}.", accepted, value)
        return None
    bounds = [read_at(draft, path, each, form) for each in values[:2]]
    if None in bounds:
        return None
    entry = {"name": name, "minimum": bounds[0], "maximum": bounds[1], "scaling": scaling}
    return f"{kind}_ranges", entry


MODEL_BUILDING: Final[Mapping[str, OldType]] = {
    "model_training_builtin": OldType("training", _JOBS, _training),
    "model_tuner_builtin": OldType("tuning", _TUNING, _tuning),
    "model_autopilot_training": OldType("autopilot", _AUTOPILOT, _job_name),
}
