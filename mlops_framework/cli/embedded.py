"""The local AWS as the commands use it: up (started and deployed), down, what runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, Protocol

from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.place import LOCAL, STATE

if TYPE_CHECKING:
    from mlops_framework.local.emulator import Emulator

Tell = Callable[[str], None]
_ERROR_LINES: Final = 25


@dataclass(frozen=True)
class Up:
    """A running local AWS.

    Attributes:
        endpoint: Address for AWS clients.
        api_url: The orchestrator's API there; empty before the platform is deployed.
        pid: Its process.
        state: Folder of its state and logs.
        environment: Variables that point AWS clients at it.
        stacks: CloudFormation status by stack name.
    """

    endpoint: str
    api_url: str
    pid: int
    state: str
    environment: Mapping[str, str]
    stacks: Mapping[str, str] = field(default_factory=dict)

    def address(self, url: str) -> str:
        """How an API that a stack names in its outputs is reached here."""
        from mlops_framework.local.emulator import Emulator

        emulator = Emulator.attach(Path(self.state))
        if emulator is None:
            raise NotDone(f"The local AWS of {self.state} has stopped.")
        return emulator.local_url(url)

    def to_document(self) -> dict[str, Any]:
        """For ``--json``."""
        return {"running": True, **asdict(self)}


class Embedded(Protocol):
    """What the commands need of the local AWS."""

    def up(
        self, tell: Tell, *, port: int | None, keep: bool, deploy: bool, outlive: bool = True
    ) -> Up:
        """Start it unless it runs, deploy the platform, say what there is.

        Args:
            tell: Told what is being done.
            port: Where it listens; ``None`` chooses a free one.
            keep: Whether its state survives down and up.
            deploy: Whether to deploy the platform to it.
            outlive: Whether it goes on running when this process ends, however that happens.
        """
        ...

    def down(self) -> bool:
        """Stop it; whether there was something to stop."""
        ...

    def look(self) -> Up | None:
        """What runs, or nothing."""
        ...


@dataclass(frozen=True)
class CheckoutEmbedded:
    """The local AWS of a checkout.

    Attributes:
        state: Folder of its state.
        checkout: Where ``app.py`` is.
        record: File that it writes down its resources and its functions' calls in.
    """

    state: Path = STATE
    checkout: Path = Path()
    record: Path | None = None
    _held: list[Emulator] = field(default_factory=list, init=False, repr=False, compare=False)

    def up(
        self, tell: Tell, *, port: int | None, keep: bool, deploy: bool, outlive: bool = True
    ) -> Up:
        """Start it unless it runs, deploy the platform, say what there is.

        Raises:
            NotDone: If the app cannot be synthesized.
            LocalAwsFault: If the emulator does not start or a stack fails.
        """
        from mlops_framework.local.emulator import Emulator

        # Before anything is started: a template that does not synthesize needs no emulator.
        assembly = self._synthesize(tell) if deploy else None
        emulator = Emulator.attach(self.state)
        if emulator is None:
            emulator = Emulator(
                self.state,
                port=port,
                keep_state=keep,
                detached=outlive,
                progress=tell,
                record=self.record,
            ).start()
            if not outlive:
                # It ends when the pipe to it is closed, which happens when nobody holds it.
                self._held.append(emulator)
        if assembly is not None:
            from mlops_framework.local.deploy import Deployer

            Deployer(emulator, tell).deploy(assembly)
        return self._seen(emulator)

    def down(self) -> bool:
        """Stop it and all that it started; whether there was something to stop."""
        from mlops_framework.local.emulator import Emulator

        emulator = self._held.pop() if self._held else Emulator.attach(self.state)
        if emulator is None:
            return False
        emulator.stop()
        return True

    def look(self) -> Up | None:
        """What runs, or nothing."""
        if not (self.state / "emulator.json").is_file():
            return None
        from mlops_framework.local.emulator import Emulator

        emulator = Emulator.attach(self.state)
        return None if emulator is None else self._seen(emulator)

    def _synthesize(self, tell: Tell) -> Path:
        if not (self.checkout / "app.py").is_file():
            raise NotDone(
                f"There is no app.py in {self.checkout.resolve()}: run this in the checkout, or "
                "say --no-deploy for an empty local AWS."
            )
        tell("Synthesizing the app for environments/local.yaml")
        assembly = self.state.resolve() / "cdk.out"
        done = subprocess.run(
            [sys.executable, "app.py", "-c", f"env={LOCAL}"],
            cwd=self.checkout,
            env={**node_environment(os.environ), "CDK_OUTDIR": str(assembly)},
            capture_output=True,
            text=True,
            check=False,
        )
        if done.returncode:
            said = "\n".join(done.stderr.strip().splitlines()[-_ERROR_LINES:])
            raise NotDone(f"The app does not synthesize (status {done.returncode}):\n{said}")
        return assembly

    def _seen(self, emulator: Emulator) -> Up:
        stacks = emulator.client("cloudformation").describe_stacks()["Stacks"]
        return Up(
            endpoint=emulator.endpoint,
            api_url=_api_url(emulator),
            pid=emulator.running.pid,
            state=str(self.state),
            environment=emulator.environment(),
            stacks={stack["StackName"]: stack["StackStatus"] for stack in stacks},
        )


def node_environment(environment: Mapping[str, str]) -> dict[str, str]:
    """The environment in which the CDK finds Node.js.

    Set-up puts one beside this interpreter where the machine has none, or none that fits.

    Raises:
        NotDone: If there is none.
    """
    beside = str(Path(sys.executable).parent)
    path = os.pathsep.join([beside, environment.get("PATH", os.defpath)])
    if "JSII_NODE" not in environment and shutil.which("node", path=path) is None:
        raise NotDone(
            "Node.js is missing, and the CDK runs on it. Run make setup, which brings one along, "
            "or install Node.js 20 or newer."
        )
    return {**environment, "PATH": path}


def _api_url(emulator: Emulator) -> str:
    pages = emulator.client("ssm").get_paginator("get_parameters_by_path")
    for page in pages.paginate(Path="/", Recursive=True):
        for parameter in page["Parameters"]:
            if parameter["Name"].endswith("/platform/api-url"):
                return emulator.local_url(parameter["Value"])
    return ""
