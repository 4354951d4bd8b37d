"""The topic that people listen to."""

from __future__ import annotations

from collections.abc import Iterable

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sns as sns
from constructs import Construct


class AlertTopic(sns.Topic):
    """One topic for alarms, rules and drift findings.

    Creates: the topic, its policy, an email subscription per address.
    Fixed: encrypted, TLS only; alarms of this account and EventBridge may publish, and no others.
    You choose: the key, the addresses.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, emails: Iterable[str] = ()
    ) -> None:
        """Define the topic.

        Args:
            scope: Parent.
            construct_id: Id below the parent.
            key: Encrypts messages; its policy must let CloudWatch and EventBridge use it.
            emails: Addresses; each confirms its subscription itself.
        """
        super().__init__(scope, construct_id, master_key=key, enforce_ssl=True)
        account = cdk.Stack.of(self).account
        for service, condition in {
            "cloudwatch": {"StringEquals": {"aws:SourceAccount": account}},
            # EventBridge's guide: no conditions in a topic's policy; it tells SNS no source.
            "events": None,
        }.items():
            self.add_to_resource_policy(
                iam.PolicyStatement(
                    sid=f"Publish{service.capitalize()}",
                    principals=[iam.ServicePrincipal(f"{service}.amazonaws.com")],
                    actions=["sns:Publish"],
                    resources=[self.topic_arn],
                    conditions=condition,
                )
            )
        for number, email in enumerate(emails, start=1):
            sns.Subscription(
                self,
                f"Email{number}",
                topic=self,
                protocol=sns.SubscriptionProtocol.EMAIL,
                endpoint=email,
            )
