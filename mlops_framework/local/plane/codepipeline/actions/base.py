"""What an action is: its configuration, what it is given, what it gives back."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar

from mlops_framework.local.plane.codepipeline.artifacts import Artifact, ArtifactStore
from mlops_framework.local.plane.codepipeline.mailbox import Mailbox
from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.service import Scope


class ActionFailed(Exception):
    """An action that did not succeed.

    Attributes:
        code: AWS's error code (``JobFailed``, ``ConfigurationError``, ...).
        message: What the reader of the pipeline's state sees.
        external_id: The failed thing, where there is one.
    """

    def __init__(self, code: str, message: str, external_id: str | None = None) -> None:
        """Keeps the parts; a message is cut at AWS's 5000 characters."""
        self.code = code
        self.message = message[:5000]
        self.external_id = external_id
        super().__init__(self.message)


class ActionAbandoned(Exception):
    """The execution was stopped and the action with it."""


@dataclass(frozen=True)
class ActionResult:
    """What a successful action leaves.

    Attributes:
        artifacts: Output artifacts by name.
        variables: Output variables, readable through the action's namespace.
        summary: One sentence for the reader of the pipeline's state.
        external_id: What was made or used (a change set, an object version, ...).
        revision: For a source: the revision it fetched.
    """

    artifacts: Mapping[str, Artifact] = field(default_factory=dict)
    variables: Mapping[str, str] = field(default_factory=dict)
    summary: str | None = None
    external_id: str | None = None
    revision: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class ActionRun:
    """One run of one action.

    Attributes:
        host: The emulator.
        scope: Account and region of the pipeline.
        pipeline: The pipeline's name.
        pipeline_arn: Its ARN.
        execution_id: The execution.
        stage: The stage's name.
        action: The action's declaration.
        action_execution_id: This run's id.
        configuration: The action's configuration, variables resolved.
        inputs: Input artifacts by name, in the order declared.
        store: Where output artifacts go.
        mailbox: Where approvals and job results arrive.
        overrides: Source revisions the caller of the execution asked for.
        note: Writes members into the action's visible state while it runs (``token``, ...).
        abandoned: Whether the execution was stopped with ``abandon``.
    """

    host: PlaneHost
    scope: Scope
    pipeline: str
    pipeline_arn: str
    execution_id: str
    stage: str
    action: Mapping[str, Any]
    action_execution_id: str
    configuration: Mapping[str, str]
    inputs: Mapping[str, Artifact]
    store: ArtifactStore
    mailbox: Mailbox
    overrides: Mapping[str, str]
    note: Callable[..., None]
    abandoned: Callable[[], bool]

    def client(self, service: str) -> Any:
        """A boto3 client in the action's region."""
        region = self.action.get("region") or self.scope.region
        return self.host.client(service, Scope(self.scope.account, region))

    def pause(self, seconds: float) -> None:
        """Waits.

        Raises:
            ActionAbandoned: The execution was stopped meanwhile.
        """
        if self.abandoned():
            raise ActionAbandoned
        time.sleep(seconds)

    def timeout_seconds(self, default_minutes: int) -> float:
        """How long the action may take."""
        return 60.0 * int(self.action.get("timeoutInMinutes") or default_minutes)

    def input_file(self, reference: str, key: str) -> bytes:
        """Reads ``Artifact::path`` out of an input artifact.

        Args:
            reference: The configuration's value.
            key: The configuration's key, for the message.

        Raises:
            ActionFailed: The reference is malformed, or artifact or file do not exist.
        """
        name, separator, path = reference.partition("::")
        if not separator or name not in self.inputs:
            known = ", ".join(self.inputs) or "none"
            raise ActionFailed(
                "ConfigurationError",
                f"{key} is {reference!r}; it must be <input artifact>::<file>. "
                f"Input artifacts: {known}.",
            )
        files = self.store.files(self.inputs[name])
        if path not in files:
            raise ActionFailed(
                "ConfigurationError",
                f"The file {path!r} of {key} does not exist in the artifact {name!r}; "
                f"it holds: {', '.join(sorted(files))}.",
            )
        return files[path]


class Action(ABC):
    """One kind of action.

    Attributes:
        category: AWS's category.
        provider: AWS's provider.
        required: Configuration keys that must be there.
        optional: Configuration keys that may be there.
        inputs: Least and greatest number of input artifacts.
        outputs: Least and greatest number of output artifacts.
    """

    category: ClassVar[str]
    provider: ClassVar[str]
    required: ClassVar[frozenset[str]] = frozenset()
    optional: ClassVar[frozenset[str]] = frozenset()
    inputs: ClassVar[tuple[int, int]] = (0, 0)
    outputs: ClassVar[tuple[int, int]] = (0, 0)

    def refusal(self, configuration: Mapping[str, str]) -> str | None:
        """What is wrong with a configuration beyond its keys, or ``None``."""
        return None

    @abstractmethod
    def run(self, run: ActionRun) -> ActionResult:
        """Does it.

        Raises:
            ActionFailed: It did not succeed.
            ActionAbandoned: The execution was stopped.
        """
