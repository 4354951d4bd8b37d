"""What completes the captures of an asynchronous endpoint when its answers come."""

from __future__ import annotations

from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_events as events
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from mlops_framework.cdk import perms
from mlops_framework.cdk.blueprint import BlueprintStack, bucket_of, either, object_arn
from mlops_framework.cdk.function import FunctionShape, PythonFunction
from mlops_framework.cdk.security import allow
from mlops_framework.cdk.serving.form import EndpointForm, holds

_TIMEOUT_SECONDS = 60
_MEMORY_MB = 512
"""Request and answer of 5 MiB each, in base64, and the record that holds both."""


@dataclass(frozen=True)
class Completion:
    """Tokens of what is completed.

    Attributes:
        endpoint: Name of the endpoint.
        captures: Where captures are, without the endpoint's name.
        notes: Where notes of captured requests are, the endpoint's name included.
        notes_prefix: Its key.
        answers: Where SageMaker puts answers.
        answers_prefix: Its key, where the request does not name the place.
        key: KMS key of the answers.
    """

    endpoint: str
    captures: str
    notes: str
    notes_prefix: str
    answers: str
    answers_prefix: str
    key: str


class LateAnswers(Construct):
    """Captures of asynchronous calls, completed.

    Creates: a function and the rules that call it with each answer, and with each note of a
    captured request. Fixed: all of it is there only for an asynchronous endpoint whose calls the
    API captures. You choose: the places.
    """

    def __init__(
        self, stack: BlueprintStack, construct_id: str, *, form: EndpointForm, places: Completion
    ) -> None:
        """Declare function and rules.

        Args:
            stack: The blueprint's stack.
            construct_id: Stable id.
            form: What the request decides.
            places: What is completed.
        """
        super().__init__(stack, construct_id)
        nothing = stack.when("ApiCapturesNothing", "api_capture_percentage", "0")
        captured = cdk.CfnCondition(
            stack,
            "CapturesAnswers",
            expression=cdk.Fn.condition_and(
                holds(form.asynchronous), cdk.Fn.condition_not(holds(nothing))
            ),
        )
        function = self._function(stack, places)
        _let_complete(stack, function, places)
        here = either(
            stack.left_empty("async_output_location"),
            places.answers_prefix,
            stack.text("async_output_prefix"),
        )
        for name, bucket, prefix, what in (
            ("Answered", bucket_of(places.answers), here, "Answers of one endpoint"),
            ("Noted", bucket_of(places.notes), places.notes_prefix, "Notes of captured requests"),
        ):
            rule = events.CfnRule(
                self,
                name,
                description=f"{what} complete its captures",
                event_pattern={
                    "source": ["aws.s3"],
                    "detail-type": ["Object Created"],
                    "detail": {
                        "bucket": {"name": [bucket]},
                        "object": {"key": [{"prefix": prefix}]},
                    },
                },
                state="ENABLED",
                targets=[events.CfnRule.TargetProperty(id="Answers", arn=function.function_arn)],
            )
            lambda_.CfnPermission(
                self,
                f"{name}Invokes",
                action=perms.INVOKE_FUNCTION[0],
                function_name=function.function_name,
                principal="events.amazonaws.com",
                source_arn=rule.attr_arn,
                source_account=stack.account,
            )
        for each in self.node.find_all():
            if isinstance(each, cdk.CfnResource):
                each.cfn_options.condition = captured

    def _function(self, stack: BlueprintStack, places: Completion) -> PythonFunction:
        bundle = stack.bundler.bundle("inference")
        return PythonFunction(
            self,
            "Complete",
            bundle=bundle,
            handler="answers:handler",
            settings=bundle.settings("AnswerSettings"),
            environment={
                "environment_prefix": stack.config.prefix,
                "endpoint_name": places.endpoint,
                "notes_location": places.notes,
                "capture_csv_types": stack.text("capture_csv_types"),
                "capture_json_types": stack.text("capture_json_types"),
            },
            description="Completes captures of an asynchronous endpoint with its answers",
            logs=stack.logs,
            # Lambda itself calls twice more where this fails.
            shape=FunctionShape(memory_mb=_MEMORY_MB, timeout_seconds=_TIMEOUT_SECONDS),
        )


def _let_complete(stack: BlueprintStack, function: PythonFunction, places: Completion) -> None:
    captures = f"{object_arn(stack, places.captures)}/{places.endpoint}/*"
    notes = f"{object_arn(stack, places.notes)}/*"
    allow(
        function,
        actions=perms.READ_OBJECTS,
        resources=[f"{object_arn(stack, places.answers)}/*", captures, notes],
        because="Every answer, capture and note of this endpoint is an object of its own.",
    )
    allow(
        function,
        actions=perms.WRITE_OBJECTS,
        resources=[captures],
        because="The capture of a call is completed in its place.",
    )
    allow(
        function,
        actions=perms.DELETE_OBJECTS,
        resources=[notes],
        because="A note goes when its answer has come.",
    )
    # Without it S3 does not say that an object is not there, but that reading it is refused.
    allow(
        function,
        actions=perms.LIST_BUCKET,
        resources=[
            f"arn:{stack.partition}:s3:::{bucket_of(place)}"
            for place in (places.answers, places.captures, places.notes)
        ],
    )
    allow(
        function,
        actions=perms.USE_KEY,
        resources=[places.key, stack.platform.value("key-arn")],
    )
