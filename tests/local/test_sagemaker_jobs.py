"""Training and processing jobs on the local AWS, through boto3 as anybody would use them."""

from __future__ import annotations

import io
import json
import tarfile
import time
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/job"
TRAIN = """
import argparse, os
from pathlib import Path
import joblib, pandas as pd
from sklearn.linear_model import LogisticRegression

arguments = argparse.ArgumentParser()
arguments.add_argument("--max-iter", type=int)
arguments.add_argument("-C", type=float)
given = arguments.parse_args()
rows = pd.read_csv(Path(os.environ["SM_CHANNEL_TRAINING"]) / "rows.csv")
model = LogisticRegression(max_iter=given.max_iter, C=given.C)
model.fit(rows[["a", "b"]], rows["label"])
print(f"train-accuracy={model.score(rows[['a', 'b']], rows['label']):.3f}")
joblib.dump(model, Path(os.environ["SM_MODEL_DIR"]) / "model.joblib")
Path(os.environ["SM_OUTPUT_DATA_DIR"], "notes.txt").write_text("trained")
"""
ROWS = "a,b,label\n" + "".join(f"{i},{i % 3},{int(i > 20)}\n" for i in range(40))


@pytest.fixture(scope="module")
def bucket(local_aws: Emulator) -> str:
    name = "jobs-data"
    s3 = local_aws.client("s3")
    s3.create_bucket(Bucket=name)
    s3.put_object(Bucket=name, Key="rows/rows.csv", Body=ROWS)
    return name


def archive(**files: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"{name}.py")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
    return buffer.getvalue()


Submit = Callable[..., str]


@pytest.fixture
def train(local_aws: Emulator, bucket: str) -> Submit:
    def submit(name: str, script: str, **changes: Any) -> str:
        key = f"code/{name}.tar.gz"
        local_aws.client("s3").put_object(Bucket=bucket, Key=key, Body=archive(train=script))
        request = training_request(name, bucket, key) | changes
        local_aws.client("sagemaker").create_training_job(**request)
        return name

    return submit


def training_request(name: str, bucket: str, key: str) -> dict[str, Any]:
    return {
        "TrainingJobName": name,
        "RoleArn": ROLE,
        "AlgorithmSpecification": {
            "TrainingImage": IMAGE,
            "TrainingInputMode": "File",
            "MetricDefinitions": [{"Name": "train:accuracy", "Regex": "train-accuracy=([0-9.]+)"}],
        },
        "HyperParameters": {
            "sagemaker_program": "train.py",
            "sagemaker_submit_directory": f"s3://{bucket}/{key}",
            "max-iter": "200",
            "C": "0.5",
        },
        "InputDataConfig": [
            {
                "ChannelName": "training",
                "DataSource": {
                    "S3DataSource": {
                        "S3DataType": "S3Prefix",
                        "S3Uri": f"s3://{bucket}/rows",
                        "S3DataDistributionType": "FullyReplicated",
                    }
                },
            }
        ],
        "OutputDataConfig": {"S3OutputPath": f"s3://{bucket}/models"},
        "ResourceConfig": {
            "InstanceType": "ml.m5.large",
            "InstanceCount": 1,
            "VolumeSizeInGB": 30,
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def settled(
    local_aws: Emulator, name: str, kind: str = "training", seconds: float = 60
) -> dict[str, Any]:
    sagemaker = local_aws.client("sagemaker")
    word = kind.capitalize()
    describe = getattr(sagemaker, f"describe_{kind}_job")
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        described: dict[str, Any] = describe(**{f"{word}JobName": name})
        if described[f"{word}JobStatus"] in ("Completed", "Failed", "Stopped"):
            return described
        time.sleep(0.1)
    raise AssertionError(f"{name} is still {described[f'{word}JobStatus']}")


def test_a_training_job_leaves_a_model_its_metrics_and_its_log(
    local_aws: Emulator, bucket: str, train: Submit
) -> None:
    described = settled(local_aws, train("trains-well", TRAIN))

    assert described["TrainingJobStatus"] == "Completed", described["FailureReason"]
    assert described["FinalMetricDataList"][0]["MetricName"] == "train:accuracy"
    assert described["FinalMetricDataList"][0]["Value"] > 0.9
    assert [each["Status"] for each in described["SecondaryStatusTransitions"]] == [
        *("Starting", "Downloading", "Training", "Uploading", "Completed")
    ]
    uri = described["ModelArtifacts"]["S3ModelArtifacts"]
    assert uri == f"s3://{bucket}/models/trains-well/output/model.tar.gz"
    s3 = local_aws.client("s3")
    body = s3.get_object(Bucket=bucket, Key="models/trains-well/output/model.tar.gz")["Body"].read()
    with tarfile.open(fileobj=io.BytesIO(body)) as tar:
        assert tar.getnames() == ["model.joblib"]
    assert s3.head_object(Bucket=bucket, Key="models/trains-well/output/output.tar.gz")
    logs = local_aws.client("logs")
    (stream,) = logs.describe_log_streams(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix="trains-well/algo-1-"
    )["logStreams"]
    events = logs.get_log_events(
        logGroupName="/aws/sagemaker/TrainingJobs", logStreamName=stream["logStreamName"]
    )["events"]
    assert any("train-accuracy=" in event["message"] for event in events)


def test_a_script_that_raises_fails_the_job_with_its_own_reason(
    local_aws: Emulator, train: Submit
) -> None:
    script = "raise ValueError('the column label is missing')"
    described = settled(local_aws, train("raises", script))
    assert described["TrainingJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("AlgorithmError: ExecuteUserScriptError:")
    assert "ValueError: the column label is missing" in described["FailureReason"]
    assert described["FailureReason"].endswith(", exit code: 1")


def test_missing_data_fails_the_job_before_anything_runs(
    local_aws: Emulator, bucket: str, train: Submit
) -> None:
    channel = training_request("x", bucket, "k")["InputDataConfig"][0]
    channel["DataSource"]["S3DataSource"]["S3Uri"] = f"s3://{bucket}/not-there/"
    described = settled(local_aws, train("no-data", TRAIN, InputDataConfig=[channel]))
    assert described["TrainingJobStatus"] == "Failed"
    assert "No S3 objects found under S3 URL" in described["FailureReason"]
    assert f"s3://{bucket}/not-there/" in described["FailureReason"]


def test_a_stopped_job_keeps_what_it_saved(local_aws: Emulator, bucket: str, train: Submit) -> None:
    script = (
        "import os, pathlib, signal, sys, time\n"
        "def stop(*_):\n"
        "    pathlib.Path(os.environ['SM_MODEL_DIR'], 'checkpoint').write_text('7')\n"
        "    sys.exit(0)\n"
        "signal.signal(signal.SIGTERM, stop)\nprint('waiting', flush=True)\ntime.sleep(60)\n"
    )
    name = train("is-stopped", script)
    sagemaker = local_aws.client("sagemaker")
    until_it_says(local_aws, name, "waiting")
    sagemaker.stop_training_job(TrainingJobName=name)
    described = settled(local_aws, name)
    assert described["TrainingJobStatus"] == "Stopped"
    assert local_aws.client("s3").head_object(
        Bucket=bucket, Key="models/is-stopped/output/model.tar.gz"
    )
    with pytest.raises(ClientError, match="is in status Stopped"):
        sagemaker.stop_training_job(TrainingJobName=name)


def test_a_job_that_runs_too_long_is_ended(local_aws: Emulator, train: Submit) -> None:
    name = train(
        "too-long", "import time; time.sleep(60)", StoppingCondition={"MaxRuntimeInSeconds": 1}
    )
    described = settled(local_aws, name)
    assert described["TrainingJobStatus"] == "Stopped"
    assert described["SecondaryStatus"] == "MaxRuntimeExceeded"


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        (
            {
                "AlgorithmSpecification": {
                    "TrainingImage": "x/xgboost:1",
                    "TrainingInputMode": "File",
                }
            },
            "the image 'x/xgboost:1'",
        ),
        (
            {
                "ResourceConfig": {
                    "InstanceType": "ml.m5.large",
                    "InstanceCount": 2,
                    "VolumeSizeInGB": 1,
                }
            },
            "a training job on 2 instances",
        ),
    ],
)
def test_what_is_not_carried_is_refused_by_name(
    local_aws: Emulator, bucket: str, changes: dict[str, Any], named: str
) -> None:
    request = training_request("refused", bucket, "code.tar.gz") | changes
    with pytest.raises(ClientError, match=named) as caught:
        local_aws.client("sagemaker").create_training_job(**request)
    assert caught.value.response["Error"]["Code"] == "NotCarriedByLocalAws"


def test_a_key_for_disks_that_the_machine_encrypts_is_refused(
    local_aws: Emulator, bucket: str
) -> None:
    sagemaker = local_aws.client("sagemaker")
    instances = {"InstanceType": "ml.g4dn.xlarge", "InstanceCount": 1, "VolumeSizeInGB": 30}
    keyed = {**instances, "VolumeKmsKeyId": "alias/own"}
    training = training_request("keyed", bucket, "code.tar.gz") | {"ResourceConfig": keyed}
    processing = processing_request("keyed", bucket) | {
        "ProcessingResources": {"ClusterConfig": keyed}
    }

    with pytest.raises(ClientError, match=r"ml.g4dn.xlarge, which has disks of its own"):
        sagemaker.create_training_job(**training)
    with pytest.raises(ClientError, match=r"ml.g4dn.xlarge, which has disks of its own"):
        sagemaker.create_processing_job(**processing)


def test_a_name_is_used_once(local_aws: Emulator, train: Submit) -> None:
    settled(local_aws, train("only-once", "pass"))
    with pytest.raises(ClientError, match="ResourceInUse"):
        train("only-once", "pass")


@pytest.mark.parametrize("view", ["with", "without"])
def test_a_processing_job_reads_its_inputs_and_uploads_its_outputs(
    local_aws: Emulator, bucket: str, view: str
) -> None:
    script = (
        "import json, sys\nfrom pathlib import Path\n"
        "data, out, message = (Path(path) for path in sys.argv[1:])\n"
        "lines = (data / 'rows.csv').read_text().splitlines()\n"
        "(out / 'evaluation.json').write_text(json.dumps({'rows': len(lines) - 1}))\n"
        "message.write_text('all rows counted')\n"
    )
    s3, sagemaker = local_aws.client("s3"), local_aws.client("sagemaker")
    s3.put_object(Bucket=bucket, Key="code/count.py", Body=script)
    request = processing_request(f"counts-{view}", bucket)
    if view == "without":
        request["Environment"] = {"MLOPS_NO_OPT_ML": "1"}
    sagemaker.create_processing_job(**request)
    described = settled(local_aws, f"counts-{view}", "processing")
    assert described["ProcessingJobStatus"] == "Completed", described["FailureReason"]
    assert described["ExitMessage"] == "all rows counted"
    key = f"evaluation/counts-{view}/evaluation.json"
    body = s3.get_object(Bucket=bucket, Key=key)["Body"].read()
    assert json.loads(body) == {"rows": 40}


def test_a_processing_script_that_raises_fails_its_job_with_its_own_reason(
    local_aws: Emulator, bucket: str
) -> None:
    s3, sagemaker = local_aws.client("s3"), local_aws.client("sagemaker")
    s3.put_object(Bucket=bucket, Key="code/count.py", Body="raise KeyError('accuracy')")
    sagemaker.create_processing_job(**processing_request("counts-badly", bucket))
    described = settled(local_aws, "counts-badly", "processing")
    assert described["ProcessingJobStatus"] == "Failed"
    assert "KeyError: 'accuracy'" in described["FailureReason"]


def test_jobs_are_listed_by_name_and_status(local_aws: Emulator, train: Submit) -> None:
    for name in ("listed-a", "listed-b"):
        settled(local_aws, train(name, "pass"))
    sagemaker = local_aws.client("sagemaker")
    first = sagemaker.list_training_jobs(
        NameContains="listed-",
        StatusEquals="Completed",
        MaxResults=1,
        SortBy="Name",
        SortOrder="Ascending",
    )
    assert [each["TrainingJobName"] for each in first["TrainingJobSummaries"]] == ["listed-a"]
    rest = sagemaker.list_training_jobs(
        NameContains="listed-", NextToken=first["NextToken"], SortBy="Name", SortOrder="Ascending"
    )
    assert [each["TrainingJobName"] for each in rest["TrainingJobSummaries"]] == ["listed-b"]


def processing_request(name: str, bucket: str) -> dict[str, Any]:
    def given(which: str, key: str, path: str) -> dict[str, Any]:
        return {
            "InputName": which,
            "S3Input": {
                "S3Uri": f"s3://{bucket}/{key}",
                "LocalPath": path,
                "S3DataType": "S3Prefix",
                "S3InputMode": "File",
            },
        }

    return {
        "ProcessingJobName": name,
        "RoleArn": ROLE,
        "AppSpecification": {
            "ImageUri": IMAGE,
            "ContainerEntrypoint": ["python3", "/opt/ml/processing/input/code/count.py"],
            "ContainerArguments": [
                "/opt/ml/processing/data",
                "/opt/ml/processing/evaluation",
                "/opt/ml/output/message",
            ],
        },
        "ProcessingInputs": [
            given("code", "code/count.py", "/opt/ml/processing/input/code"),
            given("data", "rows/rows.csv", "/opt/ml/processing/data"),
        ],
        "ProcessingOutputConfig": {
            "Outputs": [
                {
                    "OutputName": "evaluation",
                    "S3Output": {
                        "S3Uri": f"s3://{bucket}/evaluation/{name}",
                        "LocalPath": "/opt/ml/processing/evaluation",
                        "S3UploadMode": "EndOfJob",
                    },
                }
            ]
        },
        "ProcessingResources": {
            "ClusterConfig": {
                "InstanceCount": 1,
                "InstanceType": "ml.m5.large",
                "VolumeSizeInGB": 30,
            }
        },
        "StoppingCondition": {"MaxRuntimeInSeconds": 120},
    }


def until_it_says(local_aws: Emulator, job: str, words: str) -> None:
    logs = local_aws.client("logs")
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        found = logs.filter_log_events(
            logGroupName="/aws/sagemaker/TrainingJobs", logStreamNamePrefix=f"{job}/"
        )
        if any(words in event["message"] for event in found["events"]):
            return
        time.sleep(0.2)
    raise AssertionError(f"{job} never said {words!r}")
