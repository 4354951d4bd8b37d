"""``AWS::ApiGateway::RequestValidator``, which the emulator accepts but does not create."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from mlops_framework.local.plane.cloudformation import (
    Created,
    ResourceContext,
    ResourceType,
    resource_type,
)

_FLAGS = ("ValidateRequestBody", "ValidateRequestParameters")


@resource_type("AWS::ApiGateway::RequestValidator", attributes={"RequestValidatorId"})
class RequestValidator(ResourceType):
    """Checks a method's request against its model before the integration is called."""

    replaced_by: ClassVar[frozenset[str]] = frozenset({"RestApiId", "Name"})
    tags: ClassVar[str | None] = None

    def create(self, properties: Mapping[str, Any], context: ResourceContext) -> Created:
        """See :meth:`ResourceType.create`."""
        made = context.client("apigateway").create_request_validator(
            restApiId=properties["RestApiId"],
            name=properties.get("Name") or context.generated_name(128),
            validateRequestBody=_flag(properties, "ValidateRequestBody"),
            validateRequestParameters=_flag(properties, "ValidateRequestParameters"),
        )
        return made["id"], {"RequestValidatorId": made["id"]}

    def update(
        self,
        physical_id: str,
        before: Mapping[str, Any],
        after: Mapping[str, Any],
        context: ResourceContext,
    ) -> Created:
        """See :meth:`ResourceType.update`."""
        context.client("apigateway").update_request_validator(
            restApiId=after["RestApiId"],
            requestValidatorId=physical_id,
            patchOperations=[
                {
                    "op": "replace",
                    "path": f"/{name[:1].lower()}{name[1:]}",
                    "value": str(_flag(after, name)).lower(),
                }
                for name in _FLAGS
            ],
        )
        return physical_id, {"RequestValidatorId": physical_id}

    def delete(
        self, physical_id: str, properties: Mapping[str, Any], context: ResourceContext
    ) -> None:
        """See :meth:`ResourceType.delete`."""
        try:
            context.client("apigateway").delete_request_validator(
                restApiId=properties["RestApiId"], requestValidatorId=physical_id
            )
        except ClientError as error:
            # The API it belonged to may be gone already.
            if error.response["Error"]["Code"] != "NotFoundException":
                raise


def _flag(properties: Mapping[str, Any], name: str) -> bool:
    return str(properties.get(name, "false")).lower() == "true"
