"""A stack with two mistakes: a type that nobody knows, and one that cdk-nag does not like."""

from __future__ import annotations

from aws_cdk import aws_sqs as sqs

from mlops_framework.cdk.blueprint import BlueprintStack


class ParcelStack(BlueprintStack):
    """A queue."""

    def build(self) -> None:
        sqs.CfnQueue(self, "Queue", delay_seconds=self.number("weight"))
