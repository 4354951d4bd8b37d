"""One build: the commands of its phases, each in a shell that goes on where the last one stopped.

The plane leaves build.json. What happens is written to progress.jsonl as it happens, and what the
build exports to exported.json at its end. Variables, whether exported or not, and the working
folder live on from one command to the next, as they do in CodeBuild's own shell.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from . import lifeline

# Bash sets these itself, and some of them cannot be set.
_BASH_ITS_OWN = (
    "^declare -[a-zA-Z]*r|^declare -[a-zA-Z-]+ (BASH[A-Z_]*|DIRSTACK|EPOCH[A-Z]*|FUNCNAME|GROUPS|"
    "LINENO|OPTERR|OPTIND|PIPESTATUS|PPID|RANDOM|SECONDS|SHLVL|SRANDOM|_)(=|$)"
)
_OURS = "^declare -[a-zA-Z-]+ (mlops_|MLOPS_|CODEBUILD_BUILD_SUCCEEDING=)"
_COMMAND = f"""
if [ -f "$MLOPS_STATE/variables" ]; then . "$MLOPS_STATE/variables"; fi
cd "$(cat "$MLOPS_STATE/folder")" || exit 1
mlops_keep() {{
  mlops_status=$?
  pwd > "$MLOPS_STATE/folder"
  declare -p | grep -vE '{_BASH_ITS_OWN}' | grep -vE '{_OURS}' \\
    > "$MLOPS_STATE/variables"
  exit $mlops_status
}}
trap mlops_keep EXIT
eval "$MLOPS_COMMAND"
"""
_PRINT = 'for name in "$@"; do printf "%s=%s\\0" "$name" "${!name}"; done'


def main(arguments: list[str]) -> int:
    """Run the build whose folder is given.

    Args:
        arguments: the build's own folder.

    Returns:
        0, or 1 when a phase failed.
    """
    lifeline.hold()
    build = Build(Path(arguments[0]).resolve())
    # The command that runs gets the signal as well; no further one is begun.
    signal.signal(signal.SIGTERM, lambda _number, _frame: build.stop())
    return 0 if build.run() else 1


class Build:
    """The phases of one build, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._plan: dict[str, Any] = json.loads((folder / "build.json").read_text())
        self._state = folder / "state"
        self._state.mkdir(exist_ok=True)
        (self._state / "folder").write_text(self._plan["source"])
        self._environment = {**os.environ, **self._plan["variables"]}
        self._succeeding = True
        self._stopped = False

    def stop(self) -> None:
        """Begin no further command."""
        self._stopped = True

    def run(self) -> bool:
        """Run every phase that is due.

        Returns:
            Whether all of them succeeded.
        """
        for phase in self._plan["phases"]:
            if self._is_due(phase["name"]):
                self._succeeding &= self._phase(phase)
                aborts = phase.get("on_failure") == "ABORT"
                if not self._succeeding and (aborts or phase["name"] != "BUILD"):
                    break
        self._export()
        return self._succeeding

    def _is_due(self, name: str) -> bool:
        """What comes after a failed build is its POST_BUILD phase; after others, nothing."""
        return not self._stopped and (self._succeeding or name == "POST_BUILD")

    def _phase(self, phase: dict[str, Any]) -> bool:
        self._note(phase["name"], "start")
        failure = self._commands(phase["commands"])
        # `finally` runs whatever came before; the first failure is the one that is told.
        afterwards = self._commands(phase["finally"])
        failure = failure or afterwards
        said = (
            f"Error while executing command: {failure[0]}. Reason: exit status {failure[1]}"
            if failure
            else ""
        )
        self._note(phase["name"], "end", status="FAILED" if failure else "SUCCEEDED", message=said)
        return not failure

    def _commands(self, commands: list[str]) -> tuple[str, int] | None:
        for command in commands:
            if self._stopped:
                break
            print(f"[Container] Running command {command}", flush=True)
            status = self._command(command)
            if status:
                return command, status
        return None

    def _command(self, command: str) -> int:
        done = subprocess.run(
            [*self._shell(), "-c", _COMMAND],
            env={
                **self._environment,
                "CODEBUILD_BUILD_SUCCEEDING": "1" if self._succeeding else "0",
                "MLOPS_STATE": str(self._state),
                "MLOPS_COMMAND": command,
            },
            stdin=subprocess.DEVNULL,
            stderr=subprocess.STDOUT,
            check=False,
        )
        return done.returncode

    def _shell(self) -> list[str]:
        # Amazon Linux's sh is bash as well, in its POSIX mode.
        return ["bash"] if self._plan["shell"] == "bash" else ["bash", "--posix"]

    def _export(self) -> None:
        names = self._plan["exported"]
        if not names:
            return
        variables = self._state / "variables"
        known = f'. "{variables}"; ' if variables.exists() else ""
        done = subprocess.run(
            ["bash", "-c", known + _PRINT, "export", *names],
            env=self._environment,
            capture_output=True,
            text=True,
            check=False,
        )
        pairs = [part.split("=", 1) for part in done.stdout.split("\0") if "=" in part]
        (self._folder / "exported.json").write_text(json.dumps(dict(pairs)))

    def _note(self, phase: str, event: str, **more: str) -> None:
        line = json.dumps({"phase": phase, "event": event, "at": time.time(), **more})
        with (self._folder / "progress.jsonl").open("a") as file:
            file.write(line + "\n")
        if event == "start":
            print(f"[Container] Entering phase {phase}", flush=True)
        else:
            succeeded = more["status"] == "SUCCEEDED"
            print(f"[Container] Phase complete: {phase} Success: {succeeded}", flush=True)
            if more["message"]:
                print(f"[Container] {more['message']}", file=sys.stderr, flush=True)
