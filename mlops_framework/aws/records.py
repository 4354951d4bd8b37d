"""Pipeline records in a DynamoDB table whose partition key is ``pipeline_id``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from mlops_framework.aws.refusals import refusals
from mlops_framework.orchestration.errors import RecordChanged
from mlops_framework.orchestration.records import PipelineRecord, RecordPage

_CHANGED = {"ConditionalCheckFailedException": RecordChanged}


class DynamoRecordStore:
    """The port ``RecordStore``.

    Args:
        client: A DynamoDB client.
        table: Name of the table.
    """

    def __init__(self, client: Any, table: str) -> None:
        self._client = client
        self._table = table

    def get(self, pipeline_id: str) -> PipelineRecord | None:
        """See ``RecordStore.get``."""
        with refusals("DynamoDB", "GetItem"):
            answer = self._client.get_item(
                TableName=self._table, Key=_key(pipeline_id), ConsistentRead=True
            )
        return _record(answer["Item"]) if "Item" in answer else None

    def put(self, record: PipelineRecord, *, expected_revision: int | None) -> None:
        """See ``RecordStore.put``."""
        condition: dict[str, Any] = {"ConditionExpression": "attribute_not_exists(pipeline_id)"}
        if expected_revision is not None:
            condition = {
                "ConditionExpression": "revision = :expected",
                "ExpressionAttributeValues": {":expected": {"N": str(expected_revision)}},
            }
        item = {name: _attribute(value) for name, value in record.to_item().items()}
        with refusals("DynamoDB", "PutItem", _CHANGED):
            self._client.put_item(TableName=self._table, Item=item, **condition)

    def delete(self, pipeline_id: str, *, expected_revision: int) -> None:
        """See ``RecordStore.delete``."""
        with refusals("DynamoDB", "DeleteItem", _CHANGED):
            self._client.delete_item(
                TableName=self._table,
                Key=_key(pipeline_id),
                ConditionExpression="attribute_not_exists(pipeline_id) OR revision = :expected",
                ExpressionAttributeValues={":expected": {"N": str(expected_revision)}},
            )

    def page(self, *, limit: int, token: str = "") -> RecordPage:
        """See ``RecordStore.page``."""
        start = {"ExclusiveStartKey": _key(token)} if token else {}
        with refusals("DynamoDB", "Scan"):
            answer = self._client.scan(TableName=self._table, Limit=limit, **start)
        last = answer.get("LastEvaluatedKey", {}).get("pipeline_id", {}).get("S", "")
        return RecordPage(tuple(_record(item) for item in answer["Items"]), last)


def _key(pipeline_id: str) -> dict[str, Any]:
    return {"pipeline_id": {"S": pipeline_id}}


def _attribute(value: str | int | list[str]) -> dict[str, Any]:
    if isinstance(value, list):
        return {"L": [{"S": inner} for inner in value]}
    return {"N": str(value)} if isinstance(value, int) else {"S": value}


def _record(item: Mapping[str, Any]) -> PipelineRecord:
    return PipelineRecord.from_item({name: _value(found) for name, found in item.items()})


def _value(attribute: Mapping[str, Any]) -> Any:
    if "L" in attribute:
        return [_value(inner) for inner in attribute["L"]]
    return int(attribute["N"]) if "N" in attribute else attribute.get("S")
