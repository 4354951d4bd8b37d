"""``mlops demo``: an example's whole loop on the local AWS, step by step, each read back.

The example brings the steps (``examples/<name>/loop.py``, with a ``Loop`` and a ``Place``); this
module brings the local AWS, the command line and the timeline.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Final

import typer

from mlops_framework.cli.embedded import Embedded, Up
from mlops_framework.cli.errors import NotDone
from mlops_framework.cli.options import AsJson
from mlops_framework.cli.place import LOCAL

STATE: Final = Path(".mlops/demo")
STEPS: Final = (
    ("Subscribe to alerts", "subscribe"),
    ("Upload the data", "upload"),
    ("Train, gate, register", "train"),
    ("Approve the model", "approve"),
    ("Serve it", "serve"),
    ("Watch it", "monitor"),
    ("Traffic as in training", "healthy"),
    ("Drifted traffic", "drifted"),
    ("Alert", "alerted"),
    ("Retrain", "retrained"),
)
"""What is told, and the method of ``Loop`` that does it and says what it read back."""


@dataclass(frozen=True)
class Done:
    """A step that held.

    Attributes:
        step: Its title.
        checked: What was read back.
        seconds: How long it took.
    """

    step: str
    checked: str
    seconds: float


class StepFailed(NotDone):
    """A step of the demo did not hold; the steps before it did."""


def demo(
    ctx: typer.Context,
    example: Annotated[str, typer.Option("--example", help="Folder in examples/.")] = "employment",
    leave: Annotated[
        bool, typer.Option("--leave-running", help="Leave the local AWS up to look around.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Run an example's whole loop on a local AWS of its own, and check every step."""
    from mlops_framework.cli import screen

    state = ctx.obj.state if ctx.obj.state_given else STATE
    embedded: Embedded = ctx.obj.embedded_in(state)
    timeline: list[Done] = []
    try:
        with screen.progress("Preparing the data") as progress, ThreadPoolExecutor(1) as aside:
            shown = None if as_json else screen.show_line
            told = Teller(progress.update, shown, state / "emulator.log")
            script = _script(example)
            prepared = aside.submit(_prepare, script, state / "data")
            up = _fresh(embedded, told, timeline, outlive=leave)
            told.step("Prepare the data", prepared.result, timeline)
            loop = load_loop(example, up, data=state / "data", state=state)
            for title, method in STEPS:
                told.step(title, getattr(loop, method), timeline)
            report = loop.report_file(state)
    finally:
        if not leave:
            embedded.down()
    if as_json:
        document = {"report": str(report), "timeline": [asdict(done) for done in timeline]}
        screen.show_json(document)
        return
    total = sum(done.seconds for done in timeline)
    screen.show_line(f"\nEvery step held, in {total:.0f} s. Drift report: {report}")
    again = f"mlops --state {state}" if leave else "mlops"
    verb = "It is left running" if leave else "To look around, leave one running"
    action = "local status" if leave else "local up"
    screen.show_line(f'{verb}: {again} {action}, then eval "$({again} local env)".')


class Teller:
    """Runs steps, shows what goes on and what was done.

    Args:
        going_on: Shown while a step runs.
        done: Shown when it held; ``None`` shows nothing.
        log: Named when a step does not hold.
    """

    def __init__(
        self, going_on: Callable[[str], None], done: Callable[[str], None] | None, log: Path
    ) -> None:
        self._going_on = going_on
        self._done = done
        self._log = log

    def tell(self, text: str) -> None:
        """What is going on."""
        self._going_on(text)

    def step(self, title: str, act: Callable[[], str], timeline: list[Done]) -> str:
        """Run one step and note it.

        Raises:
            StepFailed: If it did not hold.
        """
        self._going_on(title)
        begun = time.monotonic()
        try:
            checked = act()
        except AssertionError as error:
            raise StepFailed(f"{title}: {error}\n\nThe local AWS's log: {self._log}") from error
        done = Done(title, checked, round(time.monotonic() - begun, 1))
        timeline.append(done)
        if self._done is not None:
            self._done(f"{done.seconds:6.1f} s  {title:<24} {checked}")
        return checked


def load_loop(example: str, up: Up, *, data: Path, state: Path) -> Any:
    """The example's loop, in the local AWS that is up."""
    folder = Path("examples") / example
    module = _module(folder / "loop.py")
    place = module.Place(
        environment=up.environment,
        prefix=f"mlops-{LOCAL}",
        mlops=lambda *arguments: mlops_json(arguments, state),
        address=up.address,
    )
    return module.Loop(
        place=place, data=data, source=folder / "source", requests=folder / "requests"
    )


def mlops_json(arguments: Sequence[str], state: Path) -> Any:
    """Run this command line as a user would, in a process of its own.

    Raises:
        AssertionError: If it says that something is wrong, in its own words.
    """
    done = subprocess.run(
        [sys.executable, "-m", "mlops_framework.cli", *arguments, "--json"],
        env={**os.environ, "MLOPS_STATE": str(state)},
        capture_output=True,
        text=True,
        check=False,
    )
    document = _json(done.stdout)
    if done.returncode == 1 or document is None:
        said = _said(document) if document else done.stderr.strip() or done.stdout.strip()
        raise AssertionError(f"mlops {' '.join(arguments)}: {said}")
    return document


def _fresh(embedded: Embedded, told: Teller, timeline: list[Done], *, outlive: bool) -> Up:
    """A new local AWS with the platform in it; what an interrupted demo left is stopped first."""
    found: list[Up] = []

    def start() -> str:
        embedded.down()
        up = embedded.up(told.tell, port=None, keep=False, deploy=True, outlive=outlive)
        found.append(up)
        return f"{len(up.stacks)} stacks at {up.endpoint}"

    told.step("Start and deploy", start, timeline)
    return found[0]


def _script(example: str) -> Path:
    script = Path("examples") / example / "prepare.py"
    if not script.is_file():
        known = ", ".join(sorted(file.parent.name for file in Path().glob("examples/*/prepare.py")))
        raise NotDone(
            f"There is no {script}. Run this in the checkout; examples: {known or 'none'}."
        )
    return script


def _prepare(script: Path, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, str(script), "--output", str(folder)],
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise NotDone(f"{script} failed:\n{done.stderr.strip()[-2000:]}")
    return f"{sum(1 for _ in folder.glob('*'))} files in {folder}"


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        return None


def _said(document: Mapping[str, Any]) -> str:
    faults = "".join(f"\n  {one['path']}: {one['message']}" for one in document.get("faults", ()))
    problems = "".join(
        f"\n  {one['stage']}/{one['action']} {one['resource']}: {one['reason']}"
        for one in document.get("problems", ())
    )
    return f"{document.get('message', document)}{faults}{problems}"


def _module(file: Path) -> ModuleType:
    """A module of the checkout, which is no installed package."""
    spec = importlib.util.spec_from_file_location(f"mlops_example_{file.parent.name}", file)
    if spec is None or spec.loader is None or not file.is_file():
        raise NotDone(f"There is no {file}, which would bring the steps.")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # Dataclasses look their module up while it is executed.
    spec.loader.exec_module(module)
    return module
