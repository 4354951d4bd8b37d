"""A pipeline definition: read, checked whole, and turned into steps that know what to wait for."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from mlops_framework.local.plane.sagemaker.pipelines import conditions
from mlops_framework.local.plane.sagemaker.pipelines.expressions import references, split_step

VERSION = "2020-12-01"
STEP_TYPES = (
    *("Condition", "Fail", "Lambda", "Model", "Processing", "RegisterModel", "Training"),
    *("Transform", "Tuning"),
)
_PARAMETER_TYPES = {"String": str, "Integer": int, "Float": float, "Boolean": bool}
_VARIABLES = frozenset(
    {
        *("StartDateTime", "CurrentDateTime", "PipelineName", "PipelineArn"),
        *("PipelineExecutionId", "PipelineExecutionArn"),
    }
)


class DefinitionInvalid(Exception):
    """A definition that cannot be run; the text tells all its faults."""


class StepNotCarried(Exception):
    """A definition that SageMaker would run and the local AWS does not."""


@dataclass(frozen=True)
class Parameter:
    """A parameter of a pipeline.

    Attributes:
        name: its name.
        type: String, Integer, Float or Boolean.
        default: None where a value has to be given.
        allowed: the values it may take; empty for any.
    """

    name: str
    type: str
    default: Any = None
    allowed: tuple[Any, ...] = ()

    def read(self, text: str) -> Any:
        """Turn a value, as StartPipelineExecution gives it, into the parameter's type.

        Raises:
            ValueError: it is not of that type, or not allowed.
        """
        value: Any
        if self.type == "Boolean":
            if text.lower() not in ("true", "false"):
                raise ValueError(f"The parameter {self.name} is a Boolean, not {text!r}.")
            value = text.lower() == "true"
        else:
            try:
                value = _PARAMETER_TYPES[self.type](text)
            except ValueError:
                raise ValueError(
                    f"The parameter {self.name} is of type {self.type}, not {text!r}."
                ) from None
        if self.allowed and value not in self.allowed:
            raise ValueError(f"The parameter {self.name} takes {list(self.allowed)}, not {text!r}.")
        return value


@dataclass(frozen=True)
class Step:
    """A step of a pipeline.

    Attributes:
        name: its name, unique in the pipeline.
        type: one of `STEP_TYPES`.
        arguments: as in the definition, expressions included.
        waits_for: the steps that have to succeed first.
        branch: the Condition step it stands in and which of its branches; None at the top.
        property_files: by name, the output and the path that hold it.
        display_name: for people.
        description: for people.
        function: ARN of the function that a Lambda step calls.
    """

    name: str
    type: str
    arguments: Mapping[str, Any]
    waits_for: frozenset[str]
    branch: tuple[str, bool] | None
    property_files: Mapping[str, tuple[str, str]]
    display_name: str = ""
    description: str = ""
    function: str = ""


@dataclass(frozen=True)
class Definition:
    """A checked definition: its parameters and all of its steps, those in branches included."""

    parameters: Mapping[str, Parameter]
    steps: Mapping[str, Step]


def parse(text: str) -> Definition:
    """Read a definition and check everything that can be checked before it runs.

    Args:
        text: its JSON.

    Returns:
        The definition.

    Raises:
        DefinitionInvalid: it is not JSON, or SageMaker would refuse it.
        StepNotCarried: a step is of a type that is not run here.
    """
    try:
        content = json.loads(text)
    except ValueError as error:
        raise DefinitionInvalid(f"Unable to parse pipeline definition: {error}") from None
    if not isinstance(content, dict) or content.get("Version") != VERSION:
        raise DefinitionInvalid(f"The pipeline definition's Version has to be {VERSION!r}.")
    raw_steps = content.get("Steps") or []
    if not raw_steps:
        raise DefinitionInvalid("The pipeline definition has no Steps.")
    steps: list[Step] = []
    for raw, branch in _flat(raw_steps, None):
        kind = raw.get("Type")
        if kind not in STEP_TYPES:
            raise StepNotCarried(
                f"the step {raw.get('Name')!r} of type {kind!r}; carried are: "
                f"{', '.join(STEP_TYPES)}"
            )
        steps.append(_step(raw, branch))
    parameters = {each["Name"]: _parameter(each) for each in content.get("Parameters", [])}
    faults = [*_faults(steps, parameters)]
    if faults:
        raise DefinitionInvalid("Pipeline definition is not valid. " + " ".join(faults))
    return Definition(parameters, {step.name: step for step in steps})


def _flat(
    raw_steps: Sequence[Mapping[str, Any]], branch: tuple[str, bool] | None
) -> Iterator[tuple[Mapping[str, Any], tuple[str, bool] | None]]:
    for raw in raw_steps:
        yield raw, branch
        if raw.get("Type") == "Condition":
            arguments = raw.get("Arguments", {})
            yield from _flat(arguments.get("IfSteps") or [], (raw["Name"], True))
            yield from _flat(arguments.get("ElseSteps") or [], (raw["Name"], False))


def _step(raw: Mapping[str, Any], branch: tuple[str, bool] | None) -> Step:
    arguments = raw.get("Arguments", {})
    own = (
        {"Conditions": arguments.get("Conditions", [])} if raw["Type"] == "Condition" else arguments
    )
    implicit = {split_step(target)[0] for target in references(own) if target.startswith("Steps.")}
    files = {
        each["PropertyFileName"]: (each["OutputName"], each["FilePath"])
        for each in raw.get("PropertyFiles", [])
    }
    return Step(
        name=raw.get("Name", ""),
        type=raw["Type"],
        arguments=arguments,
        waits_for=frozenset(implicit | set(raw.get("DependsOn", []))),
        branch=branch,
        property_files=files,
        display_name=raw.get("DisplayName", ""),
        description=raw.get("Description", ""),
        function=raw.get("FunctionArn", ""),
    )


def _parameter(raw: Mapping[str, Any]) -> Parameter:
    kind = raw.get("Type", "String")
    if kind not in _PARAMETER_TYPES:
        raise DefinitionInvalid(
            f"The parameter {raw['Name']!r} is of type {kind!r}; there are "
            f"{', '.join(_PARAMETER_TYPES)}."
        )
    allowed = tuple(raw.get("EnumValues", ()))
    return Parameter(raw["Name"], kind, raw.get("DefaultValue"), allowed)


def _faults(steps: Sequence[Step], parameters: Mapping[str, Parameter]) -> Iterator[str]:
    names = [step.name for step in steps]
    for name in sorted({name for name in names if names.count(name) > 1}):
        yield f"The step name {name!r} is used more than once."
    known = {step.name: step for step in steps}
    for step in steps:
        for missing in sorted(step.waits_for - set(names)):
            yield f"The step {step.name!r} refers to the step {missing!r}, which does not exist."
        yield from _fault_in_references(step, parameters, known)
        if step.type == "Condition":
            for condition in step.arguments.get("Conditions", []):
                yield from _fault_in_condition(step.name, condition)
    if circle := _circle(known):
        yield f"The steps {', '.join(circle)} wait for each other."


def _fault_in_references(
    step: Step, parameters: Mapping[str, Parameter], known: Mapping[str, Step]
) -> Iterator[str]:
    for target in references(step.arguments):
        room, _, rest = target.partition(".")
        if room == "Parameters" and rest not in parameters:
            yield f"The step {step.name!r} refers to the parameter {rest!r}, which does not exist."
        elif room == "Execution" and rest not in _VARIABLES:
            yield (
                f"The step {step.name!r} refers to Execution.{rest}; there are: "
                f"{', '.join(sorted(_VARIABLES))}."
            )
        elif room == "Steps":
            name, path = split_step(target)
            file = path.removeprefix("PropertyFiles.")
            if path.startswith("PropertyFiles.") and name in known:
                declared = known[name].property_files
                if file not in declared:
                    yield (
                        f"The step {step.name!r} reads the property file {file!r} of {name!r}, "
                        f"which declares: {', '.join(sorted(declared)) or 'none'}."
                    )
        elif room not in ("Parameters", "Execution"):
            yield f"The step {step.name!r} has the reference {target!r}, which is of no known kind."


def _fault_in_condition(step: str, condition: Mapping[str, Any]) -> Iterator[str]:
    kind = condition.get("Type")
    if kind not in conditions.TYPES:
        yield (
            f"The step {step!r} has a condition of type {kind!r}; there are: "
            f"{', '.join(conditions.TYPES)}."
        )
        return
    needed = {
        "In": ("QueryValue", "Values"),
        "Not": ("Expression",),
        "Or": ("Conditions",),
        "And": ("Conditions",),
    }.get(kind, ("LeftValue", "RightValue"))
    for member in needed:
        if member not in condition:
            yield f"The {kind} condition of the step {step!r} has no {member}."
    inner = [condition["Expression"]] if "Expression" in condition else []
    for each in [*condition.get("Conditions", []), *inner]:
        yield from _fault_in_condition(step, each)


def _circle(steps: Mapping[str, Step]) -> list[str]:
    """The steps that can never start, because each waits for another of them."""
    open_steps = {
        name: {*step.waits_for, *([step.branch[0]] if step.branch else [])} & set(steps)
        for name, step in steps.items()
    }
    while ready := [name for name, waits in open_steps.items() if not waits]:
        for name in ready:
            del open_steps[name]
        for waits in open_steps.values():
            waits.difference_update(ready)
    return sorted(open_steps)
