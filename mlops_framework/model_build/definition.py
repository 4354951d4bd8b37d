"""A whole pipeline definition: checked when it is made, written as text for ``Fn::Sub``."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mlops_framework.model_build.expressions import When
from mlops_framework.model_build.steps import ProcessingStep, Step
from mlops_framework.model_build.writing import TemplateText, template_text

SCHEMA_VERSION = "2020-12-01"
"""The only version of the definition format that SageMaker knows."""

_STEP_NAME = re.compile(r"^[A-Za-z0-9\-_]{1,64}$")
_STEP_REFERENCE = re.compile(r"^Steps\.([A-Za-z0-9\-_]+)\.(.+)$")
_PARAMETER_REFERENCE = re.compile(r"^Parameters\.(.+)$")


@dataclass(frozen=True)
class PipelineParameter:
    """A text that may be given when an execution is started; see ``expressions.parameter``.

    Attributes:
        name: As ``StartPipelineExecution`` and rules name it.
        default: What holds when nobody gives a value; may hold ``${Name}``.
    """

    name: str
    default: str

    def to_dict(self) -> dict[str, Any]:
        """The parameter as the definition's JSON object."""
        return {"Name": self.name, "Type": "String", "DefaultValue": self.default}


@dataclass(frozen=True)
class PipelineDefinition:
    """Steps in the order a reader expects; SageMaker orders them by their references.

    Attributes:
        steps: Top-level steps.
        parameters: What a start may give.

    Raises:
        ValueError: Two steps share a name, a name breaks SageMaker's rule, or a reference points
            to a step, property file or parameter that does not exist. All faults are in the
            message.
    """

    steps: tuple[Step, ...]
    parameters: tuple[PipelineParameter, ...] = ()

    def __post_init__(self) -> None:
        """Checks names and references once, so that a bad definition cannot exist."""
        faults = list(self._faults())
        if faults:
            raise ValueError("pipeline definition: " + "; ".join(faults))

    def all_steps(self) -> Iterator[Step]:
        """Every step, the nested ones after the step that holds them."""
        pending = list(self.steps)
        while pending:
            step = pending.pop(0)
            yield step
            pending = [*step.children(), *pending]

    def to_dict(self) -> dict[str, Any]:
        """The definition's JSON object; every ``Splice`` and ``When`` is left in."""
        return {
            "Version": SCHEMA_VERSION,
            "Metadata": {},
            "Parameters": [parameter.to_dict() for parameter in self.parameters],
            "Steps": [step.to_dict() for step in self.steps],
        }

    def to_template(self) -> TemplateText:
        r"""Text for CloudFormation's ``Fn::Sub``, with what depends on conditions.

        Values put inside quotes must not hold ``"``, ``\`` or line ends; the request contracts'
        patterns see to that.
        """
        return template_text(self.to_dict())

    def to_template_text(self) -> str:
        """The text of :meth:`to_template`, without what depends on conditions."""
        return self.to_template().text

    def splices(self) -> frozenset[str]:
        """Names of everything ``Fn::Sub`` has to replace."""
        return self.to_template().variables

    def _faults(self) -> Iterator[str]:
        by_name: dict[str, Step] = {}
        for step in self.all_steps():
            if not _STEP_NAME.match(step.name):
                yield f"step name {step.name!r}: accepted are 1 to 64 letters, digits, '-' and '_'"
            if step.name in by_name:
                yield f"step name {step.name!r} is used twice"
            by_name[step.name] = step
        for step in self.all_steps():
            for name in step.depends_on:
                if name not in by_name:
                    yield f"step {step.name!r} depends on {name!r}, which does not exist"
            for reference in _references(step.arguments_of_step()):
                yield from self._reference_faults(step.name, reference, by_name)

    def _reference_faults(
        self, owner: str, reference: str, by_name: Mapping[str, Step]
    ) -> Iterator[str]:
        asked = _PARAMETER_REFERENCE.match(reference)
        if asked and asked[1] not in {parameter.name for parameter in self.parameters}:
            yield f"step {owner!r} refers to parameter {asked[1]!r}, which does not exist"
        match = _STEP_REFERENCE.match(reference)
        if match is None:
            return
        name, path = match.groups()
        target = by_name.get(name)
        if target is None:
            yield f"step {owner!r} refers to step {name!r}, which does not exist"
            return
        if path.startswith("PropertyFiles."):
            wanted = path.removeprefix("PropertyFiles.")
            files = target.property_files if isinstance(target, ProcessingStep) else ()
            if wanted not in {file.name for file in files}:
                yield f"step {owner!r} reads {wanted!r}, which step {name!r} does not declare"


def _references(value: object) -> Iterator[str]:
    if isinstance(value, When):
        yield from _references(value.value)
    elif isinstance(value, Mapping):
        for key, inner in value.items():
            if key == "Get" and isinstance(inner, str):
                yield inner
            else:
                yield from _references(inner)
    elif isinstance(value, (list, tuple)):
        for inner in value:
            yield from _references(inner)
