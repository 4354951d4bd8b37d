"""The S3 source: one object of a versioned bucket becomes the pipeline's artifact."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from botocore.exceptions import ClientError

from mlops_framework.local.plane.codepipeline.actions.base import (
    Action,
    ActionFailed,
    ActionResult,
    ActionRun,
)


class S3Source(Action):
    """Fetches the newest version of an object, or the version the execution was started with."""

    category: ClassVar[str] = "Source"
    provider: ClassVar[str] = "S3"
    required: ClassVar[frozenset[str]] = frozenset({"S3Bucket", "S3ObjectKey"})
    optional: ClassVar[frozenset[str]] = frozenset(
        {"PollForSourceChanges", "AllowOverrideForS3ObjectKey"}
    )
    outputs: ClassVar[tuple[int, int]] = (1, 1)

    def refusal(self, configuration: Mapping[str, str]) -> str | None:
        """Polling is not carried: it would need a timer per pipeline, and AWS advises against."""
        if configuration.get("PollForSourceChanges", "true").lower() != "false":
            return (
                "The local AWS does not poll sources: set PollForSourceChanges to false and start "
                "the pipeline by an EventBridge rule on the bucket's 'Object Created' events."
            )
        return None

    def run(self, run: ActionRun) -> ActionResult:
        """See :meth:`Action.run`."""
        s3 = run.client("s3")
        bucket = run.configuration["S3Bucket"]
        key = run.overrides.get("S3_OBJECT_KEY") or run.configuration["S3ObjectKey"]
        wanted = run.overrides.get("S3_OBJECT_VERSION_ID")
        try:
            versioning = s3.get_bucket_versioning(Bucket=bucket).get("Status")
            if versioning != "Enabled":
                raise ActionFailed(
                    "ConfigurationError",
                    f"The bucket {bucket!r} is not versioned; an S3 source needs versioning.",
                )
            version = {"VersionId": wanted} if wanted else {}
            found = s3.get_object(Bucket=bucket, Key=key, **version)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code in ("NoSuchKey", "NoSuchVersion", "404"):
                raise ActionFailed(
                    "RevisionUnavailable",
                    f"The object with key {key!r} does not exist in the bucket {bucket!r}.",
                ) from None
            raise ActionFailed("ConfigurationError", str(error)) from None
        version_id = str(found["VersionId"])
        name = run.action["outputArtifacts"][0]["name"]
        artifact = run.store.put(name, found["Body"].read(), version_id)
        variables = {
            "BucketName": bucket,
            "ObjectKey": key,
            "ETag": str(found["ETag"]).strip('"'),
            "VersionId": version_id,
        }
        summary = f"Amazon S3 version id: {version_id}"
        return ActionResult(
            artifacts={name: artifact},
            variables=variables,
            summary=summary,
            external_id=version_id,
            revision={
                "name": name,
                "revisionId": version_id,
                "revisionChangeIdentifier": version_id[:100],
                "revisionSummary": summary,
                "created": found["LastModified"],
                "revisionUrl": f"https://s3.console.aws.amazon.com/s3/object/{bucket}/{key}",
            },
        )
