"""Job definitions of Model Monitor: kept, checked and described; nothing runs them here.

The four kinds have the same operations and the same rules, so one class makes them from their
names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from mlops_framework.local.plane.host import PlaneHost
from mlops_framework.local.plane.sagemaker.area import Area, Record, invalid, now, only
from mlops_framework.local.plane.sagemaker.listing import page
from mlops_framework.local.plane.service import AwsFault, Scope

KINDS: Final[Mapping[str, str]] = {
    "DataQuality": "data-quality-job-definition",
    "ModelQuality": "model-quality-job-definition",
    "ModelBias": "model-bias-job-definition",
    "ModelExplainability": "model-explainability-job-definition",
}
"""SageMaker's name of a kind of monitor, and the word of its definitions' ARNs."""
_RUNTIME_SECONDS: Final = 3600


class JobDefinitions(Area):
    """Create, Describe, List and Delete of one kind of job definition."""

    def __init__(self, host: PlaneHost, kind: str) -> None:
        """Take the kind's operations.

        Args:
            host: the emulator.
            kind: one of `KINDS`.
        """
        super().__init__(host)
        self._kind = kind
        self._word = KINDS[kind]
        self._operations |= {
            f"Create{kind}JobDefinition": self._create,
            f"Describe{kind}JobDefinition": self._describe,
            f"List{kind}JobDefinitions": self._list,
            f"Delete{kind}JobDefinition": self._delete,
        }

    def definition(self, name: str, scope: Scope) -> Record:
        """A copy of a definition.

        Raises:
            AwsFault: there is none.
        """
        record = self.find(self._word, name, scope)
        if record is None:
            arn = scope.arn("sagemaker", f"{self._word}/{name}")
            raise AwsFault("ResourceNotFound", f"Could not find the job definition {arn}.")
        return record

    def endpoint_of(self, record: Mapping[str, Any]) -> str:
        """The endpoint that a definition watches; empty for batch transforms."""
        given = record[f"{self._kind}JobInput"].get("EndpointInput", {})
        return str(given.get("EndpointName", ""))

    def image_of(self, record: Mapping[str, Any]) -> str:
        """The analyzer's image."""
        return str(record[f"{self._kind}AppSpecification"]["ImageUri"])

    def _create(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Keep a definition."""
        self._check(request)
        name = request["JobDefinitionName"]
        arn = scope.arn("sagemaker", f"{self._word}/{name}")
        record = {
            "StoppingCondition": {"MaxRuntimeInSeconds": _RUNTIME_SECONDS},
            **{member: value for member, value in request.items() if member != "Tags"},
            "JobDefinitionArn": arn,
            "CreationTime": now(),
        }
        taken = AwsFault("ResourceInUse", f"A job definition with the ARN {arn} already exists.")
        self.add(self._word, name, scope, record, taken)
        self.keep_tags(arn, request.get("Tags"), scope)
        return {"JobDefinitionArn": arn}

    def _describe(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Describe a definition."""
        return self.definition(request["JobDefinitionName"], scope)

    def _list(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the definitions of the kind."""
        wanted = request.get("EndpointName")
        with self.locked():
            found = [
                record
                for record in self.records(self._word, scope).values()
                if not wanted or self.endpoint_of(record) == wanted
            ]
            chosen, token = page(found, request, name="JobDefinitionName")
        listed = [
            {
                "MonitoringJobDefinitionName": record["JobDefinitionName"],
                "MonitoringJobDefinitionArn": record["JobDefinitionArn"],
                **only(record, ("CreationTime",)),
                "EndpointName": self.endpoint_of(record),
            }
            for record in chosen
        ]
        return {"JobDefinitionSummaries": listed, "NextToken": token}

    def _delete(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Forget a definition."""
        record = self.definition(request["JobDefinitionName"], scope)
        self.forget(self._word, record["JobDefinitionName"], scope, record["JobDefinitionArn"])
        return {}

    def _check(self, request: Mapping[str, Any]) -> None:
        member = f"{self._kind}JobInput"
        sources = [
            name for name in ("EndpointInput", "BatchTransformInput") if name in request[member]
        ]
        if len(sources) != 1:
            raise invalid(
                f"{member} has {' and '.join(sources) or 'neither'}; it takes exactly one of "
                "EndpointInput and BatchTransformInput."
            )
        if "BatchTransformInput" in sources:
            form = request[member]["BatchTransformInput"]["DatasetFormat"]
            if len(form) != 1:
                raise invalid(f"DatasetFormat of {member} takes exactly one of Csv, Json, Parquet.")
