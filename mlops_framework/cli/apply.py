"""``mlops apply``: a folder of request files, and the pipelines made to match it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Final

import typer

from mlops_framework.cli.errors import ApiRefused, ApiUnreachable, NotDone, RequestUnreadable
from mlops_framework.cli.options import ApiUrl, AsJson, Environment
from mlops_framework.errors import Fault, FrameworkFault, RequestInvalid

if TYPE_CHECKING:
    from mlops_framework.cli.place import Place
    from mlops_framework.cli.waiting import Clock
    from mlops_framework.orchestration.gitops import FileFault

_LOOK_SECONDS: Final = 1.0
_OFFLINE_SECONDS: Final = 30.0
_EFFECTIVE: Final = ("add", "update", "remove")


@dataclass(frozen=True)
class _Run:
    """One look at the folder.

    Attributes:
        folder: The folder.
        origin: What its pipelines are recorded to come from.
        prune: Whether pipelines without a file are removed.
        place: Where the platform is.
        only_plan: Whether nothing is to be changed.
        sure: Whether nobody is asked.
        as_json: Whether the plan is printed as JSON.
    """

    folder: Path
    origin: str
    prune: bool
    place: Place
    only_plan: bool
    sure: bool
    as_json: bool


def apply(
    ctx: typer.Context,
    folder: Annotated[Path, typer.Argument(help="Folder of request files, *.yaml and *.json.")],
    plan: Annotated[bool, typer.Option("--plan", help="Only show what would change.")] = False,
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Apply without asking.")] = False,
    prune: Annotated[
        bool,
        typer.Option(
            "--prune", help="Remove pipelines that came from this folder and have no file any more."
        ),
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Go on: plan again whenever a file changes.")
    ] = False,
    origin: Annotated[
        str | None,
        typer.Option(
            "--origin",
            help="Name that pipelines of this folder are recorded with.",
            show_default="the folder's path",
        ),
    ] = None,
    env: Environment = None,
    api_url: ApiUrl = None,
    as_json: AsJson = False,
) -> None:
    """Make the pipelines match a folder of request files, after showing what would change.

    Every fault of every file is told at once; with a single one nothing is changed. Pipelines are
    only removed with --prune, and only those that came from this folder.
    """
    if plan and yes:
        raise typer.BadParameter("--plan changes nothing and --yes applies; give one of them.")
    if watch and not (plan or yes):
        raise typer.BadParameter("--watch cannot ask each time; give --plan or --yes with it.")
    run = _Run(
        folder=folder,
        origin=origin or f"folder:{folder.resolve()}",
        prune=prune,
        place=ctx.obj.places.find(env, api_url),
        only_plan=plan,
        sure=yes,
        as_json=as_json,
    )
    if watch:
        _watch(run, ctx.obj.clock)
        return
    later = _once(run, _texts(folder))
    if later:
        raise NotDone(
            f"Not everything could be changed yet. Run the same command again in {later} seconds: "
            "it does what is left."
        )


def _watch(run: _Run, clock: Clock) -> None:
    """Look until somebody ends it; what goes wrong is shown once, and the next change looked at."""
    from mlops_framework.cli import screen

    seen: Mapping[str, str] | None = None
    due: float | None = None
    told = ""
    screen.show_note(f"Watching {run.folder}; end with Ctrl-C.")
    try:
        while True:
            try:
                texts = _texts(run.folder)
                if texts != seen or (due is not None and clock.now() >= due):
                    seen, due = texts, None
                    later = _once(run, texts)
                    if later:
                        due = clock.now() + later
                        screen.show_note(f"Trying again in {later} seconds what is left.")
                told = ""
            except FrameworkFault as fault:
                # A folder that is gone stays gone for many looks.
                if str(fault) != told:
                    told = str(fault)
                    _show_fault(fault)
                if isinstance(fault, ApiUnreachable):
                    due = clock.now() + _OFFLINE_SECONDS
            clock.sleep(_LOOK_SECONDS)
    except KeyboardInterrupt:
        screen.show_note("No longer watching.")


def _show_fault(fault: FrameworkFault) -> None:
    from mlops_framework.cli import screen
    from mlops_framework.cli.failures import explain

    failure = explain(fault)
    assert failure is not None  # every fault of the framework has words
    screen.show_fault(failure.title, failure.message, failure.faults, failure.hint)


def _once(run: _Run, texts: Mapping[str, str]) -> int:
    """Plan and apply; seconds after which what is busy may be tried again, 0 if nothing is.

    Raises:
        NotDone: If a pipeline was refused for good.
    """
    from mlops_framework.cli import screen
    from mlops_framework.orchestration.request_files import keys_named, read_files

    with screen.progress("Planning"):
        reading = read_files(texts, {key: run.place.value(key) for key in keys_named(texts)})
        api = run.place.api()
        planned = api.plan(reading.bodies, origin=run.origin, prune=run.prune)
    _refuse_faults([*reading.faults, *_faults(planned)], len(texts))
    changes = [change for change in planned["changes"] if change["change"] in _EFFECTIVE]
    if not run.as_json:
        _show(planned)
    if run.only_plan or not changes:
        if run.as_json:
            screen.show_json({"plan": planned, "applied": []})
        return 0
    if not run.sure:
        typer.confirm(f"Apply {_number(len(changes), 'change')}?", abort=True, err=True)
    applied = [_apply(api, change, reading.bodies, run.origin) for change in changes]
    if run.as_json:
        screen.show_json({"plan": planned, "applied": applied})
    else:
        for one in applied:
            screen.show_line(f"{one['pipeline_id']}: {one['message']}")
    failed = [one["pipeline_id"] for one in applied if one["outcome"] == "refused"]
    if failed:
        raise NotDone(
            f"{_number(len(failed), 'pipeline')} could not be changed: {', '.join(failed)}. The "
            "others were. Run the same command again when the reason is gone."
        )
    return max((one["retry_after"] for one in applied if one["outcome"] == "busy"), default=0)


def _texts(folder: Path) -> dict[str, str]:
    """Text of each request file by its path below the folder."""
    from mlops_framework.orchestration.request_files import SUFFIXES, is_request_file

    if not folder.is_dir():
        raise RequestUnreadable(f"There is no folder {folder}.")
    files = {
        path.relative_to(folder).as_posix(): path
        for path in sorted(folder.rglob("*"))
        if path.is_file() and is_request_file(path.relative_to(folder).as_posix())
    }
    if not files:
        raise RequestUnreadable(
            f"{folder} holds no request file (*{', *'.join(SUFFIXES)}). An empty folder removes "
            "nothing; mlops pipelines delete ID does."
        )
    try:
        return {
            name: path.read_text(encoding="utf-8-sig", errors="surrogateescape")
            for name, path in files.items()
        }
    except OSError as error:
        raise RequestUnreadable(f"A file of {folder} cannot be read: {error}.") from None


def _apply(
    api: Any, change: Mapping[str, Any], bodies: Mapping[str, Any], origin: str
) -> dict[str, Any]:
    identity = change["pipeline_id"]
    try:
        if change["change"] == "remove":
            answer = api.delete(identity)
            return {"pipeline_id": identity, "outcome": "removed", "message": answer["message"]}
        answer = api.provision(bodies[change["file"]], origin=origin)
    except ApiRefused as refusal:
        later = refusal.problem.get("retry_after")
        refused = {"pipeline_id": identity, "message": str(refusal)}
        if later:
            return {**refused, "outcome": "busy", "retry_after": int(later)}
        return {**refused, "outcome": "refused"}
    return {
        "pipeline_id": identity,
        "outcome": answer["outcome"],
        "message": answer["message"],
    }


def _faults(planned: Mapping[str, Any]) -> list[FileFault]:
    from mlops_framework.orchestration.gitops import FileFault

    return [FileFault(**fault) for fault in planned["faults"]]


def _refuse_faults(faults: list[FileFault], files: int) -> None:
    if not faults:
        return
    listed = [
        Fault(
            f"{fault.file}: {fault.path}" if fault.path else fault.file,
            fault.message,
            fault.accepted,
            fault.found,
        )
        for fault in sorted(faults, key=lambda fault: (fault.file, fault.path))
    ]
    bad = len({fault.file for fault in faults})
    raise RequestInvalid(
        listed,
        subject=f"{_number(len(faults), 'fault')} in {bad} of {_number(files, 'file')}. "
        "Nothing was changed.",
    )


def _show(planned: Mapping[str, Any]) -> None:
    from mlops_framework.cli import screen
    from mlops_framework.orchestration.gitops import plan_lines

    for line in plan_lines(planned):
        screen.show_line(line)


def _number(count: int, noun: str) -> str:
    return f"{count} {noun}{'' if count == 1 else 's'}"
