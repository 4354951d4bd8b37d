"""The content of a model card, by SageMaker's model card JSON schema.

SageMaker takes the content as one text of at most 100,000 characters and says little about what is
wrong with it; these models say where.
Source: *Amazon SageMaker Developer Guide*, "Model card JSON schema", and the CloudFormation
resource schema of ``AWS::SageMaker::ModelCard``, which holds the same limits.
"""

from __future__ import annotations

from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

CONTENT_LIMIT: Final = 100_000
"""Characters of a whole card."""

Status = Literal["Draft", "PendingReview", "Approved", "Archived"]
RiskRating = Literal["High", "Medium", "Low", "Unknown"]
Goal = Literal["Maximize", "Minimize"]
MetricKind = Literal["number", "string", "boolean", "linear_graph", "matrix", "bar_chart"]


def in_any_case(*choices: str) -> BeforeValidator:
    """Take a choice in any spelling of its letters, with or without blanks and underscores."""

    def plain(text: str) -> str:
        return "".join(letter for letter in text.lower() if letter.isalnum())

    known = {plain(choice): choice for choice in choices}
    return BeforeValidator(lambda v: known.get(plain(v), v) if isinstance(v, str) else v)


Name63 = Annotated[str, Field(min_length=1, max_length=63)]
Name255 = Annotated[str, Field(min_length=1, max_length=255)]
Short = Annotated[str, Field(max_length=63)]
Text = Annotated[str, Field(max_length=1024)]
LongText = Annotated[str, Field(max_length=2048)]
Number = Annotated[float, Field(allow_inf_nan=False, strict=False)]
Notes = Annotated[dict[str, Text], Field(max_length=200)]
AnyStatus = Annotated[Status, in_any_case("Draft", "PendingReview", "Approved", "Archived")]


class CardPart(BaseModel):
    """A part of a card: immutable and closed to unknown fields, so that a slip is told."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True, protected_namespaces=())


class Environment(CardPart):
    """Images that something runs in."""

    container_image: list[Text] = Field(max_length=15, description="Image URIs.")


def _as_environment(value: Any) -> Any:
    return {"container_image": value} if isinstance(value, list) else value


AnyEnvironment = Annotated[Environment, BeforeValidator(_as_environment)]
"""An environment as SageMaker keeps it, or a bare list of images as the predecessor took it."""


class ModelOverview(CardPart):
    """What the model is."""

    model_id: Text | None = Field(default=None, description="ARN of the SageMaker model, or an id.")
    model_name: Text | None = Field(default=None, description="Name of the model.")
    model_description: Text | None = Field(default=None, description="What it does.")
    model_version: Annotated[float, Field(ge=1, strict=False)] | None = Field(
        default=None, description="Version of the model."
    )
    problem_type: Text | None = Field(default=None, description="Such as Binary Classification.")
    algorithm_type: Text | None = Field(default=None, description="Algorithm that solves it.")
    model_creator: Text | None = Field(default=None, description="Who made it.")
    model_owner: Text | None = Field(default=None, description="Who looks after it.")
    model_artifact: Annotated[list[Text], Field(max_length=15)] | None = Field(
        default=None, description="Locations of the model's files."
    )
    inference_environment: AnyEnvironment | None = Field(
        default=None, description="Images that serve it."
    )


class BusinessDetails(CardPart):
    """What it is for, in the words of those who pay for it."""

    business_problem: LongText | None = Field(default=None, description="Problem it solves.")
    business_stakeholders: LongText | None = Field(default=None, description="Who cares.")
    line_of_business: LongText | None = Field(default=None, description="Where they work.")


class IntendedUses(CardPart):
    """What it may be used for, and at what risk."""

    purpose_of_model: LongText | None = Field(default=None, description="Why it was made.")
    intended_uses: LongText | None = Field(default=None, description="What it is meant for.")
    factors_affecting_model_efficiency: LongText | None = Field(
        default=None, description="What makes it worse."
    )
    risk_rating: Annotated[RiskRating, in_any_case("High", "Medium", "Low", "Unknown")] | None = (
        Field(default=None, description="How much harm a mistake does.")
    )
    explanations_for_risk_rating: LongText | None = Field(default=None, description="Why so much.")


class ObjectiveFunction(CardPart):
    """What training optimized."""

    function: Annotated[Goal, in_any_case("Maximize", "Minimize")] | None = Field(
        default=None, description="Maximize or Minimize."
    )
    facet: Short | None = Field(default=None, description="Metric, such as AUC or RMSE.")
    condition: Short | None = Field(default=None, description="Under which condition.")


class Objective(CardPart):
    """The objective function and a remark."""

    function: ObjectiveFunction | None = Field(default=None, description="What was optimized.")
    notes: Text | None = Field(default=None, description="Remark.")


def _as_objective(value: Any) -> Any:
    """The predecessor's flat form: the remark beside the function's own fields."""
    if not isinstance(value, dict) or isinstance(value.get("function"), dict):
        return value
    flat = {key: item for key, item in value.items() if key != "notes"}
    nested = {"function": flat} if flat else {}
    return {**nested, **({"notes": value["notes"]} if "notes" in value else {})}


class TrainingMetric(CardPart):
    """One number of a training."""

    name: Name255 = Field(description="Of the metric.")
    value: Number = Field(description="Its value.")
    notes: Text | None = Field(default=None, description="Remark.")


class HyperParameter(CardPart):
    """One hyperparameter of a training."""

    name: Name255 = Field(description="Of the hyperparameter.")
    value: Annotated[str, Field(max_length=255)] = Field(description="Its value.")


class TrainingJobDetails(CardPart):
    """The job that made the model."""

    training_arn: Text | None = Field(default=None, description="ARN of the job.")
    training_datasets: Annotated[list[Text], Field(max_length=15)] | None = Field(
        default=None, description="Locations of its data."
    )
    training_environment: AnyEnvironment | None = Field(default=None, description="Its images.")
    training_metrics: Annotated[list[TrainingMetric], Field(max_length=50)] | None = Field(
        default=None, description="What SageMaker measured."
    )
    user_provided_training_metrics: Annotated[list[TrainingMetric], Field(max_length=50)] | None = (
        Field(default=None, description="What somebody else measured.")
    )
    hyper_parameters: Annotated[list[HyperParameter], Field(max_length=100)] | None = Field(
        default=None, description="Of the job."
    )
    user_provided_hyper_parameters: (
        Annotated[list[HyperParameter], Field(max_length=100)] | None
    ) = Field(default=None, description="Of somebody else's job.")


class TrainingDetails(CardPart):
    """How the model was made."""

    objective_function: Annotated[Objective, BeforeValidator(_as_objective)] | None = Field(
        default=None, description="What training optimized."
    )
    training_observations: Text | None = Field(default=None, description="What was seen.")
    training_job_details: TrainingJobDetails | None = Field(
        default=None, description="The job that made the model."
    )


Cell = Annotated[float, Field(allow_inf_nan=False)] | str
_SHAPES: Final = {
    "number": "a number",
    "string": "text of at most 63 characters",
    "boolean": "true or false",
    "linear_graph": "a list of pairs, [[x, y], …]",
    "matrix": "a list of at most 20 rows of at most 20 values",
    "bar_chart": "a list of values",
}


class Metric(CardPart):
    """One result of an evaluation; ``type`` says what ``value`` is."""

    name: Name255 = Field(description="Of the metric.")
    type: Annotated[MetricKind, in_any_case(*_SHAPES)] = Field(description="What the value is.")
    value: (
        Annotated[bool, Field(strict=True)]
        | Annotated[float, Field(allow_inf_nan=False, strict=True)]
        | str
        | list[Cell]
        | list[list[Cell]]
    ) = Field(description="Number, text, boolean, pairs, rows or bars.", union_mode="left_to_right")
    notes: Text | None = Field(default=None, description="Remark.")
    x_axis_name: Short | list[Short] | None = Field(default=None, description="Name of x.")
    y_axis_name: Short | list[Short] | None = Field(default=None, description="Name of y.")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if not _has_shape(self.type, self.value):
            raise ValueError(f"the value of a {self.type} metric must be {_SHAPES[self.type]}")
        return self


def _has_shape(kind: str, value: Any) -> bool:
    if kind == "boolean":
        return isinstance(value, bool)
    if kind == "number":
        return isinstance(value, int | float) and not isinstance(value, bool)
    if kind == "string":
        return isinstance(value, str) and len(value) <= 63
    if not isinstance(value, list) or not value:
        return False
    nested = all(isinstance(row, list) for row in value)
    if kind == "bar_chart":
        return not any(isinstance(row, list) for row in value)
    if kind == "linear_graph":
        return nested and all(len(row) == 2 for row in value)
    return nested and len(value) <= 20 and all(1 <= len(row) <= 20 for row in value)


class MetricGroup(CardPart):
    """Metrics that belong together."""

    # CloudFormation's schema says 63, unanchored: SageMaker keeps longer names, and Clarify's are.
    name: Name255 = Field(description="Of the group.")
    metric_data: list[Metric] = Field(description="The metrics.")


class EvaluationDetail(CardPart):
    """One evaluation of the model."""

    name: Name63 = Field(description="Of the evaluation.")
    evaluation_observation: Annotated[str, Field(max_length=2096)] | None = Field(
        default=None, description="What was seen."
    )
    evaluation_job_arn: Annotated[str, Field(max_length=256)] | None = Field(
        default=None, description="ARN of the job that evaluated."
    )
    datasets: Annotated[list[Text], Field(max_length=10)] | None = Field(
        default=None, description="Locations of the data."
    )
    metadata: Notes | None = Field(default=None, description="Remarks by name.")
    metric_groups: list[MetricGroup] | None = Field(default=None, description="The results.")


class AdditionalInformation(CardPart):
    """Everything else."""

    ethical_considerations: LongText | None = Field(default=None, description="What is owed whom.")
    caveats_and_recommendations: LongText | None = Field(default=None, description="Take care.")
    custom_details: Notes | None = Field(default=None, description="Further texts by name.")


class CardContent(CardPart):
    """A whole card."""

    model_overview: ModelOverview | None = Field(default=None, description="What the model is.")
    business_details: BusinessDetails | None = Field(default=None, description="What it is for.")
    intended_uses: IntendedUses | None = Field(default=None, description="What it may do.")
    training_details: TrainingDetails | None = Field(default=None, description="How it was made.")
    evaluation_details: list[EvaluationDetail] | None = Field(
        default=None, description="How good it is."
    )
    additional_information: AdditionalInformation | None = Field(
        default=None, description="Everything else."
    )


SECTIONS: Final = tuple(CardContent.model_fields)
