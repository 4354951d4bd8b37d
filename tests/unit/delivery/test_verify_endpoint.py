from __future__ import annotations

from dataclasses import replace

import pytest

from mlops_framework.delivery.endpoint import (
    Component,
    Serving,
    Variant,
    Wanted,
    judge,
    wanted_of,
)
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


OUTPUTS = {"ModelName": "champion-2", "VariantModels": "champion=champion-2,challenger=other-7"}
PARAMETERS = {
    "VariantName": "champion",
    "ModelPackageName": PACKAGE,
    "Variant2Name": "challenger",
    "Variant2ImageUri": IMAGE,
    "Variant3Name": "",
}
SHARED = wanted_of("income", "config-2", OUTPUTS, PARAMETERS)
CHAMPION = Variant("champion", "champion-2", (PACKAGE,), ("registry/of-aws:1",), 1)
CHALLENGER = Variant("challenger", "other-7", (), (IMAGE,), 1)


@pytest.mark.parametrize(
    ("variants", "said"),
    [
        ((CHAMPION, CHALLENGER), ""),
        ((CHAMPION,), "it has no variant challenger"),
        ((CHAMPION, CHALLENGER, VARIANT), "a variant AllTraffic that nobody asked for"),
        ((CHAMPION, replace(CHALLENGER, model="other-6")), "challenger serves model other-6"),
        ((CHAMPION, replace(CHALLENGER, images=("old:1",))), "challenger runs the image old:1"),
        ((replace(CHAMPION, model_packages=()), CHALLENGER), "champion serves no model package"),
    ],
)
def test_every_variant_has_to_serve_what_was_asked_of_it(variants, said) -> None:
    verdict = judge(SHARED, replace(SERVING, variants=variants))

    if said:
        assert isinstance(verdict, Refused)
        assert said in verdict.message
    else:
        assert isinstance(verdict, Passed)


def test_an_endpoint_that_may_be_idle_passes_without_an_instance() -> None:
    idle = replace(SERVING, variants=(replace(VARIANT, instances=0),))
    bounds = {"AutoscalingMinInstances": "0", "AutoscalingMaxInstances": "2"}

    wanted = wanted_of("income", "config-2", {"ModelName": "model-2"}, bounds)

    assert isinstance(judge(wanted, idle), Passed)


@pytest.mark.parametrize(
    ("component", "said"),
    [
        (Component("income", "InService", "model-2"), Passed),
        (Component("income", "Updating", "model-1"), Waiting),
        (Component("income", "InService", "model-1", "no ping"), "rolled back. SageMaker says: no"),
        (Component("income", "Failed", "model-2", "no memory"), "Failed, not InService"),
        (None, "There is no inference component income"),
    ],
)
def test_a_component_has_to_serve_the_model_in_the_variants_stead(component, said) -> None:
    outputs = {"ModelName": "model-2", "InferenceComponentName": "income"}
    bounds = {"AutoscalingMinInstances": "0", "AutoscalingMaxInstances": "2"}
    bare = replace(SERVING, variants=(Variant("AllTraffic", "", (), (), 0),), component=component)

    verdict = judge(wanted_of("income", "config-2", outputs, bounds), bare)

    if isinstance(said, str):
        assert said in verdict.message
    else:
        assert isinstance(verdict, said)
