"""A push to a Git source: planned, shown, approved, applied; on the deployed platform.

The source is an archive in S3, as a build server of any Git host puts it there. The CodePipeline is
the one that connections and CodeCommit have, its first action apart.
"""

from __future__ import annotations

import io
import json
import time
import urllib.request
import zipfile
from collections.abc import Callable
from typing import Any

import pytest

pytestmark = [pytest.mark.slow]

PIPELINE = "mlops-local-git_local"
ONE, TWO, THREE = (f"git-{name}-drift-monitor" for name in ("one", "two", "three"))


class Source:
    """The environment's Git source."""

    def __init__(self, loop: Any) -> None:
        self._bucket = str(loop.place.value("configuration-bucket-name"))
        self._s3, self._codepipeline = (loop.place.client(s) for s in ("s3", "codepipeline"))

    def push(self, **files: str) -> dict[str, Any]:
        """Puts an archive; the run it starts, once a person or nobody has to act."""
        content = io.BytesIO()
        with zipfile.ZipFile(content, "w") as archive:
            archive.writestr("README.md", "what the team serves")
            for name, text in files.items():
                archive.writestr(f"pipelines/{name}.yaml", text)
        before = self._newest()
        self._s3.put_object(Bucket=self._bucket, Key="git/local.zip", Body=content.getvalue())
        eventually(lambda: self._newest() != before)
        return self.settled()

    def settled(self) -> dict[str, Any]:
        """Status, and the latest run of each action, once it waits or is over."""

        def look() -> dict[str, Any] | None:
            actions = self._actions()
            status = self._status()
            waits = "token" in actions["Approve"]
            return {"status": status, **actions} if waits or status != "InProgress" else None

        return eventually(look)

    def answer(self, status: str) -> dict[str, Any]:
        """A person answers the plan."""
        self._codepipeline.put_approval_result(
            pipelineName=PIPELINE,
            stageName="Apply",
            actionName="Approve",
            token=self._actions()["Approve"]["token"],
            result={"summary": "seen", "status": status},
        )
        eventually(lambda: "token" not in self._actions()["Approve"])
        return self.settled()

    def shown(self) -> str:
        """The plan behind the approval's link."""
        runs = self._codepipeline.list_action_executions(pipelineName=PIPELINE)
        plan = next(r for r in runs["actionExecutionDetails"] if r["actionName"] == "Plan")
        with urllib.request.urlopen(plan["output"]["outputVariables"]["Link"]) as answer:
            return str(answer.read().decode())

    def prune(self) -> None:
        """What a deployment with prune: true changes of the pipeline."""
        declared = self._codepipeline.get_pipeline(name=PIPELINE)["pipeline"]
        for stage in declared["stages"]:
            for action in stage["actions"]:
                configuration = action["configuration"]
                if "UserParameters" in configuration:
                    asked = {**json.loads(configuration["UserParameters"]), "prune": True}
                    configuration["UserParameters"] = json.dumps(asked)
        self._codepipeline.update_pipeline(pipeline=declared)

    def _newest(self) -> str:
        runs = self._codepipeline.list_pipeline_executions(pipelineName=PIPELINE, maxResults=1)
        return str(runs["pipelineExecutionSummaries"][0]["pipelineExecutionId"])

    def _status(self) -> str:
        runs = self._codepipeline.list_pipeline_executions(pipelineName=PIPELINE, maxResults=1)
        return str(runs["pipelineExecutionSummaries"][0]["status"])

    def _actions(self) -> dict[str, dict[str, Any]]:
        state = self._codepipeline.get_pipeline_state(name=PIPELINE)
        return {
            action["actionName"]: action.get("latestExecution", {})
            for stage in state["stageStates"]
            for action in stage["actionStates"]
        }


def eventually(look: Callable[[], Any], seconds: float = 40) -> Any:
    deadline = time.monotonic() + seconds
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.2)
    return seen


def monitor(name: str, **changes: str) -> str:
    """A request file."""
    fields = {
        "pipeline_type": "drift-monitor",
        "model_name": f"git-{name}",
        "endpoint_name": f"git-{name}",
        "baseline_data": "s3://{data-bucket-name}/datasets/employment/baseline.csv",
        "schedule_expression": "rate(1 day)",
        **changes,
    }
    return "".join(f"{key}: {value}\n" for key, value in fields.items())


@pytest.fixture
def pipelines(mlops: Any) -> Callable[[], dict[str, str]]:
    """Pipelines of this source, and how far each got."""

    def look() -> dict[str, str]:
        listed = mlops("pipelines", "list")["pipelines"]
        return {p["pipeline_id"]: p["state"] for p in listed if p["origin"] == "git:local"}

    return look


def test_pushes_add_change_and_remove_pipelines_as_a_person_approves(
    loop: Any, bucket: str, mlops: Any, pipelines: Callable[[], dict[str, str]]
) -> None:
    source = Source(loop)

    # A file that asks for what does not exist: told with file, key and what is accepted.
    refused = source.push(one=monitor("one"), two=monitor("two", window_minuts="5"))
    assert refused["Plan"]["status"] == "Failed"
    said = refused["Plan"]["errorDetails"]["message"]
    assert "two.yaml: window_minuts: There is no field 'window_minuts' here." in said
    assert "Did you mean 'window_minutes'?" in said
    assert pipelines() == {}

    # A file that is no YAML: told with the line.
    refused = source.push(one="pipeline_type: drift-monitor\nmodel_name: [git-one\n")
    assert "one.yaml: " in refused["Plan"]["errorDetails"]["message"]
    assert "line 3" in refused["Plan"]["errorDetails"]["message"]
    assert pipelines() == {}

    # Push 1 adds two; nothing happens before a person has seen the plan.
    asked = source.push(one=monitor("one"), two=monitor("two"))
    assert asked["Plan"]["summary"] == "Plan: 2 to add."
    assert f"+ {ONE}  one.yaml\n+ {TWO}  two.yaml" in source.shown()
    assert pipelines() == {}
    done = source.answer("Approved")
    assert done["status"] == "Succeeded"
    assert pipelines() == {ONE: "applied", TWO: "applied"}
    for pipeline in (ONE, TWO):
        assert mlops("status", pipeline, "--wait")["status"] == "Delivered"

    # The same again: nobody is asked for nothing.
    assert source.push(one=monitor("one"), two=monitor("two"))["status"] == "Succeeded"
    assert pipelines() == {ONE: "applied", TWO: "applied"}

    # Push 2 changes one and has no file for the other, which stays: pruning is off.
    changed = {"one": monitor("one", window_minutes="30")}
    assert source.push(**changed)["Plan"]["summary"] == "Plan: 1 to update, 1 without a file."
    shown = source.shown()
    assert "window_minutes: 60 -> 30" in shown
    assert "It stays, because pruning is off." in shown

    # Said no: nothing is changed. The next push asks again.
    assert source.answer("Rejected")["status"] == "Failed"
    assert mlops("status", ONE)["status"] == "Delivered"
    source.push(**changed)
    assert source.answer("Approved")["status"] == "Succeeded"
    assert mlops("status", ONE, "--wait")["status"] == "Delivered"
    assert TWO in pipelines()

    # With pruning it goes; what another origin asked for does not.
    source.prune()
    asked = source.push(**changed, three=monitor("three"))
    assert asked["Plan"]["summary"] == "Plan: 1 to add, 1 to remove, 1 unchanged."
    source.answer("Approved")
    eventually(lambda: TWO not in pipelines())
    mlops("status", THREE, "--wait")
    assert set(pipelines()) == {ONE, THREE}

    # A repository without request files removes nothing.
    emptied = source.push()
    assert "An empty folder removes nothing" in emptied["Plan"]["errorDetails"]["message"]
    assert set(pipelines()) == {ONE, THREE}
    for pipeline in (ONE, THREE):
        mlops("pipelines", "delete", pipeline, "--yes", "--wait")
