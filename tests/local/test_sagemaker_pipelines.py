"""SageMaker Pipelines on the local AWS: a model build that really trains, gates and registers."""

from __future__ import annotations

import io
import json
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator
from mlops_framework.local.plane.sagemaker.pipelines.definition import (
    DefinitionInvalid,
    StepNotCarried,
    parse,
)

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/pipeline"
BUCKET = "pipelines-data"
TRAIN = """
import os
from pathlib import Path
import joblib, pandas as pd
from sklearn.linear_model import LogisticRegression
rows = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAINING"]) / "rows.csv")
model = LogisticRegression().fit(rows[["a", "b"]], rows["label"])
joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
"""
EVALUATE = """
import json, sys, tarfile
from pathlib import Path
import joblib, pandas as pd
base = Path(sys.argv[1])
with tarfile.open(base / "model" / "model.tar.gz") as tar:
    model = joblib.load(tar.extractfile("model.joblib"))
rows = pd.read_csv(base / "test" / "rows.csv")
report = {"metrics": {"accuracy": {"value": model.score(rows[["a", "b"]], rows["label"])}}}
(base / "evaluation" / "evaluation.json").write_text(json.dumps(report))
"""


@pytest.fixture(scope="module")
def sagemaker(local_aws: Emulator) -> Any:
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=BUCKET)
    rows = "a,b,label\n" + "".join(f"{i},{i % 3},{int(i > 20)}\n" for i in range(40))
    s3.put_object(Bucket=BUCKET, Key="rows/rows.csv", Body=rows)
    s3.put_object(Bucket=BUCKET, Key="code/evaluate.py", Body=EVALUATE)
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("train.py")
        member.size = len(TRAIN)
        tar.addfile(member, io.BytesIO(TRAIN.encode()))
    s3.put_object(Bucket=BUCKET, Key="code/source.tar.gz", Body=buffer.getvalue())
    return local_aws.client("sagemaker")


def model_build() -> dict[str, Any]:
    def given(name: str, uri: object, folder: str) -> dict[str, Any]:
        place = {
            "S3Uri": uri,
            "LocalPath": f"/opt/ml/processing/{folder}",
            "S3DataType": "S3Prefix",
            "S3InputMode": "File",
        }
        return {"InputName": name, "S3Input": place}

    metric = {
        "Std:JsonGet": {
            "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.EvaluationReport"},
            "Path": "metrics.accuracy.value",
        }
    }
    model = {"Get": "Steps.Train.ModelArtifacts.S3ModelArtifacts"}
    report = {"Get": "Steps.Evaluate.ProcessingOutputConfig.Outputs['evaluation'].S3Output.S3Uri"}
    cluster = {"InstanceType": "ml.m5.large", "InstanceCount": 1, "VolumeSizeInGB": 30}
    train = {
        "AlgorithmSpecification": {"TrainingImage": IMAGE, "TrainingInputMode": "File"},
        "RoleArn": ROLE,
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{BUCKET}/code/source.tar.gz",
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": {"Get": "Parameters.TrainingData"},
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{BUCKET}/models"},
        "ResourceConfig": cluster,
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }
    output = {
        "OutputName": "evaluation",
        "S3Output": {
            "S3Uri": {
                "Std:Join": {
                    "On": "/",
                    "Values": [
                        f"s3://{BUCKET}/reports",
                        {"Get": "Execution.PipelineExecutionId"},
                    ],
                }
            },
            "LocalPath": "/opt/ml/processing/evaluation",
            "S3UploadMode": "EndOfJob",
        },
    }
    evaluate = {
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/evaluate.py"],
            "ContainerArguments": ["/opt/ml/processing/"],
        },
        "RoleArn": ROLE,
        "ProcessingInputs": [
            given("code", f"s3://{BUCKET}/code/evaluate.py", "input/code"),
            given("model", model, "model"),
            given("test", f"s3://{BUCKET}/rows", "test"),
        ],
        "ProcessingOutputConfig": {"Outputs": [output]},
        "ProcessingResources": {"ClusterConfig": cluster},
    }
    register = {
        "ModelPackageGroupName": "gated",
        "ModelApprovalStatus": "PendingManualApproval",
        "InferenceSpecification": {
            "Containers": [{"Image": IMAGE, "ModelDataUrl": model}],
            "SupportedContentTypes": ["text/csv"],
            "SupportedResponseMIMETypes": ["text/csv"],
        },
        "ModelMetrics": {
            "ModelQuality": {
                "Statistics": {
                    "ContentType": "application/json",
                    "S3Uri": {"Std:Join": {"On": "/", "Values": [report, "evaluation.json"]}},
                }
            }
        },
    }
    message = {
        "Std:Join": {
            "On": "",
            "Values": ["accuracy is ", metric, ", needed is ", {"Get": "Parameters.Threshold"}],
        }
    }
    gate = {
        "Conditions": [
            {
                "Type": "GreaterThanOrEqualTo",
                "LeftValue": metric,
                "RightValue": {"Get": "Parameters.Threshold"},
            }
        ],
        "IfSteps": [{"Name": "Register", "Type": "RegisterModel", "Arguments": register}],
        "ElseSteps": [{"Name": "Reject", "Type": "Fail", "Arguments": {"ErrorMessage": message}}],
    }
    return {
        "Version": "2020-12-01",
        "Parameters": [
            {"Name": "Threshold", "Type": "Float", "DefaultValue": 0.8},
            {"Name": "TrainingData", "Type": "String", "DefaultValue": f"s3://{BUCKET}/rows"},
        ],
        "Steps": [
            {"Name": "Train", "Type": "Training", "Arguments": train},
            {
                "Name": "Evaluate",
                "Type": "Processing",
                "Arguments": evaluate,
                "PropertyFiles": [
                    {
                        "PropertyFileName": "EvaluationReport",
                        "OutputName": "evaluation",
                        "FilePath": "evaluation.json",
                    }
                ],
            },
            {"Name": "Gate", "Type": "Condition", "Arguments": gate},
        ],
    }


@pytest.fixture(scope="module")
def pipeline(sagemaker: Any) -> str:
    name = "model-build"
    sagemaker.create_pipeline(
        PipelineName=name, RoleArn=ROLE, PipelineDefinition=json.dumps(model_build())
    )
    return name


def ended(sagemaker: Any, arn: str, seconds: float = 90) -> dict[str, Any]:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = sagemaker.describe_pipeline_execution(PipelineExecutionArn=arn)
        if described["PipelineExecutionStatus"] not in ("Executing", "Stopping"):
            return described
        time.sleep(0.1)
    raise AssertionError(f"{arn} is still {described['PipelineExecutionStatus']}")


def steps_of(sagemaker: Any, arn: str) -> dict[str, dict[str, Any]]:
    listed = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)
    return {step["StepName"]: step for step in listed["PipelineExecutionSteps"]}


def test_a_model_that_passes_the_gate_is_registered_with_its_evaluation(
    local_aws: Emulator, sagemaker: Any, pipeline: str
) -> None:
    arn = sagemaker.start_pipeline_execution(PipelineName=pipeline)["PipelineExecutionArn"]
    described = ended(sagemaker, arn)
    steps = steps_of(sagemaker, arn)

    assert described["PipelineExecutionStatus"] == "Succeeded", steps
    assert list(steps) == ["Register", "Gate", "Evaluate", "Train"]
    assert {step["StepStatus"] for step in steps.values()} == {"Succeeded"}
    assert steps["Gate"]["Metadata"]["Condition"]["Outcome"] == "True"
    job = steps["Train"]["Metadata"]["TrainingJob"]["Arn"].rsplit("/", 1)[-1]
    assert job.startswith(f"pipelines-{arn.rsplit('/', 1)[-1]}-train-")
    described = sagemaker.describe_training_job(TrainingJobName=job)
    assert described["TrainingJobName"].lower() == job
    package = sagemaker.describe_model_package(
        ModelPackageName=steps["Register"]["Metadata"]["RegisterModel"]["Arn"]
    )
    assert package["ModelApprovalStatus"] == "PendingManualApproval"
    assert package["MetadataProperties"]["GeneratedBy"] == arn
    report = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
    key = report.removeprefix(f"s3://{BUCKET}/")
    body = local_aws.client("s3").get_object(Bucket=BUCKET, Key=key)["Body"].read()
    assert json.loads(body)["metrics"]["accuracy"]["value"] > 0.8


def test_a_model_below_the_gate_fails_the_execution_with_the_numbers(
    sagemaker: Any, pipeline: str
) -> None:
    started = sagemaker.start_pipeline_execution(
        PipelineName=pipeline, PipelineParameters=[{"Name": "Threshold", "Value": "1.5"}]
    )
    arn = started["PipelineExecutionArn"]
    described = ended(sagemaker, arn)
    steps = steps_of(sagemaker, arn)
    assert described["PipelineExecutionStatus"] == "Failed"
    assert described["FailureReason"] == "Step failure: One or multiple steps failed."
    assert "Register" not in steps
    assert steps["Reject"]["FailureReason"].startswith("accuracy is 1.0, ")
    assert steps["Reject"]["FailureReason"].endswith("needed is 1.5")
    given = sagemaker.list_pipeline_parameters_for_execution(PipelineExecutionArn=arn)
    assert {"Name": "Threshold", "Value": "1.5"} in given["PipelineParameters"]


def test_a_failing_job_fails_its_step_with_the_jobs_reason(sagemaker: Any, pipeline: str) -> None:
    started = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[{"Name": "TrainingData", "Value": f"s3://{BUCKET}/nothing/"}],
    )
    arn = started["PipelineExecutionArn"]
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Failed"
    steps = steps_of(sagemaker, arn)
    assert list(steps) == ["Train"]
    assert "No S3 objects found" in steps["Train"]["FailureReason"]


def test_the_same_token_starts_a_pipeline_once_and_a_stop_stops_its_job(
    sagemaker: Any, pipeline: str
) -> None:
    token = "0" * 32
    first = sagemaker.start_pipeline_execution(PipelineName=pipeline, ClientRequestToken=token)
    again = sagemaker.start_pipeline_execution(PipelineName=pipeline, ClientRequestToken=token)
    arn = first["PipelineExecutionArn"]
    assert again["PipelineExecutionArn"] == arn
    with pytest.raises(ClientError, match="has running executions"):
        sagemaker.delete_pipeline(PipelineName=pipeline)
    sagemaker.stop_pipeline_execution(PipelineExecutionArn=arn)
    assert ended(sagemaker, arn)["PipelineExecutionStatus"] == "Stopped"
    assert steps_of(sagemaker, arn)["Train"]["StepStatus"] == "Stopped"


def test_executions_are_told_on_the_event_bus(
    local_aws: Emulator, sagemaker: Any, pipeline: str
) -> None:
    events, sqs = local_aws.client("events"), local_aws.client("sqs")
    queue = sqs.create_queue(QueueName="pipeline-events")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]
    events.put_rule(
        Name="pipeline-events",
        EventPattern=json.dumps(
            {
                "source": ["aws.sagemaker"],
                "detail-type": ["SageMaker Model Building Pipeline Execution Status Change"],
                "detail": {"currentPipelineExecutionStatus": ["Failed"]},
            }
        ),
    )
    events.put_targets(Rule="pipeline-events", Targets=[{"Id": "q", "Arn": arn["QueueArn"]}])
    started = sagemaker.start_pipeline_execution(
        PipelineName=pipeline,
        PipelineParameters=[{"Name": "TrainingData", "Value": f"s3://{BUCKET}/nothing/"}],
    )
    ended(sagemaker, started["PipelineExecutionArn"])
    (message,) = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)["Messages"]
    event = json.loads(message["Body"])
    assert event["detail"]["pipelineExecutionArn"] == started["PipelineExecutionArn"]
    assert event["detail"]["previousPipelineExecutionStatus"] == "Executing"


@pytest.mark.parametrize(
    ("parameters", "told"),
    [
        ([{"Name": "Treshold", "Value": "1"}], "'Treshold' does not exist in the pipeline"),
        ([{"Name": "Threshold", "Value": "high"}], "is of type Float, not 'high'"),
    ],
)
def test_a_wrong_parameter_is_refused_before_anything_runs(
    sagemaker: Any, pipeline: str, parameters: list[dict[str, str]], told: str
) -> None:
    with pytest.raises(ClientError, match=told):
        sagemaker.start_pipeline_execution(PipelineName=pipeline, PipelineParameters=parameters)


def test_a_definition_is_refused_with_all_of_its_faults() -> None:
    definition = model_build()
    definition["Steps"][1]["DependsOn"] = ["Prepare"]
    definition["Steps"][1]["Arguments"]["RoleArn"] = {"Get": "Parameters.Role"}
    definition["Steps"][2]["Arguments"]["Conditions"][0]["Type"] = "Greater"
    with pytest.raises(DefinitionInvalid) as caught:
        parse(json.dumps(definition))
    told = str(caught.value)
    assert "refers to the step 'Prepare', which does not exist" in told
    assert "refers to the parameter 'Role', which does not exist" in told
    assert "a condition of type 'Greater'" in told


def test_steps_that_wait_for_each_other_are_refused() -> None:
    steps = [
        {"Name": "A", "Type": "Fail", "DependsOn": ["B"], "Arguments": {"ErrorMessage": "x"}},
        {"Name": "B", "Type": "Fail", "DependsOn": ["A"], "Arguments": {"ErrorMessage": "x"}},
    ]
    with pytest.raises(DefinitionInvalid, match="The steps A, B wait for each other"):
        parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))


def test_a_step_of_another_type_is_refused_by_name() -> None:
    steps = [{"Name": "Sweep", "Type": "EMR", "Arguments": {}}]
    with pytest.raises(StepNotCarried, match="the step 'Sweep' of type 'EMR'"):
        parse(json.dumps({"Version": "2020-12-01", "Steps": steps}))
