"""Where a person looks further: the console in the cloud, the endpoint of the local AWS."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol
from urllib.parse import quote, urlencode

_CONSOLES: Final[Mapping[str, str]] = {
    "aws": "console.aws.amazon.com",
    "aws-cn": "console.amazonaws.cn",
    "aws-us-gov": "console.amazonaws-us-gov.com",
}


class Links(Protocol):
    """Addresses of what a pipeline consists of; empty where there is no page."""

    def stack(self, name_or_arn: str) -> str:
        """Events of a CloudFormation stack."""

    def pipeline(self, name: str) -> str:
        """A CodePipeline."""

    def object(self, bucket: str, key: str) -> str:
        """An object in S3."""


class NoLinks:
    """The port ``Links`` where nobody said where to look."""

    def stack(self, name_or_arn: str) -> str:
        """See ``Links.stack``."""
        return ""

    def pipeline(self, name: str) -> str:
        """See ``Links.pipeline``."""
        return ""

    def object(self, bucket: str, key: str) -> str:
        """See ``Links.object``."""
        return ""


@dataclass(frozen=True)
class ConsoleLinks:
    """Pages of AWS's console.

    Attributes:
        region: Where the platform is.
        partition: ``aws``, ``aws-cn`` or ``aws-us-gov``.
    """

    region: str
    partition: str = "aws"

    def stack(self, name_or_arn: str) -> str:
        """See ``Links.stack``."""
        page = (
            "stacks/events?stackId=" if name_or_arn.startswith("arn:") else "stacks?filteringText="
        )
        return f"{self._home('cloudformation')}#/{page}{quote(name_or_arn, safe='')}"

    def pipeline(self, name: str) -> str:
        """See ``Links.pipeline``."""
        page = f"codesuite/codepipeline/pipelines/{quote(name, safe='')}/view"
        return f"https://{self._host}/{page}?region={self.region}"

    def object(self, bucket: str, key: str) -> str:
        """See ``Links.object``."""
        asked = urlencode({"region": self.region, "prefix": key})
        return f"https://{self._host}/s3/object/{bucket}?{asked}"

    def _home(self, service: str) -> str:
        return f"https://{self._host}/{service}/home?region={self.region}"

    @property
    def _host(self) -> str:
        console = _CONSOLES.get(self.partition, _CONSOLES["aws"])
        return f"{self.region}.{console}" if self.partition == "aws" else console


@dataclass(frozen=True)
class LocalLinks:
    """Addresses of the local AWS, which has no console; its CloudFormation answers a browser.

    Attributes:
        endpoint: For example ``http://127.0.0.1:4566``.
    """

    endpoint: str

    def stack(self, name_or_arn: str) -> str:
        """See ``Links.stack``."""
        asked = {"Action": "DescribeStackEvents", "StackName": name_or_arn, "Version": "2010-05-15"}
        return f"{self.endpoint.rstrip('/')}/?{urlencode(asked)}"

    def pipeline(self, name: str) -> str:
        """See ``Links.pipeline``; CodePipeline answers no browser."""
        return ""

    def object(self, bucket: str, key: str) -> str:
        """See ``Links.object``."""
        return f"{self.endpoint.rstrip('/')}/{bucket}/{quote(key)}"
