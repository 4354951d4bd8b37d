"""Our definition of the model build means what the SageMaker SDK's means."""

from __future__ import annotations

import dataclasses
import json
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from mlops_framework.blueprints.tuning.contract import (
    CategoricalRange,
    ContinuousRange,
    IntegerRange,
    TuningRequest,
)
from mlops_framework.contracts.channels import Channel, input_of
from mlops_framework.model_build import (
    Evaluation,
    Gate,
    ModelBuild,
    ModelTuning,
    Registration,
    TrainingJobs,
    model_build_definition,
    model_tuning_definition,
)

pytestmark = pytest.mark.oracle

GIVEN: dict[str, Any] = {
    "role_arn": "arn:aws:iam::111122223333:role/mlops/jobs",
    "image_uri": (
        "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
    ),
    "training_data": "s3://data/train.csv",
    "evaluation_data": "s3://data/evaluation.csv",
    "source_archive": "s3://code/source.tar.gz",
    "evaluation_script": "s3://code/evaluate.py",
    "inference_entry_point": "inference.py",
    "output_location": "s3://models/census",
    "hyperparameters": {"max-depth": "5"},
    "instance_type": "ml.m5.large",
    "instance_count": 1,
    "volume_size_gb": 30,
    "max_runtime_seconds": 3600,
    "metric": "accuracy",
    "threshold": 0.75,
    "model_package_group": "census",
    "kms_key_arn": "arn:aws:kms:us-east-1:111122223333:key/11111111-2222-3333-4444-555555555555",
}
"""What the SDK is given, and our builder with it."""

JOBS = TrainingJobs(
    role_arn=GIVEN["role_arn"],
    image_uri=GIVEN["image_uri"],
    channels=[
        input_of(Channel(name="training", location=GIVEN["training_data"])),
    ],
    hyperparameters=GIVEN["hyperparameters"],
    output_location=GIVEN["output_location"],
    instance_type=GIVEN["instance_type"],
    instance_count=GIVEN["instance_count"],
    volume_size_gb=GIVEN["volume_size_gb"],
    stopping_condition={"MaxRuntimeInSeconds": GIVEN["max_runtime_seconds"]},
    kms_key_arn=GIVEN["kms_key_arn"],
)
BUILD = ModelBuild(
    jobs=JOBS,
    registration=Registration(
        group=GIVEN["model_package_group"],
        image_uri=GIVEN["image_uri"],
        environment={
            "SAGEMAKER_PROGRAM": GIVEN["inference_entry_point"],
            "SAGEMAKER_SUBMIT_DIRECTORY": GIVEN["source_archive"],
        },
    ),
    evaluation=Evaluation(
        image_uri=GIVEN["image_uri"],
        script=GIVEN["evaluation_script"],
        data=GIVEN["evaluation_data"],
        max_runtime_seconds=GIVEN["max_runtime_seconds"],
    ),
    gate=Gate(
        metric=GIVEN["metric"],
        comparison="GreaterThanOrEqualTo",
        direction="at-least",
        threshold=GIVEN["threshold"],
    ),
)

SDK_WRITES_DEFAULTS = {
    # The service takes these when they are left out, or Pipelines sets them itself.
    "Train.Arguments.OutputDataConfig.CompressionType": "GZIP",
    "Register.Arguments.SkipModelValidation": "None",
    # Log level and region of the SDK's own serving container; ours keeps the image's.
    "Register.Arguments.InferenceSpecification.Containers.0.Environment"
    ".SAGEMAKER_CONTAINER_LOG_LEVEL": "20",
    "Register.Arguments.InferenceSpecification.Containers.0.Environment"
    ".SAGEMAKER_REGION": "us-east-1",
}

WE_ADD = (
    # Encryption between instances, and isolation said aloud.
    "Train.Arguments.EnableInterContainerTrafficEncryption",
    "Train.Arguments.EnableNetworkIsolation",
    "Evaluate.Arguments.NetworkConfig",
    # The evaluation travels with the model package.
    "Register.Arguments.ModelMetrics",
    # The gate's message is ours.
    "Reject.Arguments.ErrorMessage",
)


def _steps(steps: list[dict[str, Any]]) -> Iterator[tuple[str, dict[str, Any]]]:
    for step in steps:
        arguments = dict(step["Arguments"])
        nested = [*arguments.pop("IfSteps", []), *arguments.pop("ElseSteps", [])]
        yield step["Name"], {**step, "Arguments": arguments}
        yield from _steps(nested)


def _joined(value: Mapping[str, Any]) -> str:
    """A join as one text: however its literals are cut, it comes to the same."""
    parts = [part if isinstance(part, str) else f"<{part['Get']}>" for part in value["Values"]]
    return str(value["On"]).join(parts)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, Any]]:
    if isinstance(value, Mapping) and "Std:Join" in value and "Reject" not in path:
        yield path, _joined(value["Std:Join"])
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            yield from _leaves(inner, f"{path}.{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            name = index
            if isinstance(inner, Mapping):  # the order of named inputs means nothing
                name = inner.get("InputName", inner.get("ChannelName", index))
            yield from _leaves(inner, f"{path}.{name}")
    else:
        yield path, value


def _facts(definition: str) -> dict[str, Any]:
    steps = json.loads(definition)["Steps"]
    return {
        path: value
        for name, step in _steps(steps)
        for path, value in _leaves({k: v for k, v in step.items() if k != "Name"}, name)
    }


TUNED: dict[str, Any] = {
    "objective": "score",
    "rate": [0.01, 0.5],
    "depth": [2, 9],
    "kind": ["gbtree", "dart"],
    "strategy": "Bayesian",
    "max_jobs": 12,
    "max_parallel_jobs": 3,
    "random_seed": 7,
}

SDK_WRITES_IN_A_TUNING = {
    "Tune.Arguments.TrainingJobDefinition.OutputDataConfig.CompressionType": "GZIP",
    "Register.Arguments.SkipModelValidation": "None",
}

WE_ADD_TO_A_TUNING = (
    *WE_ADD,
    "Tune.Arguments.TrainingJobDefinition.EnableInterContainerTrafficEncryption",
    "Tune.Arguments.TrainingJobDefinition.EnableNetworkIsolation",
    "Tune.Arguments.TrainingJobDefinition.InputDataConfig.training.InputMode",
    # The SDK's tuner leaves out the key of the volumes that its trainer was given.
    "Tune.Arguments.TrainingJobDefinition.ResourceConfig.VolumeKmsKeyId",
)


def _tuning_definition() -> str:
    request = TuningRequest(
        pipeline_type="tuning",
        model_name="census",
        training_data=GIVEN["training_data"],
        image_uri=GIVEN["image_uri"],
        objective_metric=TUNED["objective"],
        strategy=TUNED["strategy"],
        early_stopping="Auto",
        random_seed=TUNED["random_seed"],
        max_jobs=TUNED["max_jobs"],
        max_parallel_jobs=TUNED["max_parallel_jobs"],
        continuous_ranges=[
            ContinuousRange(
                name="rate",
                minimum=TUNED["rate"][0],
                maximum=TUNED["rate"][1],
                scaling="Logarithmic",
            )
        ],
        integer_ranges=[
            IntegerRange(name="depth", minimum=TUNED["depth"][0], maximum=TUNED["depth"][1])
        ],
        categorical_ranges=[CategoricalRange(name="kind", values=TUNED["kind"])],
    )
    jobs = dataclasses.replace(
        JOBS, metric_rules=[{"Name": TUNED["objective"], "Regex": "score=(.*)"}]
    )
    return model_tuning_definition(
        ModelTuning(
            jobs=jobs,
            config=request.parameter_value("tuning_job_config", "local"),
            registration=BUILD.registration,
            evaluation=BUILD.evaluation,
            gate=BUILD.gate,
        )
    ).to_template_text()


@pytest.fixture(scope="module")
def sdk_facts(oracle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return _written_by_the_sdk(GIVEN, oracle_python, tmp_path_factory.mktemp("oracle"))


@pytest.fixture(scope="module")
def sdk_tuning(oracle_python: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    given = {**GIVEN, "tuning": TUNED}
    return _written_by_the_sdk(given, oracle_python, tmp_path_factory.mktemp("oracle-tuning"))


def _written_by_the_sdk(given: dict[str, Any], oracle_python: Path, folder: Path) -> dict[str, Any]:
    build = folder / "build.json"
    build.write_text(json.dumps(given))
    script = Path(__file__).with_name("sdk_pipeline.py")
    done = subprocess.run(
        [str(oracle_python), str(script), str(build)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return _facts(done.stdout.strip().splitlines()[-1])


def test_what_the_sdk_writes_stands_in_our_definition_too(sdk_facts: dict[str, Any]) -> None:
    ours = _facts(model_build_definition(BUILD).to_template_text())

    differing = {
        path: (value, ours.get(path))
        for path, value in sdk_facts.items()
        if ours.get(path) != value
        and SDK_WRITES_DEFAULTS.get(path) != value
        and not path.startswith(WE_ADD)
    }

    assert differing == {}
    assert len(sdk_facts) > 50


def test_what_we_write_beyond_the_sdk_is_listed_here(sdk_facts: dict[str, Any]) -> None:
    ours = _facts(model_build_definition(BUILD).to_template_text())

    extra = {path for path in ours if path not in sdk_facts and not path.startswith(WE_ADD)}

    assert extra == set()


def test_what_the_sdk_writes_of_a_tuning_stands_in_ours_and_what_we_add_is_listed(
    sdk_tuning: dict[str, Any],
) -> None:
    ours = _facts(_tuning_definition())

    differing = {
        path: (value, ours.get(path))
        for path, value in sdk_tuning.items()
        if ours.get(path) != value
        and {**SDK_WRITES_DEFAULTS, **SDK_WRITES_IN_A_TUNING}.get(path) != value
        and not path.startswith(WE_ADD_TO_A_TUNING)
    }
    extra = {
        path for path in ours if path not in sdk_tuning and not path.startswith(WE_ADD_TO_A_TUNING)
    }

    assert differing == {}
    assert extra == set()
    assert len(sdk_tuning) > 60
