"""Transform jobs: the operations, and one job's way from its input objects to their predictions."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import objects
from mlops_framework.local.plane.sagemaker.area import (
    Record,
    invalid,
    milliseconds,
    not_carried,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.fleet import ServingError
from mlops_framework.local.plane.sagemaker.jobs import Job, JobAbandoned, Jobs
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.models import Models
from mlops_framework.local.plane.sagemaker.processes import LogStream
from mlops_framework.local.plane.sagemaker.transform_objects import (
    InputObject,
    capture,
    input_objects,
    write,
)
from mlops_framework.local.plane.sagemaker.transform_records import (
    RecordsError,
    Treatment,
    transform,
)
from mlops_framework.local.plane.sagemaker.transform_server import LOG_GROUP, TransformServer
from mlops_framework.local.plane.sagemaker.volumes import check_volume_key
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "transform-job"
_MOST_TOLD = 3
_SUMMARY = (
    *("TransformJobName", "TransformJobArn", "CreationTime", "TransformEndTime"),
    *("LastModifiedTime", "TransformJobStatus", "FailureReason"),
)
_EVENT = (
    *("TransformJobName", "TransformJobArn", "TransformJobStatus", "FailureReason", "ModelName"),
    *("MaxConcurrentTransforms", "MaxPayloadInMB", "BatchStrategy", "Environment"),
    *("TransformInput", "TransformOutput", "TransformResources", "DataProcessing"),
)


class TransformJobs(Jobs):
    """CreateTransformJob, DescribeTransformJob, ListTransformJobs and StopTransformJob."""

    def __init__(self, host: PlaneHost, models: Models) -> None:
        """Take back what an earlier run left unfinished.

        Args:
            host: the emulator.
            models: whose models transform.
        """
        super().__init__(host)
        self._models = models
        self._servers: set[TransformServer] = set()
        host.on_stop("SageMaker transform jobs", self._stop_servers)
        self.fail_unfinished(KIND, "TransformJobStatus")

    @operation("CreateTransformJob")
    def create_transform_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Start a transform job."""
        _check(request)
        self._models.model_record(request["ModelName"], scope)
        name = request["TransformJobName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "TransformJobArn": arn,
            "TransformJobStatus": "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
        }
        taken = AwsFault(
            "ResourceInUse",
            f"Job name must be unique within an AWS account and region, and a transform job with "
            f"this name already exists ({arn})",
        )
        self.add(KIND, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        self._emit(record, scope)
        self.launch(KIND, name, scope, self._run)
        return {"TransformJobArn": arn}

    @operation("DescribeTransformJob")
    def describe_transform_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a transform job."""
        record = self._record(request["TransformJobName"], scope)
        return {member: value for member, value in record.items() if member != "LastModifiedTime"}

    @operation("ListTransformJobs")
    def list_transform_jobs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List transform jobs."""
        with self.locked():
            chosen, token = page(
                self.records(KIND, scope).values(),
                request,
                name="TransformJobName",
                status="TransformJobStatus",
            )
        return {
            "TransformJobSummaries": [only(record, _SUMMARY) for record in chosen],
            "NextToken": token,
        }

    @operation("StopTransformJob")
    def stop_transform_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Stop a transform job; what it has not written is lost."""
        record = self._record(request["TransformJobName"], scope)
        name, status = record["TransformJobName"], record["TransformJobStatus"]
        if status not in ("InProgress", "Stopping"):
            raise invalid(
                f"The request was rejected because the transform job is in status {status}."
            )
        if status == "InProgress":
            self._move(name, scope, "Stopping")
        self.ask_to_stop(KIND, name, scope)
        return {}

    def _record(self, name: str, scope: Scope) -> Record:
        record = self.find(KIND, name, scope)
        if record is None:
            raise AwsFault("ResourceNotFound", f"Could not find transform job {name!r}.")
        return record

    def _run(self, job: Job, record: Record) -> None:
        try:
            treatment = Treatment.of(record)
            chosen = input_objects(self.host.client("s3", job.scope), record, job.scope.region)
            with self._serving(job, record) as server:
                done, failures = self._transform(job, record, treatment, chosen, server)
        except JobAbandoned:
            raise
        except (RecordsError, objects.DataError) as error:
            self._end(job, "Failed", FailureReason=_client_error(str(error)))
        except ServingError as error:
            reason = {} if job.stop.is_set() else {"FailureReason": f"AlgorithmError: {error}"}
            self._end(job, "Failed" if reason else "Stopped", **reason)
        except AwsFault as fault:
            # The model has been deleted since, or its package is no longer approved.
            self._end(job, "Failed", FailureReason=_client_error(fault.message))
        except Exception as error:
            reason = {"FailureReason": f"InternalServerError: {type(error).__name__}: {error}"}
            self._end(job, "Failed", **reason)
            raise
        else:
            self._finish(job, record, done, failures, len(chosen))

    @contextlib.contextmanager
    def _serving(self, job: Job, record: Record) -> Iterator[TransformServer]:
        """A healthy model server, ended with the block or with the local AWS."""
        data, environment = self._models.resolve(
            self._models.containers(record["ModelName"], job.scope), job.scope
        )
        server = TransformServer(
            self.host, job.scope, record, data=data, environment=environment, folder=job.folder
        )
        with self.locked():
            self._servers.add(server)
        try:
            server.wait_until_healthy(job.stop)
            self.change(KIND, job.name, job.scope, TransformStartTime=now())
            yield server
        except ServingError as error:
            if self.host.stopping.is_set():
                raise JobAbandoned(job.name) from error
            raise
        finally:
            server.stop()
            with self.locked():
                self._servers.discard(server)

    def _transform(
        self,
        job: Job,
        record: Record,
        treatment: Treatment,
        chosen: list[InputObject],
        server: TransformServer,
    ) -> tuple[list[InputObject], list[str]]:
        """Write the predictions for every object.

        Returns:
            The objects whose predictions are written, and what is to be said of the others.
        """
        client = self.host.client("s3", job.scope)
        log = LogStream(
            self.host,
            job.scope,
            group=LOG_GROUP,
            stream=f"{job.name}/{server.instance}/data-log",
            file=job.folder / "data-log.txt",
        )
        done: list[InputObject] = []
        failures: list[str] = []
        for each in chosen:
            if job.stop.is_set():
                break
            try:
                answer = transform(
                    each.read(client), treatment, lambda part: server.ask(part, job.stop)
                )
                write(client, record["TransformOutput"], each, answer)
                done.append(each)
            except (RecordsError, objects.DataError) as error:
                failures.append(f"{each.bucket}/{each.key}: {error}")
                log.write(f"[sagemaker logs]: {failures[-1]}")
            if self.host.stopping.is_set():
                raise JobAbandoned(job.name)
        log.flush()
        return done, failures

    def _finish(
        self, job: Job, record: Record, done: list[InputObject], failures: list[str], count: int
    ) -> None:
        if job.stop.is_set():
            self._end(job, "Stopped")
            return
        if "DataCaptureConfig" in record and done:
            capture(self.host.client("s3", job.scope), record, done)
        if failures:
            self._end(job, "Failed", FailureReason=_failure(failures, count))
        else:
            self._end(job, "Completed")

    def _stop_servers(self) -> None:
        with self.locked():
            servers = list(self._servers)
        for server in servers:
            server.stop()

    def _end(self, job: Job, status: str, **values: Any) -> None:
        self._move(job.name, job.scope, status, TransformEndTime=now(), **values)

    def _move(self, name: str, scope: Scope, status: str, **values: Any) -> None:
        changed = self.change(KIND, name, scope, TransformJobStatus=status, **values)
        self._emit(changed, scope)

    def _emit(self, record: Record, scope: Scope) -> None:
        times = {
            member: milliseconds(value)
            for member, value in record.items()
            if member.endswith("Time")
        }
        arn = record["TransformJobArn"]
        detail = {**only(record, _EVENT), **times, "Tags": self.tags_of(arn, scope)}
        self.emit("SageMaker Transform Job State Change", detail, [arn], scope)


def _client_error(said: str) -> str:
    return said if said.startswith("ClientError: ") else f"ClientError: {said}"


def _failure(failures: list[str], count: int) -> str:
    told = "; ".join(failures[:_MOST_TOLD])
    more = f"; and {len(failures) - _MOST_TOLD} more" if len(failures) > _MOST_TOLD else ""
    return (
        f"ClientError: {len(failures)} of {count} objects failed: {told}{more}. "
        "See job logs for more information"
    )


def _check(request: Mapping[str, Any]) -> None:
    """Refuse what SageMaker refuses, and by name what this machine does not do."""
    check_volume_key(request["TransformResources"])
    source = request["TransformInput"]
    kind = source["DataSource"]["S3DataSource"]["S3DataType"]
    if kind not in ("S3Prefix", "ManifestFile"):
        raise not_carried(f"the S3DataType {kind!r}", "Use 'S3Prefix' or 'ManifestFile'.")
    split = source.get("SplitType", "None")
    if split not in ("None", "Line"):
        raise not_carried(
            f"the SplitType {split!r}",
            "Use 'Line', or 'None' for whole objects; an AWS account also splits RecordIO and "
            "TFRecord.",
        )
    if request.get("ExperimentConfig"):
        raise not_carried("an ExperimentConfig", "Leave it out.")
    size = request.get("MaxPayloadInMB", 6)
    many = request.get("MaxConcurrentTransforms", 0)
    if size > 100 or size * many > 100:
        raise invalid(
            f"MaxPayloadInMB is at most 100, and so is MaxPayloadInMB times "
            f"MaxConcurrentTransforms; they are {size} and {many}."
        )
