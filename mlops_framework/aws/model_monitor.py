"""SageMaker and S3 as ``mlops_framework.model_monitor`` sees them."""

from __future__ import annotations

from typing import Any, Final

from botocore.exceptions import ClientError

from mlops_framework.aws.refusals import refusals
from mlops_framework.model_monitor.errors import AnalysisInvalid
from mlops_framework.model_monitor.runs import Job

SOURCE: Final = "mlops.monitors"
NAMESPACE: Final = "MLOps/Monitors"
_MISSING: Final = ("NoSuchKey", "404", "NotFound")


class S3Files:
    """The port ``Files``.

    Args:
        client: An S3 client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def read(self, uri: str) -> str | None:
        """See ``Files.read``."""
        bucket, key = _parts(uri)
        with refusals("S3", "GetObject"):
            try:
                body = self._client.get_object(Bucket=bucket, Key=key)["Body"]
            except ClientError as error:
                if error.response["Error"]["Code"] in _MISSING:
                    return None
                raise
            return str(body.read().decode("utf-8"))

    def beginning(self, uri: str, size: int) -> str:
        """See ``Files.beginning``."""
        bucket, prefix = _parts(uri)
        with refusals("S3", "ListObjectsV2"):
            page = self._client.list_objects_v2(Bucket=bucket, Prefix=prefix)
        found = [item["Key"] for item in page.get("Contents", ()) if item["Size"]]
        if not found:
            raise AnalysisInvalid(f"There is no object at {uri}.")
        with refusals("S3", "GetObject"):
            part = self._client.get_object(
                Bucket=bucket, Key=found[0], Range=f"bytes=0-{size - 1}"
            )["Body"].read()
        return str(part.decode("utf-8-sig", "replace"))

    def write(self, uri: str, text: str) -> None:
        """See ``Files.write``."""
        bucket, key = _parts(uri)
        with refusals("S3", "PutObject"):
            self._client.put_object(
                Bucket=bucket, Key=key, Body=text.encode(), ContentType="application/json"
            )


class SageMakerJobs:
    """The port ``Jobs``.

    Args:
        client: A SageMaker client.
    """

    def __init__(self, client: Any) -> None:
        self._client = client

    def look(self, job: str) -> Job:
        """See ``Jobs.look``."""
        with refusals("SageMaker", "DescribeProcessingJob"):
            found = self._client.describe_processing_job(ProcessingJobName=job)
        outputs = found.get("ProcessingOutputConfig", {}).get("Outputs", [])
        places = [output["S3Output"]["S3Uri"] for output in outputs if "S3Output" in output]
        return Job(
            name=job,
            status=found["ProcessingJobStatus"],
            schedule=found.get("MonitoringScheduleArn", "").rpartition("/")[2],
            output=places[0].rstrip("/") if places else "",
            reason=found.get("FailureReason", ""),
            message=found.get("ExitMessage", ""),
        )

    def model_of(self, endpoint: str) -> str:
        """See ``Jobs.model_of``."""
        with refusals("SageMaker", "DescribeEndpoint"):
            live = self._client.describe_endpoint(EndpointName=endpoint)
        with refusals("SageMaker", "DescribeEndpointConfig"):
            config = self._client.describe_endpoint_config(
                EndpointConfigName=live["EndpointConfigName"]
            )
        for variant in config["ProductionVariants"]:
            if name := variant.get("ModelName"):
                return str(name)
        raise AnalysisInvalid(
            f"Endpoint {endpoint} names no model in its configuration (it serves inference "
            "components); give predictor_model_name."
        )


def _parts(uri: str) -> tuple[str, str]:
    bucket, _, key = uri.removeprefix("s3://").partition("/")
    return bucket, key
