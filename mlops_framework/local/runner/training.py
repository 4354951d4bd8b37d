"""One training job in script mode, from its configuration files to its success or failure file.

The contract is that of a SageMaker framework image: input/config/*.json and input/data/<channel>/
are there when it starts; it leaves model/, output/data/ and output/success or output/failure.
"""

from __future__ import annotations

import os
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

from . import entry_point, lifeline, optml, source
from .errors import UserError
from .training_environment import TrainingEnvironment


def main(arguments: list[str]) -> int:
    """Run the job whose folder is given.

    Args:
        arguments: the one folder that is to be /opt/ml.

    Returns:
        0, or 1 for a failure of the user's making, or the number of the operating system's error.
    """
    return run(arguments, train, by_program=True)


def run(
    arguments: list[str], work: Callable[[Path, dict[str, str]], None], *, by_program: bool
) -> int:
    """Do a job's work, and leave its success or failure file.

    Args:
        arguments: the one folder that is to be /opt/ml.
        work: given /opt/ml, or the folder that stands for it, and the process environment.
        by_program: whether a program of the user's works, which a signal to end is meant for.

    Returns:
        0, or 1 for a failure of the user's making, or the number of the operating system's error.
    """
    view = optml.enter(Path(arguments[0]))
    lifeline.hold()
    if by_program:
        lifeline.leave_termination_to_the_program()
    try:
        work(view.base, dict(os.environ))
    except UserError as error:
        return _fail(view, str(error), status=1)
    except Exception as error:
        told = f"Framework Error: \n{traceback.format_exc()}\n{error}"
        return _fail(view, told, status=getattr(error, "errno", None) or 1)
    (view.base / "output" / "success").write_text("")
    print("Reporting training SUCCESS", flush=True)
    return 0


def train(base: Path, ambient: dict[str, str]) -> None:
    """Fetch the user's code, install what it needs and run it.

    Args:
        base: /opt/ml, or the folder that stands for it.
        ambient: the process environment.

    Raises:
        UserError: the code, its requirements or the program failed.
    """
    if base != optml.OPT_ML:
        ambient["SAGEMAKER_BASE_DIR"] = str(base)
    environment = TrainingEnvironment.read(base, ambient)
    for folder in ("code", "model", "output/data"):
        (base / folder).mkdir(parents=True, exist_ok=True)
    packages = base / ".packages"
    source.fetch(environment.module_dir, environment.code)
    name = entry_point.check_name(environment.entry_point or "")
    source.install(environment.code, name, packages)
    search = [str(environment.code), *([str(packages)] if packages.exists() else []), *sys.path]
    entry_point.run(
        entry_point.command_for(environment.code, name, environment.arguments()),
        folder=environment.code,
        environment={
            **ambient,
            **environment.process_variables(),
            **environment.variables(),
            "PYTHONPATH": ":".join(search),
        },
    )


def _fail(view: optml.View, reason: str, *, status: int) -> int:
    reason = view.explain(reason)
    print(f"Reporting training FAILURE\n{reason}", file=sys.stderr, flush=True)
    failure = view.base / "output" / "failure"
    failure.parent.mkdir(parents=True, exist_ok=True)
    # A program may have written its own, better reason.
    if not failure.exists():
        failure.write_text(reason)
    return status
