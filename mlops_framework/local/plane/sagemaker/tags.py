"""Tags of any SageMaker resource, by its ARN."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.local.plane.sagemaker.area import Area
from mlops_framework.local.plane.service import Scope, operation


class Tags(Area):
    """AddTags, ListTags and DeleteTags."""

    @operation("AddTags")
    def add_tags(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Add or overwrite tags."""
        self.keep_tags(request["ResourceArn"], request["Tags"], scope)
        return {"Tags": _listed(self.tags_of(request["ResourceArn"], scope))}

    @operation("ListTags")
    def list_tags(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """List the tags of a resource."""
        return {"Tags": _listed(self.tags_of(request["ResourceArn"], scope))}

    @operation("DeleteTags")
    def delete_tags(self, request: Mapping[str, Any], scope: Scope) -> Mapping[str, Any]:
        """Remove tags by key."""
        with self.locked():
            kept = self.records("tags", scope).get(request["ResourceArn"], {})
            for key in request["TagKeys"]:
                kept.pop(key, None)
        return {}


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
