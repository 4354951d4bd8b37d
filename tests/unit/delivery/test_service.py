from __future__ import annotations

import pytest

from mlops_framework.testing.events import code_pipeline_event


def test_a_stage_without_a_check_passes(stage) -> None:
    assert stage.look("none").result == "succeeded"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ("not json", "is no JSON"),
        ("[]", "is no JSON object"),
        ({"stage": "dev"}, "has no pipeline_id, stack_name, check"),
        (
            {"pipeline_id": "p", "stage": "dev", "stack_name": "s", "check": "look"},
            "asks for the check 'look'; accepted: none, run-model-build",
        ),
    ],
    ids=["text", "list", "missing", "unknown check"],
)
def test_user_parameters_that_make_no_sense_fail_the_action_saying_so(
    stage, parameters, said
) -> None:
    report = stage.send(code_pipeline_event(parameters))

    assert (report.result, report.kind) == ("failed", "ConfigurationError")
    assert said in report.text


def test_a_check_that_breaks_answers_too(stage) -> None:
    stage.deploy(EndpointName="income", EndpointConfigName="c")
    stage.endpoints = None

    report = stage.look("verify-endpoint")

    assert report.result == "failed"
    assert "AttributeError" in report.text


def test_user_parameters_may_hold_more_than_is_read(stage) -> None:
    report = stage.send(
        code_pipeline_event(
            {"pipeline_id": "p", "stage": "dev", "stack_name": "s", "check": "none", "new": 1}
        )
    )

    assert report.result == "succeeded"
