"""Transform jobs on the local AWS: real predictions for the objects of a bucket."""

from __future__ import annotations

import gzip
import io
import json
import tarfile
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError

from mlops_framework.local.emulator import Emulator

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
ROLE = "arn:aws:iam::111122223333:role/mlops/model"
BUCKET = "transform-data"
# Adds up the numbers of each row, plus an offset out of the job's own environment.
ADDS = """
import json, os, time

def model_fn(model_dir):
    return float(os.environ.get("OFFSET", "0"))

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    if "wait" in text:
        time.sleep(60)
    lines = [line for line in text.split("\\n") if line]
    if content_type == "text/csv":
        return [[float(value) for value in line.split(",")] for line in lines]
    return [json.loads(line)["values"] for line in lines]

def predict_fn(rows, offset):
    return [sum(row) + offset for row in rows]

def output_fn(sums, accept):
    return "\\n".join(str(each) for each in sums)
"""


def archive(inference: str) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        member = tarfile.TarInfo("code/inference.py")
        member.size = len(inference.encode())
        tar.addfile(member, io.BytesIO(inference.encode()))
    return buffer.getvalue()


class Transforms:
    """Starts transform jobs for a test and waits for them."""

    def __init__(self, local_aws: Emulator) -> None:
        self.s3 = local_aws.client("s3")
        self.sagemaker = local_aws.client("sagemaker")
        self.logs = local_aws.client("logs")
        self.s3.create_bucket(Bucket=BUCKET)
        self.model("adds", ADDS)

    def model(self, of: str, inference: str) -> str:
        """A model; its name is this file's own, the emulator is shared with the others."""
        name = f"transform-{of}"
        key = f"models/{name}.tar.gz"
        self.put(key, archive(inference))
        self.sagemaker.create_model(
            ModelName=name,
            ExecutionRoleArn=ROLE,
            PrimaryContainer={"Image": IMAGE, "ModelDataUrl": f"s3://{BUCKET}/{key}"},
        )
        return name

    def put(self, key: str, body: bytes) -> None:
        self.s3.put_object(Bucket=BUCKET, Key=key, Body=body)

    def get(self, key: str) -> bytes:
        return bytes(self.s3.get_object(Bucket=BUCKET, Key=key)["Body"].read())

    def keys(self, prefix: str) -> list[str]:
        listed = self.s3.list_objects_v2(Bucket=BUCKET, Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in listed]

    def request(self, name: str, **changes: Any) -> dict[str, Any]:
        """A job that reads <name>/in and writes <name>/out, CSV by lines."""
        source = {
            "DataSource": {
                "S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": f"s3://{BUCKET}/{name}/in"}
            },
            "ContentType": "text/csv",
            "SplitType": "Line",
        }
        target = {
            "S3OutputPath": f"s3://{BUCKET}/{name}/out",
            "Accept": "text/csv",
            "AssembleWith": "Line",
        }
        return {
            "TransformJobName": name,
            "ModelName": "transform-adds",
            "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1},
            **changes,
            "TransformInput": source | changes.get("TransformInput", {}),
            "TransformOutput": target | changes.get("TransformOutput", {}),
        }

    def run(self, name: str, **changes: Any) -> dict[str, Any]:
        self.sagemaker.create_transform_job(**self.request(name, **changes))
        return self.settled(name)

    def settled(self, name: str, seconds: float = 60) -> dict[str, Any]:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            described: dict[str, Any] = self.sagemaker.describe_transform_job(TransformJobName=name)
            if described["TransformJobStatus"] in ("Completed", "Failed", "Stopped"):
                return described
            time.sleep(0.1)
        raise AssertionError(f"{name} is still {described['TransformJobStatus']}")


@pytest.fixture(scope="module")
def transforms(local_aws: Emulator) -> Transforms:
    return Transforms(local_aws)


def test_every_object_below_a_prefix_gets_its_predictions_and_capture_says_which(
    transforms: Transforms,
) -> None:
    transforms.put("sums/in/2026/a.csv", b"7,1,2\n8,3,4\n")
    transforms.put("sums/in/b.csv", b"9,5,6\n")

    described = transforms.run(
        "sums",
        Environment={"OFFSET": "100"},
        DataProcessing={"InputFilter": "$[1:]", "JoinSource": "Input", "OutputFilter": "$[0,-1]"},
        DataCaptureConfig={"DestinationS3Uri": f"s3://{BUCKET}/captures/sums"},
    )

    assert described["TransformJobStatus"] == "Completed", described.get("FailureReason")
    assert described["TransformStartTime"] <= described["TransformEndTime"]
    assert transforms.get("sums/out/2026/a.csv.out") == b"7,103.0\n8,107.0\n"
    assert transforms.get("sums/out/b.csv.out") == b"9,111.0\n"
    recorded = {
        key.split("/")[2]: json.loads(transforms.get(key)) for key in transforms.keys("captures/")
    }
    assert recorded == {
        "input": [{"prefix": f"s3://{BUCKET}/sums/in/"}, "2026/a.csv", "b.csv"],
        "output": [{"prefix": f"s3://{BUCKET}/sums/out/"}, "2026/a.csv.out", "b.csv.out"],
    }
    listed = transforms.sagemaker.list_transform_jobs(NameContains="sums", StatusEquals="Completed")
    assert [job["TransformJobName"] for job in listed["TransformJobSummaries"]] == ["sums"]


def test_a_manifest_names_the_objects_and_json_lines_keep_their_members(
    transforms: Transforms,
) -> None:
    transforms.put("listed/in/x.jsonl.gz", gzip.compress(b'{"id":1,"values":[1,2]}\n'))
    transforms.put("listed/in/unlisted", b"nothing to read")
    manifest = [{"prefix": f"s3://{BUCKET}/listed/in/"}, "x.jsonl.gz"]
    transforms.put("listed/manifest.json", json.dumps(manifest).encode())
    where = {"S3DataType": "ManifestFile", "S3Uri": f"s3://{BUCKET}/listed/manifest.json"}

    described = transforms.run(
        "listed",
        BatchStrategy="SingleRecord",
        TransformInput={
            "DataSource": {"S3DataSource": where},
            "ContentType": "application/jsonlines",
            "CompressionType": "Gzip",
        },
        TransformOutput={"Accept": "application/jsonlines"},
        DataProcessing={"JoinSource": "Input"},
    )

    assert described["TransformJobStatus"] == "Completed", described.get("FailureReason")
    assert transforms.keys("listed/out/") == ["listed/out/x.jsonl.gz.out"]
    assert json.loads(transforms.get("listed/out/x.jsonl.gz.out")) == {
        "id": 1,
        "values": [1, 2],
        "SageMakerOutput": 3.0,
    }


def test_one_bad_object_fails_the_job_and_the_good_ones_are_written(
    transforms: Transforms,
) -> None:
    transforms.put("mixed/in/bad.csv", b"1,two\n")
    transforms.put("mixed/in/good.csv", b"1,2\n")

    described = transforms.run("mixed", ModelClientConfig={"InvocationsMaxRetries": 0})

    assert described["TransformJobStatus"] == "Failed"
    reason = described["FailureReason"]
    assert "1 of 2 objects failed" in reason
    assert f"{BUCKET}/mixed/in/bad.csv: Bad HTTP status received from the model" in reason
    assert "could not convert string to float" in reason
    assert transforms.keys("mixed/out/") == ["mixed/out/good.csv.out"]
    group = "/aws/sagemaker/TransformJobs"
    streams = transforms.logs.describe_log_streams(logGroupName=group, logStreamNamePrefix="mixed/")
    names = [stream["logStreamName"] for stream in streams["logStreams"]]
    assert sorted(name.count("/") for name in names) == [1, 2]
    (data_log,) = [name for name in names if name.endswith("/data-log")]
    events = transforms.logs.get_log_events(logGroupName=group, logStreamName=data_log)["events"]
    assert "mixed/in/bad.csv" in events[0]["message"]


@pytest.mark.parametrize(
    ("name", "changes", "told"),
    [
        ("no-objects", {}, "No S3 objects found under S3 URL"),
        ("no-join", {"DataProcessing": {"InputFilter": "$..a"}}, "cannot be read from"),
    ],
)
def test_a_job_that_cannot_begin_says_why(
    transforms: Transforms, name: str, changes: dict[str, Any], told: str
) -> None:
    described = transforms.run(name, **changes)

    assert described["TransformJobStatus"] == "Failed"
    assert described["FailureReason"].startswith("ClientError: ")
    assert told in described["FailureReason"]


def test_a_model_that_does_not_load_fails_the_job_with_its_own_words(
    transforms: Transforms,
) -> None:
    model = transforms.model("broken", "raise RuntimeError('weights are missing')")
    transforms.put("broken/in/a.csv", b"1\n")

    described = transforms.run("broken", ModelName=model)

    assert described["TransformJobStatus"] == "Failed"
    assert "weights are missing" in described["FailureReason"]


def test_a_job_that_is_stopped_writes_no_more(transforms: Transforms) -> None:
    transforms.put("stopped/in/a.csv", b"1,2\n")
    transforms.put("stopped/in/b.csv", b"wait\n")
    transforms.put("stopped/in/c.csv", b"1,2\n")
    limits = {"InvocationsTimeoutInSeconds": 2, "InvocationsMaxRetries": 0}
    transforms.sagemaker.create_transform_job(
        **transforms.request("stopped", ModelClientConfig=limits)
    )
    deadline = time.monotonic() + 30
    while not transforms.keys("stopped/out/") and time.monotonic() < deadline:
        time.sleep(0.05)

    transforms.sagemaker.stop_transform_job(TransformJobName="stopped")

    assert transforms.settled("stopped")["TransformJobStatus"] == "Stopped"
    assert transforms.keys("stopped/out/") == ["stopped/out/a.csv.out"]


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"TransformInput": {"SplitType": "RecordIO"}}, "SplitType 'RecordIO'"),
        ({"ModelName": "nobody"}, "Could not find model"),
        ({"MaxPayloadInMB": 60, "MaxConcurrentTransforms": 2}, "at most 100"),
    ],
)
def test_what_is_not_taken_is_refused_by_name(
    transforms: Transforms, changes: dict[str, Any], told: str
) -> None:
    with pytest.raises(ClientError, match=told):
        transforms.run("refused", **changes)


def test_a_pipeline_runs_transform_steps_on_what_its_start_names(transforms: Transforms) -> None:
    transforms.put("steps/in/a.csv", b"1,2\n")
    transforms.put("steps/in/b.csv", b"wrong\n")
    arguments = transforms.request("steps")
    del arguments["TransformJobName"]
    arguments["ModelClientConfig"] = {"InvocationsMaxRetries": 0}
    key = {"Get": "Parameters.Key"}
    where = {"Std:Join": {"On": "/", "Values": [f"s3://{BUCKET}/steps/in", key]}}
    arguments["TransformInput"]["DataSource"]["S3DataSource"]["S3Uri"] = where
    definition = {
        "Version": "2020-12-01",
        "Parameters": [{"Name": "Key", "Type": "String", "DefaultValue": "b.csv"}],
        "Steps": [{"Name": "Score", "Type": "Transform", "Arguments": arguments}],
    }
    sagemaker = transforms.sagemaker
    sagemaker.create_pipeline(
        PipelineName="scores", PipelineDefinition=json.dumps(definition), RoleArn=ROLE
    )

    runs = {}
    for key_given in ([{"Name": "Key", "Value": "a.csv"}], []):
        arn = sagemaker.start_pipeline_execution(
            PipelineName="scores", PipelineParameters=key_given
        )["PipelineExecutionArn"]
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            (step, *_) = sagemaker.list_pipeline_execution_steps(PipelineExecutionArn=arn)[
                "PipelineExecutionSteps"
            ] or [{}]
            if step.get("StepStatus") in ("Succeeded", "Failed"):
                break
            time.sleep(0.1)
        runs[len(key_given)] = step

    assert runs[1]["StepStatus"] == "Succeeded", runs[1]
    assert ":transform-job/pipelines-" in runs[1]["Metadata"]["TransformJob"]["Arn"]
    assert transforms.get("steps/out/a.csv.out") == b"3.0\n"
    assert runs[0]["StepStatus"] == "Failed"
    assert "steps/in/b.csv" in runs[0]["FailureReason"]
