"""The CloudFormation action: change sets made, executed; stacks deleted.

Source: CodePipeline user guide, "AWS CloudFormation deploy action reference".
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlops_framework.local import change_sets
from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionFailed,
    ActionResult,
    ActionRun,
)
from mlops_framework.local.plane.codepipeline.artifacts import Artifact, zipped

_NEEDS: Mapping[str, frozenset[str]] = {
    "CREATE_UPDATE": frozenset({"StackName", "TemplatePath", "RoleArn"}),
    "CHANGE_SET_REPLACE": frozenset({"StackName", "ChangeSetName", "TemplatePath", "RoleArn"}),
    "CHANGE_SET_EXECUTE": frozenset({"StackName", "ChangeSetName"}),
    "DELETE_ONLY": frozenset({"StackName", "RoleArn"}),
}


class CloudFormationDeploy(Action):
    """Deploys a template of an input artifact."""

    category: ClassVar[str] = "Deploy"
    provider: ClassVar[str] = "CloudFormation"
    required: ClassVar[frozenset[str]] = frozenset({"ActionMode", "StackName"})
    optional: ClassVar[frozenset[str]] = frozenset(
        {
            "Capabilities",
            "ChangeSetName",
            "OutputFileName",
            "ParameterOverrides",
            "RoleArn",
            "TemplateConfiguration",
            "TemplatePath",
        }
    )
    inputs: ClassVar[tuple[int, int]] = (0, 10)
    outputs: ClassVar[tuple[int, int]] = (0, 1)

    def refusal(self, configuration: Mapping[str, str]) -> str | None:
        """An unknown mode, or a mode without the keys it needs."""
        mode = configuration.get("ActionMode", "")
        if mode not in _NEEDS:
            return f"ActionMode {mode!r} is not carried; carried: {', '.join(_NEEDS)}."
        missing = sorted(_NEEDS[mode] - configuration.keys())
        return f"ActionMode {mode} also needs {', '.join(missing)}." if missing else None

    def run(self, run: ActionRun) -> ActionResult:
        """See :meth:`Action.run`."""
        modes: Mapping[str, Callable[[ActionRun, Any], ActionResult]] = {
            "CREATE_UPDATE": self._create_or_update,
            "CHANGE_SET_REPLACE": self._replace_change_set,
            "CHANGE_SET_EXECUTE": self._execute_change_set,
            "DELETE_ONLY": self._delete,
        }
        try:
            return modes[run.configuration["ActionMode"]](run, run.client("cloudformation"))
        except change_sets.ChangeSetRefused as error:
            raise ActionFailed("JobFailed", str(error)) from None
        except ClientError as error:
            raise ActionFailed("JobFailed", error.response["Error"]["Message"]) from None

    def _replace_change_set(self, run: ActionRun, cloudformation: Any) -> ActionResult:
        stack, name = run.configuration["StackName"], run.configuration["ChangeSetName"]
        changes = change_sets.create(cloudformation, stack, name, _request(run), run.pause)
        summary = (
            f"Change set {name} was created."
            if changes
            else f"Change set {name} was created and contains no changes."
        )
        return ActionResult(summary=summary, external_id=f"{stack}/{name}")

    def _execute_change_set(self, run: ActionRun, cloudformation: Any) -> ActionResult:
        stack, name = run.configuration["StackName"], run.configuration["ChangeSetName"]
        described = cloudformation.describe_change_set(StackName=stack, ChangeSetName=name)
        if described["Status"] == "FAILED" and not described.get("Changes"):
            found = change_sets.find_stack(cloudformation, stack)
            return _deployed(run, found or {}, f"Change set {name} contains no changes.")
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        return self._settled(run, cloudformation, stack)

    def _create_or_update(self, run: ActionRun, cloudformation: Any) -> ActionResult:
        stack = run.configuration["StackName"]
        name = f"codepipeline-{run.action_execution_id}"
        if not change_sets.create(cloudformation, stack, name, _request(run), run.pause):
            change_sets.discard(cloudformation, stack, name)
            found = change_sets.find_stack(cloudformation, stack)
            return _deployed(run, found or {}, f"Stack {stack} is up to date.")
        cloudformation.execute_change_set(StackName=stack, ChangeSetName=name)
        return self._settled(run, cloudformation, stack)

    def _delete(self, run: ActionRun, cloudformation: Any) -> ActionResult:
        stack = run.configuration["StackName"]
        found = change_sets.find_stack(cloudformation, stack)
        if found is None:
            return ActionResult(summary=f"Stack {stack} does not exist.")
        # By id: a deleted stack can be asked about by id alone.
        stack_id = found["StackId"]
        cloudformation.delete_stack(StackName=stack_id, RoleARN=run.configuration["RoleArn"])
        left = change_sets.wait(cloudformation, stack_id, run.pause)
        if left is not None:
            raise _failed(cloudformation, stack_id, left)
        return ActionResult(summary=f"Stack {stack} was deleted.", external_id=stack_id)

    def _settled(self, run: ActionRun, cloudformation: Any, stack: str) -> ActionResult:
        settled = change_sets.wait(cloudformation, stack, run.pause)
        if settled is None or not change_sets.succeeded(settled):
            raise _failed(cloudformation, stack, settled)
        status = settled["StackStatus"]
        return _deployed(run, settled, f"Stack {stack} reached {status}.")


def _failed(cloudformation: Any, stack: str, settled: Mapping[str, Any] | None) -> ActionFailed:
    reasons = change_sets.failure_reasons(cloudformation, stack)
    status = settled["StackStatus"] if settled else "DELETE_COMPLETE"
    told = "; ".join(reasons) or "CloudFormation gave no reason."
    return ActionFailed("JobFailed", f"Stack {stack} ended {status}: {told}", stack)


def _deployed(run: ActionRun, stack: Mapping[str, Any], summary: str) -> ActionResult:
    found = change_sets.outputs(stack)
    artifacts: dict[str, Artifact] = {}
    if outputs := run.action.get("outputArtifacts"):
        file_name = run.configuration.get("OutputFileName") or "CreateStackOutput.json"
        name = outputs[0]["name"]
        content = zipped({file_name: json.dumps(found).encode()})
        artifacts[name] = run.store.put(name, content)
    return ActionResult(
        artifacts=artifacts, variables=found, summary=summary, external_id=stack.get("StackId")
    )


def _request(run: ActionRun) -> dict[str, Any]:
    """The parameters of ``CreateChangeSet`` that come from artifacts and configuration."""
    configuration = run.configuration
    request: dict[str, Any] = {}
    template = run.input_file(configuration["TemplatePath"], "TemplatePath")
    if len(template) > change_sets.BODY_LIMIT:
        placed = run.store.put("template", template)
        request["TemplateURL"] = f"{run.host.endpoint}/{placed.bucket}/{placed.key}"
    else:
        request["TemplateBody"] = template.decode("utf-8")
    parameters, tags = _template_configuration(run)
    parameters |= _overrides(run)
    request["Parameters"] = [
        {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
    ]
    request["Tags"] = [{"Key": key, "Value": value} for key, value in tags.items()]
    if role := configuration.get("RoleArn"):
        request["RoleARN"] = role
    if capabilities := configuration.get("Capabilities"):
        request["Capabilities"] = [item.strip() for item in capabilities.split(",")]
    return request


def _template_configuration(run: ActionRun) -> tuple[dict[str, str], dict[str, str]]:
    reference = run.configuration.get("TemplateConfiguration")
    if not reference:
        return {}, {}
    try:
        document = json.loads(run.input_file(reference, "TemplateConfiguration"))
    except json.JSONDecodeError as error:
        raise ActionFailed("ConfigurationError", f"{reference} is not JSON: {error}") from None
    if not isinstance(document, dict):
        raise ActionFailed("ConfigurationError", f"{reference} is not a JSON object.")
    if unknown := sorted(document.keys() - {"Parameters", "Tags", "StackPolicy"}):
        raise ActionFailed(
            "ConfigurationError",
            f"{reference} holds {unknown}; Parameters, Tags and StackPolicy are known.",
        )
    return dict(document.get("Parameters") or {}), dict(document.get("Tags") or {})


def _overrides(run: ActionRun) -> dict[str, str]:
    text = run.configuration.get("ParameterOverrides")
    if not text:
        return {}
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        message = f"ParameterOverrides is not JSON: {error}"
        raise ActionFailed("ConfigurationError", message) from None
    return {key: _override(run, value) for key, value in document.items()}


def _override(run: ActionRun, value: Any) -> str:
    if isinstance(value, str):
        return value
    match value:
        case {"Fn::GetParam": [str(artifact), str(file), str(key)]}:
            document = json.loads(run.input_file(f"{artifact}::{file}", "ParameterOverrides"))
            return str(document[key])
        case {"Fn::GetArtifactAtt": [str(artifact), "BucketName"]} if artifact in run.inputs:
            return run.inputs[artifact].bucket
        case {"Fn::GetArtifactAtt": [str(artifact), "ObjectKey"]} if artifact in run.inputs:
            return run.inputs[artifact].key
    raise ActionFailed(
        "ConfigurationError",
        f"ParameterOverrides holds {value!r}; a string, Fn::GetParam or Fn::GetArtifactAtt "
        "(BucketName, ObjectKey) is understood.",
    )
