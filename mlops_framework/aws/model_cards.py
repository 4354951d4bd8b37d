"""SageMaker's model cards, its models and jobs, and files of metrics in S3."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from typing import Any, Final
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from mlops_framework.aws.refusals import Condition, message_of, refusals
from mlops_framework.governance.errors import (
    CardExists,
    CardLocked,
    CardUnknown,
    MetricFileUnreadable,
)
from mlops_framework.governance.ports import (
    Card,
    CardEntry,
    CardPage,
    Export,
    ModelFacts,
    TrainingFacts,
)

_SERVICE: Final = "SageMaker"
_FILE_LIMIT: Final = 5 * 1024 * 1024
_MISSING: Final = ("ResourceNotFound", "ResourceNotFoundException")


class SageMakerCards:
    """The port ``CardStore``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def create(
        self, name: str, *, content: str, status: str, key_arn: str, tags: Mapping[str, str]
    ) -> str:
        """See ``CardStore.create``."""
        key = {"SecurityConfig": {"KmsKeyId": key_arn}} if key_arn else {}
        taken: dict[str, Condition] = {"ConflictException": lambda _: CardExists(name)}
        with refusals(_SERVICE, "CreateModelCard", taken):
            answer = self._client.create_model_card(
                ModelCardName=name,
                Content=content,
                ModelCardStatus=status,
                Tags=[{"Key": key, "Value": value} for key, value in tags.items()],
                **key,
            )
        return str(answer["ModelCardArn"])

    def change_content(self, name: str, content: str) -> None:
        """See ``CardStore.change_content``."""
        with self._call("UpdateModelCard", name):
            self._client.update_model_card(ModelCardName=name, Content=content)

    def change_status(self, name: str, status: str) -> None:
        """See ``CardStore.change_status``."""
        with self._call("UpdateModelCard", name):
            self._client.update_model_card(ModelCardName=name, ModelCardStatus=status)

    def describe(self, name: str, version: int | None = None) -> Card:
        """See ``CardStore.describe``."""
        wanted = {"ModelCardVersion": version} if version is not None else {}
        with self._call("DescribeModelCard", name, version):
            found = self._client.describe_model_card(ModelCardName=name, **wanted)
        return Card(
            name=found["ModelCardName"],
            arn=found["ModelCardArn"],
            version=found["ModelCardVersion"],
            status=found["ModelCardStatus"],
            content=json.loads(found["Content"] or "{}"),
            kms_key_arn=found.get("SecurityConfig", {}).get("KmsKeyId", ""),
            created_at=_time(found, "CreationTime"),
            modified_at=_time(found, "LastModifiedTime"),
            created_by=_person(found.get("CreatedBy", {})),
            modified_by=_person(found.get("LastModifiedBy", {})),
        )

    def delete(self, name: str) -> None:
        """See ``CardStore.delete``."""
        with self._call("DeleteModelCard", name):
            self._client.delete_model_card(ModelCardName=name)

    def page(self, *, limit: int, token: str, name_contains: str, status: str) -> CardPage:
        """See ``CardStore.page``."""
        filters = {"NameContains": name_contains, "ModelCardStatus": status, "NextToken": token}
        with refusals(_SERVICE, "ListModelCards"):
            found = self._client.list_model_cards(
                MaxResults=limit,
                SortBy="CreationTime",
                SortOrder="Descending",
                **{key: value for key, value in filters.items() if value},
            )
        return CardPage(
            tuple(_entry(one) for one in found["ModelCardSummaries"]), found.get("NextToken", "")
        )

    def versions(self, name: str, *, limit: int, token: str) -> CardPage:
        """See ``CardStore.versions``."""
        more = {"NextToken": token} if token else {}
        with self._call("ListModelCardVersions", name):
            found = self._client.list_model_card_versions(
                ModelCardName=name, MaxResults=limit, SortOrder="Descending", **more
            )
        return CardPage(
            tuple(_entry(one) for one in found["ModelCardVersionSummaryList"]),
            found.get("NextToken", ""),
        )

    def export(self, name: str, *, version: int | None, job: str, location: str) -> str:
        """See ``CardStore.export``."""
        wanted = {"ModelCardVersion": version} if version is not None else {}
        with self._call("CreateModelCardExportJob", name, version):
            answer = self._client.create_model_card_export_job(
                ModelCardName=name,
                ModelCardExportJobName=job,
                OutputConfig={"S3OutputPath": location},
                **wanted,
            )
        return str(answer["ModelCardExportJobArn"])

    def look_at_export(self, arn: str) -> Export:
        """See ``CardStore.look_at_export``."""
        with refusals(_SERVICE, "DescribeModelCardExportJob"):
            found = self._client.describe_model_card_export_job(ModelCardExportJobArn=arn)
        return Export(
            name=found["ModelCardExportJobName"],
            arn=arn,
            status=found["Status"],
            version=found["ModelCardVersion"],
            location=found.get("ExportArtifacts", {}).get("S3ExportArtifacts", ""),
            reason=found.get("FailureReason", ""),
        )

    def exports(self, name: str) -> tuple[Export, ...]:
        """See ``CardStore.exports``."""
        with self._call("ListModelCardExportJobs", name):
            found = self._client.list_model_card_export_jobs(
                ModelCardName=name, SortBy="CreationTime", SortOrder="Descending", MaxResults=20
            )
        return tuple(
            self.look_at_export(one["ModelCardExportJobArn"])
            for one in found["ModelCardExportJobSummaries"]
        )

    @staticmethod
    def _call(
        operation: str, name: str, version: int | None = None
    ) -> AbstractContextManager[None]:
        conditions: dict[str, Callable[[str], Exception]] = {
            code: lambda _: CardUnknown(name, version) for code in _MISSING
        }
        conditions["ConflictException"] = lambda said: CardLocked(
            f"SageMaker does not change model card {name} now: {said}"
        )
        return refusals(_SERVICE, operation, conditions)


class SageMakerFacts:
    """The port ``Facts``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def model(self, name: str) -> ModelFacts | None:
        """See ``Facts.model``."""
        found = self._find("DescribeModel", lambda: self._client.describe_model(ModelName=name))
        if found is None:
            return None
        containers = [
            *([found["PrimaryContainer"]] if "PrimaryContainer" in found else []),
            *found.get("Containers", ()),
        ]
        return ModelFacts(
            arn=found["ModelArn"],
            artifacts=[one["ModelDataUrl"] for one in containers if one.get("ModelDataUrl")],
            images=[one["Image"] for one in containers if one.get("Image")],
        )

    def training_job(self, name: str) -> TrainingFacts | None:
        """See ``Facts.training_job``."""
        found = self._find(
            "DescribeTrainingJob",
            lambda: self._client.describe_training_job(TrainingJobName=name),
        )
        if found is None:
            return None
        sources = [channel["DataSource"] for channel in found.get("InputDataConfig", ())]
        image = found.get("AlgorithmSpecification", {}).get("TrainingImage", "")
        return TrainingFacts(
            arn=found["TrainingJobArn"],
            artifact=found.get("ModelArtifacts", {}).get("S3ModelArtifacts", ""),
            datasets=[
                source["S3DataSource"]["S3Uri"] for source in sources if "S3DataSource" in source
            ],
            images=[image] if image else [],
            metrics={
                metric["MetricName"]: metric["Value"]
                for metric in found.get("FinalMetricDataList", ())
            },
            hyperparameters=found.get("HyperParameters", {}),
        )

    @staticmethod
    def _find(operation: str, call: Callable[[], Any]) -> dict[str, Any] | None:
        """What a Describe call gives; nothing for a name that SageMaker does not know or take."""
        missing = dict.fromkeys(
            ("ValidationException", "ResourceNotFound"), lambda _: LookupError(operation)
        )
        try:
            with refusals(_SERVICE, operation, missing):
                return dict(call())
        except LookupError:
            return None


class S3MetricFiles:
    """The port ``MetricFiles``.

    Args:
        client: An S3 client.
        bucket: The bucket that the platform may read, for messages.
    """

    def __init__(self, client: Any, bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def read(self, uri: str) -> bytes:
        """See ``MetricFiles.read``."""
        place = urlsplit(uri)
        with refusals("S3", "GetObject"):
            try:
                found = self._client.get_object(Bucket=place.netloc, Key=place.path.lstrip("/"))
            except ClientError as error:
                status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
                if not 400 <= status < 500:
                    raise
                raise MetricFileUnreadable(
                    f"{uri} cannot be read ({message_of(error)}). Files of metrics are read from "
                    f"the platform's data bucket, s3://{self._bucket}."
                ) from None
        if found["ContentLength"] > _FILE_LIMIT:
            raise MetricFileUnreadable(
                f"{uri} has {found['ContentLength']} bytes; a file of metrics has at most "
                f"{_FILE_LIMIT}."
            )
        return bytes(found["Body"].read())


def _entry(found: Mapping[str, Any]) -> CardEntry:
    return CardEntry(
        name=found["ModelCardName"],
        arn=found["ModelCardArn"],
        status=found["ModelCardStatus"],
        created_at=_time(found, "CreationTime"),
        modified_at=_time(found, "LastModifiedTime"),
        version=found.get("ModelCardVersion", 0),
    )


def _time(found: Mapping[str, Any], key: str) -> str:
    return found[key].isoformat() if found.get(key) is not None else ""


def _person(found: Mapping[str, Any]) -> str:
    """The Studio user, or the IAM principal behind it."""
    identity = found.get("IamIdentity", {})
    return str(found.get("UserProfileName") or identity.get("Arn", ""))
