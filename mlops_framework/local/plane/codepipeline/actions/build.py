"""The CodeBuild action: a build whose source and artifacts are the pipeline's."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from typing import Any, ClassVar

from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionAbandoned,
    ActionFailed,
    ActionResult,
    ActionRun,
)
from mlops_framework.local.plane.codepipeline.artifacts import Artifact

_EIGHT_HOURS = 8 * 60
_LOOK_SECONDS = 0.2


class CodeBuildBuild(Action):
    """Runs a build; its exported variables are the action's.

    Source: CodePipeline user guide, "AWS CodeBuild build and test action reference".
    """

    category: ClassVar[str] = "Build"
    provider: ClassVar[str] = "CodeBuild"
    required: ClassVar[frozenset[str]] = frozenset({"ProjectName"})
    optional: ClassVar[frozenset[str]] = frozenset({"PrimarySource", "EnvironmentVariables"})
    inputs: ClassVar[tuple[int, int]] = (1, 5)
    outputs: ClassVar[tuple[int, int]] = (0, 5)

    def refusal(self, configuration: Mapping[str, str]) -> str | None:
        """The variables have to be the list that CodeBuild takes; references are resolved later."""
        try:
            given = json.loads(configuration.get("EnvironmentVariables", "[]"))
        except ValueError as error:
            return f"EnvironmentVariables is no JSON: {error}."
        named = isinstance(given, list) and all(
            isinstance(one, dict) and {"name", "value"} <= one.keys() for one in given
        )
        return (
            None if named else 'EnvironmentVariables is a JSON list of {"name", "value", "type"}.'
        )

    def run(self, run: ActionRun) -> ActionResult:
        """See :meth:`Action.run`."""
        client = run.client("codebuild")
        outputs = {
            item["name"]: Artifact(item["name"], run.store.bucket, run.store.new_key(item["name"]))
            for item in run.action.get("outputArtifacts", ())
        }
        build = client.start_build(
            projectName=run.configuration["ProjectName"],
            environmentVariablesOverride=json.loads(
                run.configuration.get("EnvironmentVariables", "[]")
            ),
            **_sources(run),
            **_artifacts(outputs),
        )["build"]
        run.note(externalExecutionId=build["id"])
        deadline = time.monotonic() + run.timeout_seconds(_EIGHT_HOURS)
        while not build["buildComplete"]:
            try:
                run.pause(_LOOK_SECONDS)
            except ActionAbandoned:
                client.stop_build(id=build["id"])
                raise
            if time.monotonic() > deadline:
                client.stop_build(id=build["id"])
                raise ActionFailed("JobTimedOut", "The action timed out.", build["id"])
            (build,) = client.batch_get_builds(ids=[build["id"]])["builds"]
        if build["buildStatus"] != "SUCCEEDED":
            raise ActionFailed("JobFailed", _why(build), build["id"])
        return ActionResult(
            artifacts=outputs,
            variables={
                one["name"]: one["value"] for one in build.get("exportedEnvironmentVariables", ())
            },
            summary="Build succeeded",
            external_id=build["id"],
        )


class CodeBuildTest(CodeBuildBuild):
    """The same in a test stage."""

    category: ClassVar[str] = "Test"


def _sources(run: ActionRun) -> dict[str, Any]:
    primary = run.configuration.get("PrimarySource") or next(iter(run.inputs))
    if primary not in run.inputs:
        raise ActionFailed(
            "ConfigurationError",
            f"PrimarySource is {primary!r}; input artifacts: {', '.join(run.inputs)}.",
        )
    found = run.inputs[primary]
    others = [
        {
            "type": "S3",
            "location": f"{artifact.bucket}/{artifact.key}",
            "sourceIdentifier": name,
        }
        for name, artifact in run.inputs.items()
        if name != primary
    ]
    return {
        "sourceTypeOverride": "S3",
        "sourceLocationOverride": f"{found.bucket}/{found.key}",
        "secondarySourcesOverride": others,
    }


def _artifacts(outputs: Mapping[str, Artifact]) -> dict[str, Any]:
    """One output is the primary artifact, several are secondary ones by their names."""
    if len(outputs) == 1:
        (artifact,) = outputs.values()
        return {"artifactsOverride": _place(artifact), "secondaryArtifactsOverride": []}
    return {
        "artifactsOverride": {"type": "NO_ARTIFACTS"},
        "secondaryArtifactsOverride": [
            {**_place(artifact), "artifactIdentifier": name} for name, artifact in outputs.items()
        ],
    }


def _place(artifact: Artifact) -> dict[str, Any]:
    path, _, name = artifact.key.rpartition("/")
    return {
        "type": "S3",
        "location": artifact.bucket,
        "path": path,
        "name": name,
        "namespaceType": "NONE",
        "packaging": "ZIP",
    }


def _why(build: Mapping[str, Any]) -> str:
    for phase in build["phases"]:
        for context in phase.get("contexts", ()):
            return (
                f"Build terminated with state: {build['buildStatus']}. "
                f"Phase: {phase['phaseType']}, Code: {context.get('statusCode', '')}, "
                f"Message: {context.get('message', '')}"
            )
    return f"Build terminated with state: {build['buildStatus']}."
