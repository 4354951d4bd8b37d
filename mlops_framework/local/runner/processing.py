"""One processing job: the container's entry point and arguments, run on the job's own folder.

The plane leaves config/processingjobconfig.json and config/resourceconfig.json, as SageMaker does,
and the inputs at their local paths. The program's error ends in output/failure; what it writes to
output/message is its own exit message.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

from . import entry_point, lifeline, optml
from .errors import UserError


def main(arguments: list[str]) -> int:
    """Run the job whose folder is given.

    Args:
        arguments: the one folder that is to be /opt/ml.

    Returns:
        0, or 1 when the program failed or could not be started.
    """
    view = optml.enter(Path(arguments[0]))
    lifeline.hold()
    lifeline.leave_termination_to_the_program()
    try:
        process(view.base, dict(os.environ))
    except (UserError, OSError) as error:
        reason = view.explain(str(error))
        print(reason, file=sys.stderr, flush=True)
        failure = view.base / "output" / "failure"
        failure.parent.mkdir(parents=True, exist_ok=True)
        failure.write_text(reason)
        return 1
    return 0


def process(base: Path, ambient: dict[str, str]) -> None:
    """Run the program that the job's configuration names.

    Args:
        base: /opt/ml, or the folder that stands for it.
        ambient: the process environment.

    Raises:
        UserError: the program failed.
        OSError: it could not be started.
    """
    (base / "output").mkdir(exist_ok=True)
    job = json.loads((base / "config" / "processingjobconfig.json").read_text())
    image = job["AppSpecification"]
    command = [*image.get("ContainerEntrypoint", []), *image.get("ContainerArguments", [])]
    environment = {name: _here(value, base) for name, value in ambient.items()}
    if base != optml.OPT_ML:
        environment["SAGEMAKER_BASE_DIR"] = str(base)
    entry_point.run([_here(word, base) for word in command], folder=base, environment=environment)


def _here(text: str, base: Path) -> str:
    """Name the real folder where the job cannot see it as /opt/ml."""
    if base == optml.OPT_ML:
        return text
    return text.replace(f"{optml.OPT_ML}/", f"{base}/")
