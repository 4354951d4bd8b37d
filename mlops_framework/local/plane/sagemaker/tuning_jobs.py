"""Hyperparameter tuning jobs: real training jobs, each with hyperparameters of its own."""

from __future__ import annotations

import contextlib
import secrets
import time
from collections.abc import Iterator, Mapping
from typing import Any

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker import tuning_search as search
from mlops_framework.local.plane.sagemaker.area import (
    Record,
    invalid,
    milliseconds,
    now,
    only,
)
from mlops_framework.local.plane.sagemaker.jobs import Job, JobAbandoned, Jobs
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.sagemaker.training_jobs import TrainingJobs
from mlops_framework.local.plane.sagemaker.tuning_checks import check_tuning
from mlops_framework.local.plane.service import AwsFault, Scope, operation

KIND = "hyper-parameter-tuning-job"
OBJECTIVE_HYPERPARAMETER = "_tuning_objective_metric"
_POLL_SECONDS = 0.1
_ENDED = ("Completed", "Failed", "Stopped")
_NOT_OF_A_TRAINING_JOB = frozenset(
    {"StaticHyperParameters", "HyperParameterRanges", "TuningObjective", "DefinitionName"}
)
_SUMMARY = (
    *("HyperParameterTuningJobName", "HyperParameterTuningJobArn", "CreationTime"),
    *("HyperParameterTuningJobStatus", "HyperParameterTuningEndTime", "LastModifiedTime"),
    *("TrainingJobStatusCounters", "ObjectiveStatusCounters"),
)
_TRAINING_SUMMARY = (
    *("TrainingJobName", "TrainingJobArn", "CreationTime", "TrainingStartTime"),
    *("TrainingEndTime", "TrainingJobStatus", "FailureReason"),
)
_HIDDEN = ("children",)


class TuningJobs(Jobs):
    """Create, describe, list and stop tuning jobs, and list their training jobs."""

    def __init__(self, host: PlaneHost, training: TrainingJobs) -> None:
        """Take back what an earlier run left unfinished.

        Args:
            host: the emulator.
            training: runs the training jobs.
        """
        super().__init__(host)
        self._training = training
        self.fail_unfinished(KIND, "HyperParameterTuningJobStatus")

    @operation("CreateHyperParameterTuningJob")
    def create_tuning_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Start a tuning job."""
        check_tuning(request)
        name = request["HyperParameterTuningJobName"]
        arn = scope.arn("sagemaker", f"{KIND}/{name.lower()}")
        moment = now()
        record: Record = {
            **{member: value for member, value in request.items() if member != "Tags"},
            "HyperParameterTuningJobArn": arn,
            "HyperParameterTuningJobStatus": "InProgress",
            "CreationTime": moment,
            "LastModifiedTime": moment,
            "TrainingJobStatusCounters": {},
            "ObjectiveStatusCounters": {},
            "children": [],
        }
        taken = AwsFault(
            "ResourceInUse",
            f"Hyperparameter tuning job names must be unique within an AWS account and region, and "
            f"a tuning job with this name already exists ({arn})",
        )
        self.add(KIND, name, scope, record, taken)
        self._count(name, scope)
        self.keep_tags(arn, request.get("Tags"), scope)
        self._emit(name, scope)
        self.launch(KIND, name, scope, self._run)
        return {"HyperParameterTuningJobArn": arn}

    @operation("DescribeHyperParameterTuningJob")
    def describe_tuning_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a tuning job, with the best training job so far."""
        record = self._found(request, scope)
        summaries = self._summaries(record, scope)
        judged = [each for each in summaries if each["ObjectiveStatus"] == "Succeeded"]
        top = search.best(
            [(each["TrainingJobName"], _value(each)) for each in judged], _objective(record)["Type"]
        )
        shown = {member: value for member, value in record.items() if member not in _HIDDEN}
        for each in judged:
            if each["TrainingJobName"] == top:
                shown["BestTrainingJob"] = each
        return shown

    @operation("ListHyperParameterTuningJobs")
    def list_tuning_jobs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List tuning jobs."""
        with self.locked():
            chosen, token = page(
                self.records(KIND, scope).values(),
                request,
                name="HyperParameterTuningJobName",
                status="HyperParameterTuningJobStatus",
            )
        summaries = [
            {
                **only(record, _SUMMARY),
                "Strategy": record["HyperParameterTuningJobConfig"]["Strategy"],
                "ResourceLimits": record["HyperParameterTuningJobConfig"]["ResourceLimits"],
            }
            for record in chosen
        ]
        return {"HyperParameterTuningJobSummaries": summaries, "NextToken": token}

    @operation("ListTrainingJobsForHyperParameterTuningJob")
    def list_training_jobs(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the training jobs of a tuning job."""
        summaries = self._summaries(self._found(request, scope), scope)
        asked = dict(request)
        if asked.get("SortBy") == "FinalObjectiveMetricValue":
            # Jobs without a value are not in that order, as on AWS.
            summaries = [
                {**each, "FinalObjectiveMetricValue": _value(each)}
                for each in summaries
                if each["ObjectiveStatus"] == "Succeeded"
            ]
        chosen, token = page(summaries, asked, name="TrainingJobName", status="TrainingJobStatus")
        for each in chosen:
            each.pop("FinalObjectiveMetricValue", None)
        return {"TrainingJobSummaries": chosen, "NextToken": token}

    @operation("StopHyperParameterTuningJob")
    def stop_tuning_job(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Stop a tuning job and the training jobs it has started."""
        record = self._found(request, scope)
        status, name = (
            record["HyperParameterTuningJobStatus"],
            record["HyperParameterTuningJobName"],
        )
        if status not in ("InProgress", "Stopping"):
            raise invalid(
                f"The request was rejected because the hyperparameter tuning job is in status "
                f"{status}."
            )
        if status == "InProgress":
            self.change(KIND, name, scope, HyperParameterTuningJobStatus="Stopping")
            self._emit(name, scope)
        self.ask_to_stop(KIND, name, scope)
        return {}

    def _run(self, job: Job, record: Record) -> None:
        try:
            status, reason = self._tune(job, record)
        except JobAbandoned:
            raise
        except AwsFault as fault:
            status, reason = "Failed", f"ClientError: {fault.message}"
        except search.RangeInvalid as error:
            status, reason = "Failed", f"ClientError: {error}"
        except Exception as error:
            self._end(job, "Failed", f"InternalServerError: {type(error).__name__}: {error}")
            raise
        self._end(job, status, reason)

    def _tune(self, job: Job, record: Record) -> tuple[str, str | None]:
        config = record["HyperParameterTuningJobConfig"]
        limits = config["ResourceLimits"]
        candidates = _candidates(config, job.name)
        deadline = time.monotonic() + limits.get("MaxRuntimeInSeconds", float("inf"))
        running: list[str] = []
        started, more = 0, True
        while True:
            if job.ending.is_set():
                raise JobAbandoned(job.name)
            over = job.stop.is_set() or time.monotonic() > deadline
            running = [name for name in running if self._status(name, job.scope) not in _ENDED]
            self._count(job.name, job.scope)
            while more and not over and len(running) < limits["MaxParallelTrainingJobs"]:
                candidate = next(candidates, None)
                if candidate is None:
                    more = False
                    break
                started += 1
                running.append(self._train(job, record, started, candidate))
            if over:
                self._stop_all(running, job.scope)
            if not running and (over or not more):
                break
            time.sleep(_POLL_SECONDS)
        self._count(job.name, job.scope)
        if job.stop.is_set():
            return "Stopped", None
        return self._outcome(job, record)

    def _outcome(self, job: Job, record: Record) -> tuple[str, str | None]:
        kept = self.find(KIND, job.name, job.scope) or record
        summaries = self._summaries(kept, job.scope)
        if any(each["ObjectiveStatus"] == "Succeeded" for each in summaries):
            return "Completed", None
        failed = [each for each in summaries if each["TrainingJobStatus"] == "Failed"]
        if len(failed) == len(summaries) and failed:
            return "Failed", (
                "All training jobs failed. Please take a look at the training jobs failures to get "
                f"more details. The first, {failed[0]['TrainingJobName']}: "
                f"{failed[0].get('FailureReason', '')}"
            )
        metric = _objective(record)["MetricName"]
        return "Failed", (
            f"No objective metrics found after running {len(summaries)} training jobs. Please "
            f"ensure that the training job prints the objective metric {metric!r} as its regular "
            "expression in MetricDefinitions reads it."
        )

    def _train(self, job: Job, record: Record, number: int, tuned: search.Candidate) -> str:
        definition = record["TrainingJobDefinition"]
        # As SageMaker names them: cut so that number and suffix fit.
        name = f"{job.name[:47]}-{number:03d}-{secrets.token_hex(4)}"
        hyperparameters = {
            **definition.get("StaticHyperParameters", {}),
            **tuned,
            OBJECTIVE_HYPERPARAMETER: _objective(record)["MetricName"],
        }
        request = {
            **{k: v for k, v in definition.items() if k not in _NOT_OF_A_TRAINING_JOB},
            "TrainingJobName": name,
            "HyperParameters": hyperparameters,
        }
        if checkpoints := definition.get("CheckpointConfig"):
            own = {**checkpoints, "S3Uri": f"{checkpoints['S3Uri'].rstrip('/')}/{name}"}
            request["CheckpointConfig"] = own
        with self.locked():
            kept = self.live(KIND, job.name, job.scope)
            if kept is not None:
                kept["children"].append({"name": name, "tuned": tuned})
        self._training.start(request, job.scope, tuned_by=record["HyperParameterTuningJobArn"])
        return name

    def _stop_all(self, names: list[str], scope: Scope) -> None:
        for name in names:
            if self._status(name, scope) == "InProgress":
                # It may have ended in this very moment.
                with contextlib.suppress(AwsFault):
                    self._training.stop_training_job({"TrainingJobName": name}, scope)

    def _status(self, name: str, scope: Scope) -> str:
        return str(self._training.described(name, scope)["TrainingJobStatus"])

    def _summaries(self, record: Record, scope: Scope) -> list[dict[str, Any]]:
        objective = _objective(record)
        summaries = []
        for child in record["children"]:
            described = self._training.described(child["name"], scope)
            if not described:
                continue
            summary = {
                **only(described, _TRAINING_SUMMARY),
                "TunedHyperParameters": child["tuned"],
                "ObjectiveStatus": "Pending",
            }
            if described["TrainingJobStatus"] in _ENDED:
                found = {
                    each["MetricName"]: each["Value"]
                    for each in described.get("FinalMetricDataList", [])
                }
                value = found.get(objective["MetricName"])
                usable = value is not None and described["TrainingJobStatus"] != "Failed"
                summary["ObjectiveStatus"] = "Succeeded" if usable else "Failed"
                if usable:
                    summary["FinalHyperParameterTuningJobObjectiveMetric"] = {
                        **only(objective, ("Type", "MetricName")),
                        "Value": value,
                    }
            summaries.append(summary)
        return summaries

    def _count(self, name: str, scope: Scope) -> None:
        record = self.find(KIND, name, scope)
        if record is None:
            return
        summaries = self._summaries(record, scope)
        statuses = [each["TrainingJobStatus"] for each in summaries]
        objectives = [each["ObjectiveStatus"] for each in summaries]
        counters = {
            "Completed": statuses.count("Completed"),
            "InProgress": statuses.count("InProgress") + statuses.count("Stopping"),
            "RetryableError": 0,
            "NonRetryableError": statuses.count("Failed"),
            "Stopped": statuses.count("Stopped"),
        }
        told = {word: objectives.count(word) for word in ("Succeeded", "Pending", "Failed")}
        with self.locked():
            live = self.live(KIND, name, scope)
            if live is not None:
                live["TrainingJobStatusCounters"] = counters
                live["ObjectiveStatusCounters"] = told

    def _end(self, job: Job, status: str, reason: str | None) -> None:
        self.change(
            KIND,
            job.name,
            job.scope,
            HyperParameterTuningJobStatus=status,
            HyperParameterTuningEndTime=now(),
            **({"FailureReason": reason} if reason else {}),
        )
        self._emit(job.name, job.scope)

    def _emit(self, name: str, scope: Scope) -> None:
        record = self.find(KIND, name, scope)
        if record is None:
            return
        arn = record["HyperParameterTuningJobArn"]
        detail = {
            **{member: value for member, value in record.items() if member not in _HIDDEN},
            "Tags": self.tags_of(arn, scope),
        }
        for member, value in detail.items():
            if member.endswith("Time"):
                detail[member] = milliseconds(value)
        self.emit("SageMaker HyperParameter Tuning Job State Change", detail, [arn], scope)

    def _found(self, request: Mapping[str, Any], scope: Scope) -> Record:
        record = self.find(KIND, request["HyperParameterTuningJobName"], scope)
        if record is None:
            raise AwsFault(
                "ResourceNotFound",
                "Amazon SageMaker can't find a tuning job with the name "
                f"{request['HyperParameterTuningJobName']}.",
            )
        return record


def _objective(record: Mapping[str, Any]) -> Mapping[str, Any]:
    found: Mapping[str, Any] = record["HyperParameterTuningJobConfig"][
        "HyperParameterTuningJobObjective"
    ]
    return found


def _value(summary: Mapping[str, Any]) -> float:
    return float(summary["FinalHyperParameterTuningJobObjectiveMetric"]["Value"])


def _candidates(config: Mapping[str, Any], name: str) -> Iterator[search.Candidate]:
    ranges = config["ParameterRanges"]
    if config["Strategy"] == "Grid":
        yield from search.grid(ranges)
        return
    drawn = search.at_random(ranges, config.get("RandomSeed", name))
    for _ in range(config["ResourceLimits"]["MaxNumberOfTrainingJobs"]):
        yield next(drawn)
