"""A batch transform from its first request to its removal, on the deployed platform."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.main_job.watched import Watch

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
PIPELINE = "mlops-local-tally-batch-transform-local"
# Adds up what stands in each line; numbers it cannot read are the caller's fault.
TALLY = """
def model_fn(model_dir):
    return None

def input_fn(body, content_type):
    text = body if isinstance(body, str) else body.decode()
    return [[float(value) for value in line.split(",")] for line in text.splitlines()]

def predict_fn(rows, model):
    return [sum(row) for row in rows]

def output_fn(sums, accept):
    return "".join(f"{each:g}\\n" for each in sums)
"""


class Bucket:
    """The data bucket, as whoever delivers and fetches files sees it."""

    def __init__(self, s3: Any, name: str) -> None:
        self._s3, self.name = s3, name

    def put(self, key: str, body: str) -> None:
        self._s3.put_object(Bucket=self.name, Key=key, Body=body.encode())

    def get(self, key: str) -> str:
        return str(self._s3.get_object(Bucket=self.name, Key=key)["Body"].read().decode())

    def keys(self, prefix: str) -> list[str]:
        listed = self._s3.list_objects_v2(Bucket=self.name, Prefix=prefix).get("Contents", [])
        return [each["Key"] for each in listed]


@pytest.fixture
def files(loop: Any, bucket: str) -> Bucket:
    return Bucket(loop.place.client("s3"), bucket)


@pytest.fixture
def request_of(put: Any, files: Bucket) -> Callable[..., dict[str, Any]]:
    """A request whose input stands below tally/in/."""
    artifact = put("models/tally/model.tar.gz", {"code/inference.py": TALLY})

    def body(**changes: Any) -> dict[str, Any]:
        return {
            "pipeline_type": "batch-transform",
            "model_name": "tally",
            "image_uri": IMAGE,
            "model_artifact_location": artifact,
            "inference_entry_point": "inference.py",
            "input_location": f"s3://{files.name}/tally/in/",
            "output_location": f"s3://{files.name}/tally/out/",
            "invocation_retries": 0,
            **changes,
        }

    return body


@pytest.fixture
def submit(mlops: Any, tmp_path: Path) -> Callable[[dict[str, Any]], Any]:
    """Submits and waits: the accepted answer, and what status says in the end."""

    def send(body: dict[str, Any]) -> Any:
        file = tmp_path / "request.json"
        file.write_text(json.dumps(body))
        accepted = mlops("submit", str(file))
        return accepted, mlops("status", accepted["pipeline_id"], "--wait")

    return send


@pytest.fixture
def alerts(loop: Any) -> Iterator[Callable[[str], str]]:
    """What an on-call person is told, by a word that stands in it."""
    sqs, sns = loop.place.client("sqs"), loop.place.client("sns")
    url = sqs.create_queue(QueueName="tally-alerts")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]
    subscribed = sns.subscribe(
        TopicArn=loop.place.value("alert-topic-arn"), Protocol="sqs", Endpoint=arn["QueueArn"]
    )

    def about(word: str) -> str:
        def look() -> str | None:
            answer = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
            messages = [
                str(json.loads(each["Body"])["Message"]) for each in answer.get("Messages", [])
            ]
            return next((message for message in messages if word in message), None)

        return eventually(look)

    yield about
    sns.unsubscribe(SubscriptionArn=subscribed["SubscriptionArn"])
    sqs.delete_queue(QueueUrl=url)


def eventually(look: Callable[[], str | None], seconds: float = 90) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen := look():
            return seen
        time.sleep(0.2)
    raise AssertionError(f"nothing came within {seconds:g} s")


def executions(loop: Any) -> list[dict[str, Any]]:
    listed = loop.place.client("sagemaker").list_pipeline_executions(PipelineName=PIPELINE)
    summaries: list[dict[str, Any]] = listed["PipelineExecutionSummaries"]
    return summaries


def test_from_a_request_without_input_to_its_removal(
    loop: Any,
    mlops: Any,
    files: Bucket,
    request_of: Callable[..., dict[str, Any]],
    submit: Callable[[dict[str, Any]], Any],
    alerts: Callable[[str], str],
) -> None:
    # Nothing to score yet: the reason is SageMaker's own, and names the place.
    with pytest.raises(AssertionError, match=r"No S3 objects found under S3 URL .*tally/in/"):
        submit(request_of(description="too early"))

    # The same request once the data is there.
    files.put("tally/in/monday.csv", "7,1,2\n8,3,4\n")
    _, status = submit(request_of())
    assert status["problems"] == []
    assert files.get("tally/out/monday.csv.out") == "10\n15\n"

    # Again: nothing changes, and nothing runs.
    before = len(executions(loop))
    accepted, _ = submit(request_of())
    assert accepted["outcome"] == "unchanged"
    assert len(executions(loop)) == before

    # Another request for the pipeline: an id is kept from the model, its prediction beside it.
    keep = {"input_filter": "$[1:]", "join_source": "Input", "output_filter": "$[0,-1]"}
    submit(request_of(**keep, data_capture=True))
    assert files.get("tally/out/monday.csv.out") == "7,3\n8,7\n"
    (manifest,) = files.keys("captures/tally-batch-transform/output/")
    assert json.loads(files.get(manifest))[1:] == ["monday.csv.out"]

    # Bad data fails the delivery, names the object, and is told to whoever listens.
    files.put("tally/in/tuesday.csv", "9,five\n")
    with pytest.raises(AssertionError) as failure:
        submit(request_of(**keep, max_payload_mb=1))
    assert "tally/in/tuesday.csv" in str(failure.value)
    assert "could not convert string to float" in str(failure.value)
    assert f"Batch transform {PIPELINE}" in alerts("tuesday.csv")

    # Started by time and by data, it does not run with its delivery.
    ran = len(executions(loop))
    daily = {"schedule_expression": "cron(0 6 * * ? *)", "start_on_new_data": True}
    _, status = submit(request_of(**keep, **daily, output_layout="by-run"))
    assert status["problems"] == []
    assert len(executions(loop)) == ran
    scheduler = loop.place.client("scheduler")
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    (schedule,) = [scheduler.get_schedule(Name=name) for name in names if "tally" in name]
    assert schedule["Target"]["Arn"].endswith(f":pipeline/{PIPELINE}")
    assert schedule["ScheduleExpression"] == daily["schedule_expression"]

    # What arrives is scored by itself, in a folder of its run.
    files.put("tally/in/wednesday.csv", "10,6\n")
    scored = eventually(
        lambda: next((key for key in files.keys("tally/out/") if "wednesday" in key), None)
    )
    run = executions(loop)[0]["PipelineExecutionArn"].rpartition("/")[2]
    assert scored == f"tally/out/{run}/wednesday.csv.out"
    assert files.get(scored) == "10,6\n"

    # Gone, but for the predictions.
    mlops("pipelines", "delete", "tally-batch-transform", "--yes", "--wait")
    sagemaker = loop.place.client("sagemaker")
    assert sagemaker.list_models(NameContains="Scoring")["Models"] == []
    listed = sagemaker.list_pipelines()["PipelineSummaries"]
    assert PIPELINE not in [each["PipelineName"] for each in listed]
    names = [each["Name"] for each in scheduler.list_schedules()["Schedules"]]
    assert not [name for name in names if "tally" in name]
    assert files.get("tally/out/monday.csv.out") == "7,3\n8,7\n"


def test_a_batch_that_is_captured_is_judged_with_its_answers(
    loop: Any,
    mlops: Any,
    files: Bucket,
    request_of: Callable[..., dict[str, Any]],
    submit: Callable[[dict[str, Any]], Any],
    tmp_path: Path,
) -> None:
    watch = Watch(loop, mlops, files.name, tmp_path)
    watch.on(model_name="tallied", endpoint_name="tallied-batch-transform")
    for day in ("monday", "tuesday"):
        rows = "".join(f"{watch.row(shift=2)}\n" for _ in range(150))
        files.put(f"tallied/in/{day}.csv", rows)

    _, status = submit(
        request_of(
            model_name="tallied",
            input_location=f"s3://{files.name}/tallied/in/",
            output_location=f"s3://{files.name}/tallied/out/",
            data_capture=True,
        )
    )

    assert status["problems"] == []
    report = watch.report("tallied-batch-transform", answers=300)
    assert (report["verdict"], report["features"]) == ("drift", ["a"])
    assert report["captures"]["rows"] == 300
    watch.off()
    mlops("pipelines", "delete", "tallied-batch-transform", "--yes", "--wait")
