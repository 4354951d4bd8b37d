"""Training jobs: the operations, and one job's way from its channels to its model artefact."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import checkpoints, objects, warm_pools
from mlops_framework.local.plane.sagemaker.area import (
    REASON_LIMIT,
    Record,
    invalid,
    milliseconds,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.images import IMAGE, with_metrics
from mlops_framework.local.plane.sagemaker.jobs import (
    Ending,
    Job,
    JobAbandoned,
    Jobs,
    seconds_since,
)
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.processes import (
    LogStream,
    RunnerProcess,
    base_environment,
)
from mlops_framework.local.plane.sagemaker.training_checks import check_training
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "training-job"
LOG_GROUP = "/aws/sagemaker/TrainingJobs"
HOST_NAME = "algo-1"
DEFAULT_RUNTIME_SECONDS = 86400
_MESSAGES = {
    "Starting": "Starting the training job",
    "Downloading": "Downloading input data",
    "Training": "Training image download completed. Training in progress.",
    "Stopping": "Stopping the training job",
    "Uploading": "Uploading generated training model",
    "Completed": "Training job completed",
    "Stopped": "Training job stopped",
    "MaxRuntimeExceeded": "Training job runtime exceeded MaxRuntimeInSeconds provided by customer",
    "Failed": "Training job failed",
}
_SUMMARY = ("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingEndTime")
_EVENT = (
    *("TrainingJobName", "TrainingJobArn", "TrainingJobStatus", "SecondaryStatus"),
    *("FailureReason", "HyperParameters", "AlgorithmSpecification", "RoleArn"),
    *("InputDataConfig", "OutputDataConfig", "ResourceConfig", "VpcConfig", "StoppingCondition"),
    "ModelArtifacts",
)
_EVENT_TIMES = ("CreationTime", "TrainingStartTime", "TrainingEndTime", "LastModifiedTime")


class TrainingJobs(Jobs):
    """CreateTrainingJob, DescribeTrainingJob, ListTrainingJobs and StopTrainingJob."""

    def __init__(self, host: PlaneHost) -> None:
        """Take back what an earlier run left unfinished."""
        super().__init__(host)
        self.fail_unfinished(KIND, "TrainingJobStatus", SecondaryStatus="Failed")

    @operation("CreateTrainingJob")
    def create_training_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Start a training job."""
        return {"TrainingJobArn": self.start(request, scope)}

    def start(self, request: Mapping[str, Any], scope: Scope, *, tuned_by: str = "") -> str:
        """Start a training job, on request or as one of a tuning job.

        Args:
            request: as of CreateTrainingJob.
            scope: account and region.
            tuned_by: ARN of the tuning job.

        Returns:
            The job's ARN.

        Raises:
            AwsFault: it is refused.
        """
        check_training(request)
        name = request["TrainingJobName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "AlgorithmSpecification": with_metrics(request["AlgorithmSpecification"]),
            "TrainingJobArn": arn,
            "TrainingJobStatus": "InProgress",
            "SecondaryStatus": "Starting",
            "SecondaryStatusTransitions": [_transition("Starting", moment)],
            "StoppingCondition": request.get(
                "StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS}
            ),
            "ModelArtifacts": {"S3ModelArtifacts": _artifact(request)},
            "CreationTime": moment,
            "LastModifiedTime": moment,
            **({"TuningJobArn": tuned_by} if tuned_by else {}),
        }
        taken = AwsFault(
            "ResourceInUse",
            f"Job name must be unique within an AWS account and region, and a training job with "
            f"this name already exists ({arn})",
        )
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        warm_pools.reuse(self, record, scope)
        self._emit(record, scope)
        self.launch(KIND, name, scope, self._run)
        return arn

    def described(self, name: str, scope: Scope) -> Record:
        """A job as DescribeTrainingJob tells it; empty when there is none."""
        record = self.find(KIND, name, scope)
        return warm_pools.described(record) if record else {}

    @operation("DescribeTrainingJob")
    def describe_training_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a training job."""
        record = self.described(request["TrainingJobName"], scope)
        if not record:
            raise invalid("Requested resource not found.")
        return record

    @operation("ListTrainingJobs")
    def list_training_jobs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List training jobs."""
        with self.locked():
            chosen, token = page(
                self.records(KIND, scope).values(),
                request,
                name="TrainingJobName",
                status="TrainingJobStatus",
            )
        members = (*_SUMMARY, "LastModifiedTime", "TrainingJobStatus", "SecondaryStatus")
        return {
            "TrainingJobSummaries": [only(record, members) for record in chosen],
            "NextToken": token,
        }

    @operation("StopTrainingJob")
    def stop_training_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Stop a training job; it keeps what it has written to its model folder."""
        record = self.find(KIND, request["TrainingJobName"], scope)
        if record is None:
            raise invalid("Requested resource not found.")
        name = record["TrainingJobName"]
        if record["TrainingJobStatus"] not in ("InProgress", "Stopping"):
            raise invalid(
                f"The request was rejected because the training job is in status "
                f"{record['TrainingJobStatus']}."
            )
        if record["TrainingJobStatus"] == "InProgress":
            self._move(name, scope, "Stopping", status="Stopping")
        self.ask_to_stop(KIND, name, scope)
        return {}

    def _run(self, job: Job, record: Record) -> None:
        try:
            self._download(job, record)
            if job.stop.is_set():
                self._end(job, "Stopped", "Stopped")
                return
            with checkpoints.kept(self.host.client("s3", job.scope), record, job.opt_ml):
                self._train(job, record)
        except objects.DataError as error:
            self._end(job, "Failed", "Failed", FailureReason=str(error))
        except JobAbandoned:
            raise
        except Exception as error:
            reason = f"InternalServerError: {type(error).__name__}: {error}"
            self._end(job, "Failed", "Failed", FailureReason=reason)
            raise

    def _download(self, job: Job, record: Record) -> None:
        self._move(job.name, job.scope, "Downloading", TrainingStartTime=now())
        client = self.host.client("s3", job.scope)
        for channel in record.get("InputDataConfig", []):
            objects.download(
                client,
                channel["DataSource"]["S3DataSource"]["S3Uri"],
                job.opt_ml / "input" / "data" / channel["ChannelName"],
                role=record["RoleArn"],
                region=job.scope.region,
            )
        _configure(job.opt_ml, record)

    def _train(self, job: Job, record: Record) -> None:
        self._move(job.name, job.scope, "Training")
        log = LogStream(
            self.host,
            job.scope,
            group=LOG_GROUP,
            stream=f"{job.name}/{HOST_NAME}-{int(time.time())}",
            file=job.folder / "log.txt",
        )
        metrics = _Metrics(record["AlgorithmSpecification"].get("MetricDefinitions", []))
        environment = {
            **base_environment(self.host, job.scope, job.folder),
            "TRAINING_JOB_NAME": job.name,
            "TRAINING_JOB_ARN": record["TrainingJobArn"],
            **record.get("Environment", {}),
            IMAGE: record["AlgorithmSpecification"]["TrainingImage"],
        }
        process = RunnerProcess(self.host, "training", job.opt_ml, environment, log, metrics.read)
        limit = record["StoppingCondition"].get("MaxRuntimeInSeconds", DEFAULT_RUNTIME_SECONDS)
        ending = job.run(process, limit)
        found = {"FinalMetricDataList": metrics.final()} if metrics.final() else {}
        if ending is Ending.EXIT and process.status != 0:
            code = f", exit code: {process.status}"
            reason = f"AlgorithmError: {job.failure()}"[: REASON_LIMIT - len(code)] + code
            self._end(job, "Failed", "Failed", FailureReason=reason, **found)
            return
        self._move(job.name, job.scope, "Uploading")
        self._upload(job, record)
        status, secondary = {
            Ending.EXIT: ("Completed", "Completed"),
            Ending.STOP: ("Stopped", "Stopped"),
            Ending.RUNTIME: ("Stopped", "MaxRuntimeExceeded"),
        }[ending]
        self._end(job, status, secondary, **found)

    def _upload(self, job: Job, record: Record) -> None:
        client = self.host.client("s3", job.scope)
        output = record["OutputDataConfig"]
        kms_key = output.get("KmsKeyId")
        model, data = job.opt_ml / "model", job.opt_ml / "output" / "data"
        artifact = record["ModelArtifacts"]["S3ModelArtifacts"]
        if output.get("CompressionType") == "NONE":
            objects.upload_folder(client, model, artifact, kms_key)
        elif model.is_dir():
            objects.upload_archive(client, model, artifact, kms_key)
        if data.is_dir() and any(data.iterdir()):
            where = f"{artifact.rsplit('/', 1)[0]}/output.tar.gz"
            objects.upload_archive(client, data, where, kms_key)

    def _end(self, job: Job, status: str, secondary: str, **values: Any) -> None:
        record = self.find(KIND, job.name, job.scope) or {}
        seconds = seconds_since(record.get("TrainingStartTime") or now())
        self._move(
            job.name,
            job.scope,
            secondary,
            status=status,
            TrainingEndTime=now(),
            TrainingTimeInSeconds=seconds,
            BillableTimeInSeconds=seconds,
            **values,
        )

    def _move(
        self, name: str, scope: Scope, secondary: str, *, status: str | None = None, **values: Any
    ) -> None:
        """Go on to a secondary status, and tell it."""
        moment = now()
        with self.locked():
            record = self.live(KIND, name, scope)
            if record is None:
                return
            transitions = record["SecondaryStatusTransitions"]
            transitions[-1]["EndTime"] = moment
            transitions.append(_transition(secondary, moment, values.get("FailureReason")))
            if status:
                values["TrainingJobStatus"] = status
            changed = self.change(KIND, name, scope, SecondaryStatus=secondary, **values)
        self._emit(changed, scope)

    def _emit(self, record: Record, scope: Scope) -> None:
        detail = {
            **only(record, _EVENT),
            **_timed(only(record, _EVENT_TIMES)),
            "SecondaryStatusTransitions": [
                _timed(each) for each in record["SecondaryStatusTransitions"]
            ],
            "Tags": self.tags_of(record["TrainingJobArn"], scope),
        }
        arn = record["TrainingJobArn"]
        self.emit("SageMaker Training Job State Change", detail, [arn], scope)


class _Metrics:
    """Reads a job's metrics out of its log, as its MetricDefinitions say."""

    def __init__(self, definitions: list[dict[str, str]]) -> None:
        self._expressions = [(each["Name"], re.compile(each["Regex"])) for each in definitions]
        self._last: dict[str, dict[str, Any]] = {}

    def read(self, line: str) -> None:
        for name, expression in self._expressions:
            match = expression.search(line)
            if match is None or not match.groups():
                continue
            try:
                value = float(match.group(1))
            except ValueError:
                continue
            self._last[name] = {"MetricName": name, "Value": value, "Timestamp": now()}

    def final(self) -> list[dict[str, Any]]:
        return list(self._last.values())


def _transition(secondary: str, moment: Any, reason: str | None = None) -> dict[str, Any]:
    message = reason or _MESSAGES[secondary]
    return {"Status": secondary, "StartTime": moment, "StatusMessage": message}


def _timed(record: Mapping[str, Any]) -> dict[str, Any]:
    return {
        member: milliseconds(value) if member.endswith("Time") else value
        for member, value in record.items()
    }


def _artifact(request: Mapping[str, Any]) -> str:
    output = request["OutputDataConfig"]
    base = f"{output['S3OutputPath'].rstrip('/')}/{request['TrainingJobName']}/output"
    return f"{base}/model" if output.get("CompressionType") == "NONE" else f"{base}/model.tar.gz"


def _configure(opt_ml: Path, record: Record) -> None:
    """Leave the three files that a training container finds."""
    config = opt_ml / "input" / "config"
    config.mkdir(parents=True, exist_ok=True)
    channels = {
        channel["ChannelName"]: {
            "TrainingInputMode": "File",
            "S3DistributionType": channel["DataSource"]["S3DataSource"].get(
                "S3DataDistributionType", "FullyReplicated"
            ),
            "RecordWrapperType": channel.get("RecordWrapperType", "None"),
            **only(channel, ["ContentType"]),
        }
        for channel in record.get("InputDataConfig", [])
    }
    instance = record.get("ResourceConfig", {}).get("InstanceType", "local")
    group = {
        "instance_group_name": "homogeneousCluster",
        "instance_type": instance,
        "hosts": [HOST_NAME],
    }
    resources = {
        "current_host": HOST_NAME,
        "current_instance_type": instance,
        "current_group_name": "homogeneousCluster",
        "hosts": [HOST_NAME],
        "instance_groups": [group],
        "network_interface_name": "eth0",
    }
    files = {
        "hyperparameters.json": record.get("HyperParameters", {}),
        "inputdataconfig.json": channels,
        "resourceconfig.json": resources,
    }
    for name, content in files.items():
        (config / name).write_text(json.dumps(content), encoding="utf-8")
