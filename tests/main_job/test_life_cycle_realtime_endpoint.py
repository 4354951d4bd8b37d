"""Endpoints of every form from their first request to their removal, on the deployed platform."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.main_job.watched import Watch, eventually

pytestmark = pytest.mark.slow

IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2-cpu-py3"
TIMES = """
import os

def model_fn(model_dir):
    return float(os.environ.get("FACTOR", "2"))

def predict_fn(rows, factor):
    return rows.reshape(1, -1).sum(axis=1) * factor
"""
CALLS = 40
BROKEN = """
def model_fn(model_dir):
    raise RuntimeError("the weights are not there")
"""


class Deliveries:
    """Sends requests and asks what they deployed."""

    def __init__(self, loop: Any, mlops: Any, folder: Path) -> None:
        self._loop, self._mlops, self._folder = loop, mlops, folder
        self.sagemaker = loop.place.client("sagemaker")
        self.runtime = loop.place.client("sagemaker-runtime")
        self.s3 = loop.place.client("s3")

    def send(self, **body: Any) -> str:
        """Submits and waits; `accepted` or `unchanged`."""
        file = self._folder / "request.json"
        file.write_text(json.dumps({"pipeline_type": "realtime-endpoint", **body}))
        accepted = self._mlops("submit", str(file))
        status = self._mlops("status", accepted["pipeline_id"], "--wait")
        assert status["problems"] == []
        return str(accepted["outcome"])

    def refused(self, **body: Any) -> str:
        """What the command line says of a request whose delivery must fail."""
        with pytest.raises(AssertionError) as caught:
            self.send(**body)
        return str(caught.value)

    def put_on(self, endpoint: str, config: str, *, like: str) -> None:
        """Puts an endpoint on a new configuration that is like another, past its stack."""
        known = self.sagemaker.describe_endpoint_config(EndpointConfigName=like)
        self.sagemaker.create_endpoint_config(
            EndpointConfigName=config, ProductionVariants=known["ProductionVariants"]
        )
        self.sagemaker.update_endpoint(EndpointName=endpoint, EndpointConfigName=config)
        describe = self.sagemaker.describe_endpoint
        eventually(lambda: describe(EndpointName=endpoint)["EndpointStatus"] == "InService")

    def left(self, model: str) -> list[str]:
        """Names of what SageMaker still has of a model's pipeline."""
        models = self.sagemaker.list_models(NameContains=f"{model}-realtime")["Models"]
        configs = self.sagemaker.list_endpoint_configs(NameContains=f"{model}-realtime")
        return [each["ModelName"] for each in models] + [
            each["EndpointConfigName"] for each in configs["EndpointConfigs"]
        ]

    def delete(self, model: str) -> None:
        self._mlops("pipelines", "delete", f"{model}-realtime-endpoint", "--yes", "--wait")

    def outputs(self, model: str) -> dict[str, str]:
        client = self._loop.place.client("cloudformation")
        stack = f"mlops-local-{model}-realtime-endpoint-local"
        (found,) = client.describe_stacks(StackName=stack)["Stacks"]
        return {each["OutputKey"]: each["OutputValue"] for each in found["Outputs"]}

    def ask(self, endpoint: str, **options: Any) -> Any:
        answer = self.runtime.invoke_endpoint(
            EndpointName=endpoint, Body=b"1,2", ContentType="text/csv", **options
        )
        return json.loads(answer["Body"].read()), answer["InvokedProductionVariant"]

    def call(self, model: str, payload: str = "1,2", **options: str) -> tuple[int, Any]:
        """Through the inference API of the endpoint, signed."""
        url = self._loop.place.address(self.outputs(model)["InferenceApiUrl"])
        body = {"payload": payload, "content_type": "text/csv", **options}
        status, text = self._loop._signed_post(url, body)
        return status, json.loads(text)

    def captured(self, bucket: str, endpoint: str) -> list[Any]:
        """The records that were captured of an endpoint."""
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix=f"captures/{endpoint}/AllTraffic/")
        texts = [
            self.s3.get_object(Bucket=bucket, Key=each["Key"])["Body"].read()
            for each in found.get("Contents", ())
        ]
        return [json.loads(line)["captureData"] for text in texts for line in text.splitlines()]

    def config(self, endpoint: str) -> str:
        found = self.sagemaker.describe_endpoint(EndpointName=endpoint)
        return str(found["EndpointConfigName"])


@pytest.fixture
def deliveries(loop: Any, mlops: Any, tmp_path: Path) -> Deliveries:
    return Deliveries(loop, mlops, tmp_path)


@pytest.fixture
def artefacts(put: Any) -> dict[str, dict[str, str]]:
    """A model that multiplies, and one that does not load."""
    return {
        name: {
            "image_uri": IMAGE,
            "model_artifact_location": put(f"models/{name}.tar.gz", {"code/inference.py": text}),
        }
        for name, text in {"times": TIMES, "broken": BROKEN}.items()
    }


@pytest.fixture
def watch(loop: Any, mlops: Any, bucket: str, tmp_path: Path) -> Iterator[Watch]:
    watch = Watch(loop, mlops, bucket, tmp_path)
    yield watch
    watch.off()


def test_an_endpoint_with_instances_from_a_broken_model_to_its_removal(
    deliveries: Deliveries, artefacts: dict[str, dict[str, str]]
) -> None:
    endpoint = "times"
    wanted = {"model_name": "times", "endpoint_name": endpoint, **artefacts["times"]}

    # The first model does not load: SageMaker's reason reaches the caller.
    broken = {**wanted, **artefacts["broken"]}
    assert "the weights are not there" in deliveries.refused(**broken)

    # The same pipeline with the right body.
    deliveries.send(**wanted)
    assert deliveries.ask(endpoint) == ([6.0], "AllTraffic")
    assert deliveries.send(**wanted) == "unchanged"

    # A second variant, of another factor, with a fourth of the traffic; both are scaled.
    shared: dict[str, Any] = {
        **wanted,
        "variant_name": "champion",
        "initial_variant_weight": 3.0,
        "autoscaling_max_instances": 2,
        "further_variants": [
            {
                "variant_name": "challenger",
                **artefacts["times"],
                "environment": {"FACTOR": "10"},
            }
        ],
    }
    deliveries.send(**shared)
    assert deliveries.ask(endpoint, TargetVariant="challenger") == ([30.0], "challenger")
    answered = Counter(deliveries.ask(endpoint)[1] for _ in range(60))
    assert answered["champion"] > answered["challenger"] > 0

    # An update whose challenger never answers its ping: the old configuration goes on serving.
    before = deliveries.config(endpoint)
    bad = {**shared, "further_variants": [{"variant_name": "challenger", **artefacts["broken"]}]}
    said = deliveries.refused(**bad)
    assert "challenger did not pass the ping health check" in said
    assert "the weights are not there" in said
    assert deliveries.config(endpoint) == before
    deliveries.sagemaker.describe_endpoint_config(EndpointConfigName=before)
    assert deliveries.ask(endpoint, TargetVariant="challenger") == ([30.0], "challenger")

    # The right body repairs it, and what nobody uses any more is gone.
    shared["further_variants"][0]["environment"] = {"FACTOR": "100"}
    deliveries.send(**shared)
    assert deliveries.ask(endpoint, TargetVariant="challenger") == ([300.0], "challenger")
    with pytest.raises(ClientError, match="Could not find"):
        deliveries.sagemaker.describe_endpoint_config(EndpointConfigName=before)

    # CloudFormation does not look at what serves: behind its back the endpoint is put on another
    # configuration, as SageMaker does when it rolls an update back. The next delivery finds it.
    asked = deliveries.config(endpoint)
    deliveries.put_on(endpoint, "times-former", like=asked)
    shared["autoscaling_max_instances"] = 3
    said = deliveries.refused(**shared)
    assert f"serves configuration times-former, the stack asks for {asked}" in said
    assert "Verify" in said
    assert deliveries.ask(endpoint, TargetVariant="challenger") == ([300.0], "challenger")

    # Any change to the configuration puts the endpoint on what is asked for.
    shared["environment"] = {"FACTOR": "3"}
    deliveries.send(**shared)
    assert deliveries.ask(endpoint, TargetVariant="champion") == ([9.0], "champion")
    deliveries.sagemaker.delete_endpoint_config(EndpointConfigName="times-former")

    deliveries.delete("times")
    with pytest.raises(ClientError, match="Could not find"):
        deliveries.sagemaker.describe_endpoint(EndpointName=endpoint)
    assert deliveries.left("times") == []


def test_a_serverless_endpoint_is_captured_by_its_api_and_judged(
    deliveries: Deliveries, watch: Watch, artefacts: dict[str, dict[str, str]], bucket: str
) -> None:
    serverless = {
        "model_name": "light",
        "endpoint_mode": "serverless",
        "endpoint_name": "light",
        "serverless_memory_mb": 1024,
        "api_capture_percentage": 100,
        **artefacts["times"],
    }

    deliveries.send(**serverless)
    watch.on(model_name="light", endpoint_name="light")

    for _ in range(CALLS):
        assert deliveries.call("light", watch.row(shift=4))[0] == 200
    (variant,) = deliveries.sagemaker.describe_endpoint(EndpointName="light")["ProductionVariants"]
    assert variant["CurrentServerlessConfig"]["MemorySizeInMB"] == 1024
    captured = deliveries.captured(bucket, "light")
    assert [len(sides) for sides in captured] == [2] * CALLS
    report = watch.report("light", answers=CALLS)
    assert (report["verdict"], report["features"]) == ("drift", ["a"])
    assert report["captures"]["rows"] == CALLS
    deliveries.delete("light")


def test_calls_of_an_asynchronous_endpoint_are_judged_with_their_answers_each_once(
    deliveries: Deliveries, watch: Watch, artefacts: dict[str, dict[str, str]], bucket: str
) -> None:
    queued = {
        "model_name": "queued",
        "endpoint_mode": "asynchronous",
        "endpoint_name": "queued",
        "api_capture_percentage": 100,
        "autoscaling_min_instances": 0,
        "autoscaling_max_instances": 2,
        **artefacts["times"],
    }

    deliveries.send(**queued)
    watch.on(model_name="queued", endpoint_name="queued")
    for _ in range(CALLS):
        assert deliveries.call("queued", watch.row(shift=4))[0] == 202
    status, taken = deliveries.call("queued", "one,two")  # the model refuses it

    # Every request is captured when it is taken, and completed when its answer has come.
    assert status == 202
    assert len(deliveries.captured(bucket, "queued")) == CALLS + 1
    sides = eventually(lambda: completed(deliveries.captured(bucket, "queued")))
    assert Counter(len(each) for each in sides) == {2: CALLS, 1: 1}
    for each in sides:
        if len(each) == 2:
            asked = [float(value) for value in each["endpointInput"]["data"].split(",")]
            (said,) = json.loads(each["endpointOutput"]["data"])
            assert said == pytest.approx(2 * sum(asked), rel=1e-4, abs=1e-4)
    output, _, key = taken["failure_location"].removeprefix("s3://").partition("/")
    eventually(lambda: exists(deliveries.s3, output, key))

    report = watch.report("queued", answers=CALLS)
    assert (report["verdict"], report["features"]) == ("drift", ["a"])
    assert (report["captures"]["objects"], report["captures"]["rows"]) == (CALLS + 1, CALLS + 1)
    left = deliveries.s3.list_objects_v2(Bucket=bucket, Prefix="unanswered/queued/")
    assert left["KeyCount"] == 1
    deliveries.delete("queued")


def test_the_models_of_a_multi_model_endpoint_are_judged_one_by_one(
    deliveries: Deliveries, watch: Watch, put: Any, bucket: str
) -> None:
    for name, factor in (("twice.tar.gz", "2"), ("eu/tenfold.tar.gz", "10")):
        put(f"models/fleet/{name}", {"code/inference.py": TIMES.replace('"2"', f'"{factor}"')})
    deliveries.send(
        model_name="fleet",
        endpoint_name="fleet",
        image_uri=IMAGE,
        models_location=f"s3://{bucket}/models/fleet",
        api_capture_percentage=100,
    )
    watched = {"fleet-twice": "twice.tar.gz", "fleet-tenfold": "eu/tenfold.tar.gz"}
    for name, model in watched.items():
        watch.on(model_name=name, endpoint_name="fleet", target_model=model, monitor_name=name)

    status, said = deliveries.call("fleet")
    assert (status, "target_model is missing" in said["detail"]) == (400, True)
    assert deliveries.call("fleet", target_model="gone.tar.gz")[0] == 404
    assert deliveries.call("fleet", target_model="eu/tenfold.tar.gz") == (200, [30.0])
    for number in range(CALLS):
        assert deliveries.call("fleet", watch.row(), target_model="twice.tar.gz")[0] == 200
        if number:  # the first one is above
            row = watch.row(shift=4)
            assert deliveries.call("fleet", row, target_model="eu/tenfold.tar.gz")[0] == 200

    assert len(deliveries.captured(bucket, "fleet")) == 2 * CALLS
    told = {}
    for name in watched:
        report = watch.report(name, answers=CALLS)
        told[name] = (report["captures"]["rows"], report["verdict"], report["features"])
    assert told == {
        "fleet-twice": (CALLS, "healthy", []),
        "fleet-tenfold": (CALLS, "drift", ["a"]),
    }
    deliveries.delete("fleet")


def completed(captured: list[Any]) -> list[Any] | None:
    """Captured calls, once all answers but one have come."""
    return captured if sum(len(sides) == 2 for sides in captured) == CALLS else None


def exists(s3: Any, bucket: str, key: str) -> bool:
    try:
        s3.head_object(Bucket=bucket, Key=key)
    except ClientError:
        return False
    return True


def test_an_endpoint_that_scales_to_zero_refuses_calls_for_a_while_and_comes_back(
    deliveries: Deliveries, artefacts: dict[str, dict[str, str]]
) -> None:
    idle = {
        "model_name": "idle",
        "autoscaling_min_instances": 0,
        "autoscaling_max_instances": 1,
        **artefacts["times"],
    }
    deliveries.send(**idle)
    assert deliveries.call("idle") == (200, [6.0])

    component = deliveries.outputs("idle")["InferenceComponentName"]
    deliveries.sagemaker.update_inference_component_runtime_config(
        InferenceComponentName=component, DesiredRuntimeConfig={"CopyCount": 0}
    )
    eventually(lambda: deliveries.call("idle")[0] == 503)

    # The alarm on calls that found nobody brings the copy back.
    eventually(lambda: deliveries.call("idle") == (200, [6.0]))
    deliveries.delete("idle")
