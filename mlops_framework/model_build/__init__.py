"""Typed builder of Amazon SageMaker Pipelines definitions.

For whoever writes a blueprint whose work runs as a SageMaker Pipeline: steps are frozen
dataclasses, references between steps are checked when the definition is made, and the result is
text for ``AWS::SageMaker::Pipeline``. CloudFormation parameters are written as ``${Name}`` inside
strings, or as :class:`Splice` where a number or a whole object is wanted; the template passes the
text through ``Fn::Sub``. No SDK, no AWS call and no clock: the same inputs give the same text.
"""

from mlops_framework.model_build.definition import PipelineDefinition, PipelineParameter
from mlops_framework.model_build.expressions import Splice, execution, join, json_get, parameter
from mlops_framework.model_build.steps import (
    Comparison,
    ConditionStep,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    Step,
    TrainingStep,
)
from mlops_framework.model_build.training import ModelBuild, model_build_definition
from mlops_framework.model_build.transform import (
    BatchTransform,
    DataCapture,
    TransformStep,
    batch_transform_definition,
)

__all__ = [
    "BatchTransform",
    "Comparison",
    "ConditionStep",
    "DataCapture",
    "FailStep",
    "ModelBuild",
    "PipelineDefinition",
    "PipelineParameter",
    "ProcessingStep",
    "PropertyFile",
    "RegisterModelStep",
    "Splice",
    "Step",
    "TrainingStep",
    "TransformStep",
    "batch_transform_definition",
    "execution",
    "join",
    "json_get",
    "model_build_definition",
    "parameter",
]
