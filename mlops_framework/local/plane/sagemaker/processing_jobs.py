"""Processing jobs: the operations, and one job's way from its inputs to its outputs."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import (
    REASON_LIMIT,
    Record,
    invalid,
    milliseconds,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.images import check_entry_point, check_image
from mlops_framework.local.plane.sagemaker.jobs import Ending, Job, JobAbandoned, Jobs
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.processes import (
    LogStream,
    RunnerProcess,
    base_environment,
)
from mlops_framework.local.plane.sagemaker.volumes import check_volume_key
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "processing-job"
LOG_GROUP = "/aws/sagemaker/ProcessingJobs"
HOST_NAME = "algo-1"
DEFAULT_RUNTIME_SECONDS = 86400
OPT_ML = PurePosixPath("/opt/ml")
_SUMMARY = (
    *("ProcessingJobName", "ProcessingJobArn", "CreationTime", "ProcessingEndTime"),
    *("LastModifiedTime", "ProcessingJobStatus", "FailureReason", "ExitMessage"),
)
_EVENT = (
    *("ProcessingInputs", "ProcessingOutputConfig", "ProcessingJobName", "ProcessingResources"),
    *("StoppingCondition", "AppSpecification", "RoleArn", "ProcessingJobArn"),
    *("ProcessingJobStatus", "FailureReason", "ExitMessage"),
)


class ProcessingJobs(Jobs):
    """CreateProcessingJob, DescribeProcessingJob, ListProcessingJobs and StopProcessingJob."""

    def __init__(self, host: PlaneHost) -> None:
        """Take back what an earlier run left unfinished."""
        super().__init__(host)
        self.fail_unfinished(KIND, "ProcessingJobStatus")

    @operation("CreateProcessingJob")
    def create_processing_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Start a processing job."""
        _check(request)
        name = request["ProcessingJobName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "ProcessingJobArn": arn,
            "ProcessingJobStatus": "InProgress",
            "StoppingCondition": request.get(
                "StoppingCondition", {"MaxRuntimeInSeconds": DEFAULT_RUNTIME_SECONDS}
            ),
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        taken = AwsFault(
            "ResourceInUse",
            f"Job name must be unique within an AWS account and region, and a processing job with "
            f"this name already exists ({arn})",
        )
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        self._emit(record, scope)
        self.launch(KIND, name, scope, self._run)
        return {"ProcessingJobArn": arn}

    @operation("DescribeProcessingJob")
    def describe_processing_job(
        self, request: Mapping[str, Any], scope: Scope
    ) -> Mapping[str, Any]:
        """Describe a processing job."""
        record = self.find(KIND, request["ProcessingJobName"], scope)
        if record is None:
            raise invalid("Requested resource not found.")
        return record

    @operation("ListProcessingJobs")
    def list_processing_jobs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List processing jobs."""
        with self.locked():
            chosen, token = page(
                self.records(KIND, scope).values(),
                request,
                name="ProcessingJobName",
                status="ProcessingJobStatus",
            )
        return {
            "ProcessingJobSummaries": [only(record, _SUMMARY) for record in chosen],
            "NextToken": token,
        }

    @operation("StopProcessingJob")
    def stop_processing_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Stop a processing job."""
        record = self.find(KIND, request["ProcessingJobName"], scope)
        if record is None:
            raise invalid("Requested resource not found.")
        name = record["ProcessingJobName"]
        status = record["ProcessingJobStatus"]
        if status not in ("InProgress", "Stopping"):
            raise invalid(
                f"The request was rejected because the processing job is in status {status}."
            )
        if status == "InProgress":
            self._move(name, scope, "Stopping")
        self.ask_to_stop(KIND, name, scope)
        return {}

    def _run(self, job: Job, record: Record) -> None:
        try:
            self._download(job, record)
            if job.stop.is_set():
                self._move(job.name, job.scope, "Stopped", ProcessingEndTime=now())
                return
            self._process(job, record)
        except objects.DataError as error:
            self._fail(job, str(error))
        except JobAbandoned:
            raise
        except Exception as error:
            self._fail(job, f"InternalServerError: {type(error).__name__}: {error}")
            raise

    def _download(self, job: Job, record: Record) -> None:
        self.change(KIND, job.name, job.scope, ProcessingStartTime=now())
        client = self.host.client("s3", job.scope)
        for each in record.get("ProcessingInputs", []):
            objects.download(
                client,
                each["S3Input"]["S3Uri"],
                _real(each["S3Input"]["LocalPath"], job),
                role=record["RoleArn"],
                region=job.scope.region,
            )
        for output in _outputs(record):
            _real(output["S3Output"]["LocalPath"], job).mkdir(parents=True, exist_ok=True)
        _configure(job.opt_ml, record)

    def _process(self, job: Job, record: Record) -> None:
        log = LogStream(
            self.host,
            job.scope,
            group=LOG_GROUP,
            stream=f"{job.name}/{HOST_NAME}-{int(time.time())}",
            file=job.folder / "log.txt",
        )
        environment = {
            **base_environment(self.host, job.scope, job.folder),
            "PROCESSING_JOB_NAME": job.name,
            "PROCESSING_JOB_ARN": record["ProcessingJobArn"],
            **record.get("Environment", {}),
        }
        process = RunnerProcess(self.host, "processing", job.opt_ml, environment, log)
        ending = job.run(process, record["StoppingCondition"]["MaxRuntimeInSeconds"])
        message = _exit_message(job)
        if ending is Ending.EXIT and process.status != 0:
            code = f", exit code: {process.status}"
            reason = f"AlgorithmError: {job.failure()}"[: REASON_LIMIT - len(code)] + code
            self._fail(job, reason, **message)
            return
        if ending is not Ending.EXIT:
            self._move(job.name, job.scope, "Stopped", ProcessingEndTime=now(), **message)
            return
        client = self.host.client("s3", job.scope)
        kms_key = record.get("ProcessingOutputConfig", {}).get("KmsKeyId")
        for output in _outputs(record):
            place = output["S3Output"]
            objects.upload_folder(client, _real(place["LocalPath"], job), place["S3Uri"], kms_key)
        self._move(job.name, job.scope, "Completed", ProcessingEndTime=now(), **message)

    def _fail(self, job: Job, reason: str, **values: Any) -> None:
        values = {"FailureReason": reason, "ProcessingEndTime": now(), **values}
        self._move(job.name, job.scope, "Failed", **values)

    def _move(self, name: str, scope: Scope, status: str, **values: Any) -> None:
        changed = self.change(KIND, name, scope, ProcessingJobStatus=status, **values)
        self._emit(changed, scope)

    def _emit(self, record: Record, scope: Scope) -> None:
        times = {
            member: milliseconds(value)
            for member, value in record.items()
            if member.endswith("Time")
        }
        arn = record["ProcessingJobArn"]
        detail = {**only(record, _EVENT), **times, "Tags": self.tags_of(arn, scope)}
        self.emit("SageMaker Processing Job State Change", detail, [arn], scope)


def _outputs(record: Record) -> list[dict[str, Any]]:
    listed: list[dict[str, Any]] = record.get("ProcessingOutputConfig", {}).get("Outputs", [])
    return listed


def _real(local_path: str, job: Job) -> Path:
    return job.opt_ml / PurePosixPath(local_path).relative_to(OPT_ML)


def _exit_message(job: Job) -> dict[str, str]:
    file = job.opt_ml / "output" / "message"
    if not file.exists():
        return {}
    return {"ExitMessage": file.read_text(encoding="utf-8", errors="replace")[:1024]}


def _check(request: Mapping[str, Any]) -> None:
    """Refuse what SageMaker refuses, and by name what this machine does not do."""
    application = request["AppSpecification"]
    check_image(application["ImageUri"], told_as="AppSpecification.ImageUri", algorithms=False)
    check_entry_point(application.get("ContainerEntrypoint"))
    cluster = request["ProcessingResources"]["ClusterConfig"]
    count = cluster["InstanceCount"]
    if count != 1:
        raise not_carried(f"a processing job on {count} instances", "InstanceCount has to be 1.")
    check_volume_key(cluster)
    for each in request.get("ProcessingInputs", []):
        told = f"the input {each['InputName']!r} with"
        source = each.get("S3Input")
        if source is None:
            raise not_carried(f"{told} a DatasetDefinition", "Use S3Input.")
        if source["S3DataType"] != "S3Prefix":
            raise not_carried(f"{told} S3DataType {source['S3DataType']!r}", "Use 'S3Prefix'.")
        if source.get("S3InputMode", "File") != "File":
            raise not_carried(f"{told} S3InputMode 'Pipe'", "Use 'File'.")
        if source.get("S3CompressionType", "None") != "None":
            raise not_carried(f"{told} S3CompressionType 'Gzip'", "Use 'None'.")
        _check_path(source.get("LocalPath"), f"input {each['InputName']!r}")
    for output in _outputs(dict(request)):
        told = f"the output {output['OutputName']!r} with"
        place = output.get("S3Output")
        if place is None:
            raise not_carried(f"{told} a feature store", "Use S3Output.")
        if place["S3UploadMode"] != "EndOfJob":
            raise not_carried(f"{told} S3UploadMode 'Continuous'", "Use 'EndOfJob'.")
        _check_path(place.get("LocalPath"), f"output {output['OutputName']!r}")


def _check_path(path: str | None, told_as: str) -> None:
    parts = PurePosixPath(path or "")
    below = OPT_ML / "processing" in parts.parents
    if not below or ".." in parts.parts:
        raise invalid(
            f"The LocalPath {path!r} of the {told_as} is not below /opt/ml/processing/. "
            f"Give it a path such as /opt/ml/processing/input/data."
        )


def _configure(opt_ml: Path, record: Record) -> None:
    """Leave the two files that a processing container finds."""
    config = opt_ml / "config"
    config.mkdir(parents=True, exist_ok=True)
    shown = {member: value for member, value in record.items() if not member.endswith("Time")}
    (config / "processingjobconfig.json").write_text(json.dumps(shown), encoding="utf-8")
    resources = {"current_host": HOST_NAME, "hosts": [HOST_NAME]}
    (config / "resourceconfig.json").write_text(json.dumps(resources), encoding="utf-8")
