"""Failures of the user's own making, worded as SageMaker's training toolkit words them."""

from __future__ import annotations

from collections.abc import Sequence

# A line of output that holds one of these starts the message of a failed program (the toolkit's
# own rule; it keeps a job's FailureReason to what Python said rather than to what came before).
PYTHON_ERRORS = (
    *("BaseException", "Exception", "ArithmeticError", "AssertionError", "AttributeError"),
    *("BlockingIOError", "BrokenPipeError", "BufferError", "ChildProcessError"),
    *("ConnectionAbortedError", "ConnectionError", "ConnectionRefusedError"),
    *("ConnectionResetError", "EOFError", "EnvironmentError", "FileExistsError"),
    *("FileNotFoundError", "FloatingPointError", "IOError", "ImportError", "IndentationError"),
    *("IndexError", "InterruptedError", "IsADirectoryError", "KeyError", "LookupError"),
    *("MemoryError", "ModuleNotFoundError", "NameError", "NotADirectoryError"),
    *("NotImplementedError", "OSError", "OverflowError", "PermissionError"),
    *("ProcessLookupError", "RecursionError", "ReferenceError", "RuntimeError", "SyntaxError"),
    *("SystemError", "TabError", "TimeoutError", "TypeError", "UnboundLocalError"),
    *("UnicodeDecodeError", "UnicodeEncodeError", "UnicodeError", "UnicodeTranslateError"),
    *("ValueError", "ZeroDivisionError", "Invalid requirement", "ResourceExhaustedError"),
    *("OutOfRangeError", "InvalidArgumentError", "mpirun.real", "ORTE"),
    "ExecuteUserScriptError",
)


class UserError(Exception):
    """The job cannot go on, and the person who submitted it can change that."""


class ProgramFailed(UserError):
    """A program of the job ended with a status other than 0."""

    kind = "ExecuteUserScriptError"

    def __init__(self, command: Sequence[str], status: int, output: str) -> None:
        """Word the failure.

        Args:
            command: what was run.
            status: its exit status, as `subprocess` gives it (negative for a signal).
            output: the part of its output that tells the error.
        """
        lines = [f"{self.kind}:", f"ExitCode {status}", f'ErrorMessage "{output}"']
        if status == 137:
            lines.append('ExtraInfo "OutOfMemory: Process killed by SIGKILL (signal 9)"')
        lines.append(f'Command "{" ".join(command)}"')
        super().__init__("\n".join(lines))


class InstallModuleFailed(ProgramFailed):
    """The user's package (setup.py) cannot be installed."""

    kind = "InstallModuleError"


class InstallRequirementsFailed(ProgramFailed):
    """What requirements.txt asks for cannot be installed."""

    kind = "InstallRequirementsError"
