"""The step kinds of a SageMaker Pipeline that this project uses, one dataclass each.

``arguments`` of a job step is the request of the API call that SageMaker makes for it
(``CreateTrainingJob``, ``CreateProcessingJob``, ``CreateModelPackage``) without the job's name,
which Pipelines makes itself. :mod:`mlops_framework.aws.step_arguments` checks them against
botocore's model of those calls.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

from mlops_framework.model_build.expressions import (
    Expression,
    Splice,
    join,
    json_get,
    step_property,
)

Arguments = Mapping[str, Any]


@dataclass(frozen=True, kw_only=True)
class Step(ABC):
    """What every step has.

    Attributes:
        name: Unique in the pipeline; letters, digits, ``-`` and ``_``, at most 64.
        depends_on: Names of steps that must succeed first, beside those whose results the
            arguments refer to.
    """

    type: ClassVar[str]
    api_operation: ClassVar[str | None] = None

    name: str
    depends_on: tuple[str, ...] = ()

    @abstractmethod
    def arguments_of_step(self) -> Arguments:
        """The step's ``Arguments`` member."""

    def children(self) -> tuple[Step, ...]:
        """Steps nested in this one."""
        return ()

    def result(self, path: str) -> Expression:
        """A reference to a value that the step produces."""
        return step_property(self.name, path)

    def to_dict(self) -> dict[str, Any]:
        """The step as the definition's JSON object; splices are left in."""
        step: dict[str, Any] = {
            "Name": self.name,
            "Type": self.type,
            "Arguments": dict(self.arguments_of_step()),
        }
        if self.depends_on:
            step["DependsOn"] = list(self.depends_on)
        return step


@dataclass(frozen=True, kw_only=True)
class TrainingStep(Step):
    """Runs a training job."""

    type: ClassVar[str] = "Training"
    api_operation: ClassVar[str | None] = "CreateTrainingJob"

    arguments: Arguments

    def arguments_of_step(self) -> Arguments:
        """The ``CreateTrainingJob`` request without its name."""
        return self.arguments


@dataclass(frozen=True, kw_only=True)
class TuningStep(Step):
    """Runs a hyperparameter tuning job."""

    type: ClassVar[str] = "Tuning"
    api_operation: ClassVar[str | None] = "CreateHyperParameterTuningJob"

    arguments: Arguments

    def arguments_of_step(self) -> Arguments:
        """The ``CreateHyperParameterTuningJob`` request without its name."""
        return self.arguments

    def top_model(self, output_location: str | Expression) -> Expression:
        """Where the best training job left its model.

        As the SageMaker SDK's ``TuningStep.get_top_model_s3_uri``: training jobs of a tuning write
        below their own names, and a tuning knows their names only.

        Args:
            output_location: ``S3OutputPath`` of the training jobs.
        """
        best = self.result("TrainingJobSummaries[0].TrainingJobName")
        return join("/", [output_location, best, "output/model.tar.gz"])


@dataclass(frozen=True)
class PropertyFile:
    """A JSON file written by a processing step, from which later steps read values.

    Attributes:
        name: Name for :meth:`ProcessingStep.value_in`.
        output: ``OutputName`` of the processing output that holds it.
        path: File name inside that output.
    """

    name: str
    output: str
    path: str


@dataclass(frozen=True, kw_only=True)
class ProcessingStep(Step):
    """Runs a processing job."""

    type: ClassVar[str] = "Processing"
    api_operation: ClassVar[str | None] = "CreateProcessingJob"

    arguments: Arguments
    property_files: tuple[PropertyFile, ...] = ()

    def arguments_of_step(self) -> Arguments:
        """The ``CreateProcessingJob`` request without its name."""
        return self.arguments

    def value_in(self, property_file: str, path: str) -> Expression:
        """A value out of one of the step's property files.

        Raises:
            ValueError: The step declares no file of that name.
        """
        declared = [file.name for file in self.property_files]
        if property_file not in declared:
            raise ValueError(
                f"step {self.name!r} declares no property file {property_file!r}; "
                f"it declares: {', '.join(declared) or 'none'}"
            )
        return json_get(self.name, property_file, path)

    def to_dict(self) -> dict[str, Any]:
        """The step with its ``PropertyFiles``."""
        step = super().to_dict()
        if self.property_files:
            step["PropertyFiles"] = [
                {"PropertyFileName": file.name, "OutputName": file.output, "FilePath": file.path}
                for file in self.property_files
            ]
        return step


@dataclass(frozen=True, kw_only=True)
class RegisterModelStep(Step):
    """Registers a version in a model package group."""

    type: ClassVar[str] = "RegisterModel"
    api_operation: ClassVar[str | None] = "CreateModelPackage"

    arguments: Arguments

    def arguments_of_step(self) -> Arguments:
        """The ``CreateModelPackage`` request."""
        return self.arguments


@dataclass(frozen=True)
class Comparison:
    """``left <operator> right``, compared as numbers or strings by SageMaker.

    Attributes:
        operator: ``Equals``, ``GreaterThan``, ``GreaterThanOrEqualTo``, ``LessThan`` or
            ``LessThanOrEqualTo``; ``${Name}`` where the template decides.
        left: What is compared, usually an expression.
        right: What it is compared with; a number, a string or a :class:`Splice`.
    """

    operator: str
    left: Expression | str | float
    right: Expression | Splice | str | float

    def to_dict(self) -> dict[str, Any]:
        """The condition as the definition's JSON object."""
        return {"Type": self.operator, "LeftValue": self.left, "RightValue": self.right}


@dataclass(frozen=True, kw_only=True)
class ConditionStep(Step):
    """Runs ``if_steps`` when all conditions hold, else ``else_steps``."""

    type: ClassVar[str] = "Condition"

    conditions: tuple[Comparison, ...]
    if_steps: tuple[Step, ...] = ()
    else_steps: tuple[Step, ...] = ()

    def arguments_of_step(self) -> Arguments:
        """Conditions and both branches."""
        return {
            "Conditions": [condition.to_dict() for condition in self.conditions],
            "IfSteps": [step.to_dict() for step in self.if_steps],
            "ElseSteps": [step.to_dict() for step in self.else_steps],
        }

    def children(self) -> tuple[Step, ...]:
        """The steps of both branches."""
        return (*self.if_steps, *self.else_steps)


@dataclass(frozen=True, kw_only=True)
class FailStep(Step):
    """Ends the execution as failed, with a message a person can act on."""

    type: ClassVar[str] = "Fail"

    message: str | Expression

    def arguments_of_step(self) -> Arguments:
        """The message."""
        return {"ErrorMessage": self.message}
