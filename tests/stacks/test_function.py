from __future__ import annotations

from pathlib import Path

import aws_cdk as cdk
import pytest
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk.assertions import Match, Template

from mlops_framework.cdk.bundling import Bundle, RuntimeTarget
from mlops_framework.cdk.errors import HandlerMissing
from mlops_framework.cdk.function import FunctionShape, LogPolicy, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.errors import SettingsInvalid
from mlops_framework.settings import LambdaSettings


class GreetSettings(LambdaSettings):
    """What the greeting function reads."""

    table_name: str
    page_size: int = 50


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    (tmp_path / "handler.py").write_text("def handler(event, context):\n    return None\n")
    archive = tmp_path / "greet.zip"
    archive.write_bytes(b"PK\x05\x06" + b"\0" * 18)
    return Bundle("greet", tmp_path, archive, "0" * 64, RuntimeTarget.cloud())


@pytest.fixture
def stack() -> cdk.Stack:
    return cdk.Stack(cdk.App(builtin_cloud_formation_validation=False), "Stack")


def greet(stack: cdk.Stack, bundle: Bundle, **changes: object) -> PythonFunction:
    arguments: dict[str, object] = {
        "bundle": bundle,
        "handler": "handler:handler",
        "settings": GreetSettings,
        "environment": {"table_name": "greetings"},
        "description": "Greets",
        "logs": LogPolicy(30, kms.Key(stack, "Key"), retain=False),
    }
    return PythonFunction(stack, "Greet", **{**arguments, **changes})  # type: ignore[arg-type]


def test_a_function_gets_its_settings_as_variables(stack: cdk.Stack, bundle: Bundle) -> None:
    greet(stack, bundle)

    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::Function",
        {
            "Handler": "lambdas.greet.handler.handler",
            "Runtime": "python3.14",
            "Environment": {"Variables": {"TABLE_NAME": "greetings"}},
        },
    )


def test_its_role_may_write_its_own_log_and_send_traces(stack: cdk.Stack, bundle: Bundle) -> None:
    greet(stack, bundle)

    template = Template.from_stack(stack)
    template.resource_count_is("AWS::IAM::Policy", 1)
    template.has_resource_properties(
        "AWS::IAM::Policy",
        {
            "PolicyDocument": Match.object_like(
                {
                    "Statement": [
                        Match.object_like({"Resource": "*"}),
                        Match.object_like(
                            {"Action": ["logs:CreateLogStream", "logs:PutLogEvents"]}
                        ),
                    ]
                }
            )
        },
    )


@pytest.mark.parametrize(
    ("handler", "said"),
    [
        ("handler", "write 'module:function'"),
        ("nowhere:handler", "has no module 'nowhere'; it has handler"),
        ("handler:main", "defines no 'main'"),
    ],
)
def test_a_handler_that_does_not_exist_stops_the_synthesis(
    stack: cdk.Stack, bundle: Bundle, handler: str, said: str
) -> None:
    with pytest.raises(HandlerMissing, match=said):
        greet(stack, bundle, handler=handler)


@pytest.mark.parametrize("environment", [{}, {"table_name": "greetings", "tabel": "typo"}])
def test_an_environment_that_the_settings_do_not_declare_stops_the_synthesis(
    stack: cdk.Stack, bundle: Bundle, environment: dict[str, str]
) -> None:
    with pytest.raises(SettingsInvalid, match="disagree"):
        greet(stack, bundle, environment=environment)


def test_failed_events_go_where_the_shape_says(stack: cdk.Stack, bundle: Bundle) -> None:
    greet(stack, bundle, shape=FunctionShape(retries=1, timeout_seconds=60, memory_mb=512))

    Template.from_stack(stack).has_resource_properties(
        "AWS::Lambda::EventInvokeConfig", {"MaximumRetryAttempts": 1}
    )


@pytest.fixture
def role(stack: cdk.Stack) -> iam.Role:
    return iam.Role(stack, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))


def test_a_wildcard_action_is_refused(role: iam.Role) -> None:
    with pytest.raises(ValueError, match="name the actions behind 's3:\\*' one by one"):
        allow(role, actions=["s3:*"], resources=["arn:aws:s3:::example"])


def test_a_wildcard_resource_without_a_reason_is_refused(role: iam.Role) -> None:
    with pytest.raises(ValueError, match="say why"):
        allow(role, actions=["s3:GetObject"], resources=["arn:aws:s3:::example/*"])
