"""Deploys a CDK cloud assembly to the local AWS, without the CDK CLI.

The same steps as ``cdk deploy``: bootstrap, file assets, one change set per stack in dependency
order. The templates and bundles are those of the cloud; nothing is rewritten on the way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from botocore.exceptions import ClientError

from mlops_framework.local import assembly, bootstrap, change_sets
from mlops_framework.local.assembly import Place, StackArtifact
from mlops_framework.local.emulator import Emulator
from mlops_framework.local.errors import AssemblyUnreadable, DeployFailed

Progress = Callable[[str], None]
Outputs = dict[str, dict[str, str]]

_CHANGE_SET = "cdk-deploy-change-set"
_CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]


@dataclass(frozen=True)
class Deployment:
    """What deploying one stack came to.

    Attributes:
        stack: The stack's name.
        changed: False when it was up to date.
        seconds: How long it took.
        outputs: Its outputs by key.
    """

    stack: str
    changed: bool
    seconds: float
    outputs: dict[str, str]


class Deployer:
    """Deploys assemblies to one emulator."""

    def __init__(self, emulator: Emulator, progress: Progress | None = None) -> None:
        """Takes where to.

        Args:
            emulator: A running emulator.
            progress: Told what is being done, one sentence each.
        """
        self._emulator = emulator
        self._progress = progress or (lambda _: None)
        self._home = Place(emulator.running.account, emulator.running.region)
        self._published: set[tuple[Place, str, str]] = set()

    def deploy(self, folder: Path, only: Sequence[str] | None = None) -> list[Deployment]:
        """Deploys the stacks of an assembly.

        Args:
            folder: ``cdk.out``.
            only: Names or paths of stacks; ``None`` deploys all. What they depend on has to be
                there already.

        Returns:
            What each stack came to, in the order deployed.

        Raises:
            AssemblyUnreadable: There is no such assembly or no such stack.
            DeployFailed: A stack failed; names its resources and CloudFormation's reasons.
        """
        stacks = _chosen(assembly.read(folder, self._home), only)
        for place in dict.fromkeys(stack.place for stack in stacks):
            self._bootstrap(place)
        done = []
        for stack in stacks:
            self._publish(stack)
            self._progress(f"Deploying {stack.name}")
            done.append(self._deploy(stack))
        return done

    def destroy(self, folder: Path, only: Sequence[str] | None = None) -> None:
        """Deletes the stacks of an assembly, last deployed first.

        Raises:
            DeployFailed: A stack could not be deleted.
        """
        for stack in reversed(_chosen(assembly.read(folder, self._home), only)):
            cloudformation = self._client("cloudformation", stack.place)
            found = change_sets.find_stack(cloudformation, stack.name)
            if found is None:
                continue
            self._progress(f"Deleting {stack.name}")
            self._delete(cloudformation, found)

    def _bootstrap(self, place: Place) -> None:
        cloudformation = self._client("cloudformation", place)
        found = change_sets.find_stack(cloudformation, bootstrap.STACK_NAME)
        if change_sets.exists(found):
            return
        self._progress(f"Bootstrapping {place.account}/{place.region}")
        cloudformation.create_stack(
            StackName=bootstrap.STACK_NAME,
            TemplateBody=bootstrap.template(),
            Capabilities=_CAPABILITIES,
        )
        self._await(cloudformation, bootstrap.STACK_NAME)

    def _publish(self, stack: StackArtifact) -> None:
        for asset in stack.assets:
            mark = (asset.place, asset.bucket, asset.key)
            if mark in self._published:
                continue
            s3 = self._client("s3", asset.place)
            try:
                # The key holds the content's hash, so what is there is what would be put.
                s3.head_object(Bucket=asset.bucket, Key=asset.key)
            except ClientError as error:
                if error.response["Error"]["Code"] not in ("404", "NoSuchKey"):
                    raise
                content = asset.content()
                if len(content) > 1_000_000:
                    size = len(content) / 1e6
                    self._progress(f"Publishing {size:.0f} MB for {stack.name}")
                s3.put_object(Bucket=asset.bucket, Key=asset.key, Body=content)
            self._published.add(mark)

    def _deploy(self, stack: StackArtifact) -> Deployment:
        begun = time.monotonic()
        cloudformation = self._client("cloudformation", stack.place)
        found = change_sets.find_stack(cloudformation, stack.name)
        if found is not None and found["StackStatus"] in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED"):
            # Never came to be; CloudFormation updates no such stack, and the CDK CLI replaces it.
            self._delete(cloudformation, found)
        try:
            changed = change_sets.create(
                cloudformation, stack.name, _CHANGE_SET, self._request(stack, cloudformation)
            )
        except change_sets.ChangeSetRefused as error:
            raise DeployFailed(stack.name, "before it was changed", [str(error)]) from error
        if changed:
            cloudformation.execute_change_set(StackName=stack.name, ChangeSetName=_CHANGE_SET)
        else:
            change_sets.discard(cloudformation, stack.name, _CHANGE_SET)
        settled = self._await(cloudformation, stack.name)
        if stack.protected != bool(settled.get("EnableTerminationProtection")):
            cloudformation.update_termination_protection(
                StackName=stack.name, EnableTerminationProtection=stack.protected
            )
        seconds = time.monotonic() - begun
        return Deployment(stack.name, changed, seconds, change_sets.outputs(settled))

    def _request(self, stack: StackArtifact, cloudformation: Any) -> dict[str, Any]:
        request: dict[str, Any] = {
            "Capabilities": _CAPABILITIES,
            "Tags": [{"Key": key, "Value": value} for key, value in stack.tags.items()],
            "Parameters": [
                {"ParameterKey": key, "ParameterValue": value}
                for key, value in stack.parameters.items()
            ],
        }
        if stack.template_object is None:
            request["TemplateBody"] = stack.template.read_text(encoding="utf-8")
        else:
            located = stack.template_object.removeprefix("s3://")
            request["TemplateURL"] = f"{cloudformation.meta.endpoint_url}/{located}"
        return request

    def _await(self, cloudformation: Any, name: str) -> dict[str, Any]:
        settled = change_sets.wait(cloudformation, name)
        if settled is None or not change_sets.succeeded(settled):
            status = settled["StackStatus"] if settled else "DELETE_COMPLETE"
            reasons = change_sets.failure_reasons(cloudformation, name)
            raise DeployFailed(name, status, reasons)
        return settled

    def _delete(self, cloudformation: Any, stack: dict[str, Any]) -> None:
        # By id: a deleted stack can be asked about by id alone.
        cloudformation.delete_stack(StackName=stack["StackId"])
        left = change_sets.wait(cloudformation, stack["StackId"])
        if left is not None:
            reasons = change_sets.failure_reasons(cloudformation, stack["StackId"])
            raise DeployFailed(stack["StackName"], left["StackStatus"], reasons)

    def _client(self, service: str, place: Place) -> Any:
        return self._emulator.client(service, account=place.account, region=place.region)


def _chosen(stacks: list[StackArtifact], only: Sequence[str] | None) -> list[StackArtifact]:
    if only is None:
        return stacks
    known = {stack.name for stack in stacks} | {stack.path for stack in stacks}
    if unknown := sorted(set(only) - known):
        listed = ", ".join(stack.name for stack in stacks) or "none"
        raise AssemblyUnreadable(f"The assembly has no stack {unknown}; it has: {listed}.")
    return [stack for stack in stacks if stack.name in only or stack.path in only]
