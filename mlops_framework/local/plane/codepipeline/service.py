"""The CodePipeline API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from mlops_framework.local.plane.codepipeline import declaration as structure
from mlops_framework.local.plane.codepipeline import views
from mlops_framework.local.plane.codepipeline.engine import Engine
from mlops_framework.local.plane.codepipeline.ledger import IN_PROGRESS, Ledger, Record, now
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import AwsFault, LocalService, Scope, operation

Request = Mapping[str, Any]
Answer = Mapping[str, Any]


class CodePipeline(LocalService):
    """CodePipeline V2."""

    name = "codepipeline"

    def __init__(self, host: PlaneHost) -> None:
        """Makes the engine that runs executions."""
        super().__init__(host)
        self._ledger = Ledger(host)
        self._engine = Engine(host, self._ledger)

    def start_by_event(self, name: str, scope: Scope, rule_arn: str) -> None:
        """Starts a pipeline as an EventBridge rule's target.

        Args:
            name: The pipeline.
            scope: Its account and region.
            rule_arn: The rule or schedule.
        """
        self._start(name, scope, "CloudWatchEvent", rule_arn)

    @operation("CreatePipeline")
    def create_pipeline(self, request: Request, scope: Scope) -> Answer:
        """Creates a pipeline and starts its first execution."""
        declared = request["pipeline"]
        structure.check(declared)
        record = self._ledger.create(declared, request.get("tags"), scope)
        self._start(declared["name"], scope, "CreatePipeline", _caller(scope))
        return {"pipeline": self._ledger.declaration(record), "tags": record["tags"]}

    @operation("GetPipeline")
    def get_pipeline(self, request: Request, scope: Scope) -> Answer:
        """Gives a pipeline's declaration."""
        record = self._ledger.pipeline(request["name"], scope)
        return {
            "pipeline": self._ledger.declaration(record, request.get("version")),
            "metadata": {
                "pipelineArn": record["arn"],
                "created": record["created"],
                "updated": record["updated"],
            },
        }

    @operation("UpdatePipeline")
    def update_pipeline(self, request: Request, scope: Scope) -> Answer:
        """Gives a pipeline a new version."""
        declared = request["pipeline"]
        self._ledger.pipeline(declared["name"], scope)
        structure.check(declared)
        record = self._ledger.update(declared, scope)
        return {"pipeline": self._ledger.declaration(record)}

    @operation("DeletePipeline")
    def delete_pipeline(self, request: Request, scope: Scope) -> Answer:
        """Deletes a pipeline; one that is not there is fine, as on AWS."""
        self._ledger.remove(request["name"], scope)
        return {}

    @operation("ListPipelines")
    def list_pipelines(self, request: Request, scope: Scope) -> Answer:
        """Lists the pipelines by name."""
        found = []
        for name, record in sorted(self._ledger.pipelines(scope).items()):
            declared = self._ledger.declaration(record)
            found.append(
                {
                    "name": name,
                    "version": record["version"],
                    "pipelineType": declared.get("pipelineType", "V1"),
                    "executionMode": declared.get("executionMode", "SUPERSEDED"),
                    "created": record["created"],
                    "updated": record["updated"],
                }
            )
        page, token = _page(found, request)
        return {"pipelines": page, "nextToken": token}

    @operation("GetPipelineState")
    def get_pipeline_state(self, request: Request, scope: Scope) -> Answer:
        """Gives the state of every stage and action."""
        name = request["name"]
        record = self._ledger.pipeline(name, scope)
        declared = self._ledger.declaration(record)
        with self._ledger.lock:
            return views.state(
                record, declared, lambda stage: self._engine.waiting(name, stage, scope)
            )

    @operation("StartPipelineExecution")
    def start_pipeline_execution(self, request: Request, scope: Scope) -> Answer:
        """Starts an execution."""
        record = self._ledger.pipeline(request["name"], scope)
        declared = self._ledger.declaration(record)
        given = {item["name"]: item["value"] for item in request.get("variables") or ()}
        variables = _resolved_variables(declared, given)
        overrides = _source_overrides(declared, request.get("sourceRevisions") or ())
        trigger = {"triggerType": "StartPipelineExecution", "triggerDetail": _caller(scope)}
        started = self._engine.start(request["name"], scope, trigger, variables, overrides)
        return {"pipelineExecutionId": started}

    @operation("GetPipelineExecution")
    def get_pipeline_execution(self, request: Request, scope: Scope) -> Answer:
        """Gives one execution."""
        _, execution = self._execution(request, scope)
        with self._ledger.lock:
            return {"pipelineExecution": views.execution(execution)}

    @operation("ListPipelineExecutions")
    def list_pipeline_executions(self, request: Request, scope: Scope) -> Answer:
        """Lists executions, newest first."""
        record = self._ledger.pipeline(request["pipelineName"], scope)
        wanted = ((request.get("filter") or {}).get("succeededInStage") or {}).get("stageName")
        with self._ledger.lock:
            found = [
                views.summary(execution)
                for execution in reversed(record["executions"])
                if wanted is None
                or execution["stages"].get(wanted, {}).get("status") == "Succeeded"
            ]
        page, token = _page(found, request)
        return {"pipelineExecutionSummaries": page, "nextToken": token}

    @operation("ListActionExecutions")
    def list_action_executions(self, request: Request, scope: Scope) -> Answer:
        """Lists action executions, newest first."""
        record = self._ledger.pipeline(request["pipelineName"], scope)
        chosen = request.get("filter") or {}
        wanted = chosen.get("pipelineExecutionId") or (
            chosen.get("latestInPipelineExecution") or {}
        ).get("pipelineExecutionId")
        if wanted:
            executions = [self._ledger.execution(record, wanted)]
        else:
            executions = list(reversed(record["executions"]))
        with self._ledger.lock:
            found = [
                views.action_detail(
                    run,
                    execution,
                    _declared_action(self._ledger, record, execution, run),
                    scope.region,
                )
                for execution in executions
                for run in reversed(execution["actions"])
            ]
        page, token = _page(found, request)
        return {"actionExecutionDetails": page, "nextToken": token}

    @operation("StopPipelineExecution")
    def stop_pipeline_execution(self, request: Request, scope: Scope) -> Answer:
        """Stops an execution, after its running actions or at once (``abandon``)."""
        _, execution = self._execution(request, scope)
        with self._ledger.lock:
            if execution["status"] not in IN_PROGRESS:
                raise AwsFault(
                    "PipelineExecutionNotStoppableException",
                    f"The execution is {execution['status']} and cannot be stopped",
                )
            abandon = bool(request.get("abandon"))
            if execution.get("stop") and not abandon:
                raise AwsFault(
                    "DuplicatedStopRequestException", "The execution is being stopped already"
                )
            execution["stop"] = {"abandon": abandon, "reason": request.get("reason")}
            self._ledger.note(execution, status="Stopping")
        return {"pipelineExecutionId": execution["pipelineExecutionId"]}

    @operation("RetryStageExecution")
    def retry_stage_execution(self, request: Request, scope: Scope) -> Answer:
        """Runs a failed stage of the newest execution again."""
        record, execution = self._execution(request, scope)
        stage = request["stageName"]
        if stage not in [item["name"] for item in self._ledger.declaration(record)["stages"]]:
            raise AwsFault("StageNotFoundException", f"There is no stage '{stage}'")
        status = execution["stages"].get(stage, {}).get("status")
        if execution["status"] in IN_PROGRESS or status not in ("Failed", "Stopped"):
            raise AwsFault(
                "StageNotRetryableException", f"The stage '{stage}' is {status or 'not run yet'}"
            )
        if record["executions"][-1] is not execution:
            raise AwsFault(
                "NotLatestPipelineExecutionException", "A newer execution of the pipeline exists"
            )
        self._engine.retry(request["pipelineName"], execution, stage, request["retryMode"], scope)
        return {"pipelineExecutionId": execution["pipelineExecutionId"]}

    @operation("PutApprovalResult")
    def put_approval_result(self, request: Request, scope: Scope) -> Answer:
        """Approves or rejects a waiting approval."""
        self._ledger.pipeline(request["pipelineName"], scope)
        token = request["token"]
        awaited = self._engine.mailbox.details(token)
        named = (request["pipelineName"], request["stageName"], request["actionName"])
        if (
            awaited is None
            or awaited.get("kind") != "approval"
            or named != (*(awaited["pipeline"], awaited["stage"], awaited["action"]),)
        ):
            raise AwsFault("InvalidApprovalTokenException", "The approval token is not valid")
        if not self._engine.mailbox.deliver(token, request["result"]):
            raise AwsFault(
                "ApprovalAlreadyCompletedException", "The approval action has been completed"
            )
        return {"approvedAt": now()}

    @operation("PutJobSuccessResult")
    def put_job_success_result(self, request: Request, scope: Scope) -> Answer:
        """Takes a job's success, or its wish to be continued."""
        self._deliver_job(request["jobId"], request, scope)
        return {}

    @operation("PutJobFailureResult")
    def put_job_failure_result(self, request: Request, scope: Scope) -> Answer:
        """Takes a job's failure."""
        self._deliver_job(request["jobId"], request, scope)
        return {}

    @operation("GetJobDetails")
    def get_job_details(self, request: Request, scope: Scope) -> Answer:
        """Gives what a job was asked to do."""
        job = self._job(request["jobId"], scope)
        data = {
            key: value
            for key, value in job["data"].items()
            if key not in ("artifactCredentials", "encryptionKey")
        }
        return {"jobDetails": {"id": request["jobId"], "accountId": scope.account, "data": data}}

    @operation("ListTagsForResource")
    def list_tags(self, request: Request, scope: Scope) -> Answer:
        """Lists a pipeline's tags."""
        return {"tags": self._ledger.by_arn(request["resourceArn"], scope)["tags"]}

    @operation("TagResource")
    def tag(self, request: Request, scope: Scope) -> Answer:
        """Adds or changes a pipeline's tags."""
        record = self._ledger.by_arn(request["resourceArn"], scope)
        with self._ledger.lock:
            tags = {tag["key"]: tag["value"] for tag in record["tags"]}
            tags |= {tag["key"]: tag["value"] for tag in request["tags"]}
            record["tags"] = [{"key": key, "value": value} for key, value in tags.items()]
        return {}

    @operation("UntagResource")
    def untag(self, request: Request, scope: Scope) -> Answer:
        """Removes tags of a pipeline."""
        record = self._ledger.by_arn(request["resourceArn"], scope)
        with self._ledger.lock:
            kept = [tag for tag in record["tags"] if tag["key"] not in request["tagKeys"]]
            record["tags"] = kept
        return {}

    def _start(self, name: str, scope: Scope, trigger_type: str, detail: str) -> str:
        declared = self._ledger.declaration(self._ledger.pipeline(name, scope))
        trigger = {"triggerType": trigger_type, "triggerDetail": detail}
        return self._engine.start(name, scope, trigger, _resolved_variables(declared, {}))

    def _execution(self, request: Request, scope: Scope) -> tuple[Record, Record]:
        record = self._ledger.pipeline(request["pipelineName"], scope)
        return record, self._ledger.execution(record, request["pipelineExecutionId"])

    def _job(self, job_id: str, scope: Scope) -> dict[str, Any]:
        job = self._engine.mailbox.details(job_id)
        if job is None or job.get("kind") != "job" or job["account"] != scope.account:
            raise AwsFault("JobNotFoundException", f"There is no job with id '{job_id}'")
        return job

    def _deliver_job(self, job_id: str, result: Request, scope: Scope) -> None:
        self._job(job_id, scope)
        if not self._engine.mailbox.deliver(job_id, result):
            raise AwsFault("InvalidJobStateException", f"The job '{job_id}' has its result already")


def _resolved_variables(declared: Mapping[str, Any], given: Mapping[str, str]) -> dict[str, str]:
    known = {item["name"]: item.get("defaultValue") for item in declared.get("variables") or ()}
    if unknown := sorted(given.keys() - known.keys()):
        raise AwsFault(
            "ValidationException",
            f"Variables {unknown} are not declared; declared: {sorted(known) or 'none'}",
        )
    resolved = {name: given.get(name, default) for name, default in known.items()}
    if missing := sorted(name for name, value in resolved.items() if value is None):
        raise AwsFault("ValidationException", f"Variables {missing} have neither value nor default")
    return {name: str(value) for name, value in resolved.items()}


def _source_overrides(
    declared: Mapping[str, Any], revisions: Sequence[Mapping[str, str]]
) -> dict[str, dict[str, str]]:
    sources = [action["name"] for action in declared["stages"][0]["actions"]]
    overrides: dict[str, dict[str, str]] = {}
    for item in revisions:
        if item["actionName"] not in sources:
            raise AwsFault(
                "ValidationException",
                f"There is no source action {item['actionName']!r}; sources: {sources}",
            )
        if item["revisionType"] not in ("S3_OBJECT_VERSION_ID", "S3_OBJECT_KEY"):
            raise AwsFault(
                "NotCarriedByLocalAws",
                f"The local AWS does not carry the revision type {item['revisionType']}.",
                501,
            )
        overrides.setdefault(item["actionName"], {})[item["revisionType"]] = item["revisionValue"]
    return overrides


def _declared_action(
    ledger: Ledger, record: Record, execution: Record, run: Record
) -> Mapping[str, Any] | None:
    declared = ledger.declaration(record, execution["pipelineVersion"])
    for stage in declared["stages"]:
        for action in stage["actions"]:
            if (stage["name"], action["name"]) == (run["stageName"], run["actionName"]):
                found: Mapping[str, Any] = action
                return found
    return None


def _page(items: list[Any], request: Request) -> tuple[list[Any], str | None]:
    text = request.get("nextToken") or "0"
    if not text.isdigit():
        raise AwsFault("InvalidNextTokenException", f"The token {text!r} is not one of ours")
    begin, size = int(text), int(request.get("maxResults") or 100)
    end = begin + size
    return items[begin:end], str(end) if end < len(items) else None


def _caller(scope: Scope) -> str:
    return f"arn:aws:iam::{scope.account}:root"
