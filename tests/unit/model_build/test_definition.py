"""What the builder promises about any pipeline definition."""

from __future__ import annotations

import json

import pytest

from mlops_framework.model_build import (
    Comparison,
    ConditionStep,
    FailStep,
    PipelineDefinition,
    ProcessingStep,
    PropertyFile,
    Splice,
    TrainingStep,
    join,
)


def _fail(name: str = "Stop") -> FailStep:
    return FailStep(name=name, message="no")


def test_a_splice_replaces_its_own_quotes() -> None:
    step = TrainingStep(name="Train", arguments={"Count": Splice("Count"), "Name": "${Name}"})

    text = PipelineDefinition((step,)).to_template_text()

    substituted = text.replace("${Count}", "3").replace("${Name}", "census")
    assert json.loads(substituted)["Steps"][0]["Arguments"] == {"Count": 3, "Name": "census"}


def test_every_name_that_needs_substitution_is_listed() -> None:
    step = TrainingStep(name="Train", arguments={"Count": Splice("Count"), "Uri": "${Uri}/a"})

    assert PipelineDefinition((step,)).splices() == {"Count", "Uri"}


def test_the_same_steps_give_the_same_text() -> None:
    def definition() -> PipelineDefinition:
        return PipelineDefinition((_fail("A"), _fail("B")))

    assert definition().to_template_text() == definition().to_template_text()


def test_all_faults_of_a_definition_are_told_at_once() -> None:
    steps = (
        _fail("bad name"),
        _fail("Twice"),
        _fail("Twice"),
        FailStep(name="Late", message="x", depends_on=("Nobody",)),
        FailStep(name="Lost", message=join("", [{"Get": "Steps.Ghost.Arn"}])),
    )

    with pytest.raises(ValueError, match="pipeline definition") as caught:
        PipelineDefinition(steps)

    for part in ("'bad name'", "'Twice' is used twice", "'Nobody'", "'Ghost'"):
        assert part in str(caught.value)


def test_a_reference_inside_a_branch_is_checked_too() -> None:
    gate = ConditionStep(
        name="Gate",
        conditions=(Comparison("Equals", "a", "a"),),
        else_steps=(FailStep(name="Stop", message={"Get": "Steps.Ghost.Arn"}),),
    )

    with pytest.raises(ValueError, match="'Stop' refers to step 'Ghost'"):
        PipelineDefinition((gate,))


def test_a_property_file_that_is_not_declared_cannot_be_read() -> None:
    step = ProcessingStep(
        name="Evaluate",
        arguments={},
        property_files=(PropertyFile("Report", "evaluation", "evaluation.json"),),
    )

    with pytest.raises(ValueError, match="it declares: Report"):
        step.value_in("Metrics", "a.b")
    assert step.value_in("Report", "a.b") == {
        "Std:JsonGet": {
            "PropertyFile": {"Get": "Steps.Evaluate.PropertyFiles.Report"},
            "Path": "a.b",
        }
    }


def test_a_value_that_json_has_no_form_for_is_refused() -> None:
    step = TrainingStep(name="Train", arguments={"When": object()})

    with pytest.raises(TypeError, match="object has no place"):
        PipelineDefinition((step,)).to_template_text()
