"""Values of a pipeline definition that are known only later.

Two moments are meant. ``Get`` and ``Std:*`` expressions are resolved by SageMaker while the
pipeline runs; a :class:`Splice` is resolved by CloudFormation's ``Fn::Sub`` when the stack is
deployed. The spelling of the first kind follows the pipeline definition JSON schema that the
SageMaker developer guide links from "Pipelines overview".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

Expression = Mapping[str, Any]
"""One of ``{"Get": …}``, ``{"Std:Join": …}``, ``{"Std:JsonGet": …}``."""

EXPRESSION_KEYS = frozenset({"Get", "Std:Join", "Std:JsonGet"})


@dataclass(frozen=True)
class Splice:
    """JSON that CloudFormation puts in place of ``${name}``, without quotes round it.

    A JSON string cannot hold a number or an object, so a parameter such as ``InstanceCount`` or a
    JSON map of hyperparameters has to replace its own quotes.

    Attributes:
        name: Name of a template parameter or of a variable given to ``Fn::Sub``; its value must
            be valid JSON text.
    """

    name: str


@dataclass(frozen=True)
class When:
    """A member of an object that is there only where a condition of the template holds.

    SageMaker takes neither null nor an empty object where a member does not apply, and no
    intrinsic of CloudFormation can leave a member out of a text.

    Attributes:
        name: Of the variable that ``Fn::Sub`` replaces with the member, or with nothing.
        value: The member's value.
    """

    name: str
    value: Any


def step_property(step: str, path: str) -> Expression:
    """Refers to a value that a step produces, e.g. ``ModelArtifacts.S3ModelArtifacts``."""
    return {"Get": f"Steps.{step}.{path}"}


def execution(variable: str) -> Expression:
    """Refers to a value of the running execution, e.g. ``PipelineExecutionId``."""
    return {"Get": f"Execution.{variable}"}


def parameter(name: str) -> Expression:
    """Refers to a value that may be given when the execution is started."""
    return {"Get": f"Parameters.{name}"}


def join(separator: str, values: Sequence[str | Expression]) -> Expression:
    """Strings and expressions joined by ``separator`` when the pipeline runs."""
    return {"Std:Join": {"On": separator, "Values": list(values)}}


def json_get(step: str, property_file: str, path: str) -> Expression:
    """A value out of a JSON file that a processing step wrote.

    Args:
        step: Name of the processing step.
        property_file: Name under which that step declares the file.
        path: Path inside the file, members separated by dots.
    """
    return {
        "Std:JsonGet": {
            "PropertyFile": {"Get": f"Steps.{step}.PropertyFiles.{property_file}"},
            "Path": path,
        }
    }


def is_expression(value: object) -> bool:
    """Whether SageMaker resolves the value while the pipeline runs."""
    return isinstance(value, Mapping) and len(value) == 1 and next(iter(value)) in EXPRESSION_KEYS
