"""The main job on real data, step by step, every step read back from AWS.

From a request to a retraining that drift asked for: this is what ``make demo`` shows and what the
test of the whole holds. The steps act as a user would, through the ``mlops`` command and plain
boto3; a step that cannot read back what it did raises :class:`NotHeld`.
"""

from __future__ import annotations

import csv
import io
import json
import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cached_property
from itertools import islice
from pathlib import Path
from typing import Any, TypeVar

import boto3
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.httpsession import URLLib3Session

Value = TypeVar("Value")

ROWS_PER_CALL = 25
"""Records in one call of the inference API; one capture line holds them all."""

CAPTURE_KEY = re.compile(
    r"captures/[\w-]+/[\w-]+/\d{4}/\d{2}/\d{2}/\d{2}/\d{2}-\d{2}-\d{3}-[0-9a-f-]{36}\.jsonl"
)
"""endpoint/variant/year/month/day/hour/minute-second-millisecond-uuid, as SageMaker writes them."""


class NotHeld(AssertionError):
    """A step did not lead to what it promises."""


@dataclass(frozen=True)
class Place:
    """Where the platform runs and what it is called.

    Attributes:
        environment: Variables that point AWS clients at it.
        prefix: Name prefix of the environment, e.g. ``mlops-local``.
        mlops: Runs the command line: arguments in, parsed ``--json`` output out.
        address: How an API of a stack output is reached there.
    """

    environment: Mapping[str, str]
    prefix: str
    mlops: Callable[..., Any]
    address: Callable[[str], str] = str

    @cached_property
    def session(self) -> boto3.Session:
        """A boto3 session with the place's credentials."""
        return boto3.Session(
            aws_access_key_id=self.environment["AWS_ACCESS_KEY_ID"],
            aws_secret_access_key=self.environment["AWS_SECRET_ACCESS_KEY"],
            region_name=self.environment["AWS_REGION"],
        )

    @cached_property
    def _clients(self) -> dict[str, Any]:
        return {}

    def client(self, service: str) -> Any:
        """The client of one service; made once, for that takes longer than most calls."""
        if service not in self._clients:
            self._clients[service] = self.session.client(
                service,  # type: ignore[call-overload]
                endpoint_url=self.environment.get("AWS_ENDPOINT_URL"),
            )
        return self._clients[service]

    def value(self, key: str) -> str:
        """A value the platform publishes, e.g. ``data-bucket-name``."""
        name = f"/{self.prefix}/platform/{key}"
        return str(self.client("ssm").get_parameter(Name=name)["Parameter"]["Value"])


def wait_for(
    what: str, look: Callable[[], Value | None], seconds: float, every: float = 0.5
) -> Value:
    """Looks until there is something to see.

    Args:
        what: Named in the error.
        look: Returns ``None`` while there is nothing yet.
        seconds: At most this long.
        every: Seconds between two looks.

    Raises:
        NotHeld: Nothing came in time.
    """
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        seen = look()
        if seen is not None:
            return seen
        time.sleep(every)
    raise NotHeld(f"waited {seconds:.0f} s for {what}; it did not come")


def held(condition: object, otherwise: str) -> None:
    """Raises :class:`NotHeld` unless the condition holds."""
    if not condition:
        raise NotHeld(otherwise)


def _minute(moment: datetime) -> datetime:
    return moment.replace(second=0, microsecond=0)


@dataclass
class Loop:
    """The main job's steps; call them in the order they stand here.

    Attributes:
        place: Where.
        data: Folder that ``prepare.py`` filled.
        source: Folder with the example's scripts.
        requests: Folder with the example's request files.
    """

    place: Place
    data: Path
    source: Path
    requests: Path
    alerts_queue: str = ""
    package_arn: str = ""
    pipeline: str = ""
    reports: list[dict[str, Any]] = field(default_factory=list)
    sent_until: datetime | None = None

    # -- before ---------------------------------------------------------------------------------

    def subscribe(self) -> str:
        """Subscribes a queue to the alert topic, as an on-call person's tool would."""
        sqs, sns = self.place.client("sqs"), self.place.client("sns")
        url = sqs.create_queue(QueueName=f"{self.place.prefix}-on-call")["QueueUrl"]
        arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        sns.subscribe(
            TopicArn=self.place.value("alert-topic-arn"),
            Protocol="sqs",
            Endpoint=arn["Attributes"]["QueueArn"],
        )
        self.alerts_queue = url
        return "a queue is subscribed to the alert topic"

    def upload(self) -> str:
        """Puts data and scripts where the requests expect them."""
        s3, bucket = self.place.client("s3"), self.place.value("data-bucket-name")
        files = {
            "datasets/employment/train.csv": self.data / "train.csv",
            "datasets/employment/evaluation.csv": self.data / "evaluation.csv",
            "datasets/employment/baseline.csv": self.data / "baseline.csv",
            "code/employment/source.tar.gz": self.data / "source.tar.gz",
            "code/employment/evaluate.py": self.source / "evaluate.py",
        }
        for key, path in files.items():
            s3.upload_file(str(path), bucket, key)
            stored = s3.head_object(Bucket=bucket, Key=key)["ContentLength"]
            held(stored == path.stat().st_size, f"s3://{bucket}/{key} has {stored} bytes")
        rows = len((self.data / "train.csv").read_text().splitlines()) - 1
        return f"{len(files)} objects read back, {rows:,} training records"

    # -- build ----------------------------------------------------------------------------------

    def train(self) -> str:
        """Submits the training pipeline and reads the registered model back."""
        self._submit("training.json")
        sagemaker = self.place.client("sagemaker")
        package = self._latest_package("PendingManualApproval")
        self.package_arn = package["ModelPackageArn"]
        self.pipeline = self._outputs("training")["PipelineName"]
        (execution,) = self._executions()
        steps = sagemaker.list_pipeline_execution_steps(
            PipelineExecutionArn=execution["PipelineExecutionArn"]
        )["PipelineExecutionSteps"]
        done = {step["StepName"]: step["StepStatus"] for step in steps}
        for name in ("Train", "Evaluate", "Gate", "Register"):
            held(done.get(name) == "Succeeded", f"step {name} is {done.get(name)}")
        accuracy = self._evaluation()["metrics"]["accuracy"]["value"]
        return f"accuracy {accuracy:.3f} on held-out records, registered pending approval"

    def approve(self) -> str:
        """Approves the model as a person would."""
        self.place.mlops("approve", self.package_arn)
        described = self.place.client("sagemaker").describe_model_package(
            ModelPackageName=self.package_arn
        )
        status = described["ModelApprovalStatus"]
        held(status == "Approved", f"{self.package_arn} is {status}")
        return f"version {described['ModelPackageVersion']} is Approved"

    # -- serve ----------------------------------------------------------------------------------

    def serve(self) -> str:
        """Submits the endpoint pipeline and asks the inference API one question."""
        self._submit("realtime-endpoint.json", model_package_name=self.package_arn)
        endpoint = self.place.client("sagemaker").describe_endpoint(EndpointName=self.endpoint)
        held(endpoint["EndpointStatus"] == "InService", f"endpoint is {endpoint['EndpointStatus']}")
        capture = endpoint["DataCaptureConfig"]["CaptureStatus"]
        held(capture == "Started", f"data capture is {capture}")
        answer = self.infer(next(self._batches("healthy.csv", 1)))
        held(len(answer.strip().splitlines()) == 1, f"one record in, {answer!r} out")
        return f"endpoint InService, one record answered: {answer.strip()}"

    @cached_property
    def _inference_url(self) -> str:
        return self.place.address(self._outputs("realtime-endpoint")["InferenceApiUrl"])

    def infer(self, payload: str) -> str:
        """Asks the deployed inference API, signed.

        Args:
            payload: CSV without header, one record a line.

        Returns:
            The predictions as CSV.
        """
        url = self._inference_url
        status, body = self._signed_post(url, {"payload": payload, "content_type": "text/csv"})
        held(status == 200, f"inference API answered {status}: {body[:300]}")
        return body

    # -- watch ----------------------------------------------------------------------------------

    def monitor(self) -> str:
        """Submits the drift monitor and reads its baseline back."""
        self._submit("drift-monitor.json")
        baseline = json.loads(self._object(f"drift/{self.endpoint}/baseline.json"))
        return f"baseline of {len(baseline['columns'])} columns built"

    def healthy(self, rows: int = 1000) -> str:
        """Sends traffic like the training data and reads the verdict of the scheduled check."""
        report = self._traffic("healthy.csv", rows)
        held(report["verdict"] == "healthy", f"verdict {report['verdict']}: {report['features']}")
        # One more: the question that was asked when the endpoint came up.
        objects = wait_for(
            f"{rows + 1} records in capture files",
            lambda: found[0] if (found := self._captured())[1] == rows + 1 else None,
            seconds=15,
        )
        return f"{rows:,} unseen 2015 records in {objects} capture files, verdict healthy"

    def drifted(self, rows: int = 1000) -> str:
        """Sends another population's records and reads the verdict of the scheduled check."""
        report = self._traffic("drifted.csv", rows)
        held(report["verdict"] == "drift", f"verdict {report['verdict']}")
        held("AGEP" in report["features"], f"age is not among {report['features']}")
        named = ", ".join(report["features"][:4])
        return f"{rows:,} records of 2018, people over 60: drift in {named}, …"

    def alerted(self) -> str:
        """Reads the alert from the subscribed queue."""

        def look() -> str | None:
            answer = self.place.client("sqs").receive_message(
                QueueUrl=self.alerts_queue, MaxNumberOfMessages=10, WaitTimeSeconds=1
            )
            for message in answer.get("Messages", []):
                body = json.loads(message["Body"])
                text = f"{body.get('Subject', '')}\n{body['Message']}"
                if "drift" in text.lower() and "AGEP" in text:
                    return text
            return None

        text = wait_for("the drift alert in the subscribed queue", look, seconds=30)
        return text.strip().splitlines()[0]

    def retrained(self) -> str:
        """Reads the second execution that the retraining rule started, to its end."""

        def look() -> Mapping[str, Any] | None:
            executions = self._executions()
            if len(executions) < 2:
                return None
            newest = executions[0]
            held(
                newest["PipelineExecutionStatus"] not in ("Failed", "Stopped"),
                f"retraining ended as {newest['PipelineExecutionStatus']}",
            )
            return newest if newest["PipelineExecutionStatus"] == "Succeeded" else None

        wait_for("the retraining to succeed", look, seconds=120)
        package = self._latest_package("PendingManualApproval")
        return f"a second execution succeeded, version {package['ModelPackageVersion']} pending"

    def report_file(self, folder: Path) -> Path:
        """Saves the drift report as a file a person can open."""
        path = folder / "drift-report.html"
        path.write_bytes(self._object(self.reports[-1]["html_key"]))
        held(b"AGEP" in path.read_bytes(), f"{path} does not name AGEP")
        return path

    # -- how ------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> str:
        """Name of the endpoint in the request files."""
        request = json.loads((self.requests / "realtime-endpoint.json").read_text())
        return str(request["endpoint_name"])

    def _submit(self, name: str, **changes: str) -> dict[str, Any]:
        request = json.loads((self.requests / name).read_text()) | changes
        path = self.data / name
        path.write_text(json.dumps(request, indent=2))
        accepted = self.place.mlops("submit", str(path))
        status: dict[str, Any] = self.place.mlops("status", accepted["pipeline_id"], "--wait")
        return status

    def _outputs(self, kind: str) -> dict[str, str]:
        model = json.loads((self.requests / f"{kind}.json").read_text())["model_name"]
        stack = f"{self.place.prefix}-{model}-{kind}-local"
        described = self.place.client("cloudformation").describe_stacks(StackName=stack)
        return {o["OutputKey"]: o["OutputValue"] for o in described["Stacks"][0]["Outputs"]}

    def _executions(self) -> Sequence[Mapping[str, Any]]:
        listed = self.place.client("sagemaker").list_pipeline_executions(
            PipelineName=self.pipeline, SortBy="CreationTime", SortOrder="Descending"
        )
        summaries: Sequence[Mapping[str, Any]] = listed["PipelineExecutionSummaries"]
        return summaries

    def _latest_package(self, status: str) -> Mapping[str, Any]:
        group = self._outputs("training")["ModelPackageGroupName"]
        listed = self.place.client("sagemaker").list_model_packages(
            ModelPackageGroupName=group, SortBy="CreationTime", SortOrder="Descending"
        )["ModelPackageSummaryList"]
        held(listed, f"no model package in {group}")
        newest: Mapping[str, Any] = listed[0]
        held(newest["ModelApprovalStatus"] == status, f"{newest['ModelApprovalStatus']}")
        return newest

    def _evaluation(self) -> dict[str, Any]:
        package = self.place.client("sagemaker").describe_model_package(
            ModelPackageName=self.package_arn
        )
        uri = package["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"]
        bucket, key = uri.removeprefix("s3://").split("/", 1)
        body = self.place.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        report: dict[str, Any] = json.loads(body)
        return report

    def _object(self, key: str) -> bytes:
        bucket = self.place.value("data-bucket-name")
        body: bytes = self.place.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
        return body

    def _traffic(self, name: str, rows: int) -> dict[str, Any]:
        """Sends records and waits for the scheduled verdict on the window they fall into."""
        self._own_window(seconds_needed=15)
        since = _minute(datetime.now(UTC))
        for batch in self._batches(name, rows):
            self.infer(batch)
        self.sent_until = datetime.now(UTC)
        seen: dict[str, str] = {}

        def look() -> dict[str, Any] | None:
            for report in self._reports(since):
                seen[report["window"]["start"]] = report["verdict"]
                if report["verdict"] not in ("no-data", "insufficient-data"):
                    return report
            return None

        try:
            report = wait_for(f"the scheduled check of {name}", look, seconds=150, every=1)
        except NotHeld as error:
            raise NotHeld(f"{error}. Windows judged since: {seen or 'none'}") from None
        self.reports.append(report)
        return report

    def _reports(self, since: datetime) -> Iterator[dict[str, Any]]:
        """Reports on the windows from one on, oldest first; where the page lies is in them."""
        bucket, prefix = self.place.value("data-bucket-name"), f"drift/{self.endpoint}/reports/"
        listed = self.place.client("s3").list_objects_v2(Bucket=bucket, Prefix=prefix)
        for key in sorted(found["Key"] for found in listed.get("Contents", [])):
            folder, _, name = key.rpartition("/")
            start = datetime.strptime(folder, f"{prefix}%Y/%m/%d/%H%M").replace(tzinfo=UTC)
            if name == "report.json" and start >= since:
                yield json.loads(self._object(key)) | {"html_key": f"{folder}/report.html"}

    def _captured(self) -> tuple[int, int]:
        """Capture files so far, in SageMaker's own layout, and the records sent in them."""
        bucket, prefix = self.place.value("data-bucket-name"), f"captures/{self.endpoint}/"
        pages = self.place.client("s3").get_paginator("list_objects_v2")
        keys = [
            found["Key"]
            for page in pages.paginate(Bucket=bucket, Prefix=prefix)
            for found in page.get("Contents", [])
        ]
        records = 0
        for key in keys:
            held(CAPTURE_KEY.fullmatch(key), f"{key} is not where SageMaker would put it")
            for line in self._object(key).splitlines():
                asked = json.loads(line)["captureData"]["endpointInput"]
                held(asked["encoding"] == "CSV", f"{key} holds {asked['encoding']}")
                records += len(asked["data"].splitlines())
        return len(keys), records

    def _own_window(self, seconds_needed: int) -> None:
        """Waits for the next minute when this one holds other traffic or is nearly over."""
        now = datetime.now(UTC)
        this = _minute(now)
        used = self.sent_until is not None and self.sent_until >= this
        if used or now.second > 60 - seconds_needed:
            time.sleep((this + timedelta(minutes=1) - now).total_seconds())

    def _batches(self, name: str, rows: int) -> Iterator[str]:
        with (self.data / name).open(newline="") as file:
            records = csv.reader(file)
            next(records)
            left = rows
            while left > 0:
                lines = list(islice(records, min(left, ROWS_PER_CALL)))
                held(lines, f"{name} has fewer than {rows} records")
                text = io.StringIO()
                csv.writer(text, lineterminator="\n").writerows(lines)
                left -= len(lines)
                yield text.getvalue()

    def _signed_post(self, url: str, body: Mapping[str, Any]) -> tuple[int, str]:
        request = AWSRequest("POST", url, data=json.dumps(body))
        request.headers["Content-Type"] = "application/json"
        credentials = self.place.session.get_credentials()
        if credentials is None:
            raise NotHeld("there are no credentials to sign with")
        SigV4Auth(credentials, "execute-api", self.place.environment["AWS_REGION"]).add_auth(
            request
        )
        response = URLLib3Session(timeout=60).send(request.prepare())
        return response.status_code, response.text
