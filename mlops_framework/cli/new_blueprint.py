"""``mlops blueprints new``: the files of a new kind, which conforms as it is written.

Everything is looked at before anything is written: a refusal leaves the folder as it was.
"""

from __future__ import annotations

import keyword
import re
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from string import Template
from typing import Any, Final

from mlops_framework import naming
from mlops_framework.cli.errors import BlueprintNotWritten
from mlops_framework.discovery import GROUP, Offer

_PLATFORM: Final = "mlops-framework"
_PYPROJECT: Final = "pyproject.toml"

_NEW_PROJECT = Template("""\
[build-system]
requires = ["uv_build>=0.13.9,<0.14"]
build-backend = "uv_build"

[project]
name = "$distribution"
version = "0.1.0"
description = "Blueprints for the MLOps Framework for AWS."
requires-python = ">=3.11"
dependencies = ["mlops-framework"]

[project.entry-points."$group"]
$kind = "$package.$module:BLUEPRINT"

[tool.uv.build-backend]
module-name = "$package"
module-root = ""

[tool.pytest.ini_options]
testpaths = ["tests"]
pythonpath = ["."]
addopts = ["--import-mode=importlib"]
""")

_PACKAGE = Template('''\
"""The blueprint $kind: an alarm on an endpoint's server errors."""

from $package.$module.contract import ${name}Request
from mlops_framework.registry import Blueprint

BLUEPRINT = Blueprint(
    kind="$kind",
    summary="Raise an alarm when an endpoint answers with server errors.",
    request=${name}Request,
    stack="$package.$module.stack:${name}Stack",
)
''')

_CONTRACT = Template('''\
"""What may be asked. Imported by the API's function: nothing of the CDK or of an AWS SDK here."""

from typing import Annotated, Literal

from pydantic import Field

from mlops_framework.contracts.base import PerStage, PipelineRequest
from mlops_framework.contracts.fields import SageMakerName


class ${name}Request(PipelineRequest):
    """One field, one line: validation, parameter, schema and help come from it."""

    pipeline_type: Literal["$kind"] = Field(description="Kind of the blueprint.")
    endpoint_name: PerStage[SageMakerName] = Field(description="Endpoint that is watched.")
    server_errors: PerStage[Annotated[int, Field(ge=1, le=100_000)]] = Field(
        default=1, description="Server errors in five minutes that raise the alarm."
    )
''')

_STACK = Template('''\
"""What is deployed. Imported at synthesis only."""

from aws_cdk import aws_cloudwatch as cloudwatch

from mlops_framework.cdk.blueprint import BlueprintStack


class ${name}Stack(BlueprintStack):
    """An alarm that tells the platform's alert topic.

    A resource type that the platform does not know goes into ``deploy_permissions``.
    """

    def build(self) -> None:
        """Define resources, then outputs."""
        alarm = cloudwatch.CfnAlarm(
            self,
            "Alarm",
            alarm_description="The endpoint answers with server errors.",
            namespace="AWS/SageMaker",
            metric_name="Invocation5XXErrors",
            dimensions=[
                cloudwatch.CfnAlarm.DimensionProperty(
                    name="EndpointName", value=self.text("endpoint_name")
                ),
                cloudwatch.CfnAlarm.DimensionProperty(name="VariantName", value="AllTraffic"),
            ],
            statistic="Sum",
            period=300,
            evaluation_periods=1,
            threshold=self.number("server_errors"),
            comparison_operator="GreaterThanOrEqualToThreshold",
            treat_missing_data="notBreaching",
            alarm_actions=[self.platform.value("alert-topic-arn")],
        )
        self.output("AlarmName", alarm.ref)
''')

_TEST = Template('''\
"""The blueprint keeps to what the platform asks of one."""

from $package.$module import BLUEPRINT

from mlops_framework.testing.blueprint_suite import BlueprintSuite

EXAMPLE = {
    "pipeline_type": "$kind",
    "model_name": "employment",
    "endpoint_name": "employment",
    "server_errors": 5,
}


class Test$name(BlueprintSuite):
    blueprint = BLUEPRINT
    example = EXAMPLE
''')


@dataclass(frozen=True)
class NewBlueprint:
    """A kind, and what is called what in its distribution.

    Attributes:
        kind: kebab-case.
        package: Importable package of the distribution.
        module: Package of the kind inside it.
    """

    kind: str
    package: str
    module: str

    @property
    def name(self) -> str:
        """Beginning of the names of its classes."""
        return "".join(word.capitalize() for word in self.module.split("_"))


def write_blueprint(kind: str, folder: Path, offers: Iterable[Offer]) -> list[Path]:
    """Write a new kind into a distribution's folder, which is begun where there is none.

    Args:
        kind: kebab-case, ``acme-error-alarm``.
        folder: Of the distribution, with or without a ``pyproject.toml``.
        offers: The kinds that are taken.

    Returns:
        The files written, ``pyproject.toml`` first.

    Raises:
        BlueprintNotWritten: The name is refused or taken, or something stands in the way.
    """
    _refuse_name(kind, offers)
    project = _project(folder)
    new = _named(kind, project)
    root = folder / "src" if (folder / "src" / new.package).is_dir() else folder
    package = root / new.package
    place = package / new.module
    words = {
        "kind": kind,
        "name": new.name,
        "package": new.package,
        "module": new.module,
        "group": GROUP,
        "distribution": new.package.replace("_", "-"),
    }
    files = {
        place / "__init__.py": _PACKAGE.substitute(words),
        place / "contract.py": _CONTRACT.substitute(words),
        place / "stack.py": _STACK.substitute(words),
        folder / "tests" / f"test_{new.module}.py": _TEST.substitute(words),
    }
    for taken in (place, *files):
        if taken.exists():
            raise BlueprintNotWritten(
                f"{taken} is there already; nothing was written. Choose another kind, or remove it."
            )
    pyproject = folder / _PYPROJECT
    files = {pyproject: _offered(pyproject, project, new, words), **files}
    if not (package / "__init__.py").exists():
        files[package / "__init__.py"] = '"""Blueprints for the MLOps Framework for AWS."""\n'
    for path, text in files.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return list(files)


def _refuse_name(kind: str, offers: Iterable[Offer]) -> None:
    accepted = (
        f"1 to {naming.KIND_LENGTH} lower-case letters, digits and single hyphens, starting with a "
        "letter, such as acme-error-alarm"
    )
    if not re.fullmatch(naming.KIND_PATTERN, kind) or len(kind) > naming.KIND_LENGTH:
        raise BlueprintNotWritten(f"{kind!r} is no name of a kind. Give {accepted}.")
    if keyword.iskeyword(kind):
        raise BlueprintNotWritten(
            f"{kind!r} is a word of Python and cannot name a module. Put your company's name "
            f"before it: acme-{kind}."
        )
    for offer in offers:
        if offer.kind == kind:
            raise BlueprintNotWritten(
                f"The kind {kind!r} is offered already, as {offer.value} by {offer.source}. "
                "Choose another one."
            )


def _project(folder: Path) -> dict[str, Any] | None:
    pyproject = folder / _PYPROJECT
    if folder.exists() and not folder.is_dir():
        raise BlueprintNotWritten(f"{folder} is a file; give the folder of your distribution.")
    if not pyproject.is_file():
        return None
    try:
        project: dict[str, Any] = tomllib.loads(pyproject.read_text("utf-8")).get("project", {})
    except tomllib.TOMLDecodeError as error:
        raise BlueprintNotWritten(f"{pyproject} cannot be read as TOML: {error}.") from error
    if "name" not in project:
        raise BlueprintNotWritten(f"{pyproject} has no [project] with a name.")
    if project["name"] == _PLATFORM:
        raise BlueprintNotWritten(
            "This is the platform's own checkout; a blueprint of yours lives in a distribution of "
            "its own. Say where: --folder ../acme-blueprints."
        )
    return project


def _named(kind: str, project: dict[str, Any] | None) -> NewBlueprint:
    company, _, rest = kind.partition("-")
    package = f"{company}_blueprints"
    if project is not None:
        package = re.sub(r"[-.]+", "_", project["name"]).lower()
    module = rest.replace("-", "_")
    if not module.isidentifier() or keyword.iskeyword(module):
        module = kind.replace("-", "_")
    return NewBlueprint(kind, package, module)


def _offered(
    pyproject: Path, project: dict[str, Any] | None, new: NewBlueprint, words: dict[str, str]
) -> str:
    """The text of ``pyproject.toml`` with the entry point in it."""
    if project is None:
        return _NEW_PROJECT.substitute(words)
    header = f'[project.entry-points."{GROUP}"]'
    line = f'{new.kind} = "{new.package}.{new.module}:BLUEPRINT"'
    text = pyproject.read_text("utf-8")
    if header in text.splitlines():
        text = text.replace(f"{header}\n", f"{header}\n{line}\n", 1)
    else:
        text = f"{text.rstrip()}\n\n{header}\n{line}\n"
    try:
        written = tomllib.loads(text)["project"]["entry-points"][GROUP][new.kind]
    except (tomllib.TOMLDecodeError, KeyError):
        written = None
    if written != f"{new.package}.{new.module}:BLUEPRINT":
        raise BlueprintNotWritten(
            f"The entry point could not be added to {pyproject}; nothing was written. Add the "
            f"table {header} to it, empty, and try again."
        )
    return text
