from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.delivery.endpoint import Serving, Variant, Wanted, judge
from mlops_framework.delivery.verdict import Passed, Refused, Waiting

PACKAGE = "arn:aws:sagemaker:us-east-1:111122223333:model-package/income/3"
IMAGE = "111122223333.dkr.ecr.us-east-1.amazonaws.com/sagemaker-scikit-learn:1.4-2"
WANTED = Wanted("income", "config-2", model="model-2", model_package=PACKAGE)
VARIANT = Variant("AllTraffic", "model-2", (PACKAGE,), (IMAGE,), 1)
SERVING = Serving("income", "arn:income", "InService", "config-2", "", (VARIANT,))


def test_an_endpoint_that_serves_what_was_asked_passes() -> None:
    assert isinstance(judge(WANTED, SERVING), Passed)


@pytest.mark.parametrize("status", ["Creating", "Updating", "SystemUpdating", "RollingBack"])
def test_an_endpoint_that_moves_is_waited_for(status) -> None:
    assert isinstance(judge(WANTED, replace(SERVING, status=status)), Waiting)


def test_a_silent_rollback_is_found() -> None:
    verdict = judge(
        WANTED, replace(SERVING, configuration="config-1", reason="alarm Latency went off")
    )

    assert isinstance(verdict, Refused)
    assert "serves configuration config-1, the stack asks for config-2" in verdict.message
    assert "alarm Latency went off" in verdict.message


def test_a_failed_endpoint_gives_sagemakers_reason() -> None:
    failed = replace(SERVING, status="Failed", reason="did not pass the ping health check")

    assert "did not pass the ping health check" in judge(WANTED, failed).message


@pytest.mark.parametrize(
    ("variant", "said"),
    [
        (replace(VARIANT, model="model-1"), "serves model model-1, not model-2"),
        (replace(VARIANT, model_packages=()), "serves no model package"),
        (replace(VARIANT, instances=0), "has no running instance"),
    ],
    ids=["model", "package", "instances"],
)
def test_a_variant_that_serves_something_else_is_named(variant, said) -> None:
    assert said in judge(WANTED, replace(SERVING, variants=(variant,))).message


def test_another_image_than_asked_for_is_found() -> None:
    wanted = replace(WANTED, model_package="", image=IMAGE.replace("1.4-2", "1.5-1"))

    assert "runs the image" in judge(wanted, SERVING).message


def test_a_serverless_variant_has_no_instances_and_passes() -> None:
    serverless = replace(SERVING, variants=(replace(VARIANT, instances=None),))

    assert isinstance(judge(WANTED, serverless), Passed)


def test_no_variant_at_all_is_refused() -> None:
    assert "no production variant" in judge(WANTED, replace(SERVING, variants=())).message


def test_a_missing_endpoint_is_refused() -> None:
    assert "There is no endpoint income" in judge(WANTED, None).message


def test_the_stacks_outputs_and_parameters_say_what_was_asked(stage) -> None:
    stage.stacks.place(
        "mlops-test-income-training-dev",
        outputs={
            "EndpointName": "income",
            "EndpointConfigName": "config-2",
            "ModelName": "model-2",
        },
        parameters={"ModelPackageName": PACKAGE, "ImageUri": ""},
    )
    stage.endpoints.serving["income"] = SERVING

    assert stage.look("verify-endpoint").result == "succeeded"
    stage.endpoints.serving["income"] = replace(SERVING, configuration="config-1")
    assert stage.look("verify-endpoint").result == "failed"
