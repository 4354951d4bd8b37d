"""A private bucket."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import aws_cdk as cdk
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

_DAYS_IN_STANDARD = 30
_DAYS_OF_OLD_VERSIONS = 365
_DAYS_OF_EXPIRED_VERSIONS = 7
_DAYS_OF_ACCESS_LOGS = 90
_DAYS_OF_BROKEN_UPLOADS = 7


@dataclass(frozen=True)
class Expiry:
    """When objects of one tag go.

    Attributes:
        prefix: What their keys begin with.
        tag: Key of the tag.
        value: Value of the tag.
        days: Days after they were written.
    """

    prefix: str
    tag: str
    value: str
    days: int


class PrivateBucket(s3.Bucket):
    """A bucket for data that belongs to the platform.

    Creates: the bucket and its policy.
    Fixed: no public access, TLS only, versioned, encrypted with the given key through a bucket
    key, owner enforced, objects move to Intelligent-Tiering after 30 days, replaced versions are
    kept for a year, every request is logged.
    You choose: the key, where logs go, whether it outlives its stack, whether it tells EventBridge,
    which objects go after a time.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        access_logs: s3.IBucket,
        retain: bool,
        events: bool = False,
        expiries: Sequence[Expiry] = (),
    ) -> None:
        """Define the bucket.

        Args:
            scope: Parent.
            construct_id: Id below the parent; also the prefix of its access logs.
            key: Encrypts the objects.
            access_logs: Takes the server access logs.
            retain: Whether the bucket stays when its stack goes. Without it, deleting a stack
                whose bucket still holds objects fails: nothing empties a bucket for you.
            events: Whether object changes are sent to EventBridge.
            expiries: Which objects go after a time, for good a week later; no others do.
        """
        super().__init__(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            bucket_key_enabled=True,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            server_access_logs_bucket=access_logs,
            server_access_logs_prefix=f"{construct_id.lower()}/",
            lifecycle_rules=[
                s3.LifecycleRule(
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.INTELLIGENT_TIERING,
                            transition_after=cdk.Duration.days(_DAYS_IN_STANDARD),
                        )
                    ],
                    noncurrent_version_expiration=cdk.Duration.days(_DAYS_OF_OLD_VERSIONS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(
                        _DAYS_OF_BROKEN_UPLOADS
                    ),
                ),
                *_expiring(expiries),
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN if retain else cdk.RemovalPolicy.DESTROY,
        )
        if events:
            resource = self.node.default_child
            assert isinstance(resource, s3.CfnBucket)
            # The L2's event_bridge_enabled brings a custom resource with a Lambda of its own; the
            # resource type has had the property itself since 2021.
            resource.notification_configuration = s3.CfnBucket.NotificationConfigurationProperty(
                event_bridge_configuration=s3.CfnBucket.EventBridgeConfigurationProperty(
                    event_bridge_enabled=True
                )
            )

    @staticmethod
    def for_access_logs(scope: Construct, construct_id: str, *, retain: bool) -> s3.Bucket:
        """The bucket that access logs go to.

        Encrypted by S3 itself: log delivery cannot use a customer key's bucket as a target.
        https://docs.aws.amazon.com/AmazonS3/latest/userguide/enable-server-access-logging.html
        """
        return s3.Bucket(
            scope,
            construct_id,
            encryption=s3.BucketEncryption.S3_MANAGED,
            block_public_access=s3.BlockPublicAccess.BLOCK_ALL,
            object_ownership=s3.ObjectOwnership.BUCKET_OWNER_ENFORCED,
            enforce_ssl=True,
            minimum_tls_version=1.2,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    expiration=cdk.Duration.days(_DAYS_OF_ACCESS_LOGS),
                    noncurrent_version_expiration=cdk.Duration.days(_DAYS_OF_ACCESS_LOGS),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(
                        _DAYS_OF_BROKEN_UPLOADS
                    ),
                )
            ],
            removal_policy=cdk.RemovalPolicy.RETAIN if retain else cdk.RemovalPolicy.DESTROY,
        )


def _expiring(expiries: Sequence[Expiry]) -> list[s3.LifecycleRule]:
    """A rule for each tag, and one for the delete markers that these leave behind."""
    rules = [
        s3.LifecycleRule(
            id=f"expire-{one.value}",
            prefix=one.prefix,
            tag_filters={one.tag: one.value},
            expiration=cdk.Duration.days(one.days),
            # Of two rules the one that deletes earlier counts: these versions are not kept a year.
            noncurrent_version_expiration=cdk.Duration.days(_DAYS_OF_EXPIRED_VERSIONS),
        )
        for one in expiries
    ]
    markers = [
        s3.LifecycleRule(
            id=f"clear-markers-of-{prefix.strip('/')}",
            prefix=prefix,
            expired_object_delete_marker=True,
        )
        for prefix in sorted({one.prefix for one in expiries})
    ]
    return [*rules, *markers]
