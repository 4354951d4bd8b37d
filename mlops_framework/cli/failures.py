"""From an exception to what a person reads, and the exit status; one place for every command."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

import typer
from typer.core import TyperGroup

from mlops_framework.cli.errors import ApiRefused, ApiUnreachable, NotDone, PlaceUnknown
from mlops_framework.errors import (
    BlueprintUnknown,
    EnvironmentInvalid,
    Fault,
    FrameworkFault,
    RequestInvalid,
)

FAILED: Final = 1
JSON: Final = "mlops.json"
"""Key in a context's ``meta``: whether the command was called with ``--json``."""
_LOG_IN: Final = (
    "Log in (aws sso login), name a profile (AWS_PROFILE=…), or start the local AWS with "
    "mlops local up."
)
_AWS_HINTS: Final[Mapping[str, str]] = {
    "NoCredentialsError": _LOG_IN,
    "PartialCredentialsError": _LOG_IN,
    "TokenRetrievalError": _LOG_IN,
    "SSOTokenLoadError": _LOG_IN,
    "UnauthorizedSSOTokenError": _LOG_IN,
    "ProfileNotFound": "aws configure list-profiles shows those there are.",
    "NoRegionError": "Set AWS_REGION, or say --env, whose file names the region.",
    "EndpointConnectionError": "Is the machine online, or the local AWS up (mlops local status)?",
}
_TITLES: Final[tuple[tuple[type[FrameworkFault], str], ...]] = (
    (RequestInvalid, "The request is not valid"),
    (BlueprintUnknown, "Unknown blueprint"),
    (EnvironmentInvalid, "The environment is not valid"),
    (PlaceUnknown, "Which environment?"),
    (ApiUnreachable, "The API does not answer"),
    (NotDone, "Not done"),
)


@dataclass(frozen=True)
class Failure:
    """What is shown of an exception."""

    title: str
    message: str
    faults: tuple[Fault, ...] = ()
    hint: str = ""

    def to_document(self) -> dict[str, Any]:
        """For ``--json``."""
        shown: dict[str, Any] = {"error": self.title, "message": self.message}
        if self.faults:
            shown["faults"] = [asdict(fault) for fault in self.faults]
        return shown | ({"hint": self.hint} if self.hint else {})


class Commands(TyperGroup):
    """The group of all commands: shows what they raise instead of a traceback."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command; faults become a panel and exit status 1."""
        try:
            return super().invoke(ctx)
        except Exception as error:
            failure = explain(error)
            if failure is None:
                raise
            from mlops_framework.cli import screen

            if ctx.meta.get(JSON):
                screen.show_json(failure.to_document())
            else:
                screen.show_fault(failure.title, failure.message, failure.faults, failure.hint)
            raise typer.Exit(FAILED) from None


def explain(error: Exception) -> Failure | None:
    """What to show of an exception; ``None`` if it is a bug, which deserves its traceback."""
    if isinstance(error, ApiRefused):
        return _of_problem(error)
    if isinstance(error, RequestInvalid | EnvironmentInvalid):
        return Failure(_title(error), error.subject, error.faults)
    if isinstance(error, FrameworkFault):
        return Failure(_title(error), str(error))
    # By name: importing botocore costs a fifth of a second, which most commands do not need.
    if type(error).__module__.startswith("botocore."):
        name = type(error).__name__
        return Failure(f"AWS: {name}", str(error), hint=_AWS_HINTS.get(name, ""))
    return None


def _title(error: FrameworkFault) -> str:
    words = "".join(f" {c.lower()}" if c.isupper() else c for c in type(error).__name__).strip()
    found = (title for kind, title in _TITLES if isinstance(error, kind))
    return next(found, words.capitalize())


def _of_problem(refusal: ApiRefused) -> Failure:
    problem = refusal.problem
    faults = tuple(
        Fault(**{key: str(fault.get(key, "")) for key in ("path", "message", "accepted", "found")})
        for fault in problem.get("faults") or ()
    )
    title = f"{problem.get('title') or 'The API refused'} ({refusal.status})"
    # With every fault listed, the detail would say the same twice.
    message = str(refusal).splitlines()[0] if faults else str(refusal)
    correlation = problem.get("correlation_id")
    # What to do about faults stands with each of them.
    hint = "" if faults else str(problem.get("next") or "")
    if correlation and refusal.status >= 500:
        hint = f"{hint} Correlation id: {correlation}".strip()
    if refusal.status == 403:
        hint = "The caller's IAM identity may not invoke this API (execute-api:Invoke)."
    return Failure(title, message, faults, hint)
