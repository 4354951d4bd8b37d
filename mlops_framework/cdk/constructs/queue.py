"""A queue that keeps what could not be handled."""

from __future__ import annotations

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_sqs as sqs
from constructs import Construct

_DAYS_OF_DEAD_LETTERS = 14


class QueueWithDeadLetters(Construct):
    """A queue and the queue for its failures.

    Creates: two queues with their TLS-only policies.
    Fixed: both encrypted; failures are kept for 14 days, the most that SQS offers.
    You choose: the key, how long a consumer may take, how often it may fail.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        visibility_timeout: cdk.Duration,
        attempts: int = 5,
    ) -> None:
        """Define the queues.

        Args:
            scope: Parent.
            construct_id: Id below the parent.
            key: Encrypts messages.
            visibility_timeout: Six times the consumer's timeout, as Lambda's guide asks.
            attempts: Receives of a message before it counts as failed.
        """
        super().__init__(scope, construct_id)
        self.dead_letters = sqs.Queue(
            self,
            "DeadLetters",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(_DAYS_OF_DEAD_LETTERS),
        )
        self.queue = sqs.Queue(
            self,
            "Queue",
            encryption=sqs.QueueEncryption.KMS,
            encryption_master_key=key,
            enforce_ssl=True,
            visibility_timeout=visibility_timeout,
            dead_letter_queue=sqs.DeadLetterQueue(
                queue=self.dead_letters, max_receive_count=attempts
            ),
        )
