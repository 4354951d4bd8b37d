"""Checks pipeline steps against botocore's own model of the calls SageMaker will make.

SageMaker reports a misspelt member of a step only when the pipeline is created, and a wrong type
only when the step runs. botocore ships the service's shapes, so both are found before anything
is deployed, without a network.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterator, Mapping
from typing import Any

import botocore.session

from mlops_framework.model_build import PipelineDefinition, Splice
from mlops_framework.model_build.expressions import When, is_expression

_NAMED_BY_PIPELINES = {
    "CreateTrainingJob": frozenset({"TrainingJobName"}),
    "CreateProcessingJob": frozenset({"ProcessingJobName"}),
    "CreateHyperParameterTuningJob": frozenset({"HyperParameterTuningJobName"}),
    "CreateTransformJob": frozenset({"TransformJobName"}),
}
"""Required members of a call that Pipelines fills in and refuses from a definition."""

_SUBSTITUTION = re.compile(r"\$\{[^}]+\}")

_SCALARS: Mapping[str, tuple[type, ...]] = {
    "string": (str,),
    "integer": (int,),
    "long": (int,),
    "float": (int, float),
    "double": (int, float),
    "boolean": (bool,),
}


@functools.cache
def _service_model() -> Any:
    return botocore.session.Session().get_service_model("sagemaker")


def step_argument_faults(definition: PipelineDefinition) -> list[str]:
    """Every fault in the arguments of the definition's job steps.

    Values that are known only later (pipeline expressions, splices, ``${…}`` strings) pass.

    Returns:
        One sentence a fault, naming step and path; empty when there is none.
    """
    faults: list[str] = []
    for step in definition.all_steps():
        if step.api_operation is None:
            continue
        shape = _service_model().operation_model(step.api_operation).input_shape
        arguments = step.arguments_of_step()
        own = _NAMED_BY_PIPELINES.get(step.api_operation, frozenset())
        for name in sorted(own & arguments.keys()):
            faults.append(f"{step.name}.{name}: Pipelines names the job itself; leave it out")
        faults += _structure(shape, arguments, step.name, ignore=own)
    return faults


def _faults(shape: Any, value: object, path: str) -> Iterator[str]:
    if isinstance(value, When):
        yield from _faults(shape, value.value, path)
        return
    if isinstance(value, Splice) or is_expression(value):
        return
    if shape.type_name == "structure":
        yield from _structure(shape, value, path)
    elif shape.type_name == "list":
        yield from _list(shape, value, path)
    elif shape.type_name == "map":
        yield from _map(shape, value, path)
    else:
        yield from _scalar(shape, value, path)


def _structure(
    shape: Any, value: object, path: str, ignore: frozenset[str] = frozenset()
) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: an object is wanted, found {value!r}"
        return
    for name in sorted(set(shape.required_members) - value.keys() - ignore):
        yield f"{path}.{name}: required by {shape.name}, but missing"
    for name, inner in value.items():
        if name in shape.members:
            yield from _faults(shape.members[name], inner, f"{path}.{name}")
        else:
            yield f"{path}.{name}: unknown; {shape.name} knows {', '.join(sorted(shape.members))}"


def _list(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, (list, tuple)):
        yield f"{path}: a list is wanted, found {value!r}"
        return
    yield from _length(shape, len(value), path)
    for index, inner in enumerate(value):
        yield from _faults(shape.member, inner, f"{path}[{index}]")


def _map(shape: Any, value: object, path: str) -> Iterator[str]:
    if not isinstance(value, Mapping):
        yield f"{path}: a map is wanted, found {value!r}"
        return
    for key, inner in value.items():
        yield from _faults(shape.value, inner, f"{path}.{key}")


def _scalar(shape: Any, value: object, path: str) -> Iterator[str]:
    wanted = _SCALARS.get(shape.type_name)
    if wanted is None:
        return
    # bool is an int to Python, but not to the service.
    if not isinstance(value, wanted) or (isinstance(value, bool) and bool not in wanted):
        yield f"{path}: a {shape.type_name} is wanted, found {value!r}"
    elif isinstance(value, str):
        if _SUBSTITUTION.search(value):
            return
        if shape.enum and value not in shape.enum:
            yield f"{path}: {value!r} is not one of {', '.join(shape.enum)}"
        yield from _length(shape, len(value), path)
        pattern = shape.metadata.get("pattern")
        if pattern and not _matches(pattern, value):
            yield f"{path}: {value!r} does not match {pattern}"
    elif isinstance(value, (int, float)) and not isinstance(value, bool):
        yield from _length(shape, value, path)


def _length(shape: Any, size: float, path: str) -> Iterator[str]:
    low, high = shape.metadata.get("min"), shape.metadata.get("max")
    if low is not None and size < low:
        yield f"{path}: {size} is below the least accepted, {low}"
    if high is not None and size > high:
        yield f"{path}: {size} is above the most accepted, {high}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return re.fullmatch(pattern, value) is not None
    except re.error:  # a few of the service's patterns are Java's, not Python's
        return True
