"""Prints what the SageMaker SDK writes for the model build of the tests.

Runs under the SDK's own interpreter (see ``requirements-oracle.txt``), never in ours. The SDK
asks AWS a few questions while it writes; they are answered here by botocore's own stubs at the
one place where every call passes, so what is printed is the SDK's work alone.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

BUILD: dict[str, Any] = json.loads(Path(sys.argv[1]).read_text())

os.environ.update(
    AWS_DEFAULT_REGION="us-east-1",
    AWS_ACCESS_KEY_ID="testing",
    AWS_SECRET_ACCESS_KEY="testing",
    SAGEMAKER_VALIDATE_ROLE="false",
)

import botocore.client  # noqa: E402

ANSWERS: dict[str, dict[str, Any]] = {
    "GetCallerIdentity": {
        "Account": "111122223333",
        "Arn": "arn:aws:iam::111122223333:role/oracle",
        "UserId": "oracle",
    },
    "ListBuckets": {"Buckets": [{"Name": "sagemaker-us-east-1-111122223333"}]},
    "HeadBucket": {},
}


def _answer(self: Any, operation: str, request: dict[str, Any]) -> dict[str, Any]:
    if operation not in ANSWERS:
        raise SystemExit(f"the SDK asked for {operation} with {request}; nobody answers that")
    return ANSWERS[operation]


botocore.client.BaseClient._make_api_call = _answer  # type: ignore[method-assign]

import boto3  # noqa: E402
from sagemaker.core.parameter import (  # noqa: E402
    CategoricalParameter,
    ContinuousParameter,
    IntegerParameter,
)
from sagemaker.core.processing import ScriptProcessor  # noqa: E402
from sagemaker.core.shapes import (  # noqa: E402
    ProcessingInput,
    ProcessingOutput,
    ProcessingS3Input,
    ProcessingS3Output,
)
from sagemaker.core.workflow.conditions import ConditionGreaterThanOrEqualTo  # noqa: E402
from sagemaker.core.workflow.execution_variables import ExecutionVariables  # noqa: E402
from sagemaker.core.workflow.functions import Join, JsonGet  # noqa: E402
from sagemaker.core.workflow.pipeline_context import PipelineSession  # noqa: E402
from sagemaker.core.workflow.properties import PropertyFile  # noqa: E402
from sagemaker.mlops.workflow.condition_step import ConditionStep  # noqa: E402
from sagemaker.mlops.workflow.fail_step import FailStep  # noqa: E402
from sagemaker.mlops.workflow.model_step import ModelStep  # noqa: E402
from sagemaker.mlops.workflow.pipeline import Pipeline  # noqa: E402
from sagemaker.mlops.workflow.steps import (  # noqa: E402
    ProcessingStep,
    TrainingStep,
    TuningStep,
)
from sagemaker.serve.model_builder import ModelBuilder  # noqa: E402
from sagemaker.train import ModelTrainer  # noqa: E402
from sagemaker.train.configs import (  # noqa: E402
    Compute,
    InputData,
    OutputDataConfig,
    StoppingCondition,
)
from sagemaker.train.tuner import HyperparameterTuner  # noqa: E402

session = PipelineSession(
    boto_session=boto3.Session(region_name="us-east-1"), default_bucket="sdk-default"
)

data = [InputData(channel_name="training", data_source=BUILD["training_data"])]
trainer = ModelTrainer(
    sagemaker_session=session,
    role=BUILD["role_arn"],
    training_image=BUILD["image_uri"],
    training_input_mode="File",
    compute=Compute(
        instance_type=BUILD["instance_type"],
        instance_count=BUILD["instance_count"],
        volume_size_in_gb=BUILD["volume_size_gb"],
        volume_kms_key_id=BUILD["kms_key_arn"],
    ),
    stopping_condition=StoppingCondition(max_runtime_in_seconds=BUILD["max_runtime_seconds"]),
    output_data_config=OutputDataConfig(
        s3_output_path=BUILD["output_location"], kms_key_id=BUILD["kms_key_arn"]
    ),
    hyperparameters=BUILD["hyperparameters"],
    input_data_config=None if "tuning" in BUILD else data,
)
train = (
    TrainingStep(name="Train", step_args=trainer.train())
    if "tuning" not in BUILD
    else TuningStep(
        name="Tune",
        step_args=HyperparameterTuner(
            model_trainer=trainer,
            objective_metric_name=BUILD["tuning"]["objective"],
            hyperparameter_ranges={
                "rate": ContinuousParameter(*BUILD["tuning"]["rate"], scaling_type="Logarithmic"),
                "depth": IntegerParameter(*BUILD["tuning"]["depth"]),
                "kind": CategoricalParameter(BUILD["tuning"]["kind"]),
            },
            metric_definitions=[{"Name": BUILD["tuning"]["objective"], "Regex": "score=(.*)"}],
            strategy=BUILD["tuning"]["strategy"],
            objective_type="Maximize",
            max_jobs=BUILD["tuning"]["max_jobs"],
            max_parallel_jobs=BUILD["tuning"]["max_parallel_jobs"],
            early_stopping_type="Auto",
            random_seed=BUILD["tuning"]["random_seed"],
        ).tune(inputs=data, wait=False),
    )
)
bucket, _, prefix = BUILD["output_location"].removeprefix("s3://").partition("/")
model = (
    train.get_top_model_s3_uri(top_k=0, s3_bucket=bucket, prefix=prefix)
    if "tuning" in BUILD
    else train.properties.ModelArtifacts.S3ModelArtifacts
)

processor = ScriptProcessor(
    image_uri=BUILD["image_uri"],
    command=["python3"],
    role=BUILD["role_arn"],
    instance_type=BUILD["instance_type"],
    instance_count=1,
    volume_size_in_gb=BUILD["volume_size_gb"],
    volume_kms_key=BUILD["kms_key_arn"],
    output_kms_key=BUILD["kms_key_arn"],
    max_runtime_in_seconds=BUILD["max_runtime_seconds"],
    sagemaker_session=session,
)


def given(name: str, uri: Any, folder: str) -> ProcessingInput:
    return ProcessingInput(
        input_name=name,
        s3_input=ProcessingS3Input(
            s3_uri=uri,
            local_path=f"/opt/ml/processing/{folder}",
            s3_data_type="S3Prefix",
            s3_input_mode="File",
            s3_data_distribution_type="FullyReplicated",
            s3_compression_type="None",
        ),
    )


report = PropertyFile(name="EvaluationReport", output_name="evaluation", path="evaluation.json")
evaluate = ProcessingStep(
    name="Evaluate",
    step_args=processor.run(
        code=BUILD["evaluation_script"],
        inputs=[
            given("model", model, "model"),
            given("test", BUILD["evaluation_data"], "test"),
        ],
        outputs=[
            ProcessingOutput(
                output_name="evaluation",
                s3_output=ProcessingS3Output(
                    s3_uri=Join(
                        on="/",
                        values=[
                            BUILD["output_location"],
                            ExecutionVariables.PIPELINE_EXECUTION_ID,
                            "evaluation",
                        ],
                    ),
                    local_path="/opt/ml/processing/evaluation",
                    s3_upload_mode="EndOfJob",
                ),
            )
        ],
    ),
    property_files=[report],
)

builder = ModelBuilder(
    image_uri=BUILD["image_uri"],
    s3_model_data_url=model,
    role_arn=BUILD["role_arn"],
    sagemaker_session=session,
    env_vars={
        "SAGEMAKER_PROGRAM": BUILD["inference_entry_point"],
        "SAGEMAKER_SUBMIT_DIRECTORY": BUILD["source_archive"],
    },
)
register = ModelStep(
    name="Register",
    step_args=builder.register(
        model_package_group_name=BUILD["model_package_group"],
        content_types=["text/csv", "application/json"],
        response_types=["text/csv", "application/json"],
        approval_status="PendingManualApproval",
    ),
)
metric = JsonGet(
    step_name="Evaluate", property_file=report, json_path=f"metrics.{BUILD['metric']}.value"
)
gate = ConditionStep(
    name="Gate",
    conditions=[ConditionGreaterThanOrEqualTo(left=metric, right=BUILD["threshold"])],
    if_steps=[register],
    else_steps=[FailStep(name="Reject", error_message=Join(on="", values=["quality ", metric]))],
)
pipeline = Pipeline(name="oracle", steps=[train, evaluate, gate], sagemaker_session=session)
print(pipeline.definition())
