"""Typed builder of Amazon SageMaker Pipelines definitions.

For whoever writes a blueprint whose work runs as a SageMaker Pipeline: steps are frozen
dataclasses, references between steps are checked when the definition is made, and the result is
text for ``AWS::SageMaker::Pipeline``. CloudFormation parameters are written as ``${Name}`` inside
strings, as :class:`Splice` where a number or a whole object is wanted, and :class:`When` where a
member depends on a condition; the template passes the text through ``Fn::Sub``. No SDK, no AWS call
and no clock: the same inputs give the same text.
"""

from mlops_framework.model_build.definition import PipelineDefinition, PipelineParameter
from mlops_framework.model_build.expressions import (
    Splice,
    When,
    execution,
    join,
    json_get,
    parameter,
)
from mlops_framework.model_build.jobs import TrainingJobs
from mlops_framework.model_build.quality import Evaluation, Gate, Registration
from mlops_framework.model_build.steps import (
    Comparison,
    ConditionStep,
    FailStep,
    ProcessingStep,
    PropertyFile,
    RegisterModelStep,
    Step,
    TrainingStep,
    TuningStep,
)
from mlops_framework.model_build.training import ModelBuild, model_build_definition
from mlops_framework.model_build.transform import (
    BatchTransform,
    TransformStep,
    batch_transform_definition,
)
from mlops_framework.model_build.tuning import ModelTuning, model_tuning_definition
from mlops_framework.model_build.writing import TemplateText, template_text

__all__ = [
    "BatchTransform",
    "Comparison",
    "ConditionStep",
    "Evaluation",
    "FailStep",
    "Gate",
    "ModelBuild",
    "ModelTuning",
    "PipelineDefinition",
    "PipelineParameter",
    "ProcessingStep",
    "PropertyFile",
    "RegisterModelStep",
    "Registration",
    "Splice",
    "Step",
    "TemplateText",
    "TrainingJobs",
    "TrainingStep",
    "TransformStep",
    "TuningStep",
    "When",
    "batch_transform_definition",
    "execution",
    "join",
    "json_get",
    "model_build_definition",
    "model_tuning_definition",
    "parameter",
    "template_text",
]
