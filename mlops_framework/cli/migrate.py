"""``mlops migrate``: request files from what the AWS MLOps Framework 2.x deployed."""

from __future__ import annotations

import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import typer

from mlops_framework.cli.errors import NotDone, RequestUnreadable
from mlops_framework.cli.options import AsJson
from mlops_framework.errors import Fault, RequestInvalid

_PARAMETERS: Final = "template_params.json"
_OLD_STAGES: Final = ("dev", "staging", "prod")
_LARGEST: Final = 10 * 1024 * 1024


@dataclass(frozen=True)
class Archive:
    """What one ``template.zip`` holds.

    Attributes:
        path: The archive.
        template: Name of its template.
        stages: Parameters by stage.
    """

    path: Path
    template: str
    stages: Mapping[str, Mapping[str, str]]


@dataclass(frozen=True)
class Migrated:
    """One archive, its body and our request.

    Attributes:
        archive: Where it comes from.
        body: As it would have been sent to the predecessor.
        request: Ours.
        name: Of the request file.
        notes: What is carried out in another way.
        renamed: Fields of the request by those of the body that have another name.
    """

    archive: Path
    body: Mapping[str, Any]
    request: Mapping[str, Any]
    name: str
    notes: tuple[str, ...]
    renamed: Mapping[str, str]


def migrate(
    archives: Annotated[
        list[Path],
        typer.Argument(
            help="template.zip files of the old assets bucket, each in the folder it was in; or a "
            "folder with all of them."
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="Folder for the request files; shown only if absent."),
    ] = None,
    assets_bucket: Annotated[
        str | None,
        typer.Option(
            "--assets-bucket",
            help="Bucket of the paths that name none.",
            show_default="the one the archive's parameters name",
        ),
    ] = None,
    stage: Annotated[
        list[str] | None,
        typer.Option(
            "--stage",
            metavar="NAME[=dev|staging|prod]",
            help="A stage of your environment, in order, and which of the old ones it stands for; "
            "dev, staging and prod if absent.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Rebuild request files from the parameter files of the AWS MLOps Framework 2.x.

    Changes nothing on AWS and needs no credentials. What is different from before is printed for
    each file; docs/migration.md says in which order to take running pipelines over.
    """
    from mlops_framework.contracts.faults import NOTHING

    stages = _stages(stage or [])
    done, refused = [], []
    paths = [found for given in archives for found in _archives(given)]
    for path in paths:
        try:
            done.append(migrated(read_archive(path), assets_bucket, stages))
        except RequestUnreadable as error:
            refused.append(
                Fault(str(path), str(error), "a template.zip of the predecessor", NOTHING)
            )
        except RequestInvalid as error:
            refused += [
                Fault(f"{path}: {f.path}", f.message, f.accepted, f.found) for f in error.faults
            ]
    files = _written(done, output)
    if as_json:
        typer.echo(json.dumps([_document(each, files.get(each.name)) for each in done], indent=2))
    else:
        for each in done:
            _show(each, files.get(each.name))
    if refused:
        subject = f"{len(paths) - len(done)} of {len(paths)} not migrated."
        raise RequestInvalid(refused, subject=subject)


def _stages(given: list[str]) -> dict[str, tuple[str, ...]]:
    """``live=prod`` is the stage ``live``, which stands for ``prod``."""
    found: dict[str, tuple[str, ...]] = {}
    for each in given:
        name, _, old = each.partition("=")
        if not name or old not in ("", *_OLD_STAGES):
            raise RequestUnreadable(
                f"--stage {each}: give a stage's name, or name={'|'.join(_OLD_STAGES)}."
            )
        found[name] = (old,) if old else ()
    return found


def _archives(path: Path) -> list[Path]:
    """The archives in a folder, or the one that is named.

    Raises:
        RequestUnreadable: If a folder has none.
    """
    if not path.is_dir():
        return [path]
    found = sorted(path.rglob("template.zip"))
    if not found:
        raise RequestUnreadable(
            f"The folder {path} has no template.zip in it. Fetch them: aws s3 cp --recursive "
            "s3://<assets bucket>/mlops_provisioned_pipelines/ <folder>"
        )
    return found


def read_archive(path: Path) -> Archive:
    """The template's name and the parameters by stage.

    Raises:
        RequestUnreadable: If it is no such archive.
    """
    from mlops_framework.orchestration.predecessor.parameters import parameters_in

    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            templates = [name for name in names if name.endswith((".yaml", ".yml"))]
            files = [name for name in names if name.endswith(_PARAMETERS)]
            if len(templates) != 1 or not files:
                raise RequestUnreadable(
                    f"{path} holds {', '.join(names) or 'nothing'}; a template.zip of the "
                    f"predecessor holds one template and {_PARAMETERS}, or one of those per stage."
                )
            if any(archive.getinfo(name).file_size > _LARGEST for name in files):
                raise RequestUnreadable(f"{path} holds a parameter file of more than 10 MB.")
            stages = {
                name.rpartition("/")[2].removesuffix(_PARAMETERS).rstrip("_"): parameters_in(
                    archive.read(name).decode("utf-8-sig")
                )
                for name in sorted(files)
            }
    except FileNotFoundError:
        raise RequestUnreadable(f"There is no file {path}.") from None
    except (OSError, zipfile.BadZipFile, zlib.error, RuntimeError) as error:
        # A RuntimeError is how an archive with a password, or a compression nobody has, is told.
        raise RequestUnreadable(f"{path} is no zip archive that can be read: {error}.") from None
    except ValueError as error:
        raise RequestUnreadable(f"{path}: a parameter file is malformed: {error}.") from None
    return Archive(path, templates[0].rpartition("/")[2], stages)


def migrated(
    archive: Archive, assets_bucket: str | None, stages: Mapping[str, tuple[str, ...]]
) -> Migrated:
    """An archive's body, and our request for it.

    Args:
        archive: What was deployed.
        assets_bucket: Bucket of the paths that name none; the archive's own if absent.
        stages: Ours, each with the old ones that it stands for; the archive's own if empty.

    Raises:
        RequestInvalid: If our contract takes offence at it.
    """
    from mlops_framework.orchestration.predecessor import Setting, understood
    from mlops_framework.orchestration.predecessor.parameters import body_of
    from mlops_framework.registry import Registry

    first = next(iter(archive.stages.values()))
    bucket = assets_bucket or first.get("AssetsBucket", "")
    body = body_of(archive.template, archive.stages, stack=archive.path.resolve().parent.name)
    wanted = stages or {stage or "live": () for stage in archive.stages}
    with understood(body, Setting(wanted, bucket)) as ours:
        request = Registry.discover().parse(ours.body, stages=list(wanted))
    return Migrated(
        archive.path, body, ours.body, f"{request.pipeline_id}.json", ours.notes, ours.renamed
    )


def _written(done: list[Migrated], output: Path | None) -> dict[str, Path]:
    if output is None:
        return {}
    names = [each.name for each in done]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise NotDone(
            f"Several archives are one pipeline here: {', '.join(twice)}. Migrate one of each; "
            "docs/migration.md says which types become one kind."
        )
    there = [name for name in names if (output / name).exists()]
    if there:
        raise NotDone(f"{output} has {', '.join(there)} already. Nothing was written.")
    output.mkdir(parents=True, exist_ok=True)
    files = {each.name: output / each.name for each in done}
    for each in done:
        text = json.dumps(each.request, indent=2, ensure_ascii=False)
        files[each.name].write_text(f"{text}\n", encoding="utf-8")
    return files


def _document(each: Migrated, file: Path | None) -> dict[str, Any]:
    return {
        "archive": str(each.archive),
        "file": str(file) if file else None,
        "body": dict(each.body),
        "request": dict(each.request),
        "changes": changes(each),
    }


def changes(each: Migrated) -> list[str]:
    """What is different from before, one line each."""
    told = [f"{each.body['pipeline_type']} becomes {each.request['pipeline_type']}."]
    told += [f"{theirs} is called {ours} now." for theirs, ours in sorted(each.renamed.items())]
    told += each.notes
    if each.request["pipeline_type"] == "realtime-endpoint" and each.request.get("endpoint_name"):
        told.append(
            "endpoint_name is the old endpoint's. SageMaker has a name once in an account and "
            "region: give another, or leave it out, while the old endpoint is there."
        )
    return told


def _show(each: Migrated, file: Path | None) -> None:
    typer.echo(f"{each.archive} -> {file or each.name}")
    for line in changes(each):
        typer.echo(f"  {line}")
    if file is None:
        for line in json.dumps(each.request, indent=2, ensure_ascii=False).splitlines():
            typer.echo(f"  {line}")
